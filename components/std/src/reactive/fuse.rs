use std::time::Duration;

use paperflow_core::Moment;

/// Failures in a row, and what they lead to.
#[derive(Debug)]
pub(super) struct Fuse {
    state: State,
    in_a_row: usize,
    most: usize,
    pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Until this moment.
    Open(Moment),
    HalfOpen,
}

impl Fuse {
    /// Opens at this many failures in a row, for so long.
    pub(super) const fn new(most: usize, pause: Duration) -> Self {
        Self {
            state: State::Closed,
            in_a_row: 0,
            most,
            pause,
        }
    }

    /// One that never opens.
    pub(super) const fn none() -> Self {
        Self::new(usize::MAX, Duration::ZERO)
    }

    /// How many packets may be with the worker.
    pub(super) fn admits(&self, limit: usize) -> usize {
        match self.state {
            State::Closed => limit,
            State::Open(_) => 0,
            State::HalfOpen => 1,
        }
    }

    /// When the next attempt may be made.
    pub(super) const fn opens_until(&self) -> Option<Moment> {
        match self.state {
            State::Open(moment) => Some(moment),
            State::Closed | State::HalfOpen => None,
        }
    }

    /// The pause is over. The answer is the word for a new state.
    pub(super) const fn wake(&mut self) -> &'static str {
        self.state = State::HalfOpen;
        "half-open"
    }

    /// An attempt has ended. The answer is the word for a new state, if it is one.
    ///
    /// Attempts that were under way when it opened change nothing.
    pub(super) fn ended(&mut self, is_success: bool, now: Moment) -> Option<&'static str> {
        match (self.state, is_success) {
            (State::Open(_), _) => None,
            (State::Closed, true) => {
                self.in_a_row = 0;
                None
            }
            (State::HalfOpen, true) => {
                self.in_a_row = 0;
                self.state = State::Closed;
                Some("closed")
            }
            (State::Closed | State::HalfOpen, false) => self.failed(now),
        }
    }

    fn failed(&mut self, now: Moment) -> Option<&'static str> {
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row < self.most {
            return None;
        }
        self.state = State::Open(now.saturating_add(self.pause));
        Some("open")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_opens_at_failures_in_a_row_only() {
        let mut fuse = Fuse::new(2, SECOND);
        assert_eq!(fuse.ended(false, SECOND), None);
        assert_eq!(fuse.ended(true, SECOND), None);
        assert_eq!(fuse.ended(false, SECOND), None);
        assert_eq!(fuse.admits(5), 5);
        assert_eq!(fuse.ended(false, SECOND), Some("open"));
        assert_eq!((fuse.admits(5), fuse.opens_until()), (0, Some(2 * SECOND)));
        assert_eq!(fuse.ended(true, SECOND), None, "a late answer");
        assert_eq!(fuse.admits(5), 0);
    }

    #[test]
    fn one_attempt_decides_after_the_pause() {
        let mut fuse = Fuse::new(3, SECOND);
        for _ in 0..3 {
            fuse.ended(false, SECOND);
        }
        assert_eq!((fuse.wake(), fuse.admits(5)), ("half-open", 1));
        assert_eq!(fuse.ended(false, SECOND), Some("open"), "at the first one");
        fuse.wake();
        assert_eq!(fuse.ended(true, SECOND), Some("closed"));
        assert_eq!(fuse.ended(false, SECOND), None, "it counts from the start");
    }

    #[test]
    fn without_a_limit_it_never_opens() {
        let mut fuse = Fuse::none();
        assert!((0..100).all(|_| fuse.ended(false, SECOND).is_none()));
    }
}
