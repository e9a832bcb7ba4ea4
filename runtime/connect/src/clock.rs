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

/// A moment as RFC 3339 writes it, in UTC: `2026-01-31T08:00:00.500Z`.
#[cfg(any(feature = "amqp", feature = "mqtt"))]
pub(crate) fn utc(moment: Moment) -> String {
    utc_of(millis(moment))
}

/// The same of milliseconds since 1970.
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "mqtt",
    feature = "nats"
))]
pub(crate) fn utc_of(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Years that begin in March have the odd day at their end; 400 of them have 146 097 days.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month < 10 {
        true => (year + 400 * era, month + 3),
        false => (year + 400 * era + 1, month - 9),
    };
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(all(
    test,
    any(
        feature = "amqp",
        feature = "kafka",
        feature = "mqtt",
        feature = "nats"
    )
))]
mod tests {
    use super::*;

    #[cfg(any(feature = "amqp", feature = "mqtt"))]
    #[test]
    fn a_moment_is_written_as_a_date() {
        let at =
            |seconds, millis| utc(Duration::from_secs(seconds) + Duration::from_millis(millis));
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400, 7), "2000-02-29T00:00:00.007Z");
        assert_eq!(at(1_704_067_199, 0), "2023-12-31T23:59:59.000Z");
        assert_eq!(at(1_772_323_200, 500), "2026-03-01T00:00:00.500Z");
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(utc_of(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(utc_of(951_782_399_999), "2000-02-28T23:59:59.999Z");
        assert_eq!(utc_of(1_709_164_800_250), "2024-02-29T00:00:00.250Z");
        assert_eq!(utc_of(-1), "1969-12-31T23:59:59.999Z");
    }
}
