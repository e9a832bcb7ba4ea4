//! The thread that looks after what is open of a broker.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use paperflow_core::connector::StoreFault;

/// How long one waits for whoever reads to tell what was settled together with asking for more, before it is told
/// by itself.
#[cfg(any(feature = "nats", feature = "redis"))]
pub(crate) const PAUSE: Duration = Duration::from_millis(2);

/// What is looked after.
pub(crate) trait Kept {
    /// Nothing is told the broker any more.
    fn is_cut(&self) -> bool;

    /// Everybody who waits looks again.
    fn call_all(&self);
}

/// Carries orders out, each so long after it came as `pause` says, and looks after everything now and then, first
/// after a rest, until the store is closed. Each look gives how long it is until the next. Who waits is called once
/// a look has gone well that did not before.
pub(crate) fn keep<S: Kept, O>(
    store: &Weak<S>,
    orders: &Receiver<O>,
    (rest, pause): (Duration, Duration),
    carry_out: impl Fn(&O) -> Result<(), StoreFault>,
    mut look: impl FnMut(&Arc<S>) -> (Result<(), StoreFault>, Duration),
) {
    let carry_out = |order: &O| {
        if let Err(fault) = carry_out(order) {
            tracing::debug!("what was settled is written later: {fault}");
        }
    };
    let mut next = Instant::now() + rest;
    let mut was_away = false;
    let mut waiting: VecDeque<(Instant, O)> = VecDeque::new();
    loop {
        let first = waiting.front().map_or(next, |(due, _)| next.min(*due));
        match orders.recv_deadline(first) {
            Ok(order) => {
                waiting.push_back((Instant::now() + pause, order));
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                waiting.iter().for_each(|(_, order)| carry_out(order));
                return;
            }
        }
        let now = Instant::now();
        while let Some((_, order)) = waiting.pop_front_if(|(due, _)| *due <= now) {
            carry_out(&order);
        }
        if Instant::now() < next {
            continue;
        }
        let Some(kept) = store.upgrade() else {
            return;
        };
        if kept.is_cut() {
            return;
        }
        let (looked, rest) = look(&kept);
        if looked.is_ok() && was_away {
            kept.call_all();
        }
        was_away = looked.is_err();
        next = Instant::now() + rest;
    }
}
