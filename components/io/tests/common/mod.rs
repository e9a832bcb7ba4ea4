//! What the tests of this crate share.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use paperflow_engine::Scheduler;
use paperflow_engine::report::Verdict;
use paperflow_engine::rig::{Ran, Rig};

/// A component of this crate on the bench, by name or alias.
pub(crate) fn rig(name: &str) -> Rig {
    let catalogue = paperflow_io::catalogue();
    Rig::of_shared(Arc::clone(
        catalogue
            .get(name)
            .unwrap_or_else(|| panic!("no component {name}")),
    ))
}

/// Runs once with these out-ports connected.
pub(crate) fn run(rig: &Rig, ports: &[&str]) -> Ran {
    rig.run(ports, Scheduler::Threads, 2)
}

/// The message of the fault that ends a run.
pub(crate) fn fault(ran: &Ran) -> &str {
    match &ran.outcome.verdict {
        Verdict::Failed(report) => &report.message,
        other => panic!("expected a fault, got {other:?}"),
    }
}

/// A directory that goes with its test.
pub(crate) struct Place(PathBuf);

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Place {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("paperflow-io-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The path of a new file in it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }

    /// What is in a file.
    pub(crate) fn content(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
