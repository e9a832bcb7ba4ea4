//! The thread that looks after what is open of a broker.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use paperflow_core::connector::StoreFault;

/// What is looked after.
pub(crate) trait Kept {
    /// Nothing is told the broker any more.
    fn is_cut(&self) -> bool;

    /// Everybody who waits looks again.
    fn call_all(&self);
}

/// Carries orders out as they come, and looks after everything now and then, first after a rest, until the
/// store is closed. Each look gives how long it is until the next. Who waits is called once a look has gone well
/// that did not before.
pub(crate) fn keep<S: Kept, O>(
    store: &Weak<S>,
    orders: &Receiver<O>,
    rest: Duration,
    carry_out: impl Fn(&O) -> Result<(), StoreFault>,
    mut look: impl FnMut(&Arc<S>) -> (Result<(), StoreFault>, Duration),
) {
    let mut next = Instant::now() + rest;
    let mut was_away = false;
    loop {
        let wait = next.saturating_duration_since(Instant::now());
        match orders.recv_timeout(wait) {
            Ok(order) => {
                if let Err(fault) = carry_out(&order) {
                    tracing::debug!("what was settled is written later: {fault}");
                }
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
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
