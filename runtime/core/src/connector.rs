//! Connectors: links that are not memory. What the engine asks of a store, and what it promises it.
//!
//! A store keeps queues, streams and publish-subscribe channels by name. The engine writes to a
//! connector with [`Connector::send`], which returns when the messages are safe, and reads by a
//! [`Subscription`], which gives deliveries and takes their settlements back.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::{Id, Message};
pub use crate::standing::{Difference, Standing};
use crate::time::Moment;

/// What kind of connector it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorKind {
    /// Tasks: each is leased to one consumer, and is gone once it is done.
    Queue,
    /// Facts: appended in order, read by any number of groups, each from its own offset.
    Stream,
    /// A copy for each subscriber that is there.
    Pubsub,
}

impl ConnectorKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Queue, Self::Stream, Self::Pubsub];

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

/// What a graph asks of a connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// Its name in the store.
    pub name: String,
    /// Its kind.
    pub kind: ConnectorKind,
    /// How many messages may wait in it; a writer waits while there are more. Leased ones do not count:
    /// they are in the hands of their consumer. A stream has no such bound but its retention, and its
    /// `lag`.
    pub capacity: usize,
    /// How many bytes of payload may wait in it.
    pub capacity_bytes: u64,
    /// How often a message is delivered again after a failure; so it is handled at most once more.
    pub retries: u32,
    /// How long a message that failed rests.
    pub delay: Delay,
    /// How long a consumer may hold a message without a sign of life.
    pub lease: Duration,
    /// The queue for messages whose tries are used up; by default the connector's name and `.dead`.
    pub dead_letter: Option<String>,
    /// The queue for messages that cannot be read; by default the connector's name and `.invalid`.
    pub invalid: Option<String>,
    /// The field, or `header:NAME`, whose value decides the partition and the order.
    pub key: Option<String>,
    /// Partitions of a stream, at least one.
    pub partitions: u32,
    /// What becomes of a stream's message that fails.
    pub on_error: OnError,
    /// How long a stream keeps its messages, and how much; without both for ever.
    pub retain: Retain,
    /// How many messages of a stream the slowest group that is there may have left to receive; a writer
    /// waits while it has more. Those in the hands of a consumer do not count. Without it nobody waits: what bounds a stream is how long it is kept.
    #[serde(default)]
    pub lag: Option<usize>,
    /// A new subscriber of a publish-subscribe channel gets the last message first.
    pub retained: bool,
}

impl Declaration {
    /// A connector with the usual settings.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ConnectorKind) -> Self {
        Self {
            name: name.into(),
            kind,
            capacity: 10_000,
            capacity_bytes: 256 << 20,
            retries: 3,
            delay: Delay::default(),
            lease: Duration::from_secs(30),
            dead_letter: None,
            invalid: None,
            key: None,
            partitions: 1,
            on_error: OnError::Retry,
            retain: Retain::default(),
            lag: None,
            retained: false,
        }
    }

    /// The queue for messages whose tries are used up.
    #[must_use]
    pub fn dead_letter_name(&self) -> String {
        self.dead_letter
            .clone()
            .unwrap_or_else(|| format!("{}.dead", self.name))
    }

    /// The queue for messages that cannot be read.
    #[must_use]
    pub fn invalid_name(&self) -> String {
        self.invalid
            .clone()
            .unwrap_or_else(|| format!("{}.invalid", self.name))
    }
}

/// How long a message that failed rests before its next delivery.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// After the first failure.
    pub first: Duration,
    /// How much longer after each further one: 1 for always the same.
    pub factor: f64,
    /// At most so long.
    pub most: Duration,
    /// Each rest is this share shorter or longer, by chance: 0 for none.
    pub jitter: f64,
}

impl Default for Delay {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            factor: 2.0,
            most: Duration::from_secs(60),
            jitter: 0.1,
        }
    }
}

impl Delay {
    /// The rest after so many failures, at least one; `chance` is between 0 and 1.
    #[must_use]
    pub fn after(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let most = self.most.as_secs_f64();
        let grown = (self.first.as_secs_f64() * self.factor.powi(exponent)).min(most);
        let rest = grown * (1.0 + self.jitter * (2.0 * chance - 1.0));
        Duration::try_from_secs_f64(rest.max(0.0)).unwrap_or(self.most)
    }
}

/// What becomes of a stream's message that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It is left behind, and counted.
    Skip,
    /// It is delivered again; its partition waits. After `retries` it goes to the dead-letter queue.
    #[default]
    Retry,
    /// It is copied to this stream, to be read again from its end after a delay; its order is lost.
    /// After `retries` it goes to the dead-letter queue.
    Copy(String),
}

/// How long a stream keeps its messages, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retain {
    /// No longer than this.
    pub age: Option<Duration>,
    /// No more bytes of payload than this.
    pub bytes: Option<u64>,
    /// No more messages than this.
    pub messages: Option<u64>,
}

/// What a store can do with a kind of connector. What it cannot do is done by copying and settling, or
/// refused by the check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Capabilities {
    /// A message can be settled without those before it.
    pub settles_each: bool,
    /// A message can be given back.
    pub requeues: bool,
    /// A message can rest before its next delivery.
    pub delays: bool,
    /// Messages whose tries are used up are set aside by the store itself.
    pub dead_letters: bool,
    /// A lease can be made longer.
    pub renews: bool,
    /// The order of messages is kept, within a partition.
    pub orders: bool,
    /// What has been read can be read again.
    pub replays: bool,
    /// A message that is sent again with its id is known.
    pub knows_ids: bool,
    /// Messages, settlements and rows of tables can be written together or not at all.
    pub transactions: bool,
}

/// Whether a store can be reached, as it tells when that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// It does not answer, for this reason, and is tried again.
    Lost(String),
    /// It answers again, after so long.
    Back(Duration),
}

/// Hears whether a store can be reached. It must not call the store.
pub type ContactListener = Box<dyn Fn(&Contact) + Send + Sync>;

/// Keeps connectors.
pub trait Store: Send + Sync {
    /// What it is called in reports: `embedded`, or the scheme of a broker.
    fn name(&self) -> &str;

    /// What it can do with connectors of this kind; nothing for a kind it cannot keep.
    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities>;

    /// A connector of this declaration, which is made if it is not there.
    ///
    /// # Errors
    /// The store cannot be reached, keeps something else under that name, or cannot keep such a one.
    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault>;

    /// What is there of a connector of this declaration; nothing is made or changed.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        let _ = declaration;
        Ok(Standing::Unknown)
    }

    /// What a process keeps here: its tables, what it has handled, what it has still to send. The name
    /// is that of the graph and the process, `GRAPH/ADDRESS`.
    ///
    /// # Errors
    /// The store cannot be reached, or keeps no tables.
    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault>;

    /// A number that stays the same from run to run until one has finished well. Whoever numbers packets
    /// from the start of a run gives them the same ids again after a crash, and other ones in the run
    /// after. What is connected then, or was before, belongs to the run: its ids are forgotten once it has
    /// [finished](Self::finish).
    ///
    /// # Errors
    /// The store cannot be reached.
    fn epoch(&self, graph: &str) -> Result<u64, StoreFault>;

    /// The run of this number has finished well: the next is another one. Nothing happens when it has
    /// finished before.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault>;

    /// What the parts of a graph tell each other, if several programs can use this store at a time.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        let _ = graph;
        Ok(None)
    }

    /// Whoever listens is told when the store cannot be reached, and when it can be again; at once, if it
    /// cannot be reached now. A store that is always there tells nothing.
    fn on_contact(&self, listener: ContactListener) {
        drop(listener);
    }

    /// What it did wrong on purpose, by connector.
    fn disturbances(&self) -> Vec<Disturbance> {
        Vec::new()
    }

    /// Nobody uses it any more: what can be is made safe, and others may have the store. Whoever still
    /// has a part of it is told that it is closed.
    fn close(&self) {}
}

/// What was done wrong on purpose to what went through a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Disturbance {
    /// Its name.
    pub connector: String,
    /// Deliveries that were lost on their way, and came again.
    pub lost: u64,
    /// Sends that were not confirmed, whether they had been written or not.
    pub unconfirmed: u64,
    /// Messages that were handed out twice.
    pub handed_out_twice: u64,
    /// Messages that were written twice.
    pub written_twice: u64,
    /// Deliveries that were overtaken by others.
    pub overtaken: u64,
    /// Deliveries that were damaged on their way, and came again.
    pub damaged: u64,
    /// Calls that were not answered.
    pub unanswered: u64,
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "chaos on `{}`: {} deliveries lost, {} damaged, {} overtaken, {} handed out twice; \
             {} sends not confirmed, {} messages written twice; {} calls not answered",
            self.connector,
            self.lost,
            self.damaged,
            self.overtaken,
            self.handed_out_twice,
            self.unconfirmed,
            self.written_twice,
            self.unanswered
        )
    }
}

/// A queue, a stream or a publish-subscribe channel.
pub trait Connector: Send + Sync {
    /// Writes messages, in order, and returns when they are safe. Those that were sent before with
    /// the same id are left out.
    ///
    /// # Errors
    /// None of them is written.
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault>;

    /// How many more messages may be sent now. When there is room for none, the waker is called once
    /// there may be.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault>;

    /// Whether other processes may send to it, read it and make room in it; then nobody who waits for room
    /// in it is stuck.
    fn is_shared(&self) -> bool {
        false
    }

    /// How many messages a group has not done, or whoever reads a queue: ready, resting or leased, as the
    /// store itself knows it now. Rather too many than too few; nothing when it cannot tell.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        let _ = group;
        Ok(None)
    }

    /// Begins to read.
    ///
    /// # Errors
    /// The store cannot be reached, or this consumer may not read.
    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault>;
}

/// Short texts by name, which all parts of a graph see: who runs, and what has ended.
pub trait Notes: Send + Sync {
    /// Writes a note in the place of the one of this name, if there is one. It is safe, and seen by whoever
    /// reads from now on, when this returns.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault>;

    /// All notes, with their names. What was written before is there.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn read(&self) -> Result<Vec<(String, String)>, StoreFault>;
}

/// What became of messages that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// So many were written.
    pub written: usize,
    /// So many had been sent before.
    pub known: usize,
}

/// Somebody who reads a connector.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its name, unique among those who read: the address of its port.
    pub name: String,
    /// The consumer group of a stream; those of the same group share the partitions.
    pub group: String,
    /// Called when there may be something new: a message, a settlement, a change of partitions.
    pub waker: Waker,
}

/// The reading side of a connector, for one consumer.
///
/// Dropping it, or [`close`](Self::close), gives back what is not settled.
pub trait Subscription: Send + Sync {
    /// Leases up to `most` messages, without waiting, and adds them to `into`.
    ///
    /// # Errors
    /// The store cannot be reached, or somebody else has taken over.
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault>;

    /// Settles a delivery. Does not wait and cannot fail: what cannot be written is delivered again.
    fn settle(&self, ticket: u64, settlement: Settlement);

    /// Gives one delivery back, to be delivered again after a rest, while others go on: only a queue can
    /// do that. Where the order is kept nothing is locked, and a message that fails is skipped, tried
    /// again in its place, or copied.
    ///
    /// # Errors
    /// It is no queue (`Unsupported`); then the delivery is as it was.
    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        let _ = (ticket, rest);
        let reason = "a message cannot be given back alone here";
        Err(StoreFault::new(StoreFaultKind::Unsupported, reason))
    }

    /// Everything settled so far is safe when this returns.
    ///
    /// # Errors
    /// Something could not be written; it will be delivered again.
    fn flush(&self) -> Result<(), StoreFault>;

    /// Nothing more is received. What was delivered can still be settled; what others could have instead,
    /// as the partitions of a stream, they get once it is.
    fn stop(&self) {}

    /// Gives back what is not settled; later settlements have no effect.
    fn close(&self);
}

/// What a process keeps in a store, so that its state, the packets it has handled and what follows
/// from them are written together or not at all.
pub trait Desk: Send + Sync {
    /// The rows of a table, as they were committed: keys and rows as JSON, in any order.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn rows(&self, table: &str) -> Result<Vec<(String, String)>, StoreFault>;

    /// What followed from a message that was handled before and is not yet forgotten: what was sent,
    /// with the out-port element it was sent to. Nothing when it was not handled.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn handled(&self, id: Id) -> Result<Option<Vec<(usize, Message)>>, StoreFault>;

    /// Writes what has been done, and returns when it is safe.
    ///
    /// # Errors
    /// Nothing is written.
    fn commit(&self, work: &Work) -> Result<(), StoreFault>;

    /// What was committed as [`own`](Handled::own) work, and of which it is not known whether all of it
    /// has been sent and handled, oldest first: what a run that was cut short still owes.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn owed(&self) -> Result<Vec<Handled>, StoreFault> {
        Ok(Vec::new())
    }

    /// Own work of this id is owed no more. Does not wait; it may be found owed once more after a crash.
    fn paid(&self, id: Id) {
        let _ = id;
    }

    /// The messages that were [`handled`](Self::handled) and followed by something which is not known to have
    /// arrived, oldest first.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn on_its_way(&self) -> Result<Vec<Handled>, StoreFault> {
        Ok(Vec::new())
    }

    /// What followed from the message of this id has arrived, or will never: nothing of it is to be sent again.
    /// Does not wait; it may be found on its way once more after a crash.
    fn arrived(&self, id: Id) {
        let _ = id;
    }
}

/// What a process has done since it last said so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// The messages it has handled.
    pub handled: Vec<Handled>,
    /// Rows it has written, in order.
    pub rows: Vec<Row>,
}

/// A message that a process has handled.
#[derive(Clone, Debug, PartialEq)]
pub struct Handled {
    /// The message.
    pub id: Id,
    /// What followed from it, with the out-port element it goes to.
    pub sent: Vec<(usize, Message)>,
    /// There was no such message: the process has sent this of its own accord, as when a timer rang, and
    /// nobody will deliver anything again to have it sent once more. The id is that of the first message
    /// sent.
    pub own: bool,
}

/// A row of a table that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: String,
    /// The key, as JSON.
    pub key: String,
    /// The row, as JSON; nothing when it was removed.
    pub row: Option<String>,
}

/// A message that has been leased.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names it in its settlement.
    pub ticket: u64,
    /// The message.
    pub message: Message,
    /// Which delivery this is, from 1.
    pub attempt: u32,
    /// Whether the store wants it back before it is handled.
    pub recall: Recall,
}

/// Tells whoever has not begun to handle a delivery that another one comes first: one before it in its
/// partition has failed, and the order is to be kept. It is given back and delivered again behind that one.
#[derive(Clone, Debug, Default)]
pub struct Recall(Option<Arc<AtomicBool>>);

impl Recall {
    /// Of a delivery that may be recalled; by default it never is.
    #[must_use]
    pub fn possible() -> Self {
        Self(Some(Arc::default()))
    }

    /// Recalls it.
    pub fn recall(&self) {
        if let Some(is_recalled) = &self.0 {
            is_recalled.store(true, Ordering::Release);
        }
    }

    /// Whether it has been recalled.
    #[must_use]
    pub fn is_recalled(&self) -> bool {
        let flag = self.0.as_ref();
        flag.is_some_and(|is_recalled| is_recalled.load(Ordering::Acquire))
    }
}

/// What a receive found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Messages.
    Some,
    /// None now.
    Empty(Outlook),
}

/// What may still come from a connector in which nothing is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// A message rests until then, or another's lease ends.
    pub due: Option<Moment>,
    /// Deliveries of this subscription that are not settled.
    pub unsettled: usize,
    /// Deliveries of others that are not settled, and messages that they are to get before it.
    pub elsewhere: usize,
    /// The store is about to move messages, as from a stream to a delay stream and back, and calls when it
    /// has.
    pub is_moving: bool,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What is to be done with it.
    pub disposition: Disposition,
    /// Why, if something went wrong.
    pub failure: Option<Failure>,
}

impl Settlement {
    /// That of a message which cannot be read, for this reason.
    #[must_use]
    pub fn unreadable(reason: impl fmt::Display) -> Self {
        Self {
            disposition: Disposition::Invalid,
            failure: Some(Failure {
                message: reason.to_string(),
                ..Failure::default()
            }),
        }
    }
}

/// What is to be done with a delivery; the worse comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Everything that follows from it is safe.
    #[default]
    Done,
    /// It was not handled, through no fault of its own; this delivery does not count.
    Release,
    /// It failed; it is delivered again after its delay, or set aside when its tries are used up.
    Retry,
    /// It is set aside at once.
    Reject,
    /// It cannot be read, and is set aside at once, apart from those that failed.
    Invalid,
}

/// What went wrong with a delivery, for the headers of its copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// What happened, in one sentence.
    pub message: String,
    /// The process, by its address.
    pub process: String,
    /// Its component.
    pub component: String,
    /// The port where the packet was received, if that is known.
    pub port: Option<String>,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFault {
    message: String,
    kind: StoreFaultKind,
}

/// Whether it is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFaultKind {
    /// It may work later: no room on the disk, no connection.
    Unavailable,
    /// The store is damaged, or is not one.
    Damaged,
    /// Another process has the store, or has taken over.
    Taken,
    /// The store cannot do that.
    Unsupported,
}

impl StoreFault {
    /// A fault, told in one sentence: lower case, no full stop.
    #[must_use]
    pub fn new(kind: StoreFaultKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { message, kind }
    }

    /// Whether it is worth another try.
    #[must_use]
    pub const fn kind(&self) -> StoreFaultKind {
        self.kind
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreFault {}
