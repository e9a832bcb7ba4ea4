//! The way of a plain function's packets past the turn: each out-port is lent room for a batch and
//! keeps what is put until the turn takes it back.

use std::collections::VecDeque;

use crate::packet::Packet;
use crate::turn::{Pulled, Turn, Window, windows};

/// Room that an out-port was lent, and what it has put there.
#[derive(Debug, Default)]
pub struct Lane {
    window: Window,
    room: usize,
    forwarded: usize,
}

impl Lane {
    /// Whether another packet fits.
    #[inline]
    pub(crate) const fn has_room(&self) -> bool {
        self.room > 0
    }

    /// Puts a packet; there is room. `forwarded`: the process took it before.
    #[inline]
    pub(crate) fn push(&mut self, packet: Packet, forwarded: bool) {
        self.room -= 1;
        self.forwarded += usize::from(forwarded);
        self.window.push(packet);
    }

    fn is_idle(&self) -> bool {
        self.window.packets.is_empty() && self.room == 0
    }
}

/// What an in-port has for a plain function.
pub(crate) enum Batch {
    /// So many packets may be handled without looking at the turn.
    Of(usize),
    /// Packets are to be taken one by one.
    Single,
    /// Nothing yet.
    Empty,
    /// Nothing ever again.
    End,
}

impl Turn {
    /// Takes back the room of a lane and what was put there.
    pub(crate) fn absorb(&mut self, element: usize, lane: &mut Lane) {
        if lane.is_idle() {
            return;
        }
        let inner = self.inner();
        let out = &mut inner.outs[element];
        out.room += std::mem::take(&mut lane.room);
        let (sent, forwarded) = (lane.window.len(), std::mem::take(&mut lane.forwarded));
        if sent == 0 {
            return;
        }
        lane.window.move_into(&mut out.window);
        inner.left = inner.left.saturating_sub(sent);
        inner.owned -= i64::try_from(forwarded).unwrap_or(i64::MAX);
        inner.counts.created += (sent - forwarded) as u64;
        inner.counts.sent += sent as u64;
        inner.waits.clear();
    }

    /// Lends a lane the room of its port, unless packets have to be published one by one.
    pub(crate) fn lend_room(&mut self, element: usize, lane: &mut Lane) {
        let inner = self.inner();
        if !inner.manner.eager {
            lane.room += std::mem::take(&mut inner.outs[element].room);
        }
    }

    /// Whether nothing put before waits for room.
    pub(crate) fn has_empty_hand(&mut self) -> bool {
        self.inner().hand.is_empty()
    }

    /// Lends the packets of an in-port's window to `batch`, which is empty; `settle` takes the rest
    /// back.
    pub(crate) fn lend_batch(&mut self, element: usize, batch: &mut VecDeque<Packet>) -> Batch {
        let inner = self.inner();
        let one_by_one = inner.manner.eager || inner.manner.keep;
        if one_by_one || inner.left == 0 || inner.retry.is_some() {
            return Batch::Single;
        }
        match inner.look_into(element) {
            Pulled::Empty => {
                inner.wait_for_packet(element);
                Batch::Empty
            }
            Pulled::End => Batch::End,
            Pulled::Some => {
                inner.lineage = None;
                std::mem::swap(batch, &mut inner.ins[element].window);
                Batch::Of(batch.len().min(inner.left))
            }
        }
    }

    /// The next packet of an in-port's window.
    pub(crate) fn peek(&mut self, element: usize) -> Option<&Packet> {
        self.inner().ins.get(element)?.window.front()
    }

    /// Takes back the rest of a batch of which so many packets were received, and so many of those
    /// dropped.
    pub(crate) fn settle(
        &mut self,
        element: usize,
        batch: &mut VecDeque<Packet>,
        received: usize,
        dropped: usize,
    ) {
        let inner = self.inner();
        let port = &mut inner.ins[element];
        std::mem::swap(batch, &mut port.window);
        port.received.packets += received;
        if received == 0 {
            return;
        }
        inner.left = inner.left.saturating_sub(received);
        inner.owned += windows::signed(received) - windows::signed(dropped);
        inner.counts.received += received as u64;
        inner.counts.dropped += dropped as u64;
        inner.retrying = false;
        inner.waits.clear();
    }
}
