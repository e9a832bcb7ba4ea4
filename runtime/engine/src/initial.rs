//! Initial packets on data ports.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use paperflow_core::Packet;
use paperflow_core::turn::{Inlet, Pulled, Received};

/// A template that gives one packet per activation, then the end.
pub(crate) struct Template {
    packet: Packet,
    is_due: AtomicBool,
    delivered: AtomicU64,
    lost: AtomicU64,
}

impl Template {
    pub(crate) const fn new(packet: Packet) -> Self {
        Self {
            packet,
            is_due: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    pub(crate) fn rearm(&self) {
        self.is_due.store(true, Ordering::Release);
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Acquire)
    }

    /// How many the component has received; no link has sent them.
    pub(crate) fn received(&self) -> u64 {
        self.delivered().saturating_sub(self.lost())
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}

impl Inlet for Template {
    fn pull(&self, window: &mut VecDeque<Packet>, _: usize, _: Received) -> Pulled {
        if !self.is_due.swap(false, Ordering::AcqRel) {
            return Pulled::End;
        }
        self.delivered.fetch_add(1, Ordering::AcqRel);
        window.push_back(self.packet.clone());
        Pulled::Some
    }

    fn release(&self, _: Received) {}

    fn put_back(&self, window: &mut VecDeque<Packet>) {
        if window.pop_back().is_some() {
            self.delivered.fetch_sub(1, Ordering::AcqRel);
            self.is_due.store(true, Ordering::Release);
        }
    }

    fn look(&self) -> Pulled {
        if self.is_due.load(Ordering::Acquire) {
            Pulled::Some
        } else {
            Pulled::End
        }
    }

    fn close(&self, unread: Received, _: bool) -> bool {
        self.lost.fetch_add(unread.packets as u64, Ordering::AcqRel);
        true
    }
}
