//! How every desk of the office works: answers before new work, and a short list of things begun.

use std::future::Future;

use paperflow_core::Receive;
use paperflow_core::{Either, Got, In, select};

/// How many things a desk begins before it waits for one of them to come back.
///
/// Three are too few to fill two links and two hands, the least that a circle of desks needs to block
/// itself. The README of `graphs/order-flow` has the whole argument.
pub(crate) const IN_FLIGHT: usize = 3;

/// The next thing of either, the answers first; `None` once both have ended.
pub(crate) async fn first<E>(
    answers: impl Future<Output = Option<E>>,
    work: impl Future<Output = Option<E>>,
) -> Option<E> {
    match select(answers, work).await? {
        Either::Left(event) | Either::Right(event) => Some(event),
    }
}

/// The next item of a port that is listened to only for now.
pub(crate) async fn next_if<T: Receive>(listening: bool, port: &In<T>) -> Option<Got<T>> {
    if listening { port.next().await } else { None }
}
