//! Connectors: links that are kept by a store.
//!
//! [`Embedded`] keeps queues, streams, tables and runs in one folder on the local disk, in SQLite, and needs no
//! server. It is opened with [`Embedded::open`], by one process at a time, and given to a network as its
//! store.

pub mod clock;
#[cfg(feature = "compliance")]
pub mod compliance;
mod desk;
mod embedded;
mod fault;
mod lock;
pub mod names;
mod queue;
mod run;
mod schema;
mod stream;
mod seen;
mod writer;

pub use embedded::Embedded;
pub use stream::admin as streams;
