//! A flat graph: every subnet opened, every link shared as it will be at run time.
//!
//! This is what the checks examine and what the engine wires, so both see the same thing.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::source::Span;

/// What a full link does to a writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// The writer waits.
    #[default]
    Wait,
    /// The oldest packet in the link is shed.
    DropOldest,
    /// The new packet is shed.
    DropNew,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wait => "wait",
            Self::DropOldest => "drop-oldest",
            Self::DropNew => "drop-new",
        })
    }
}

/// The capacity of a link that has none written and for which the run names none.
pub const USUAL_CAPACITY: usize = 128;

/// A flat graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The graph's name.
    pub name: String,
    /// The name that ids and the names of connectors are made from: `@app-id`, or the file's stem.
    pub id: String,
    /// Every process, in text order, subnets in place.
    pub processes: Vec<Process>,
    /// Every link: one for each in-port element that has arrows, and a further one for each connector
    /// that leads there.
    pub links: Vec<Link>,
    /// Initial packets.
    pub initials: Vec<Initial>,
    /// The top graph's exported in-ports.
    pub inports: Vec<Export>,
    /// The top graph's exported out-ports.
    pub outports: Vec<Export>,
    /// Substream-sensitive subnets.
    pub scopes: Vec<Scope>,
    /// Every subnet that was opened, outer ones first.
    pub subnets: Vec<Subnet>,
    /// Tables that a store is to keep; those that are not named here are in memory.
    pub tables: Vec<Table>,
    /// The shares of the graph that run as processes of the operating system.
    pub parts: Vec<Part>,
    /// What this part needs to know of the rest; nothing when this is the whole graph.
    pub share: Option<Box<Share>>,
}

/// A process of the plan. Its index in [`Plan::processes`] is its identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// `Outer/Inner`.
    pub address: String,
    /// Catalogue name (aliases resolved); empty when none was given or found.
    pub component: String,
    /// Node metadata.
    pub metadata: Vec<(String, Value)>,
    /// Classic `?`.
    pub trace: bool,
    /// The innermost scope it belongs to.
    pub scope: Option<usize>,
    /// First mention.
    pub span: Span,
    /// The component as written.
    pub component_span: Span,
}

/// One end of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    /// Index of the process.
    pub process: usize,
    /// Port name as the component declares it (capitals), or as written when it declares none such;
    /// `*` for automatic ports.
    pub port: String,
    /// Array element: `Some` for array ports (0 when none was written), else `None` unless written.
    pub index: Option<u32>,
    /// Where the port is written.
    pub span: Span,
}

/// A bounded link into one in-port element, with all its writers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// Reader.
    pub to: End,
    /// Writers in text order.
    pub from: Vec<Writer>,
    /// Writers of the links that divert to this one. They have no arrow of their own here and send
    /// only what their own link refuses, but this link stays open until they have closed too.
    pub diverted: Vec<Writer>,
    /// Written capacity, if any.
    pub capacity: Option<usize>,
    /// Policy when full.
    pub full: Full,
    /// The link that takes what this one refuses; what that one refuses too is shed.
    ///
    /// Each of the writers `from` of this link is then also one of those `diverted` to that one.
    pub divert: Option<usize>,
    /// What it is when it is not memory. Several links of one connector have the same name and store,
    /// and each has its own reader.
    pub connector: Option<Box<Connector>>,
}

/// A link that is not memory. What is not written is left to the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connector {
    /// Its kind.
    pub kind: ConnectorKind,
    /// The store that keeps it, if one is named.
    pub store: Option<String>,
    /// Its name in the store.
    pub name: String,
    /// The consumer group of the reader.
    pub group: String,
    /// How many messages may wait in it.
    pub capacity: Option<usize>,
    /// How many bytes of payload may wait in it.
    pub bytes: Option<u64>,
    /// How often a message is delivered again after a failure.
    pub retries: Option<u32>,
    /// How long a message that failed rests.
    pub delay: Option<Duration>,
    /// How much longer it rests after each further failure.
    pub backoff: Option<f64>,
    /// How long a consumer may hold a message without a sign of life.
    pub lease: Option<Duration>,
    /// The queue for messages whose tries are used up.
    pub dead_letter: Option<String>,
    /// The queue for messages that cannot be read.
    pub invalid: Option<String>,
    /// The field whose value decides the partition and the order.
    pub key: Option<String>,
    /// Partitions of a stream.
    pub partitions: Option<u32>,
    /// What becomes of a stream's message that fails.
    pub on_error: Option<OnError>,
    /// How long a stream keeps its messages, and how much.
    pub retain: Retain,
    /// A new subscriber gets the last message first.
    pub retained: bool,
    /// What it does wrong on purpose.
    pub chaos: Option<Chaos>,
    /// Where its kind is written.
    pub span: Span,
}

/// The kinds of connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectorKind {
    /// Tasks.
    #[default]
    Queue,
    /// Facts.
    Stream,
    /// A copy for each subscriber.
    Pubsub,
}

impl ConnectorKind {
    /// The word that stands on an arrow.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Pubsub => "pubsub",
        }
    }
}

impl fmt::Display for ConnectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How long a stream keeps its messages, and how much; without any of it for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retain {
    /// No longer than this.
    pub age: Option<Duration>,
    /// No more bytes of payload than this.
    pub bytes: Option<u64>,
    /// No more messages than this.
    pub messages: Option<u64>,
}

/// What a connector does wrong on purpose; each is a share of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chaos {
    /// Deliveries that are lost on their way, and sends that are not confirmed.
    pub drop: f64,
    /// Messages that are handed out twice, or written twice.
    pub dup: f64,
    /// Deliveries that are overtaken by others.
    pub reorder: f64,
    /// Deliveries that are damaged on their way.
    pub corrupt: f64,
    /// Calls at which it stops to answer for a while.
    pub down: f64,
    /// Who starts with the same seed does the same wrong.
    pub seed: u64,
}

/// A table of a process that is kept by a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Index of the process.
    pub process: usize,
    /// The table, as the component declares it.
    pub name: String,
    /// The store that keeps it; the usual one if none is named.
    pub store: Option<String>,
    /// How long.
    pub keep: Keep,
}

/// How long a store keeps a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// From run to run.
    #[default]
    Always,
    /// Until the run has finished well, over any number of crashes: the next one begins with nothing, as with a
    /// table in memory. So does a run that was cut short before this was said of the table.
    Run,
}

impl Keep {
    /// The words for it.
    pub const WORDS: [(&'static str, Self); 2] = [("always", Self::Always), ("run", Self::Run)];
}

/// A share of the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Indexes of its processes.
    pub processes: Vec<usize>,
}

/// What a plan that is one part of a graph knows of the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Share {
    /// Which of the parts of the whole it is.
    pub part: usize,
    /// The whole graph, with all its parts.
    pub whole: Plan,
    /// What leaves for readers of other parts alone.
    pub departures: Vec<Departure>,
}

/// What some processes of a part write to a connector that only other parts read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Departure {
    /// The writers.
    pub from: Vec<Writer>,
    /// The connector, as one of its readers has it.
    pub connector: Box<Connector>,
}

/// What becomes of a stream's message that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It is left behind.
    Skip,
    /// It is delivered again.
    Retry,
    /// It is copied to this stream.
    Copy(String),
}

/// An arrow into a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writer {
    /// The out-port.
    pub end: End,
    /// The arrow.
    pub span: Span,
    /// Where this arrow names the in-port.
    pub into: Span,
    /// What is said of the messages that travel along it.
    pub meaning: Option<Box<Meaning>>,
}

/// What messages are, as far as an arrow says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// What the sender means by them.
    pub intent: Option<Intent>,
    /// How events follow on each other.
    pub shape: Option<Shape>,
    /// The one schema they have.
    pub datatype: Option<String>,
    /// What they are domain events of: all must be applied, in order.
    pub entity: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// What a sender means by a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Something is to be done.
    Command,
    /// Something is to be told.
    Query,
    /// Something changes hands.
    Value,
    /// Something has happened; nothing is expected.
    Event,
}

/// How events follow on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each is acted on by itself.
    Discrete,
    /// Only their sequence supports an action.
    Series,
}

/// An initial packet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Initial {
    /// Where it goes.
    pub to: End,
    /// Its value.
    pub value: Value,
    /// Where it is written.
    pub span: Span,
}

/// A port of the whole network, to be fed or read from outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// Public name.
    pub public: String,
    /// Inner end.
    pub end: End,
    /// The export line.
    pub span: Span,
}

/// A substream-sensitive subnet: re-armed for each top-level group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Address of the subnet's process.
    pub address: String,
    /// The scope around it.
    pub parent: Option<usize>,
    /// Where the subnet is used.
    pub span: Span,
}

/// A subnet that was opened; its processes are those whose address begins with its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subnet {
    /// Address of the subnet's process.
    pub address: String,
    /// Name of the graph, as written.
    pub component: String,
    /// Its public in-ports, and where each leads.
    pub inports: Vec<Export>,
    /// Its public out-ports, and where each comes from.
    pub outports: Vec<Export>,
    /// Where the subnet is used.
    pub span: Span,
}

impl Link {
    /// Everybody who may put a packet here, those that divert last.
    pub fn writers(&self) -> impl Iterator<Item = &Writer> {
        self.from.iter().chain(&self.diverted)
    }
}

/// The address that the workers of a process share: `P` for `P[1]`, and for `P` itself.
#[must_use]
pub fn without_worker(address: &str) -> &str {
    let worker = address
        .strip_suffix(']')
        .and_then(|open| open.rsplit_once('['));
    match worker {
        Some((process, number)) if number.parse::<usize>().is_ok() => process,
        _ => address,
    }
}

impl Plan {
    /// The process at this address, or the workers that share its work (`P` is `P[1]`, `P[2]`...).
    pub fn workers<'a>(&'a self, address: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_worker = move |process: &Process| {
            process.address == address || without_worker(&process.address) == address
        };
        let all = self.processes.iter().enumerate();
        all.filter(move |(_, process)| is_worker(process))
            .map(|(at, _)| at)
    }

    /// The process at this address.
    #[must_use]
    pub fn process(&self, address: &str) -> Option<usize> {
        self.processes
            .iter()
            .position(|process| process.address == address)
    }

    /// Whether a store keeps this table of a process.
    #[must_use]
    pub fn keeps(&self, process: usize, table: &str) -> bool {
        let mut kept = self.tables.iter();
        kept.any(|kept| kept.process == process && kept.name == table)
    }
}
