//! The clocks that timers hang on: the real one, and one that jumps when nobody is busy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use paperflow_core::time::{Clock, Moment};
use parking_lot::{Condvar, Mutex};

#[derive(Default)]
struct Timers {
    next_key: u64,
    pending: BTreeMap<(Moment, u64), Waker>,
    moments: BTreeMap<u64, Moment>,
    is_stopped: bool,
}

impl Timers {
    fn add(&mut self, moment: Moment, waker: Waker) -> u64 {
        self.next_key += 1;
        self.pending.insert((moment, self.next_key), waker);
        self.moments.insert(self.next_key, moment);
        self.next_key
    }

    fn cancel(&mut self, key: u64) {
        if let Some(moment) = self.moments.remove(&key) {
            self.pending.remove(&(moment, key));
        }
    }

    /// Takes every waker that is due, and tells when the next one will be.
    fn due(&mut self, now: Moment) -> (Vec<Waker>, Option<Moment>) {
        let mut due = Vec::new();
        while let Some(entry) = self.pending.first_entry() {
            let (moment, key) = *entry.key();
            if moment > now {
                return (due, Some(moment));
            }
            due.push(entry.remove());
            self.moments.remove(&key);
        }
        (due, None)
    }
}

/// The system's clock. One thread serves all timers of a network, by time that only goes on.
pub(crate) struct RealClock {
    start: Instant,
    wall: fn() -> Moment,
    timers: Mutex<Timers>,
    changed: Condvar,
}

impl Default for RealClock {
    fn default() -> Self {
        let wall = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
        };
        Self {
            start: Instant::now(),
            wall,
            timers: Mutex::default(),
            changed: Condvar::default(),
        }
    }
}

impl RealClock {
    /// Serves timers until stopped.
    pub(crate) fn serve(&self) {
        let mut timers = self.timers.lock();
        while !timers.is_stopped {
            let (due, next) = timers.due(self.elapsed());
            if !due.is_empty() {
                parking_lot::MutexGuard::unlocked(&mut timers, || {
                    due.into_iter().for_each(Waker::wake);
                });
                continue;
            }
            match next {
                Some(moment) => {
                    let wait = moment.saturating_sub(self.elapsed());
                    self.changed.wait_for(&mut timers, wait);
                }
                None => self.changed.wait(&mut timers),
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.timers.lock().is_stopped = true;
        self.changed.notify_all();
    }
}

impl Clock for RealClock {
    fn now(&self) -> Moment {
        (self.wall)()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn wake_at(&self, moment: Moment, waker: Waker) -> u64 {
        let left = moment.saturating_sub(self.now());
        let key = self
            .timers
            .lock()
            .add(self.elapsed().saturating_add(left), waker);
        self.changed.notify_all();
        key
    }

    fn cancel(&self, key: u64) {
        self.timers.lock().cancel(key);
    }
}

/// A clock that stands still while anybody works and jumps to the next timer when nobody does.
#[derive(Default)]
pub(crate) struct VirtualClock {
    state: Mutex<(Moment, Timers)>,
}

impl VirtualClock {
    /// Jumps to the next timer, if there is one.
    pub(crate) fn advance(&self) -> bool {
        let mut state = self.state.lock();
        let Some(((moment, _), _)) = state.1.pending.first_key_value() else {
            return false;
        };
        state.0 = state.0.max(*moment);
        let now = state.0;
        let (due, _) = state.1.due(now);
        drop(state);
        due.into_iter().for_each(Waker::wake);
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        self.state.lock().0
    }

    fn wake_at(&self, moment: Moment, waker: Waker) -> u64 {
        self.state.lock().1.add(moment, waker)
    }

    fn cancel(&self, key: u64) {
        self.state.lock().1.cancel(key);
    }
}

/// The clock of a network.
#[derive(Clone)]
pub(crate) enum NetClock {
    Real(Arc<RealClock>),
    Virtual(Arc<VirtualClock>),
}

impl NetClock {
    pub(crate) fn new(is_virtual: bool) -> Self {
        if is_virtual {
            Self::Virtual(Arc::default())
        } else {
            Self::Real(Arc::default())
        }
    }

    pub(crate) const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    pub(crate) fn shared(&self) -> Arc<dyn Clock> {
        match self {
            Self::Real(clock) => Arc::clone(clock) as Arc<dyn Clock>,
            Self::Virtual(clock) => Arc::clone(clock) as Arc<dyn Clock>,
        }
    }

    /// Jumps to the next timer, if time is virtual and there is one.
    pub(crate) fn advance(&self) -> bool {
        match self {
            Self::Real(_) => false,
            Self::Virtual(clock) => clock.advance(),
        }
    }

    /// Time since the network started at `begin`, and the virtual time it has jumped over.
    pub(crate) fn elapsed(&self, begin: Instant, now: Instant) -> Duration {
        let real = now.duration_since(begin);
        match self {
            Self::Real(_) => real,
            Self::Virtual(clock) => real + clock.now(),
        }
    }

    pub(crate) fn stop(&self) {
        if let Self::Real(clock) = self {
            clock.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Wake;
    use std::thread;

    static HOUR: AtomicU64 = AtomicU64::new(12);

    struct Bell(crossbeam_channel::Sender<()>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            assert_eq!(self.0.send(()), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let clock = Arc::new(RealClock {
            wall: || Duration::from_secs(3_600 * HOUR.load(Ordering::Relaxed)),
            ..RealClock::default()
        });
        let (bell, rung) = crossbeam_channel::bounded(1);
        let soon = clock.now() + Duration::from_millis(20);
        clock.wake_at(soon, Waker::from(Arc::new(Bell(bell))));
        HOUR.store(3, Ordering::Relaxed);
        let server = Arc::clone(&clock);
        let serving = thread::spawn(move || server.serve());
        let hopeless = Duration::from_secs(60);
        assert_eq!(rung.recv_timeout(hopeless), Ok(()), "nine hours too late");
        clock.stop();
        serving.join().unwrap();
    }
}
