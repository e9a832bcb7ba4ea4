//! Time as an argument: real in a network, virtual in the rig.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::slot;

/// A moment: time since the start of 1970, in UTC.
pub type Moment = Duration;

/// Kept by the engine.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;

    /// Wakes once the moment has come; the answer cancels it.
    fn wake_at(&self, moment: Moment, waker: Waker) -> u64;

    /// Forgets a wake-up that has not come yet.
    fn cancel(&self, key: u64);
}

/// The time, and the means to wait for it. A pending timer counts as outside.
#[derive(Clone)]
pub struct Timer {
    clock: Arc<dyn Clock>,
}

impl Timer {
    /// Made by the engine.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Calls the waker once the moment has come, for an activity that is written by hand and says that
    /// it waits outside; the answer cancels it.
    #[must_use]
    pub fn wake_at(&self, moment: Moment, waker: Waker) -> u64 {
        self.clock.wake_at(moment, waker)
    }

    /// Forgets a wake-up that has not come yet.
    pub fn cancel(&self, key: u64) {
        self.clock.cancel(key);
    }

    /// Waits this long.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.until(self.now().saturating_add(duration))
    }

    /// Waits until a moment.
    #[must_use]
    pub fn until(&self, moment: Moment) -> Sleep {
        Sleep {
            clock: Arc::clone(&self.clock),
            moment,
            key: None,
        }
    }
}

/// A wait that ends at its moment.
pub struct Sleep {
    clock: Arc<dyn Clock>,
    moment: Moment,
    key: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.moment {
            slot::with(|turn| turn.moved());
            return Poll::Ready(());
        }
        if self.key.is_none() {
            self.key = Some(self.clock.wake_at(self.moment, cx.waker().clone()));
        }
        slot::with(|turn| turn.wait_outside());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.clock.cancel(key);
        }
    }
}
