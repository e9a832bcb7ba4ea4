//! What all brokers have in common: where they are, how messages look on the wire, how long somebody
//! waits for one that is away.

pub(crate) mod address;
pub(crate) mod aside;
pub(crate) mod envelope;
pub(crate) mod patience;
#[cfg(feature = "tasks")]
pub(crate) mod tasks;

pub use address::{Access, Address};
