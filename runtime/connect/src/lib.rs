//! Connectors: links that are kept by a store.
//!
//! [`Embedded`] keeps queues, streams, publish-subscribe channels, tables and runs in one folder on the
//! local disk, in SQLite, and needs no server. It is opened with [`Embedded::open`], by one process at a
//! time, and given to a network as its store. [`Admin`] asks it how it is doing, whether a network runs on it or not.
//!
//! # What is safe when
//!
//! What is sent, and what a process commits at its desk, is on the disk when the call returns: neither
//! the end of the process nor a power cut takes it back. So are settlements once they were flushed.
//! Settlements that were not flushed, and how often something was delivered, are in the file within a few
//! milliseconds, or before the delivery is handed out: `kill -9` takes none of that back, a power cut
//! may. Then what was done is delivered again, as it may be with any queue.
//!
//! # When the disk is full
//!
//! A call that cannot be written is refused as
//! [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable), and nothing of it is: it can be
//! tried again as it is. Settlements are not lost but tried again after 10 ms, 20 ms and so on, up to
//! 1.3 s; until they are written [`flush`](paperflow_core::connector::Subscription::flush) says so.
//! Whoever sends should do the same: wait, longer each time, and send the same messages again.
//!
//! # When a file is damaged
//!
//! A file that is no store, was cut off, or has pages that cannot be is refused as
//! [`Damaged`](paperflow_core::connector::StoreFaultKind::Damaged), and left as it is. A message whose
//! checksum is wrong is never handed out: it goes to the queue for messages that cannot be read.

pub mod admin;
#[cfg(feature = "amqp")]
pub mod amqp;
#[cfg(feature = "broker")]
pub mod broker;
pub mod chaos;
pub mod clock;
#[cfg(feature = "compliance")]
pub mod compliance;
mod desk;
mod embedded;
mod fault;
#[cfg(feature = "kafka")]
pub mod kafka;
mod lock;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod names;
#[cfg(feature = "nats")]
pub mod nats;
mod pubsub;
mod queue;
#[cfg(feature = "redis")]
pub mod redis;
mod run;
mod schema;
mod seen;
mod stream;
mod writer;

pub use admin::{Admin, Answer, Ask};
pub use embedded::Embedded;
pub use pubsub::{ChannelStatus, SubscriberStatus};
pub use stream::admin as streams;
