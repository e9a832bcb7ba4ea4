//! Connectors: links that are kept by a store.
//!
//! [`Embedded`] keeps queues, streams, publish-subscribe channels, tables and runs in one folder on the local disk, in SQLite, and needs no
//! server. It is opened with [`Embedded::open`], by one process at a time, and given to a network as its
//! store.

pub mod admin;
pub mod clock;
#[cfg(feature = "compliance")]
pub mod compliance;
mod desk;
mod embedded;
mod fault;
mod lock;
pub mod names;
mod pubsub;
mod queue;
mod run;
mod schema;
mod seen;
mod stream;
mod writer;

pub use admin::{Admin, Answer, Ask};
pub use embedded::Embedded;
pub use pubsub::{ChannelStatus, SubscriberStatus};
pub use stream::admin as streams;
