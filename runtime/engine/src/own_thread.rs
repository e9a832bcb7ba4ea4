//! A process on a thread of its own: how it waits for its next turn.
//!
//! A thread that sleeps costs the one that wakes it as much as a hundred packets, so it looks a little
//! before it does. Right after a turn it looks in the way that is fastest to answer, as long as that
//! pays: it does when who will wake it runs on another processor, and does not when both share one.
//! Then it is idle, gives its processor away some times, and sleeps.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use crate::roster::Roster;
use crate::sync::{
    AtomicBool, AtomicI8, SPINS, Thread, YIELDS, current, fence, park, spin_loop, yield_now,
};

/// Its luck is at most this: so many failures in a row end it.
const LUCKY: i8 = 8;

/// Its luck after them: so many waits later it tries again.
const UNLUCKY: i8 = -16;

#[derive(Default)]
pub(crate) struct OwnThread {
    thread: OnceLock<Thread>,
    permit: AtomicBool,
    luck: Luck,
}

/// How well it went lately to look for work before going to sleep; below zero it is not tried. Only one
/// thread uses it.
#[derive(Default)]
pub(crate) struct Luck(AtomicI8);

impl Luck {
    /// Looks at most so often, and rests after each look in vain, if that has paid lately.
    pub(crate) fn look(&self, most: u32, has_come: impl Fn() -> bool, rest: impl Fn()) {
        if most == 0 {
            return;
        }
        let luck = self.0.load(Ordering::Relaxed);
        let mut looks = if luck < 0 { most } else { 0 };
        while looks < most && !has_come() {
            looks += 1;
            rest();
        }
        let luck = match luck {
            _ if looks < most => LUCKY.min(luck + 1),
            0 => UNLUCKY,
            luck => luck - luck.signum(),
        };
        self.0.store(luck, Ordering::Relaxed);
    }
}

impl OwnThread {
    /// Lets the thread run its process once more.
    pub(crate) fn permit(&self) {
        // Not a plain store: the thread that begins meanwhile sees the permit, or is seen here.
        self.permit.swap(true, Ordering::AcqRel);
        self.unpark();
    }

    /// The same for the thread itself.
    pub(crate) fn permit_again(&self) {
        self.permit.store(true, Ordering::Release);
    }

    pub(crate) fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Waits a little for a wake-up to come, if that has paid lately.
    pub(crate) fn linger(&self, has_come: impl Fn() -> bool) {
        self.luck.look(SPINS, has_come, spin_loop);
    }
}

impl Roster {
    /// Runs one process on this, its own thread, until `run` says that it has ended. Before it sleeps it
    /// does what it owes to others.
    pub(crate) fn work_for(&self, process: usize, mut run: impl FnMut() -> bool, pay: impl Fn()) {
        let Some(own) = self.own_thread(process) else {
            return;
        };
        own.thread.get_or_init(current);
        fence(Ordering::SeqCst);
        loop {
            let mut looks = 0;
            while !own.permit.swap(false, Ordering::AcqRel) {
                if self.is_stopped() {
                    return;
                }
                match looks {
                    YIELDS => pay(),
                    _ if looks < YIELDS => yield_now(),
                    _ => park(),
                }
                looks = looks.saturating_add(1);
            }
            if self.is_stopped() || run() {
                return;
            }
        }
    }
}
