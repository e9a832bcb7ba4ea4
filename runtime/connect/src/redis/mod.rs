//! Redis: queues on Redis Streams.
//!
//! Everything that must happen as one is a script that the server runs (`scripts`): a message is sent with
//! its identity, leased with its count, set aside together with the end of the original. What is settled
//! is told many at a time, together with the next receive. Safe is what the server says it has written:
//! how safe that is over a crash of the server is its own setting (`appendfsync always` for each write).
//!
//! # URL
//!
//! `redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=P&patience=SECONDS&window=SECONDS&ids=N`, or `rediss://`
//! for an encrypted connection, with the feature `tls`. Write what is secret as `${NAME}` in the wiring
//! file: it is taken from the environment, and never shown. All keys begin with the prefix. The server may
//! be away for so many seconds before whoever needs it gives up (300). Ids that were sent are known for so
//! many seconds (a week), and so many of them for each connector (a million).
//!
//! # Runs
//!
//! The number of a graph's run is kept by the server, in `paperflow:runs`: whoever goes on with the graph,
//! on whatever host, has the same number until the run has finished well. Then the ids that it has sent are
//! forgotten.
//!
//! # One server
//!
//! A script touches several keys, so a cluster cannot serve; a primary with replicas can.

mod line;
mod notes;
mod queue;
mod reader;
mod scripts;
mod watch;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_channel::Sender;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, Declaration, Desk, Notes, Sent, Store,
    StoreFault, Subscription,
};
use paperflow_core::message::{Message, hash_of_key};
use parking_lot::Mutex;

use crate::broker::Access;
use crate::broker::patience::PATIENCE;
use crate::clock::{Clock, SystemClock};
use crate::fault::{damaged, unsupported};
use crate::seen::WINDOW;
use line::{Call, Line, Terms};
use notes::Board;
use queue::Queue;
use reader::Reader;
use wire::{item, list, lossy, number};

/// Ids that are known for each connector, if the URL says nothing else.
const IDS: u64 = 1_000_000;

/// What queues can do here.
const QUEUES: Capabilities = Capabilities {
    settles_each: true,
    requeues: true,
    delays: true,
    dead_letters: true,
    renews: true,
    orders: true,
    replays: false,
    knows_ids: true,
    transactions: false,
};

/// Keeps connectors on a Redis server.
pub struct Redis {
    inner: Arc<Inner>,
}

/// How it is written to.
struct Settings {
    is_structured: bool,
    window: Duration,
    ids: u64,
}

impl Settings {
    /// Who writes, for the envelope.
    fn source(&self, connector: &str) -> String {
        format!("paperflow:{connector}")
    }
}

/// What is open.
struct Inner {
    line: Arc<Line>,
    settings: Arc<Settings>,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    orders: Sender<Weak<Queue>>,
    /// Connectors that were connected, and the graph that asked for a run since.
    users: Mutex<HashMap<String, Option<String>>>,
}

impl Redis {
    /// Opens a server as a store.
    ///
    /// # Errors
    /// The server cannot be reached (`Unavailable`), or refuses us (`Unsupported`).
    pub fn open(access: &Access) -> Result<Self, StoreFault> {
        Self::open_with(access, Arc::new(SystemClock::default()), false)
    }

    /// Opens a server that believes what a clock says, and not its own.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    #[cfg(feature = "compliance")]
    pub fn open_at(access: &Access, clock: Arc<dyn Clock>) -> Result<Self, StoreFault> {
        Self::open_with(access, clock, true)
    }

    fn open_with(
        access: &Access,
        clock: Arc<dyn Clock>,
        is_told_time: bool,
    ) -> Result<Self, StoreFault> {
        let mut settings = access.settings();
        let terms = Terms {
            prefix: settings.text("prefix").unwrap_or_default(),
            patience: settings.seconds("patience")?.unwrap_or(PATIENCE),
            session: session(),
            clock: Arc::clone(&clock),
            is_told_time,
        };
        let kept = Settings {
            is_structured: access.is_structured,
            window: settings.seconds("window")?.unwrap_or(WINDOW),
            ids: settings.number("ids")?.unwrap_or(IDS),
        };
        settings.done()?;
        let line = Arc::new(Line::new(&access.address, terms)?);
        line.query(&line::greeting(&line.prefix, &line.session))?;
        let (orders, jobs) = crossbeam_channel::unbounded();
        let inner = Arc::new(Inner {
            line,
            settings: Arc::new(kept),
            queues: Mutex::default(),
            orders,
            users: Mutex::default(),
        });
        watch::start(&inner, jobs)?;
        let own = Arc::downgrade(&inner);
        clock.on_change(Box::new(move || {
            if let Some(inner) = own.upgrade()
                && let Err(fault) = inner.look()
            {
                tracing::debug!("no sign of life could be given: {fault}");
            }
        }));
        Ok(Self { inner })
    }

    /// Cuts the line, as if this process had died: nothing is given back, nobody is told.
    #[cfg(feature = "compliance")]
    pub fn cut(&self) {
        self.inner.line.cut();
    }
}

/// A name for this opening of the store that nobody else has.
fn session() -> String {
    static OPENED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let opened = OPENED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos();
    let here = std::ptr::from_ref(&OPENED).addr();
    let seed = format!("{} {now} {opened} {here}", std::process::id());
    format!("{:016x}", hash_of_key(&seed))
}

impl Inner {
    /// What was settled in a queue is told soon.
    fn write_later(&self, queue: &Arc<Queue>) {
        // Nobody takes orders when the store is closed; then what is not settled is delivered again.
        let _ = self.orders.send(Arc::downgrade(queue));
    }

    fn queues(&self) -> Vec<Arc<Queue>> {
        self.queues.lock().values().cloned().collect()
    }

    /// Gives signs of life, looks for what others have written, and writes what could not be written.
    fn look(&self) -> Result<(), StoreFault> {
        for queue in self.queues() {
            queue.look()?;
            queue.write_settled()?;
        }
        Ok(())
    }

    fn call_all(&self) {
        self.queues().iter().for_each(|queue| queue.call_all());
    }

    /// Another process has done something.
    fn hear(&self, news: &str) {
        let mut news = news.splitn(3, '\n');
        let (who, what, name) = (news.next(), news.next(), news.next());
        if who == Some(&self.line.session) {
            return;
        }
        let Some(queue) = self.queues.lock().get(name.unwrap_or_default()).cloned() else {
            return;
        };
        let mut local = queue.local.lock();
        match what {
            Some("room") => local.call_writers(),
            _ => local.call_readers(),
        }
    }

    /// How long until the next look: short enough for every lease.
    fn rhythm(&self, most: Duration) -> Duration {
        let queues = self.queues();
        let leases = queues
            .iter()
            .map(|queue| queue.local.lock().declaration.lease / 3);
        leases
            .min()
            .unwrap_or(most)
            .clamp(Duration::from_millis(10), most)
    }

    fn queue(&self, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
        let text =
            serde_json::to_string(declaration).map_err(|error| damaged(error.to_string()))?;
        let Declaration { name, kind, .. } = declaration;
        let call = Call::of(&scripts::CONNECT)
            .with(name)
            .with(kind.word())
            .with(text);
        let answer = self.line.ask(call)?;
        let answer = list(&answer)?;
        if lossy(item(answer, 0)) == "other" {
            let known = lossy(item(answer, 1));
            return Err(unsupported(format!(
                "`{name}` is a {known} in this store, and cannot be a {kind} as well"
            )));
        }
        let mut queues = self.queues.lock();
        let queue = queues.entry(name.clone()).or_insert_with(|| {
            let (line, settings) = (Arc::clone(&self.line), Arc::clone(&self.settings));
            Arc::new(Queue::new(line, settings, declaration.clone()))
        });
        queue.local.lock().declaration = declaration.clone();
        Ok(Arc::clone(queue))
    }

    /// The number of a graph's run, after the one of this number, if one is given, has finished.
    fn run(
        &self,
        graph: &str,
        finished: Option<u64>,
        connectors: Vec<String>,
    ) -> Result<u64, StoreFault> {
        let finished = finished.map(|epoch| epoch.to_string()).unwrap_or_default();
        let mut call = Call::of(&scripts::RUN).with(graph).with(finished);
        connectors.iter().for_each(|name| call.add(name));
        let answer = self.line.ask(call)?;
        number(&answer).ok_or_else(|| damaged("a server has no number for a run"))
    }
}

impl Store for Redis {
    fn name(&self) -> &str {
        "redis"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        (kind == ConnectorKind::Queue).then_some(QUEUES)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let Declaration { name, kind, .. } = declaration;
        if *kind != ConnectorKind::Queue {
            return Err(unsupported(format!(
                "a {kind} cannot be kept by Redis: `{name}`"
            )));
        }
        if [declaration.dead_letter_name(), declaration.invalid_name()].contains(name) {
            return Err(unsupported(format!(
                "the queue `{name}` cannot be the one where its own messages are set aside"
            )));
        }
        let queue = self.inner.queue(declaration)?;
        self.inner.users.lock().insert(name.clone(), None);
        Ok(Arc::new(Handle {
            queue,
            inner: Arc::clone(&self.inner),
        }))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(unsupported(format!(
            "Redis keeps no tables, and `{process}` has some: let the embedded store keep them"
        )))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        for user in self.inner.users.lock().values_mut() {
            user.get_or_insert_with(|| graph.to_owned());
        }
        self.inner.run(graph, None, Vec::new())
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        let users = self.inner.users.lock();
        let own = users
            .iter()
            .filter(|(_, user)| user.as_deref() == Some(graph));
        let own = own.map(|(name, _)| name.clone()).collect();
        drop(users);
        self.inner.run(graph, Some(epoch), own).map(|_| ())
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        Ok(Some(Arc::new(Board::of(&self.inner.line, graph))))
    }

    fn close(&self) {
        for queue in self.inner.queues() {
            if let Err(fault) = queue.write_settled() {
                tracing::warn!(
                    "what was settled in `{}` is delivered again: {fault}",
                    queue.name
                );
            }
        }
        self.inner.line.cut();
    }
}

/// A queue, for the engine.
struct Handle {
    queue: Arc<Queue>,
    inner: Arc<Inner>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        self.queue.send(messages)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.queue.room(waker)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, _: &str) -> Result<Option<u64>, StoreFault> {
        self.queue.unfinished().map(Some)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (queue, inner) = (Arc::clone(&self.queue), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(queue, inner, consumer)))
    }
}
