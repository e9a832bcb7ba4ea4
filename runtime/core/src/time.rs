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
    /// The present moment. Goes back when somebody sets the clock back.
    fn now(&self) -> Moment;

    /// Time that has gone by since some start. Never goes back.
    fn elapsed(&self) -> Duration {
        self.now()
    }

    /// Wakes once so much time has gone by as is left until this moment; the answer cancels it.
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
            alarm: None,
        }
    }
}

/// A wait that ends at its moment.
pub struct Sleep {
    clock: Arc<dyn Clock>,
    moment: Moment,
    /// What cancels the wake-up, and when so much time has gone by as was left.
    alarm: Option<(u64, Duration)>,
}

impl Sleep {
    /// Whether it has been long enough; by either time, so that a clock that is set back holds nobody up.
    fn is_over(&self) -> bool {
        let has_gone_by = |(_, until)| self.clock.elapsed() >= until;
        self.clock.now() >= self.moment || self.alarm.is_some_and(has_gone_by)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_over() {
            slot::with(|turn| turn.moved());
            return Poll::Ready(());
        }
        if self.alarm.is_none() {
            let left = self.moment.saturating_sub(self.clock.now());
            let until = self.clock.elapsed().saturating_add(left);
            let key = self.clock.wake_at(self.moment, cx.waker().clone());
            self.alarm = Some((key, until));
        }
        slot::with(|turn| turn.wait_outside());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((key, _)) = self.alarm.take() {
            self.clock.cancel(key);
        }
    }
}
