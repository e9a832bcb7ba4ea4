//! A store in a folder of the local disk.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Declaration, Desk, Standing, Store, StoreFault,
};
use rusqlite::params;

#[cfg(unix)]
use crate::admin::control::Control;
use crate::admin::{self, Answer, Ask};
use crate::clock::{Clock, SystemClock};
use crate::desk;
use crate::fault::{damaged, unavailable, unsupported};
use crate::lock::Lock;
use crate::pubsub::{self, Channel};
use crate::queue::{self, Queue};
use crate::run;
use crate::seen::Seen;
use crate::stream::{self, Stream, admin as streams};
use crate::writer::{self, Keeper, Orders, Safe, Tx};

/// Keeps connectors, tables and runs in a folder: the file `store.db` of SQLite, and `lock`.
///
/// One process at a time has it. It stays open until it is closed, or the last connector, subscription
/// and desk of it is dropped.
pub struct Embedded {
    keeper: Arc<Keeper>,
    folder: PathBuf,
}

/// What is open, as the writing thread knows it.
pub(crate) struct Opened {
    pub(crate) orders: Orders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queues: HashMap<String, Arc<Queue>>,
    pub(crate) streams: HashMap<String, Arc<Stream>>,
    pub(crate) channels: HashMap<String, Arc<Channel>>,
    /// By number of the connector.
    pub(crate) seen: HashMap<i64, Seen>,
    /// Connectors that were connected, and the graphs whose run they belong to.
    pub(crate) users: HashMap<i64, BTreeSet<String>>,
    /// Graphs whose run has begun and not finished.
    pub(crate) running: BTreeSet<String>,
}

impl Opened {
    pub(crate) fn new(orders: Orders, clock: Arc<dyn Clock>) -> Self {
        Self {
            orders,
            clock,
            queues: HashMap::new(),
            streams: HashMap::new(),
            channels: HashMap::new(),
            seen: HashMap::new(),
            users: HashMap::new(),
            running: BTreeSet::new(),
        }
    }

    /// Somebody connects to a connector: one of those who run, or one whose run is about to begin.
    pub(crate) fn use_now(&mut self, number: i64) {
        let users = self.users.entry(number).or_default();
        users.extend(self.running.iter().cloned());
    }
}

impl Embedded {
    /// Opens the store in a folder, and makes both if they are not there.
    ///
    /// # Errors
    /// Another process has it (`Taken`), it is damaged (`Damaged`), of a newer version (`Unsupported`),
    /// or cannot be written (`Unavailable`).
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreFault> {
        Self::open_with(folder, Arc::new(SystemClock::default()))
    }

    /// Opens a store with its own time.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn open_with(
        folder: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreFault> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| {
            let folder = folder.display();
            unavailable(format!("cannot make the folder `{folder}`: {error}"))
        })?;
        let store = Self::open_only(folder, clock)?;
        #[cfg(unix)]
        store
            .keeper
            .serve(Control::start(&store.folder, store.keeper.orders.clone()));
        Ok(store)
    }

    /// Opens a store that is there, for one who asks; nobody else can.
    pub(crate) fn open_quietly(folder: &Path) -> Result<Self, StoreFault> {
        Self::open_only(folder.to_owned(), Arc::new(SystemClock::default()))
    }

    fn open_only(folder: PathBuf, clock: Arc<dyn Clock>) -> Result<Self, StoreFault> {
        let lock = Lock::take(&folder)?;
        let file = folder.join("store.db");
        let keeper = writer::start(&file, Arc::clone(&clock), lock)?;
        let orders = keeper.orders.clone();
        run::forget_regularly(&orders, Arc::clone(&clock));
        clock.on_change(Box::new(move || {
            // A store that is closed has nothing to do.
            let _ = orders.call(Safe::FromCrash, |_| Ok(()));
        }));
        let keeper = Arc::new(keeper);
        Ok(Self { keeper, folder })
    }

    /// Asks about streams and channels, or does something to them.
    ///
    /// # Errors
    /// There is no such stream, group or partition (`Unsupported`), or the store cannot be read or written.
    pub fn ask_streams(&self, request: streams::Request) -> Result<streams::Answer, StoreFault> {
        let job = move |tx: &mut Tx<'_>| streams::answer(tx, request);
        self.keeper.orders.call(Safe::FromPowerCut, job)
    }

    /// Asks what the command asks, see [`admin`](crate::admin).
    ///
    /// # Errors
    /// There is no such queue, or it cannot be done now.
    pub fn ask(&self, ask: &Ask) -> Result<Answer, StoreFault> {
        admin::ask(&self.keeper.orders, ask)
    }

    /// Lets the file have so many pages and no more, or as many as there is room for: a full disk, for
    /// tests.
    ///
    /// # Errors
    /// The store is closed.
    #[cfg(feature = "compliance")]
    pub fn allow_pages(&self, pages: Option<u32>) -> Result<(), StoreFault> {
        let pages = pages.unwrap_or(u32::MAX - 1);
        let job = move |tx: &mut Tx<'_>| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            tx.row(&sql, [], |_| Ok(())).map(|_| ())
        };
        self.keeper.orders.call(Safe::FromCrash, job)
    }

    /// The folder it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Store for Embedded {
    fn name(&self) -> &str {
        "embedded"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        match kind {
            ConnectorKind::Queue => Some(queue::CAPABILITIES),
            ConnectorKind::Stream => Some(stream::CAPABILITIES),
            ConnectorKind::Pubsub => Some(pubsub::CAPABILITIES),
        }
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        match declaration.kind {
            ConnectorKind::Queue => queue::connect(&self.keeper, declaration),
            ConnectorKind::Stream => stream::connect(&self.keeper, declaration),
            ConnectorKind::Pubsub => pubsub::connect(&self.keeper, declaration),
        }
    }

    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        let wanted = declaration.clone();
        let job = move |tx: &mut Tx<'_>| {
            let sql = "SELECT declaration FROM connectors WHERE name = ?";
            let there: Option<String> = tx.row(sql, [&wanted.name], |row| row.get(0))?;
            there.map_or(Ok(Standing::Absent), |text| standing(&wanted, &text))
        };
        self.keeper.orders.call(Safe::FromCrash, job)
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Ok(Arc::new(desk::open(&self.keeper, process)?))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        run::epoch(&self.keeper.orders, graph)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        run::finish(&self.keeper.orders, graph, epoch)
    }

    fn close(&self) {
        self.keeper.close();
    }
}

/// How a connector stands whose declaration a store has kept as JSON.
pub(crate) fn standing(wanted: &Declaration, kept: &str) -> Result<Standing, StoreFault> {
    let there: Declaration = serde_json::from_str(kept).map_err(|error| {
        damaged(format!(
            "the declaration of `{}` cannot be read: {error}",
            wanted.name
        ))
    })?;
    Ok(Standing::Present(wanted.differences(&there)))
}

/// The number of a connector, which is made if it is not there; its declaration is kept.
///
/// # Errors
/// The store keeps something of another kind under that name.
pub(crate) fn number(tx: &mut Tx<'_>, declaration: &Declaration) -> Result<i64, StoreFault> {
    let Declaration { name, kind, .. } = declaration;
    let text = serde_json::to_string(declaration).map_err(|error| damaged(error.to_string()))?;
    let sql = "SELECT number, kind FROM connectors WHERE name = ?";
    let found = tx.row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Option<(i64, String)> = found;
    if let Some((number, known)) = found {
        if known != kind.word() {
            return Err(unsupported(format!(
                "`{name}` is a {known} in this store, and cannot be a {kind} as well"
            )));
        }
        let sql = "UPDATE connectors SET declaration = ? WHERE number = ? AND declaration <> ?1";
        tx.execute(sql, params![text, number])?;
        return Ok(number);
    }
    let sql = "INSERT INTO connectors (name, kind, declaration) VALUES (?, ?, ?) RETURNING number";
    let made = tx.row(sql, params![name, kind.word(), text], |row| row.get(0))?;
    made.ok_or_else(|| damaged("a connector was not written"))
}
