//! Ways past the turn's books: what a looper may receive and send without a look at anything else.
//!
//! A way is open for a number of packets while nothing but that number decides. What has passed is
//! entered into the books when somebody looks at them, and whatever else comes to decide closes all
//! ways.

use std::collections::VecDeque;

use crate::packet::Packet;
use crate::turn::windows::{Inner, number, signed};
use crate::turn::{Give, Take, Turn, Window};

/// So many ways are open at a time; each look at the books looks at them all.
const MOST: usize = 8;

/// The way through a port element.
#[derive(Default)]
pub(super) struct Way {
    /// So many packets may still pass.
    left: u32,
    /// So many could when it was last entered what has passed.
    lent: u32,
    /// Of those that have passed since, so many had been received by the process before.
    forwarded: u32,
    is_listed: bool,
}

impl Way {
    /// Takes the next packet of a window, if it may pass and is a payload and no more.
    #[inline(always)]
    fn receive(&mut self, window: &mut VecDeque<Packet>) -> Option<Packet> {
        if self.left == 0 {
            return None;
        }
        // Looked at where it lies: what is looked at on its way is copied in pieces.
        let packet = window.pop_front_if(|packet| !packet.is_special())?;
        self.left -= 1;
        Some(packet)
    }

    /// Whether a packet may pass; it has to, then.
    #[inline(always)]
    fn admits(&mut self, forwarded: bool) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.forwarded += u32::from(forwarded);
        true
    }

    /// Packets that have passed since this was last asked, and how many of them were forwarded.
    fn passed(&mut self) -> (usize, usize) {
        let passed = self.lent - self.left;
        self.lent = self.left;
        (
            passed as usize,
            std::mem::take(&mut self.forwarded) as usize,
        )
    }

    /// Nothing passes any more. What has passed has been entered.
    pub(super) const fn close(&mut self) {
        self.left = 0;
        self.lent = 0;
    }

    fn open(&mut self, packets: usize) {
        let packets = u32::try_from(packets).unwrap_or(u32::MAX);
        self.left = packets;
        self.lent = packets;
    }
}

/// A way, by its port element.
#[derive(Clone, Copy)]
pub(super) enum Side {
    In(usize),
    Out(usize),
}

/// The window that a packet leaves into.
pub(crate) struct Exit<'a>(&'a mut Window);

impl Exit<'_> {
    #[inline(always)]
    pub(crate) fn take(self, packet: Packet) {
        self.0.push(packet);
    }
}

impl Turn {
    /// Where a packet can leave from this out-port element without a further look: into its window.
    #[inline(always)]
    pub(crate) fn exit(&mut self, element: usize, forwarded: bool) -> Option<Exit<'_>> {
        let element = self.0.as_deref_mut()?.outs.get_mut(element)?;
        let is_open = element.way.admits(forwarded);
        is_open.then_some(Exit(&mut element.window))
    }

    /// The next packet of an in-port element, when nothing has to be looked at first, and it is no
    /// bracket and has no headers.
    #[inline(always)]
    pub(crate) fn receive_bare(&mut self, element: usize) -> Option<Packet> {
        let element = self.0.as_deref_mut()?.ins.get_mut(element)?;
        element.way.receive(&mut element.window)
    }

    /// A looper runs: ways may be opened until the step is over.
    pub(crate) fn allow_ways(&mut self) {
        let inner = self.inner();
        // With a store each packet has an identity, and what is sent eagerly is published by itself.
        inner.allows_ways = inner.holding.is_none() && !inner.manner.eager;
    }

    /// Gives a packet of a looper, unless the turn is spent, and opens the way for those behind it. The
    /// hand has just been emptied, and what had passed was entered with that.
    #[inline]
    pub(crate) fn send(&mut self, element: usize, packet: Packet, forwarded: bool) -> Give {
        let inner = self.raw();
        inner.spent = inner.left == 0;
        if inner.spent {
            return Give::Full(packet);
        }
        inner.note_trees(packet.weight() > 1);
        let given = inner.give(element, packet, forwarded);
        match &given {
            Give::Sent => inner.open_out(element),
            Give::Full(_) => inner.wait_for_room(element),
            Give::Closed(_) => {}
        }
        given
    }

    /// Takes the next packet for a looper, which opens the way behind it. The hand has just been emptied.
    #[inline]
    pub(crate) fn take_next(&mut self, element: usize) -> Take {
        self.raw().take_quietly(element)
    }

    /// Opens the way through an in-port element whose packets need no look; one has just been taken.
    #[inline]
    pub(crate) fn open_in(&mut self, element: usize) {
        self.raw().open_in(element);
    }
}

impl Inner {
    fn open_in(&mut self, element: usize) {
        let Some(port) = self.ins.get(element) else {
            return;
        };
        let left = (port.stride as usize).saturating_sub(port.received.packets + 1);
        let most = port.window.len().min(left).min(self.left);
        if most > 0 && self.may_open() && self.list(Side::In(element)) {
            self.ins[element].way.open(most);
        }
    }

    /// Opens the way through an out-port element that has room.
    fn open_out(&mut self, element: usize) {
        let Some(port) = self.outs.get(element) else {
            return;
        };
        let most = (port.room as usize).min(self.left);
        if most > 0 && self.may_open() && self.list(Side::Out(element)) {
            self.outs[element].way.open(most);
        }
    }

    /// Whether nothing but numbers decides about packets without headers.
    fn may_open(&self) -> bool {
        let is_clear = self.hand.is_empty() && self.retry.is_none() && self.lineage.is_none();
        self.allows_ways && is_clear && !self.has_trees
    }

    /// Sees to it that a way will be looked at.
    fn list(&mut self, side: Side) -> bool {
        if !self.way(side).is_listed {
            if self.ways.len() == MOST {
                self.close_ways();
            }
            self.ways.push(side);
            self.way(side).is_listed = true;
        }
        true
    }

    fn way(&mut self, side: Side) -> &mut Way {
        match side {
            Side::In(at) => &mut self.ins[at].way,
            Side::Out(at) => &mut self.outs[at].way,
        }
    }

    /// Enters what has passed.
    #[inline(never)]
    pub(super) fn enter(&mut self) {
        for at in (0..self.ways.len()).rev() {
            let side = self.ways[at];
            let (passed, forwarded) = self.way(side).passed();
            if self.way(side).left == 0 {
                self.way(side).is_listed = false;
                self.ways.swap_remove(at);
            }
            if passed == 0 {
                continue;
            }
            match side {
                Side::In(at) => {
                    self.ins[at].received.packets += passed;
                    self.counts.received += passed as u64;
                    self.owned += signed(passed);
                    self.retrying = false;
                }
                Side::Out(at) => {
                    self.outs[at].room -= number(passed);
                    self.counts.sent += passed as u64;
                    self.counts.created += (passed - forwarded) as u64;
                    self.owned -= signed(forwarded);
                }
            }
            self.left = self.left.saturating_sub(passed);
            self.waits.clear();
        }
    }

    /// From now on something else decides.
    pub(super) fn close_ways(&mut self) {
        if self.ways.is_empty() {
            return;
        }
        self.enter();
        while let Some(side) = self.ways.pop() {
            *self.way(side) = Way::default();
        }
    }

    /// The process has, or has not, a packet that owns packets: each that leaves is looked at then.
    #[inline]
    pub(super) fn note_trees(&mut self, has_trees: bool) {
        if has_trees && !self.has_trees {
            self.close_ways();
            self.has_trees = true;
        }
    }
}
