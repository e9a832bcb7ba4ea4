//! RabbitMQ: queues, streams and publish-subscribe channels, over AMQP 0-9-1.
//!
//! Queues are quorum queues. What is sent is safe when the server has confirmed it; a message is received
//! only when somebody has asked for one, and moved by publishing a copy and acknowledging the original
//! once the copy is confirmed. Nothing of the server is needed but what it has by itself: no plug-in, no
//! policy, no global prefetch, nothing transient that is not exclusive.
//!
//! # URL
//!
//! `amqp://USER:PASSWORD@HOST:PORT/VHOST?prefix=P&timeout=SECONDS`, or `amqps://` for an encrypted connection,
//! with the feature `tls`, where the certificates in the file `ca` are trusted beside those of the system. Write
//! what is secret as `${NAME}` in the wiring file: it is taken from the environment, and never shown. All names
//! begin with the prefix. A server that does not answer within the timeout, ten seconds if nothing is said, is
//! away.
//!
//! # What a server does not do
//!
//! It knows no identities: what is sent again after a crash lies there twice. A reader passes over what it
//! holds or has done not long ago; what another process has done is delivered again, and left out by
//! whoever has a table. It counts the deliveries of a message whatever they were for: one that was on its way to
//! a process when that died, or went back when it ended, counts as well. It tells how many messages are
//! ready, and not of how many bytes, nor how many others hold: a bound in bytes is kept by the mean size of
//! what this process has sent, and several writers at a time may pass the bound of a queue by what each
//! sends at once.
//!
//! # Leases
//!
//! What a process holds is its own for as long as its connection lives, and is delivered to others at once
//! when that ends. A process that has lost its connection is not heard any more: what it says of a
//! delivery would have to go over that connection.
//!
//! # When the server is away
//!
//! Calls are refused as [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable), and the
//! server is tried again after growing rests; once it is there everybody who waits is called.
//!
//! # Runs
//!
//! What parts of a graph tell each other, and which runs have finished, are the records of one stream of
//! the server, `paperflow.run.GRAPH`: the order in which it has them decides.

mod board;
mod channel;
mod consumer;
mod intake;
mod known;
mod line;
mod log;
mod outbox;
mod page;
mod place;
mod queue;
mod reader;
mod rests;
mod stream;
mod streams;
mod tail;
mod team;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::Waker;

use crossbeam_channel::Sender;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Desk, Notes,
    OnError, Sent, Store, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;

use crate::broker::patience::{PATIENCE, insist};
use crate::broker::presence::answer_time;
use crate::broker::{Access, aside, no_tables};
use crate::clock::SystemClock;
use crate::fault::unsupported;
use crate::streams::{Answer, Request};
use board::{Board, Run};
use channel::Channel;
use line::Line;
use place::Place;
use queue::Queue;
use reader::Reader;
use rests::make;
use stream::Stream;
use team::Team;

/// What queues can do here.
const QUEUES: Capabilities = Capabilities {
    settles_each: true,
    requeues: true,
    delays: true,
    dead_letters: true,
    renews: true,
    orders: true,
    replays: false,
    knows_ids: false,
    transactions: false,
};

/// What streams can do here.
const STREAMS: Capabilities = Capabilities {
    knows_ids: false,
    transactions: false,
    ..crate::stream::CAPABILITIES
};

/// Keeps connectors on a RabbitMQ server.
pub struct Amqp {
    inner: Arc<Inner>,
}

/// How it is written to.
struct Settings {
    is_structured: bool,
}

/// Something the server is to be told soon.
enum Order {
    /// What was settled in a queue.
    Settled(Weak<Queue>),
    /// How far a group is.
    Reached(Weak<Stream>, Weak<Team>),
}

/// What is open.
struct Inner {
    line: Arc<Line>,
    settings: Arc<Settings>,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    channels: Mutex<BTreeMap<String, Arc<Channel>>>,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    runs: Mutex<BTreeMap<String, Arc<Run>>>,
    orders: Sender<Order>,
}

impl Amqp {
    /// Opens a server as a store.
    ///
    /// # Errors
    /// The server cannot be reached (`Unavailable`), or refuses us (`Unsupported`).
    pub fn open(access: &Access) -> Result<Self, StoreFault> {
        let mut settings = access.settings();
        let prefix = settings.text("prefix").unwrap_or_default();
        let answer = answer_time(&mut settings)?;
        let authority = settings.authority(access.address.scheme == "amqps", "amqps://")?;
        let place = Place::of(&access.address, authority.as_deref())?;
        settings.done()?;
        let clock = Arc::new(SystemClock::default());
        let line = Arc::new(Line::new(&access.address, place, prefix, answer, clock)?);
        line.link()?;
        let (orders, jobs) = crossbeam_channel::unbounded();
        let inner = Arc::new(Inner {
            line,
            settings: Arc::new(Settings {
                is_structured: access.is_structured,
            }),
            queues: Mutex::default(),
            channels: Mutex::default(),
            streams: Mutex::default(),
            runs: Mutex::default(),
            orders,
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
    fn write_later(&self, queue: &Arc<Queue>) {
        // Nobody takes orders when the store is closed; then what is not settled is delivered again.
        let _ = self.orders.send(Order::Settled(Arc::downgrade(queue)));
    }

    /// How far a group is is told soon.
    fn save_later(&self, stream: &Arc<Stream>, team: &Arc<Team>) {
        let order = Order::Reached(Arc::downgrade(stream), Arc::downgrade(team));
        let _ = self.orders.send(order);
    }

    fn queues(&self) -> Vec<Arc<Queue>> {
        self.queues.lock().values().cloned().collect()
    }

    fn channels(&self) -> Vec<Arc<Channel>> {
        self.channels.lock().values().cloned().collect()
    }

    fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().cloned().collect()
    }

    /// Makes the queues where messages are set aside. One that is something else takes them as that.
    fn make_aside(&self, declaration: &Declaration) -> Result<(), StoreFault> {
        for name in [declaration.dead_letter_name(), declaration.invalid_name()] {
            match make(&self.line, &name) {
                Err(fault)
                    if fault.kind() == paperflow_core::connector::StoreFaultKind::Unsupported =>
                {
                    tracing::debug!("`{name}` is no queue: {fault}");
                }
                made => made?,
            }
        }
        Ok(())
    }

    fn queue(&self, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
        let queue = {
            let mut queues = self.queues.lock();
            let queue = queues.entry(declaration.name.clone()).or_insert_with(|| {
                Arc::new(Queue::new(&self.line, &self.settings, declaration.clone()))
            });
            Arc::clone(queue)
        };
        queue.local.lock().declaration = declaration.clone();
        queue.declare()?;
        Ok(queue)
    }

    fn channel(&self, declaration: &Declaration) -> Result<Arc<Channel>, StoreFault> {
        let channel = {
            let mut channels = self.channels.lock();
            let name = declaration.name.clone();
            let channel = channels
                .entry(name)
                .or_insert_with(|| Arc::new(Channel::new(&self.line, declaration.clone())));
            Arc::clone(channel)
        };
        channel.declare(declaration.clone(), &self.line)?;
        Ok(channel)
    }

    fn stream(&self, declaration: &Declaration) -> Result<Arc<Stream>, StoreFault> {
        if declaration.retain.messages.is_some() {
            let name = &declaration.name;
            return Err(unsupported(format!(
                "RabbitMQ keeps records for a time or up to so many bytes, and does not count them: \
                 the stream `{name}` cannot be kept by their number"
            )));
        }
        let stream = {
            let mut streams = self.streams.lock();
            let name = declaration.name.clone();
            let stream = streams
                .entry(name)
                .or_insert_with(|| Stream::new(&self.line, declaration.clone()));
            Arc::clone(stream)
        };
        stream.declare(declaration)?;
        if let OnError::Copy(via) = &declaration.on_error {
            stream.declare_rests(via)?;
        }
        Ok(stream)
    }

    fn run(&self, graph: &str) -> Arc<Run> {
        let mut runs = self.runs.lock();
        let run = runs
            .entry(graph.to_owned())
            .or_insert_with(|| Arc::new(Run::of(&self.line, graph)));
        Arc::clone(run)
    }
}

impl Store for Amqp {
    fn name(&self) -> &str {
        "amqp"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        match kind {
            ConnectorKind::Queue | ConnectorKind::Pubsub => Some(QUEUES),
            ConnectorKind::Stream => Some(STREAMS),
        }
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        aside::is_elsewhere(declaration)?;
        let inner = Arc::clone(&self.inner);
        inner.make_aside(declaration)?;
        Ok(match declaration.kind {
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
        })
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(no_tables("RabbitMQ", process))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.inner.run(graph).number()
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        insist(graph, PATIENCE, || self.inner.run(graph).finish(epoch))
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        Ok(Some(Arc::new(Board::of(self.inner.run(graph)))))
    }

    fn on_contact(&self, listener: ContactListener) {
        self.inner.line.presence.listen(listener);
    }

    fn close(&self) {
        for queue in self.inner.queues() {
            if let Err(fault) = queue.write_settled() {
                let name = &queue.name;
                tracing::warn!("what was settled in `{name}` is delivered again: {fault}");
            }
        }
        for stream in self.inner.streams() {
            for team in stream.teams() {
                if let Err(fault) = team.save(&stream) {
                    let name = &stream.name;
                    tracing::warn!("what was settled in `{name}` is delivered again: {fault}");
                }
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
