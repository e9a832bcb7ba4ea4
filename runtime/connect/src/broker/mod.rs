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
#[cfg(any(feature = "amqp", feature = "nats", feature = "redis"))]
pub(crate) mod keeper;
pub(crate) mod patience;
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "mqtt",
    feature = "nats",
    feature = "redis"
))]
pub(crate) mod presence;
#[cfg(any(feature = "redis", feature = "nats"))]
pub(crate) mod stream;
#[cfg(feature = "tasks")]
pub(crate) mod tasks;
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "mqtt",
    feature = "nats",
    feature = "redis"
))]
pub(crate) mod threads;
#[cfg(any(feature = "redis", feature = "nats"))]
pub(crate) mod users;
#[cfg_attr(
    not(all(
        feature = "amqp",
        feature = "kafka",
        feature = "nats",
        feature = "redis"
    )),
    allow(dead_code, reason = "no broker needs all of it")
)]
pub(crate) mod waiting;

pub use address::{Access, Address};

/// A broker keeps no tables, and a process has some.
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "mqtt",
    feature = "nats",
    feature = "redis"
))]
pub(crate) fn no_tables(broker: &str, process: &str) -> paperflow_core::connector::StoreFault {
    crate::fault::unsupported(format!(
        "{broker} keeps no tables, and `{process}` has some: let the embedded store keep them"
    ))
}

/// The certificates in a file, in PEM.
///
/// # Errors
/// It cannot be read, or has none (`Unsupported`).
#[cfg(any(
    feature = "kafka-tls",
    all(
        feature = "tls",
        any(feature = "amqp", feature = "mqtt", feature = "redis")
    )
))]
pub(crate) fn certificates(file: &str) -> Result<Vec<u8>, paperflow_core::connector::StoreFault> {
    use crate::fault::unsupported;
    let read = std::fs::read(file);
    let pem = read.map_err(|error| unsupported(format!("`ca={file}` cannot be read: {error}")))?;
    let mark = b"BEGIN CERTIFICATE";
    match pem.windows(mark.len()).any(|window| window == mark) {
        true => Ok(pem),
        false => Err(unsupported(format!(
            "`ca={file}` has no certificate in PEM"
        ))),
    }
}
