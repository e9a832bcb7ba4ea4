//! Time for a store: that of the wall, and that which only goes on.
//!
//! What is kept says when it is due by the wall; whoever waits in this process waits by the time that
//! only goes on, so that a clock that is set back holds nothing up.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use paperflow_core::Moment;
use parking_lot::Mutex;

/// Tells a store the time.
pub trait Clock: Send + Sync {
    /// Time since the start of 1970, in UTC, as the machine has it. May go back.
    fn wall(&self) -> Moment;

    /// Time that has gone by since some start. Never goes back.
    fn elapsed(&self) -> Duration;

    /// When so much will have gone by; nothing if time goes on only when it is told to.
    fn instant(&self, elapsed: Duration) -> Option<Instant>;

    /// Called whenever time has been told to go on.
    fn on_change(&self, call: Box<dyn Fn() + Send + Sync>) {
        drop(call);
    }
}

/// The time of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        wall.unwrap_or_default()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn instant(&self, elapsed: Duration) -> Option<Instant> {
        self.0.checked_add(elapsed)
    }
}

/// Time that goes on when it is told to, for tests.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<Hands>);

#[derive(Default)]
struct Hands {
    times: Mutex<Times>,
    calls: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

#[derive(Default)]
struct Times {
    elapsed: Duration,
    /// The start, by the wall.
    start: Moment,
}

impl ManualClock {
    /// A clock that stands at a moment.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        let clock = Self::default();
        clock.0.times.lock().start = moment;
        clock
    }

    /// Lets time go on. Whatever a store does at that time has been done when this returns.
    pub fn advance(&self, by: Duration) {
        self.0.times.lock().elapsed += by;
        self.call();
    }

    /// Sets the clock on the wall, also back; no time goes by.
    pub fn set_wall(&self, moment: Moment) {
        let mut times = self.0.times.lock();
        times.start = moment.saturating_sub(times.elapsed);
        drop(times);
        self.call();
    }

    fn call(&self) {
        self.0.calls.lock().iter().for_each(|call| call());
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Moment {
        let times = self.0.times.lock();
        times.start + times.elapsed
    }

    fn elapsed(&self) -> Duration {
        self.0.times.lock().elapsed
    }

    fn instant(&self, _: Duration) -> Option<Instant> {
        None
    }

    fn on_change(&self, call: Box<dyn Fn() + Send + Sync>) {
        self.0.calls.lock().push(call);
    }
}

/// Milliseconds since the start of 1970, as they are kept.
pub(crate) fn millis(moment: Moment) -> i64 {
    i64::try_from(moment.as_millis()).unwrap_or(i64::MAX)
}

/// What [`millis`] gave.
pub(crate) fn moment(millis: i64) -> Moment {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
