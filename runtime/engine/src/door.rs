//! Where a process leaves the network to wait for the world, and comes back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use paperflow_core::Fault;
use paperflow_core::turn::{Counts, Outside};
use parking_lot::Mutex;

use crate::network::Net;

/// The network's side of `outside(...)`: the process's credit is given up meanwhile.
pub(crate) struct Door {
    net: OnceLock<Weak<Net>>,
    process: usize,
    /// The timer of a limited wait.
    alarm: Mutex<Option<u64>>,
}

impl Door {
    pub(crate) fn new(process: usize) -> Arc<Self> {
        let (net, alarm) = (OnceLock::new(), Mutex::new(None));
        Arc::new(Self {
            net,
            process,
            alarm,
        })
    }

    /// Tells which network it belongs to, once that exists.
    pub(crate) fn hang(&self, net: &Arc<Net>) {
        self.net.get_or_init(|| Arc::downgrade(net));
    }

    fn net(&self) -> Option<Arc<Net>> {
        self.net.get().and_then(Weak::upgrade)
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
        *self.alarm.lock() = Some(key);
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
        if let Some(key) = self.alarm.lock().take() {
            net.clock.shared().cancel(key);
        }
        net.roster.resume();
        net.outside.fetch_sub(1, Ordering::AcqRel);
        let process = &net.processes[self.process];
        process.is_outside.store(false, Ordering::Release);
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
