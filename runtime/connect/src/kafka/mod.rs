//! Kafka: streams, on topics and consumer groups.
//!
//! A stream is a topic of its name ([`topic`]); a record is written to the partition that follows from its key
//! as in every store, and is safe when all replicas that are in step have it (`acks=all`). A group of the
//! stream is a consumer group: its brokers give the partitions out, one by one as consumers come and go, and
//! keep how far it is, with a note of what has failed. Offsets are committed 20 times a second, and when a
//! partition moves, when a consumer leaves and when it is asked for; never beyond a record that is not finished.
//!
//! # URL
//!
//! `kafka://USER:PASSWORD@HOST:PORT?brokers=HOST:PORT,...&prefix=P&replicas=N&timeout=SECONDS&session=SECONDS&hold=SECONDS&sasl=MECHANISM&tls=yes&ca=FILE`.
//! Write what is secret as `${NAME}` in the wiring file: it is taken from the environment, and never shown. All
//! topics and groups begin with the prefix. New topics have so many replicas, by default as many as the
//! brokers say. A broker that gives no answer for `timeout` (10 s) is away. A program that has given no sign
//! of life for the time of a session (10 s; the brokers' own `group.min.session.timeout.ms` may ask for more)
//! has lost its partitions. One that works on records of a
//! partition that another one is to have may finish them, for as long as `hold` says (60 s). Mechanisms other
//! than `PLAIN`, and `tls`, need the feature `kafka-tls`, which takes the system's OpenSSL.
//!
//! # What Kafka cannot do
//!
//! It keeps no queues and no channels: a task is a record of a stream with `on-error=copy`. It does not know
//! ids, so what is sent again after a crash lies there twice; tables know what they have handled. Within a
//! program, what was confirmed of a send that failed is not written again. It removes records by age and size
//! only, segment by segment, so `retain` in messages is refused; how long is said when the topic is made, and
//! later changes are its administrator's. Copies that rest stay in their topic after they have come back; those
//! of one partition come back in the order in which they were copied.
//!
//! # When no broker answers
//!
//! Calls are refused as [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable) in bounded time,
//! the client tries the brokers again after growing rests, and everybody who waits is called once one is there.
//! What is on its way when the last broker goes is tried for 10 s, without being written twice. A client that
//! has lost sight of all brokers, and does not find them again though they answer others, is replaced by a new
//! one: the one that asks after 5 s, a writer after 10 s, a member of a group after three sessions.
//!
//! # Runs
//!
//! Which runs have finished, and what parts tell each other, is written in the book of the prefix
//! ([`book`]), a topic that all read to its end before they believe something.

mod answers;
mod book;
mod browser;
mod copies;
mod ears;
mod health;
mod line;
mod member;
mod note;
mod press;
mod reader;
mod reading;
mod roll;
mod settings;
mod shelf;
mod stream;
mod topic;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, ContactListener, Declaration, Desk, Notes, OnError,
    Store, StoreFault,
};
use parking_lot::Mutex;

use crate::broker::patience::{PATIENCE, insist};
use crate::broker::threads;
use crate::broker::{Access, aside, no_tables};
use crate::clock::{Clock, SystemClock};
use crate::fault::unsupported;
use crate::streams::{Answer, Request};
use book::{Board, Book};
use browser::Browser;
use line::Line;
use press::Press;
use settings::Settings;
use stream::{Handle, Stream};

/// What streams can do here.
const STREAMS: Capabilities = Capabilities {
    dead_letters: false,
    knows_ids: false,
    transactions: false,
    ..crate::stream::CAPABILITIES
};

/// How often it is looked whether the brokers are there, and whether there is room.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps streams on the brokers of a Kafka.
pub struct Kafka {
    inner: Arc<Inner>,
}

/// What is open.
struct Inner {
    line: Line,
    press: Press,
    book: Book,
    browser: Browser,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    /// Topics that were made here for what is copied, and how many partitions each has.
    topics: Mutex<BTreeMap<String, usize>>,
}

impl Kafka {
    /// Opens the brokers as a store.
    ///
    /// # Errors
    /// None can be reached (`Unavailable`), or they refuse us (`Unsupported`).
    pub fn open(access: &Access) -> Result<Self, StoreFault> {
        Self::open_with(access, Arc::new(SystemClock::default()))
    }

    /// Opens them for somebody who believes what a clock says, when records rest and when they were written.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    #[cfg(feature = "compliance")]
    pub fn open_at(access: &Access, clock: Arc<dyn Clock>) -> Result<Self, StoreFault> {
        Self::open_with(access, clock)
    }

    fn open_with(access: &Access, clock: Arc<dyn Clock>) -> Result<Self, StoreFault> {
        let settings = Settings::of(access)?;
        let line = Line::new(&access.address, settings, Arc::clone(&clock))?;
        let book = Book::open(&line)?;
        let press = Press::new(&line)?;
        let inner = Arc::new(Inner {
            line,
            press,
            book,
            browser: Browser::default(),
            streams: Mutex::default(),
            topics: Mutex::default(),
        });
        let own = Arc::downgrade(&inner);
        threads::start("kafka-keeper", move || keep(&own))?;
        let own = Arc::downgrade(&inner);
        clock.on_change(Box::new(move || {
            if let Some(inner) = own.upgrade() {
                inner.streams().iter().for_each(|stream| stream.call_all());
            }
        }));
        Ok(Self { inner })
    }

    /// Asks about streams, or does something to their groups.
    ///
    /// # Errors
    /// There is no such stream, group or partition (`Unsupported`), or no broker can be asked.
    pub fn ask_streams(&self, request: Request) -> Result<Answer, StoreFault> {
        answers::answer(&self.inner, request)
    }
}

/// Hears what happens to the brokers, and calls those who wait for room or for a broker, until the store is
/// closed.
fn keep(store: &Weak<Inner>) {
    while let Some(inner) = store.upgrade() {
        if inner.line.is_cut() {
            return;
        }
        if inner.line.look(LOOK) {
            inner.streams().iter().for_each(|stream| stream.call_all());
        }
        if !inner.line.health.is_away() {
            let streams = inner.streams();
            streams
                .iter()
                .for_each(|stream| stream.local.lock().writers.call());
        }
    }
}

impl Inner {
    fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().cloned().collect()
    }

    fn stream_of(&self, name: &str) -> Option<Arc<Stream>> {
        self.streams.lock().get(name).cloned()
    }

    /// The stream of a declaration, which is made if it is not there.
    fn stream(&self, declaration: &Declaration) -> Result<Arc<Stream>, StoreFault> {
        let Declaration {
            name, partitions, ..
        } = declaration;
        let topic = topic::topic(&self.line.settings.prefix, name)?;
        let config = terms(declaration);
        let known = self.line.make(&topic, *partitions, &config)?;
        if known > (*partitions).max(1) as usize {
            return Err(unsupported(format!(
                "the stream `{name}` has {known} partitions, and cannot have {partitions}: \
                 records would lose their place"
            )));
        }
        let via = match &declaration.on_error {
            OnError::Copy(via) => Some(self.resting(via)?),
            _ => None,
        };
        let stream = self.seated(topic, declaration);
        stream.declare(declaration, known, via);
        Ok(stream)
    }

    /// Where copies rest: a stream of any number of partitions.
    fn resting(&self, name: &str) -> Result<Arc<Stream>, StoreFault> {
        if let Some(stream) = self.stream_of(name) {
            return Ok(stream);
        }
        let topic = topic::topic(&self.line.settings.prefix, name)?;
        let declaration = Declaration::new(name, ConnectorKind::Stream);
        let known = self.line.make(&topic, 1, &terms(&declaration))?;
        let stream = self.seated(topic, &declaration);
        stream.declare(&declaration, known, None);
        Ok(stream)
    }

    fn seated(&self, topic: String, declaration: &Declaration) -> Arc<Stream> {
        let mut streams = self.streams.lock();
        let new = || Arc::new(Stream::new(topic, declaration.clone()));
        Arc::clone(streams.entry(declaration.name.clone()).or_insert_with(new))
    }

    /// Something was copied to these topics: whoever is to receive it is not idle from now on.
    fn call_readers_of(&self, topics: &[(String, i32)]) {
        for stream in self.streams() {
            if topics.iter().any(|(topic, _)| *topic == stream.topic) {
                stream.local.lock().readers.call();
            }
        }
    }

    /// How many partitions the topic has to which something is copied; it is made if it is not there.
    fn partitions_of(&self, topic: &str) -> Result<usize, StoreFault> {
        if let Some(known) = self.topics.lock().get(topic) {
            return Ok(*known);
        }
        let usual = terms(&Declaration::new(topic, ConnectorKind::Stream));
        let known = self.line.make(topic, 1, &usual)?;
        self.topics.lock().insert(topic.to_owned(), known);
        Ok(known)
    }
}

/// How long and how much a topic keeps, as it is told when it is made.
fn terms(declaration: &Declaration) -> Vec<(&'static str, String)> {
    /// Kafka keeps whole segments, and none is smaller.
    const SMALLEST: u64 = 1 << 20;
    const LARGEST: u64 = 1 << 30;
    let retain = declaration.retain;
    let age = retain.age.map(|age| age.as_millis().to_string());
    let mut terms = vec![("retention.ms", age.unwrap_or_else(|| String::from("-1")))];
    if let Some(bytes) = retain.bytes {
        let each = bytes / u64::from(declaration.partitions.max(1));
        let segment = (each / 4).clamp(SMALLEST, LARGEST);
        terms.push(("retention.bytes", each.to_string()));
        terms.push(("segment.bytes", segment.to_string()));
    }
    terms
}

impl Store for Kafka {
    fn name(&self) -> &str {
        "kafka"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        (kind == ConnectorKind::Stream).then_some(STREAMS)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let Declaration { name, kind, .. } = declaration;
        if *kind != ConnectorKind::Stream {
            return Err(unsupported(format!(
                "Kafka keeps streams, and `{name}` is a {kind}: make it a stream, \
                 with `on-error=copy` if it carries tasks"
            )));
        }
        aside::is_elsewhere(declaration)?;
        if declaration.retain.messages.is_some() {
            return Err(unsupported(format!(
                "Kafka keeps records by age and size, and `{name}` is to keep a number of messages: \
                 say `retain` in time or bytes"
            )));
        }
        let stream = self.inner.stream(declaration)?;
        let inner = Arc::clone(&self.inner);
        Ok(Arc::new(Handle { stream, inner }))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(no_tables("Kafka", process))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.inner.book.run(&self.inner.line, graph)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        let Inner {
            line, press, book, ..
        } = &*self.inner;
        insist(graph, PATIENCE, || book.finish((line, press), graph, epoch))
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        let (inner, graph) = (Arc::clone(&self.inner), graph.to_owned());
        Ok(Some(Arc::new(Board { inner, graph })))
    }

    fn on_contact(&self, listener: ContactListener) {
        self.inner.line.health.presence.listen(listener);
    }

    fn close(&self) {
        for stream in self.inner.streams() {
            if let Err(fault) = stream.report(&self.inner) {
                tracing::warn!("what was done in `{}` is done again: {fault}", stream.name);
            }
        }
        self.inner.line.cut();
    }
}
