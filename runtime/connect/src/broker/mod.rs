//! What all brokers have in common: where they are, how messages look on the wire, how long somebody
//! waits for one that is away.

pub(crate) mod address;
pub(crate) mod aside;
#[cfg(any(feature = "redis", feature = "nats"))]
pub(crate) mod consumer;
pub(crate) mod envelope;
#[cfg(any(
    feature = "amqp",
    feature = "mqtt",
    feature = "nats",
    feature = "redis"
))]
pub(crate) mod fate;
pub(crate) mod patience;
#[cfg(any(
    feature = "amqp",
    feature = "mqtt",
    feature = "nats",
    feature = "redis"
))]
pub(crate) mod presence;
#[cfg(any(feature = "redis", feature = "nats"))]
pub(crate) mod stream;
#[cfg(feature = "tasks")]
pub(crate) mod tasks;
#[cfg(any(feature = "redis", feature = "nats"))]
pub(crate) mod users;

pub use address::{Access, Address};
