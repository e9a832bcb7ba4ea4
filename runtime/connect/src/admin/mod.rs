//! What the command asks of a store, whether a network runs on it or not.
//!
//! [`Admin::attach`] finds out: the store of a network that runs answers over the socket `control.sock`
//! in its folder, one line of JSON for each question; any other is opened.

mod answer;
#[cfg(unix)]
pub(crate) mod control;
mod redrive;
mod show;

use std::path::Path;
use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Store, StoreFault};
use serde::{Deserialize, Serialize};

pub(crate) use answer::ask;

use crate::fault::{unavailable, unsupported};
use crate::{Embedded, streams};

/// A question, or a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ask {
    /// How the queues are doing, by name; all of them without one.
    Queues {
        /// Only this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<String>,
    },
    /// The next messages of a queue; nothing happens to them.
    Peek {
        /// The queue.
        queue: String,
        /// So many at most.
        most: usize,
    },
    /// One message, by its identity.
    Show {
        /// The queue.
        queue: String,
        /// 32 hexadecimal digits.
        id: String,
    },
    /// Removes all messages of a queue that are in nobody's hands.
    Purge {
        /// The queue.
        queue: String,
    },
    /// Sends messages that were set aside again to where they came from.
    Redrive {
        /// The queue they were set aside in.
        queue: String,
        /// Only these; all without any.
        #[serde(default)]
        ids: Vec<String>,
        /// To this queue and not to where they came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// The last deliveries that were settled, the latest first.
    Log {
        /// Of this connector.
        connector: String,
        /// Only those that went wrong.
        errors: bool,
        /// So many at most.
        most: usize,
    },
    /// What has become of a message.
    Status {
        /// 32 hexadecimal digits.
        id: String,
    },
    /// Something about streams or publish-subscribe channels.
    Streams {
        /// What.
        request: streams::Request,
    },
}

/// What a store says to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    /// Queues, by name.
    Queues(Vec<Statistics>),
    /// Messages, in their order.
    Messages(Vec<Shown>),
    /// So many messages were removed, or sent again.
    Changed(u64),
    /// Deliveries, the latest first.
    Log(Vec<Logged>),
    /// Where the message is or was.
    Status(Vec<Status>),
    /// What was asked about streams or channels.
    Streams(streams::Answer),
    /// It was not done.
    Fault {
        /// `unavailable`, `damaged`, `taken` or `unsupported`.
        kind: String,
        /// Why, in one sentence.
        message: String,
    },
}

/// How a queue is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Statistics {
    /// Its name.
    pub queue: String,
    /// Messages that may be received now.
    pub ready: u64,
    /// Messages in the hands of consumers.
    pub leased: u64,
    /// Messages that rest before their next delivery.
    pub delayed: u64,
    /// Bytes of payload of those that are ready or rest.
    pub bytes: u64,
    /// Milliseconds since the oldest message was sent, if there is one.
    pub oldest_millis: Option<u64>,
    /// Messages ever sent.
    pub sent: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Messages that were done.
    pub done: u64,
    /// Deliveries that failed, and were to be tried again.
    pub retried: u64,
    /// Messages that were set aside because they failed, or were rejected.
    pub dead: u64,
    /// Messages that were set aside because they could not be read.
    pub invalid: u64,
    /// Messages that were done before, and were not delivered again.
    pub discarded: u64,
    /// Messages that were not written because they had been sent before.
    pub duplicates: u64,
}

/// A message, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shown {
    /// Its identity, as 32 hexadecimal digits.
    pub id: String,
    /// `ready`, `leased` or `delayed`.
    pub state: String,
    /// How often it was delivered.
    pub attempts: u32,
    /// When it was put into this queue, in milliseconds since 1970.
    pub sent: i64,
    /// When it may be delivered again, in milliseconds since 1970.
    pub due: Option<i64>,
    /// The kind of packet, or `group`.
    pub kind: String,
    /// Bytes of payload.
    pub bytes: u64,
    /// Its headers.
    pub headers: Headers,
    /// Why it was set aside: the headers of [`names`](crate::names).
    pub cause: Headers,
    /// Its body, if that is text.
    pub body: Option<String>,
    /// Its body as hexadecimal digits, if it is no text.
    pub body_hex: Option<String>,
}

/// A delivery that was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Logged {
    /// When it was settled, in milliseconds since 1970.
    pub at: i64,
    /// The connector.
    pub connector: String,
    /// The identity of the message, as 32 hexadecimal digits.
    pub id: String,
    /// Which delivery it was, from 1.
    pub attempt: u32,
    /// Bytes of payload.
    pub bytes: u64,
    /// Microseconds from the delivery to the settlement.
    pub micros: u64,
    /// Milliseconds from the sending to the settlement.
    pub age_millis: u64,
    /// Who received it.
    pub consumer: String,
    /// `done`, `discarded`, `released`, `retry`, `dead` or `invalid`.
    pub status: String,
    /// What went wrong.
    pub error: Option<String>,
}

/// What has become of a message in a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The connector.
    pub connector: String,
    /// `sent`, `delivered`, `processed`, `retrying`, `dead` or `invalid`.
    pub state: String,
    /// How often it was delivered, if that is known.
    pub attempts: Option<u32>,
}

/// A broker that answers what the command asks.
pub trait Asked: Store {
    /// Does what is asked.
    ///
    /// # Errors
    /// There is no such queue or stream, the broker cannot do that (`Unsupported`), or it cannot be reached.
    fn ask(&self, ask: &Ask) -> Result<Answer, StoreFault> {
        let _ = ask;
        Err(unsupported(format!(
            "{} is not asked by this command: its own tools tell what is there",
            self.name()
        )))
    }
}

#[cfg(feature = "nats")]
impl Asked for crate::nats::Nats {}

/// Those whose queues are not asked, but their channels.
macro_rules! streams_only {
    ($($feature:literal: $store:path),*) => {$(
        #[cfg(feature = $feature)]
        impl Asked for $store {
            fn ask(&self, ask: &Ask) -> Result<Answer, StoreFault> {
                match ask {
                    Ask::Streams { request } => {
                        self.ask_streams(request.clone()).map(Answer::Streams)
                    }
                    _ => Err(unsupported(format!(
                        "the queues of {} are not asked by this command: its own tools tell what is there",
                        self.name()
                    ))),
                }
            }
        }
    )*};
}

streams_only!(
    "amqp": crate::amqp::Amqp,
    "kafka": crate::kafka::Kafka,
    "mqtt": crate::mqtt::Mqtt
);

/// A store that is asked about.
pub struct Admin(Attached);

enum Attached {
    Stopped(Box<Embedded>),
    Broker(Arc<dyn Asked>),
    #[cfg(unix)]
    Live(control::Line),
}

impl Admin {
    /// The store in a folder, whether a network runs on it or not.
    ///
    /// # Errors
    /// There is none; it cannot be opened; or a process has it that does not answer.
    pub fn attach(folder: impl AsRef<Path>) -> Result<Self, StoreFault> {
        let folder = folder.as_ref();
        #[cfg(unix)]
        if let Some(line) = control::Line::open(folder) {
            return Ok(Self(Attached::Live(line)));
        }
        if !folder.join("store.db").exists() {
            return Err(unavailable(format!(
                "there is no store in `{}`",
                folder.display()
            )));
        }
        let store = Embedded::open_quietly(folder)?;
        Ok(Self(Attached::Stopped(Box::new(store))))
    }

    /// A broker.
    #[must_use]
    pub fn of(broker: Arc<dyn Asked>) -> Self {
        Self(Attached::Broker(broker))
    }

    /// Whether a process has the store open.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.0, Attached::Stopped(_))
    }

    /// Asks. A fault that the store tells is an error here, never an answer.
    ///
    /// # Errors
    /// The store does not do it, or is gone.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer, StoreFault> {
        match &mut self.0 {
            Attached::Stopped(store) => store.ask(ask),
            Attached::Broker(store) => store.ask(ask),
            #[cfg(unix)]
            Attached::Live(line) => line.ask(ask),
        }
    }

    /// How the queues are doing, by name.
    ///
    /// # Errors
    /// See [`ask`](Self::ask).
    pub fn queues(&mut self) -> Result<Vec<Statistics>, StoreFault> {
        match self.ask(&Ask::Queues { queue: None })? {
            Answer::Queues(queues) => Ok(queues),
            _ => Err(strange()),
        }
    }

    /// Asks about streams or channels.
    ///
    /// # Errors
    /// There is no such stream or group, or see [`ask`](Self::ask).
    pub fn ask_streams(
        &mut self,
        request: streams::Request,
    ) -> Result<streams::Answer, StoreFault> {
        match self.ask(&Ask::Streams { request })? {
            Answer::Streams(answer) => Ok(answer),
            _ => Err(strange()),
        }
    }

    /// The next messages of a queue.
    ///
    /// # Errors
    /// There is no such queue, or see [`ask`](Self::ask).
    pub fn peek(&mut self, queue: &str, most: usize) -> Result<Vec<Shown>, StoreFault> {
        let queue = queue.to_owned();
        match self.ask(&Ask::Peek { queue, most })? {
            Answer::Messages(messages) => Ok(messages),
            _ => Err(strange()),
        }
    }
}

fn strange() -> StoreFault {
    unsupported("the store gave an answer to another question")
}
