//! NATS: queues, streams and publish-subscribe channels, on JetStream.
//!
//! A queue is a stream of the server with one consumer that all who read it share; each message is
//! acknowledged by itself. A stream is a stream of the server for each partition. What must be known to all,
//! as who reads which partition, how far it is and which run of a graph it is, is in documents in a bucket of
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
//! What a server that was killed has forgotten of a queue is made good before the queue is used over a new
//! connection (`recovery`); what others write before that may wait for ever.
//!
//! # Room
//!
//! The server cannot tell what is held from what rests, so each process tells the others what it holds.
//! Several who write at a time may overfill a queue, by as much as each sends at once. Bytes are counted as
//! the server keeps them, with headers.

mod channel;
mod docs;
mod exchange;
mod group;
mod known;
mod line;
mod names;
mod notes;
mod pages;
mod queue;
mod reader;
mod recovery;
mod server;
mod settled;
mod stream;
mod streams;
mod watch;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use crossbeam_channel::Sender;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Desk, Notes,
    Sent, Standing, Store, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;

use crate::broker::patience::{PATIENCE, insist};
use crate::broker::presence::{answer_time, session};
use crate::broker::users::Users;
use crate::broker::{Access, aside, no_tables};
use crate::clock::SystemClock;
use crate::streams::{Answer, Request};
use channel::Channel;
use docs::Docs;
use line::Line;
use names::Names;
use notes::Board;
use queue::{Held, Queue};
use reader::Reader;
use stream::Stream;

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

/// What streams can do here.
const STREAMS: Capabilities = Capabilities {
    transactions: false,
    ..crate::stream::CAPABILITIES
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
    /// What was settled in a queue since what was settled before was taken so often.
    Settled(Weak<Queue>, u64),
    Reported(Weak<Stream>),
}

/// What is open.
struct Inner {
    line: Arc<Line>,
    docs: Arc<Docs>,
    clock: SystemClock,
    settings: Settings,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    channels: Mutex<BTreeMap<String, Arc<Channel>>>,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    /// How many records had been written to a stream when it was looked.
    ends: Mutex<HashMap<String, u64>>,
    /// Where something is set aside, and how many partitions that has, if it is a stream.
    aside: Mutex<HashMap<String, Option<u32>>>,
    orders: Sender<Order>,
    users: Mutex<Users>,
    /// The numbers of the runs that were asked for.
    runs: Mutex<HashMap<String, u64>>,
    /// The connection over which it was looked whether those who read a stream of the server are where they
    /// can be.
    recovered: Mutex<HashMap<String, u64>>,
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
        let is_encrypted = access.address.scheme == "tls+nats";
        let authority = settings.authority(is_encrypted, "tls+nats://")?;
        let authority = authority.map(Into::into);
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
            channels: Mutex::default(),
            streams: Mutex::default(),
            ends: Mutex::default(),
            aside: Mutex::default(),
            orders,
            users: Mutex::default(),
            runs: Mutex::default(),
            recovered: Mutex::default(),
        });
        watch::start(&inner, jobs)?;
        Ok(Self { inner })
    }

    /// Asks about streams and channels, or does something to them.
    ///
    /// # Errors
    /// There is no such stream, group or partition (`Unsupported`), or the server cannot be asked.
    pub fn ask_streams(&self, request: Request) -> Result<Answer, StoreFault> {
        streams::answer(&self.inner, request)
    }

    /// Cuts the line, as if this process had died: nothing is given back, nobody is told.
    #[cfg(feature = "compliance")]
    pub fn cut(&self) {
        self.inner.line.cut();
    }
}

impl Inner {
    /// What was settled in a queue is told soon.
    fn write_later(&self, queue: &Arc<Queue>, round: u64) {
        // Nobody takes orders when the store is closed; then what is not settled is delivered again.
        let _ = self
            .orders
            .send(Order::Settled(Arc::downgrade(queue), round));
    }

    fn queues(&self) -> Vec<Arc<Queue>> {
        self.queues.lock().values().cloned().collect()
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().cloned().collect()
    }

    fn stream_of(&self, name: &str) -> Option<Arc<Stream>> {
        self.streams.lock().get(name).cloned()
    }

    /// Renews what is held, looks for what others have written, and writes what could not be written.
    fn look(&self) -> Result<(), StoreFault> {
        for queue in self.queues() {
            queue.look(self)?;
            queue.write_settled(self)?;
        }
        for stream in self.streams() {
            stream.look(self)?;
        }
        Ok(())
    }

    /// Those who wait for room in channels look again.
    fn call_channels(&self) {
        let channels: Vec<_> = self.channels.lock().values().cloned().collect();
        channels.iter().for_each(|channel| channel.call_writers());
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
        // A channel has room when the queue of a subscriber has, wherever that one is.
        if matches!(what, "room" | "settled") {
            self.call_channels();
        }
        if let Some(stream) = self.stream_of(name) {
            return stream.call_all();
        }
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
            "held" | "room" => local.writers.call(),
            "settled" => {
                local.writers.call();
                local.readers.call();
            }
            _ => local.readers.call(),
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
}

impl Store for Nats {
    fn name(&self) -> &str {
        "nats"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        match kind {
            ConnectorKind::Queue | ConnectorKind::Pubsub => Some(QUEUES),
            ConnectorKind::Stream => Some(STREAMS),
        }
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let inner = Arc::clone(&self.inner);
        let declaration = &inner.leased(declaration);
        let Declaration { name, kind, .. } = declaration;
        aside::is_elsewhere(declaration)?;
        let connector: Arc<dyn Connector> = match kind {
            ConnectorKind::Queue => {
                let queue = inner.queue(declaration)?;
                Arc::new(Handle { queue, inner })
            }
            ConnectorKind::Pubsub => {
                let channel = inner.channel(declaration)?;
                Arc::new(channel::Handle { channel, inner })
            }
            ConnectorKind::Stream => {
                let stream = inner.stream(declaration)?;
                Arc::new(stream::Handle { stream, inner })
            }
        };
        self.inner.users.lock().connected(name);
        Ok(connector)
    }

    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        let wanted = self.inner.leased(declaration);
        let about = self.inner.about(&wanted.name)?;
        Ok(about.declaration.map_or(Standing::Absent, |there| {
            Standing::Present(wanted.differences(&there))
        }))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(no_tables("NATS", process))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        let number = notes::begin(&self.inner.docs, graph)?;
        self.inner.runs.lock().insert(graph.to_owned(), number);
        self.inner.users.lock().runs(graph);
        Ok(number)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        insist(graph, PATIENCE, || {
            notes::finish(&self.inner.docs, graph, epoch)
        })?;
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
        for stream in self.inner.streams() {
            if let Err(fault) = stream.report(&self.inner) {
                tracing::warn!(
                    "what was settled in `{}` is delivered again: {fault}",
                    stream.name
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
