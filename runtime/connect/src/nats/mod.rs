//! NATS: queues on JetStream.
//!
//! A queue is a stream of the server with one consumer that all who read it share; each message is
//! acknowledged by itself. What must be known to all, as the runs of graphs, is in documents in a bucket of
//! the key-value store, changed by compare-and-set. Safe is what the server says it has written: how safe
//! that is over a crash of the server is its own setting (`sync_interval`), and `replicas` here.
//!
//! # URL
//!
//! `nats://USER:PASSWORD@HOST:PORT?prefix=P&lease=SECONDS&window=SECONDS&replicas=N&timeout=SECONDS&ca=FILE`,
//! or `tls+nats://` for an encrypted connection, where the certificates in the file `ca` are trusted beside
//! those of the system; a user without a password is a token. Write what is secret as `${NAME}` in the
//! wiring file: it is taken from the environment, and never shown. The subject of a connector is the prefix
//! and its name, so that others can write to it. A process that has given no sign of life for the time of a
//! lease has lost what it held: for a queue what its arc says, for streams and channels ten seconds; `lease`
//! in the URL bounds both.
//!
//! # Identities
//!
//! A message is written with its identity as `Nats-Msg-Id`, behind the number of the run, so that what is
//! sent again in the same run is known, and in the next run is not. The server knows them for the duplicate
//! window: ten minutes, or `window`. Of what was done and is gone it knows none after it was started anew.
//!
//! # When the server is away
//!
//! Calls are refused as [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable), and the
//! server is tried again after growing rests; once it is there everybody who waits is called. A server that
//! neither answers nor hangs up is found by the time it takes: `timeout`, ten seconds if the URL does not
//! say. A connection that broke is given up, so that nothing lies in it. A send whose answer was lost is safe to repeat. What
//! was delivered without our knowledge comes again when its lease ends, and that delivery counts.
//!
//! # Room
//!
//! The server cannot tell what is held from what rests, so each process tells the others what it holds.
//! Several who write at a time may overfill a queue, by as much as each sends at once. Bytes are counted as
//! the server keeps them, with headers.

mod docs;
mod line;
mod names;
mod notes;
mod queue;
mod reader;
mod server;
mod settled;
mod watch;
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use crossbeam_channel::Sender;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Desk, Notes,
    Sent, Store, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::broker::Access;
use crate::broker::presence::{answer_time, session};
use crate::broker::users::Users;
use crate::clock::SystemClock;
use crate::fault::unsupported;
use docs::Docs;
use line::Line;
use names::{Names, escaped, key};
use notes::Board;
use queue::{Held, Queue};
use reader::Reader;

/// How long the server knows what was sent, if the URL says nothing else. It keeps all of them in memory.
const WINDOW: Duration = Duration::from_secs(600);
/// How long a process that reads streams and channels may give no sign of life.
const SILENT: Duration = Duration::from_secs(10);

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

/// Keeps connectors on a NATS server.
pub struct Nats {
    inner: Arc<Inner>,
}

/// How it is written to.
struct Settings {
    is_structured: bool,
    window: Duration,
    replicas: u64,
    /// No lease is longer.
    lease: Option<Duration>,
}

/// Something the server is to be told soon.
enum Order {
    Settled(Weak<Queue>),
}

/// What is open.
struct Inner {
    line: Arc<Line>,
    docs: Arc<Docs>,
    clock: SystemClock,
    settings: Settings,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    /// Queues where something is set aside that were made.
    made: Mutex<BTreeSet<String>>,
    orders: Sender<Order>,
    users: Mutex<Users>,
    /// The numbers of the runs that were asked for.
    runs: Mutex<HashMap<String, u64>>,
}

/// What is known of a connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct About {
    declaration: Option<Declaration>,
}

impl Nats {
    /// Opens a server as a store.
    ///
    /// # Errors
    /// The server cannot be reached (`Unavailable`), or refuses us (`Unsupported`).
    pub fn open(access: &Access) -> Result<Self, StoreFault> {
        let mut settings = access.settings();
        let names = Names::new(settings.text("prefix").unwrap_or_default());
        let answer = answer_time(&mut settings)?;
        let authority = settings.text("ca").map(Into::into);
        let kept = Settings {
            is_structured: access.is_structured,
            window: settings.seconds("window")?.unwrap_or(WINDOW),
            replicas: settings.number("replicas")?.unwrap_or(1),
            lease: settings.seconds("lease")?,
        };
        settings.done()?;
        let lease = kept.lease.unwrap_or(SILENT).min(SILENT);
        let line = Arc::new(Line::new(
            &access.address,
            names,
            session(),
            authority,
            answer,
        )?);
        let docs = Arc::new(Docs::open(&line, kept.replicas, lease)?);
        let (orders, jobs) = crossbeam_channel::unbounded();
        let inner = Arc::new(Inner {
            line,
            docs,
            clock: SystemClock::default(),
            settings: kept,
            queues: Mutex::default(),
            made: Mutex::default(),
            orders,
            users: Mutex::default(),
            runs: Mutex::default(),
        });
        watch::start(&inner, jobs)?;
        Ok(Self { inner })
    }

    /// Cuts the line, as if this process had died: nothing is given back, nobody is told.
    #[cfg(feature = "compliance")]
    pub fn cut(&self) {
        self.inner.line.cut();
    }
}

impl Inner {
    /// What was settled in a queue is told soon.
    fn write_later(&self, queue: &Arc<Queue>) {
        // Nobody takes orders when the store is closed; then what is not settled is delivered again.
        let _ = self.orders.send(Order::Settled(Arc::downgrade(queue)));
    }

    fn queues(&self) -> Vec<Arc<Queue>> {
        self.queues.lock().values().cloned().collect()
    }

    /// Renews what is held, looks for what others have written, and writes what could not be written.
    fn look(&self) -> Result<(), StoreFault> {
        for queue in self.queues() {
            queue.look(self)?;
            queue.write_settled(self)?;
        }
        Ok(())
    }

    fn call_all(&self) {
        self.queues().iter().for_each(|queue| queue.call_all());
    }

    /// Tells the other processes that something was done with a connector, and how much is held here. If
    /// that is not heard, they see it when they look.
    fn ring(&self, name: &str, what: &str, held: Option<Held>) {
        let Some(wire) = self.line.current() else {
            return;
        };
        let session = &self.line.session;
        let held = held.map(|held| format!("{} {}", held.messages, held.bytes));
        let text = format!("{session}\n{what}\n{}\n{name}", held.unwrap_or_default());
        let bell = self.line.names.bell();
        self.line.runtime.spawn(async move {
            if let Err(fault) = wire.tell(bell, text.into_bytes()).await {
                tracing::debug!("the others see by themselves: {fault}");
            }
        });
    }

    /// Another process has done something.
    fn hear(&self, news: &str) {
        let mut news = news.splitn(4, '\n');
        let mut next = || news.next().unwrap_or_default();
        let (session, what, held, name) = (next(), next(), next(), next());
        let queue = self.queues.lock().get(name).cloned();
        let Some(queue) = queue else {
            return;
        };
        let numbers = held.split_once(' ');
        let numbers = numbers.map(|(messages, bytes)| (messages.parse(), bytes.parse()));
        if let Some((Ok(messages), Ok(bytes))) = numbers {
            queue.hear_held(session, Held { messages, bytes });
        }
        let mut local = queue.local.lock();
        match what {
            "held" | "room" => local.call_writers(),
            "settled" => {
                local.call_writers();
                local.call_readers();
            }
            _ => local.call_readers(),
        }
    }

    /// How long until the next look: short enough for every lease.
    fn rhythm(&self, most: Duration) -> Duration {
        let queues = self.queues();
        let leases = queues.iter().map(|queue| queue.lease() / 4);
        let leases = leases.chain([self.docs.lease() / 4]).min();
        leases
            .unwrap_or(most)
            .clamp(Duration::from_millis(10), most)
    }

    /// What is asked, with the leases that there are here.
    fn leased(&self, declaration: &Declaration) -> Declaration {
        let usual = match declaration.kind {
            ConnectorKind::Queue => declaration.lease,
            ConnectorKind::Stream | ConnectorKind::Pubsub => SILENT,
        };
        let lease = declaration.lease.min(self.settings.lease.unwrap_or(usual));
        Declaration {
            lease,
            ..declaration.clone()
        }
    }

    /// Keeps the declaration of a connector, if it is no other kind.
    fn declare(&self, declaration: &Declaration) -> Result<(), StoreFault> {
        let Declaration { name, kind, .. } = declaration;
        let other = self
            .docs
            .change(&key(&["about", name]), |about: &mut About| {
                let known = about.declaration.as_ref().map(|known| known.kind);
                if let Some(other) = known.filter(|known| known != kind) {
                    return Some(other);
                }
                about.declaration = Some(declaration.clone());
                None
            })?;
        match other {
            None => Ok(()),
            Some(known) => Err(unsupported(format!(
                "`{name}` is a {known} in this store, and cannot be a {kind} as well"
            ))),
        }
    }

    fn queue(&self, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
        self.declare(declaration)?;
        let queue = {
            let mut queues = self.queues.lock();
            let name = declaration.name.clone();
            let queue = queues
                .entry(name)
                .or_insert_with(|| Arc::new(Queue::new(self, declaration.clone())));
            queue.local.lock().declaration = declaration.clone();
            Arc::clone(queue)
        };
        queue.make(self)?;
        Ok(queue)
    }

    /// The subject on which something is set aside, in a queue that is made if there is none of that name.
    fn place_aside(&self, to: &str, partition: usize) -> Result<String, StoreFault> {
        let _ = partition;
        if !self.made.lock().contains(to) {
            let declaration = Declaration::new(to, ConnectorKind::Queue);
            let is_there = self.queues.lock().contains_key(to);
            if !is_there {
                self.declare(&declaration)?;
                Queue::new(self, declaration).make(self)?;
            }
            self.made.lock().insert(to.to_owned());
        }
        Ok(self.line.names.subject(to))
    }

    /// What an identity is written behind, so that the next run may send it again.
    fn run_of(&self, connector: &str) -> String {
        let graph = self.users.lock().graph(connector);
        let graph = graph.unwrap_or_default();
        match self.runs.lock().get(&graph) {
            Some(number) => format!("{}.{number}/", escaped(&graph, "-_.")),
            None => String::new(),
        }
    }
}

impl Store for Nats {
    fn name(&self) -> &str {
        "nats"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        match kind {
            ConnectorKind::Queue => Some(QUEUES),
            ConnectorKind::Stream | ConnectorKind::Pubsub => None,
        }
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let inner = Arc::clone(&self.inner);
        let declaration = &inner.leased(declaration);
        let Declaration { name, kind, .. } = declaration;
        if [declaration.dead_letter_name(), declaration.invalid_name()].contains(name) {
            return Err(unsupported(format!(
                "the {kind} `{name}` cannot be where its own messages are set aside"
            )));
        }
        let connector: Arc<dyn Connector> = match kind {
            ConnectorKind::Queue => {
                let queue = inner.queue(declaration)?;
                Arc::new(Handle { queue, inner })
            }
            kind => return Err(unsupported(format!("NATS keeps no {kind} yet"))),
        };
        self.inner.users.lock().connected(name);
        Ok(connector)
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(unsupported(format!(
            "NATS keeps no tables, and `{process}` has some: let the embedded store keep them"
        )))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        let number = notes::begin(&self.inner.docs, graph)?;
        self.inner.runs.lock().insert(graph.to_owned(), number);
        self.inner.users.lock().runs(graph);
        Ok(number)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        notes::finish(&self.inner.docs, graph, epoch)?;
        self.inner.users.lock().finished(graph);
        Ok(())
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        Ok(Some(Arc::new(Board::of(&self.inner.docs, graph))))
    }

    fn on_contact(&self, listener: ContactListener) {
        self.inner.line.presence.listen(listener);
    }

    fn close(&self) {
        for queue in self.inner.queues() {
            if let Err(fault) = queue.write_settled(&self.inner) {
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
        self.queue.send(&self.inner, messages)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.queue.room(&self.inner, waker)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, _: &str) -> Result<Option<u64>, StoreFault> {
        self.queue.unfinished(&self.inner).map(Some)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (queue, inner) = (Arc::clone(&self.queue), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(queue, inner, consumer)))
    }
}
