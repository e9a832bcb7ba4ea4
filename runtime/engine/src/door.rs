//! Where a process leaves the network to wait for the world, comes back, and is called from out there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use paperflow_core::Fault;
use paperflow_core::turn::{Counts, Outside};

use crate::network::Net;
use crate::roster::Roster;

/// What all doors of a network share.
pub(crate) struct House {
    roster: Arc<Roster>,
    /// Known once it exists.
    net: OnceLock<Weak<Net>>,
}

impl House {
    pub(crate) fn new(roster: &Arc<Roster>) -> Arc<Self> {
        let (roster, net) = (Arc::clone(roster), OnceLock::new());
        Arc::new(Self { roster, net })
    }

    /// Tells which network it is.
    pub(crate) fn build(&self, net: &Arc<Net>) {
        self.net.get_or_init(|| Arc::downgrade(net));
    }
}

/// The network's side of `outside(...)`: the process's credit is given up meanwhile. It is its waker, too.
pub(crate) struct Door {
    house: Arc<House>,
    process: usize,
    /// The timer of a limited wait, by its number plus one.
    alarm: AtomicU64,
}

impl Door {
    pub(crate) fn new(house: &Arc<House>, process: usize) -> Arc<Self> {
        Arc::new(Self {
            house: Arc::clone(house),
            process,
            alarm: AtomicU64::new(0),
        })
    }

    fn net(&self) -> Option<Arc<Net>> {
        self.house.net.get().and_then(Weak::upgrade)
    }

    fn set_alarm(&self, net: &Arc<Net>, limit: Duration) {
        let alarm = Alarm {
            net: Arc::downgrade(net),
            process: self.process,
            limit,
        };
        let clock = net.clock.shared();
        let due = clock.now().saturating_add(limit);
        let key = clock.wake_at(due, Waker::from(Arc::new(alarm)));
        self.alarm.store(key + 1, Ordering::Release);
    }
}

impl Outside for Door {
    fn enter(&self, counts: Counts, limit: Option<Duration>) {
        let Some(net) = self.net() else { return };
        let process = &net.processes[self.process];
        process.tally.add(counts);
        if let Some(limit) = limit {
            self.set_alarm(&net, limit);
        }
        process.is_outside.store(true, Ordering::Release);
        net.outside.fetch_add(1, Ordering::AcqRel);
        if net.roster.rest() {
            net.judge();
        }
    }

    fn leave(&self) {
        let Some(net) = self.net() else { return };
        if let Some(key) = self.alarm.swap(0, Ordering::AcqRel).checked_sub(1) {
            net.clock.shared().cancel(key);
        }
        net.roster.resume();
        net.outside.fetch_sub(1, Ordering::AcqRel);
        let process = &net.processes[self.process];
        process.is_outside.store(false, Ordering::Release);
    }
}

impl Wake for Door {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.house.roster.wake(self.process);
    }
}

/// Rings when a limited wait has lasted too long.
struct Alarm {
    net: Weak<Net>,
    process: usize,
    limit: Duration,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let Some(net) = self.net.upgrade() else {
            return;
        };
        let process = &net.processes[self.process];
        let message = format!("timed out: outside for more than {:?}", self.limit);
        net.fail(process.report(&Fault::new(message), None));
    }
}
