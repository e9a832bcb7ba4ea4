//! Redis: queues, streams and publish-subscribe channels, on Redis Streams.
//!
//! Everything that must happen as one is a script that the server runs (`scripts`): a message is sent with
//! its identity, leased with its count, set aside together with the end of the original. What is settled
//! is told many at a time, together with the next receive. Safe is what the server says it has written:
//! how safe that is over a crash of the server is its own setting (`appendfsync always` for each write).
//!
//! # URL
//!
//! `redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=P&lease=SECONDS&window=SECONDS&ids=N&timeout=SECONDS`,
//! or `rediss://` for an encrypted connection, with the feature `tls`. Write what is secret as `${NAME}` in
//! the wiring file: it is taken from the environment, and never shown. All keys begin with the prefix. A
//! process that has given no sign of life for the time of a lease has lost what it held: for a queue what
//! its arc says, for streams and channels ten seconds; `lease` in the URL bounds both. Ids that were sent are
//! known for so many seconds at least (a week), or until so many others (a million) were sent to the same
//! connector: they are kept in two sets of so many, and the older set goes when the newer is full or old.
//!
//! With `rediss://` the certificates in the file `ca` are trusted, if one is given, in place of those of the
//! system.
//!
//! # When the server is away
//!
//! Calls are refused as [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable), and the
//! server is tried again after growing rests; once it is there everybody who waits is called. What was
//! settled meanwhile is told then. A call whose answer was lost is safe to repeat: what was sent is known by
//! its id, and what was leased without our knowledge is given back. A server that neither answers nor hangs
//! up is found by the time it takes: `timeout`, ten seconds if the URL does not say. While it is away one
//! caller at a time tries it, and all others are refused at once.
//!
//! # Runs
//!
//! The number of a graph's run is kept by the server, in `paperflow:runs`: whoever goes on with the graph,
//! on whatever host, has the same number until the run has finished well. Then the ids that it has sent are
//! forgotten.
//!
//! # Older stores
//!
//! Where a version has sent that kept ids in a sorted set, `paperflow:NAME:seen`, those are known as well, until so
//! many others were sent or so much time has gone by; then that set is removed. Such a version knows nothing of the
//! ids that this one has sent: what it sends again, beside this one or after going back to it, comes twice.
//!
//! # One server
//!
//! A script touches several keys, so a cluster cannot serve; a primary with replicas can. It takes Redis 6.2 or
//! newer.

mod admin;
mod channel;
mod exchange;
mod line;
mod notes;
mod queue;
mod reader;
mod scripts;
mod stream;
mod streams;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use ::redis::pipe;
use crossbeam_channel::Sender;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Desk, Notes,
    Sent, Standing, Store, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;

use crate::admin::{Answer, Ask, Asked};
use crate::broker::patience::{PATIENCE, insist};
use crate::broker::presence::{answer_time, session};
use crate::broker::users::Users;
use crate::broker::{Access, aside, no_tables};
use crate::clock::{Clock, SystemClock};
use crate::embedded::standing;
use crate::fault::{damaged, unsupported};
use crate::seen::WINDOW;
use crate::streams::{self as asked, Request};
use channel::Channel;
use line::{Call, Line, Terms};
use notes::Board;
use queue::Queue;
use reader::Reader;
use stream::Stream;
use wire::{item, list, lossy, number};

/// Ids that are known for each connector at least, if the URL says nothing else.
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

/// What streams can do here.
const STREAMS: Capabilities = Capabilities {
    transactions: false,
    ..crate::stream::CAPABILITIES
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
    /// No lease is longer.
    lease: Option<Duration>,
}

/// How long a process that reads streams and channels may give no sign of life.
const SILENT: Duration = Duration::from_secs(10);

impl Settings {
    /// For how long ids are known at least, and how many, as arguments.
    fn known(&self, call: Call) -> Call {
        call.with(self.window.as_millis().to_string())
            .number(self.ids)
    }

    /// What is asked, with the leases that there are here.
    fn leased(&self, declaration: &Declaration) -> Declaration {
        let usual = match declaration.kind {
            ConnectorKind::Queue => declaration.lease,
            ConnectorKind::Stream | ConnectorKind::Pubsub => SILENT,
        };
        let lease = declaration.lease.min(self.lease.unwrap_or(usual));
        Declaration {
            lease,
            ..declaration.clone()
        }
    }

    /// Who writes, for the envelope.
    fn source(&self, connector: &str) -> String {
        format!("paperflow:{connector}")
    }
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
    settings: Arc<Settings>,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    channels: Mutex<BTreeMap<String, Arc<Channel>>>,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    orders: Sender<Order>,
    users: Mutex<Users>,
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
            answer: answer_time(&mut settings)?,
            prefix: settings.text("prefix").unwrap_or_default(),
            session: session(),
            ca: settings.authority(access.address.scheme == "rediss", "rediss://")?,
            clock: Arc::clone(&clock),
            is_told_time,
        };
        let kept = Settings {
            is_structured: access.is_structured,
            window: settings.seconds("window")?.unwrap_or(WINDOW),
            ids: settings.number("ids")?.unwrap_or(IDS),
            lease: settings.seconds("lease")?,
        };
        settings.done()?;
        let line = Arc::new(Line::new(&access.address, terms)?);
        line.query(&line::greeting(&line.prefix, &line.session))?;
        let (orders, jobs) = crossbeam_channel::unbounded();
        let inner = Arc::new(Inner {
            line,
            settings: Arc::new(kept),
            queues: Mutex::default(),
            channels: Mutex::default(),
            streams: Mutex::default(),
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

    /// Asks about streams and channels, or does something to them.
    ///
    /// # Errors
    /// There is no such stream, group or partition (`Unsupported`), or the server cannot be asked.
    pub fn ask_streams(&self, request: Request) -> Result<asked::Answer, StoreFault> {
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

    /// How far the readers of a stream are is told soon.
    fn tell_later(&self, stream: &Arc<Stream>) {
        let _ = self.orders.send(Order::Reported(Arc::downgrade(stream)));
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().cloned().collect()
    }

    fn stream_of(&self, name: &str) -> Option<Arc<Stream>> {
        self.streams.lock().get(name).cloned()
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

    /// Another process has done something.
    fn hear(&self, news: &str) {
        let mut news = news.splitn(3, '\n');
        let (who, what, name) = (news.next(), news.next(), news.next());
        if who == Some(&self.line.session) {
            return;
        }
        // A channel has room when the queue of a subscriber has, wherever that one is.
        if what == Some("room") {
            self.call_channels();
        }
        let name = name.unwrap_or_default();
        if let Some(stream) = self.stream_of(name) {
            return stream.call_all();
        }
        let Some(queue) = self.queues.lock().get(name).cloned() else {
            return;
        };
        let mut local = queue.local.lock();
        match what {
            Some("room") => local.writers.call(),
            _ => local.readers.call(),
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

    /// Makes a connector of this declaration, if there is none.
    fn declare(&self, declaration: &Declaration) -> Result<(), StoreFault> {
        let text =
            serde_json::to_string(declaration).map_err(|error| damaged(error.to_string()))?;
        let Declaration {
            name,
            kind,
            partitions,
            ..
        } = declaration;
        let call = Call::of(&scripts::CONNECT);
        let call = call.with(name).with(kind.word()).with(text);
        let answer = self
            .line
            .ask(call.number(u64::from((*partitions).max(1))))?;
        let answer = list(&answer)?;
        let known = lossy(item(answer, 1));
        match lossy(item(answer, 0)).as_str() {
            "made" => Ok(()),
            "fewer" => Err(unsupported(format!(
                "the stream `{name}` has {known} partitions, and cannot have {partitions}: \
                 records would lose their place"
            ))),
            _ => Err(unsupported(format!(
                "`{name}` is a {known} in this store, and cannot be a {kind} as well"
            ))),
        }
    }

    fn queue(&self, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
        self.declare(declaration)?;
        let mut queues = self.queues.lock();
        let queue = queues.entry(declaration.name.clone()).or_insert_with(|| {
            let (line, settings) = (Arc::clone(&self.line), Arc::clone(&self.settings));
            Arc::new(Queue::new(line, settings, declaration.clone()))
        });
        queue.local.lock().declaration = declaration.clone();
        Ok(Arc::clone(queue))
    }

    fn channel(&self, declaration: &Declaration) -> Result<Arc<Channel>, StoreFault> {
        self.declare(declaration)?;
        let mut channels = self.channels.lock();
        let name = declaration.name.clone();
        let channel = channels
            .entry(name)
            .or_insert_with(|| Arc::new(Channel::new(declaration.clone())));
        channel.declare(declaration.clone());
        Ok(Arc::clone(channel))
    }

    fn stream(&self, declaration: &Declaration) -> Result<Arc<Stream>, StoreFault> {
        self.declare(declaration)?;
        let mut streams = self.streams.lock();
        let name = declaration.name.clone();
        let stream = streams
            .entry(name)
            .or_insert_with(|| Arc::new(Stream::new(declaration.clone())));
        stream.declare(declaration.clone());
        Ok(Arc::clone(stream))
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

impl Asked for Redis {
    fn ask(&self, ask: &Ask) -> Result<Answer, StoreFault> {
        admin::answer(&self.inner, ask)
    }
}

impl Store for Redis {
    fn name(&self) -> &str {
        "redis"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        match kind {
            ConnectorKind::Queue | ConnectorKind::Pubsub => Some(QUEUES),
            ConnectorKind::Stream => Some(STREAMS),
        }
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let declaration = &self.inner.settings.leased(declaration);
        let Declaration { name, kind, .. } = declaration;
        aside::is_elsewhere(declaration)?;
        let inner = Arc::clone(&self.inner);
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

    /// A queue that was made for what is set aside has been declared by nobody, so nothing there is otherwise.
    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        let wanted = self.inner.settings.leased(declaration);
        let line = &self.inner.line;
        let key = format!("{}paperflow:{}:about", line.prefix, wanted.name);
        let mut pipeline = pipe();
        let command = pipeline.cmd("HMGET").arg(key);
        command.arg("kind").arg("declaration").arg("partitions");
        let answer = line.query(&pipeline)?;
        let answer = list(item(&answer, 0))?;
        let text = |at: usize| Some(lossy(item(answer, at))).filter(|text| !text.is_empty());
        let Some(kind) = text(0) else {
            return Ok(Standing::Absent);
        };
        if let Some(kept) = text(1) {
            return standing(&wanted, &kept);
        }
        let mut there = wanted.clone();
        let kinds = ConnectorKind::ALL.into_iter();
        there.kind = kinds
            .clone()
            .find(|own| own.word() == kind)
            .unwrap_or(there.kind);
        there.partitions = number(item(answer, 2)).map_or(1, |count| count as u32);
        Ok(Standing::Present(wanted.differences(&there)))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(no_tables("Redis", process))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.inner.users.lock().runs(graph);
        self.inner.run(graph, None, Vec::new())
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        let own = self.inner.users.lock().finished(graph);
        insist(graph, PATIENCE, || {
            self.inner.run(graph, Some(epoch), own.clone()).map(|_| ())
        })
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        Ok(Some(Arc::new(Board::of(&self.inner.line, graph))))
    }

    fn on_contact(&self, listener: ContactListener) {
        self.inner.line.presence.listen(listener);
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
