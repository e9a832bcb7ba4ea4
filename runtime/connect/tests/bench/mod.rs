//! The embedded store, as the suite wants a store.

use std::sync::Arc;
use std::time::Duration;

use paperflow_connect::Embedded;
use paperflow_connect::clock::ManualClock;
use paperflow_connect::compliance::Bench;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::connector::{Store, StoreFault};
use tempfile::TempDir;

pub(crate) struct Folder {
    folders: Vec<TempDir>,
    clock: ManualClock,
    store: Option<Arc<Embedded>>,
    /// Stores of processes that have died.
    dead: Vec<Arc<Embedded>>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let mut folder = Self {
            folders: Vec::new(),
            clock: ManualClock::at(Duration::from_secs(1_700_000_000)),
            store: None,
            dead: Vec::new(),
        };
        folder.folders.push(tempfile::tempdir().unwrap());
        folder.open();
        folder
    }

    fn open(&mut self) {
        let folder = self.folders.last().unwrap().path();
        let store = Embedded::open_with(folder, Arc::new(self.clock.clone()));
        self.store = Some(Arc::new(store.unwrap()));
    }
}

impl Bench for Folder {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().unwrap()) as Arc<dyn Store>
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    /// Goes on with the files as they are at this moment.
    fn crash(&mut self) {
        let before = self.store.take().unwrap();
        let folder = tempfile::tempdir().unwrap();
        for file in ["store.db", "store.db-wal"] {
            std::fs::copy(before.folder().join(file), folder.path().join(file)).unwrap();
        }
        self.dead.push(before);
        self.folders.push(folder);
        self.open();
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.store.as_ref().unwrap().ask_streams(request)
    }
}
