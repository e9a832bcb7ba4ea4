//! The way of a plain function's packets past the turn: each out-port is lent room for a batch and
//! keeps what is put until the turn takes it back.

use std::collections::VecDeque;
use std::vec;

use crate::fault::Fault;
use crate::packet::Packet;
use crate::turn::windows::{self, Inner};
use crate::turn::{Haul, Pulled, Received, Turn};

/// Room that an out-port was lent, and what it has put there.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    packets: Vec<Packet>,
    room: u32,
    /// How many of the packets the process took before.
    forwarded: u32,
}

impl Lane {
    /// Gives it room, and memory for that.
    #[inline]
    fn lend(&mut self, room: u32) {
        self.room = room;
        let room = room as usize;
        if self.packets.capacity() == 0 {
            // Many processes never have more at a time.
            self.packets.reserve_exact(room);
        } else {
            self.packets.reserve(room);
        }
    }

    /// Puts a packet if there is room. `forwarded`: the process took it before.
    ///
    /// # Errors
    /// The packet, when there is no room.
    #[inline]
    pub(crate) fn put(&mut self, packet: Packet, forwarded: bool) -> Result<(), Packet> {
        let put = self.packets.len();
        // There is memory for the room; asking for it as well spares the code that would get more.
        if put >= self.room as usize || put >= self.packets.capacity() {
            return Err(packet);
        }
        self.packets.push(packet);
        self.forwarded += u32::from(forwarded);
        Ok(())
    }
}

/// So few packets are moved one by one: cheaper than to turn a list into another kind of list.
pub(super) const FEW: usize = 4;

/// What an in-port has for a plain function.
pub(crate) enum Batch {
    /// Packets that are handled without looking at the turn.
    Lent,
    /// A single one, handled so.
    One(Packet),
    /// Packets are to be taken one by one.
    Single,
    /// Nothing yet, or no room for what was put before.
    Empty,
    /// The turn is spent.
    Spent,
    /// Nothing ever again.
    End,
}

/// The memory of a batch that is used up, to be used again.
fn emptied(batch: &mut vec::IntoIter<Packet>) -> Vec<Packet> {
    // A list that is made of what an iterator over a list gives takes that one's memory.
    std::mem::take(batch).filter(|_| true).collect()
}

/// What is left of a batch. By way of a list: a queue that is made of a list's iterator which is used up
/// reads behind its memory later (rust-lang/rust#162452).
fn left_of<T>(batch: vec::IntoIter<T>) -> VecDeque<T> {
    VecDeque::from(batch.collect::<Vec<_>>())
}

impl Turn {
    /// Takes back the room of a lane and what was put there.
    #[inline]
    pub(crate) fn absorb(&mut self, element: usize, lane: &mut Lane) {
        let room = std::mem::take(&mut lane.room);
        if room == 0 {
            return;
        }
        let inner = self.inner();
        let Some(out) = inner.outs.get_mut(element) else {
            return;
        };
        let sent = lane.packets.len();
        out.room += room - windows::number(sent);
        if sent == 0 {
            return;
        }
        out.window.take_all(&mut lane.packets);
        let forwarded = std::mem::take(&mut lane.forwarded) as usize;
        inner.left = inner.left.saturating_sub(sent);
        inner.owned -= windows::signed(forwarded);
        inner.counts.created += (sent - forwarded) as u64;
        inner.counts.sent += sent as u64;
        inner.waits.clear();
    }

    /// Lends a lane, which holds nothing, the room of its port, unless packets have to be published one
    /// by one.
    pub(crate) fn lend_room(&mut self, element: usize, lane: &mut Lane) {
        let inner = self.inner();
        if let Some(out) = inner.outs.get_mut(element)
            && !inner.manner.eager
        {
            lane.lend(std::mem::take(&mut out.room));
        }
    }

    /// Lends a lane room for up to `most` packets that its port has, or can have without asking anybody.
    #[inline]
    pub(crate) fn lend_own_room(&mut self, element: usize, lane: &mut Lane, most: usize) {
        let inner = self.inner();
        if let Some(out) = inner.outs.get_mut(element)
            && inner.manner.stop.is_none()
            && !inner.manner.eager
        {
            out.seek_own_room();
            lane.lend(out.room.min(windows::number(most)));
            out.room -= lane.room;
        }
    }

    /// Whether nothing put before waits for room.
    pub(crate) fn has_empty_hand(&mut self) -> bool {
        self.inner().hand.is_empty()
    }

    /// Moves the hand to the links, and gives the packets of an in-port to `batch` if that is empty. What
    /// is done with them is told by `admit` and `settle`.
    ///
    /// # Errors
    /// A receiver has left.
    #[inline]
    pub(crate) fn lend_batch(
        &mut self,
        element: usize,
        batch: &mut vec::IntoIter<Packet>,
    ) -> Result<Batch, Fault> {
        let inner = self.inner();
        if !inner.hand.is_empty() && !inner.empty_hand()? {
            return Ok(Batch::Empty);
        }
        inner.spent = inner.left == 0;
        if inner.spent {
            return Ok(Batch::Spent);
        }
        if !batch.as_slice().is_empty() {
            return Ok(Batch::Lent);
        }
        let one_by_one = inner.manner.eager || inner.manner.keep || inner.holding.is_some();
        if one_by_one || inner.retry.is_some() {
            return Ok(Batch::Single);
        }
        match inner.haul(element) {
            Haul::One(packet) if !packet.is_special() => {
                inner.lineage = None;
                Ok(Batch::One(packet))
            }
            Haul::One(packet) => {
                inner.lay(element, packet);
                Ok(Batch::Single)
            }
            Haul::Window(Pulled::Empty) => {
                inner.wait_for_packet(element);
                Ok(Batch::Empty)
            }
            Haul::Window(Pulled::End) => Ok(Batch::End),
            Haul::Window(Pulled::Some | Pulled::All) => Ok(inner.lend_window(element, batch)),
        }
    }

    /// Whether all there was has been handled, so that the step ends with a wait for more; it does then.
    #[inline]
    pub(crate) fn rests(&mut self, element: usize) -> bool {
        self.inner().rests(element)
    }

    /// A batch of one was received, and perhaps dropped; whether the step ends now, as `rests` tells.
    #[inline]
    pub(crate) fn settle_one(&mut self, element: usize, is_dropped: bool) -> bool {
        let inner = self.inner();
        inner.settle(element, 1, usize::from(is_dropped));
        inner.rests(element)
    }

    /// Takes back what is left of a batch.
    pub(crate) fn return_batch(&mut self, element: usize, batch: &mut vec::IntoIter<Packet>) {
        if let Some(port) = self.inner().ins.get_mut(element) {
            let mut packets = left_of(std::mem::take(batch));
            packets.append(&mut port.window);
            port.window = packets;
        }
    }

    /// Packets without headers are handled from now on: how many may still be moved in this turn.
    #[inline]
    pub(crate) fn begin_batch(&mut self) -> usize {
        let inner = self.inner();
        inner.lineage = None;
        inner.left
    }

    /// A packet of a batch has been received.
    pub(crate) fn admit(&mut self, element: usize, packet: &Packet) {
        self.settle(element, 1, 0);
        let inner = self.inner();
        let one = Received::of(packet);
        let received = &mut inner.ins[element].received;
        received.depth += one.depth;
        received.members += one.members;
        inner.owned += one.members.cast_signed();
        inner.note_trees(one.members > 0);
        inner.lineage = packet.headers().and_then(|headers| headers.lineage());
    }

    /// So many packets of a batch were received, and so many of those dropped. None had headers.
    #[inline]
    pub(crate) fn settle(&mut self, element: usize, received: usize, dropped: usize) {
        self.inner().settle(element, received, dropped);
    }
}

impl Inner {
    /// Gives what is in a window to `batch`, which is empty.
    #[inline(never)]
    fn lend_window(&mut self, element: usize, batch: &mut vec::IntoIter<Packet>) -> Batch {
        let window = &mut self.ins[element].window;
        if window.len() == 1 {
            if window.front().is_some_and(Packet::is_special) {
                return Batch::Single;
            }
            self.lineage = None;
            return window.pop_front().map_or(Batch::Single, Batch::One);
        }
        let packets = std::mem::replace(window, emptied(batch).into());
        *batch = Vec::from(packets).into_iter();
        Batch::Lent
    }

    #[inline]
    fn settle(&mut self, element: usize, received: usize, dropped: usize) {
        let settled = usize::from(std::mem::take(&mut self.is_settled));
        self.ins[element].received.packets += received - settled;
        self.left = self.left.saturating_sub(received);
        self.owned += windows::signed(received) - windows::signed(dropped);
        self.counts.received += received as u64;
        self.counts.dropped += dropped as u64;
        self.retrying = false;
        self.waits.clear();
    }

    #[inline]
    fn rests(&mut self, element: usize) -> bool {
        let has_more = self.retry.is_some() || !self.ins[element].window.is_empty();
        let is_free = self.left > 0 && self.hand.is_empty();
        let rests = self.is_drained && is_free && !has_more;
        if rests {
            self.wait_for_packet(element);
        }
        rests
    }
}

#[cfg(test)]
mod tests {
    use super::left_of;

    #[test]
    fn what_is_left_of_a_batch_that_is_used_up_can_be_filled_again() {
        for used in 0..=4 {
            let mut batch = vec![1_u64, 2, 3, 4].into_iter();
            let before: Vec<u64> = batch.by_ref().take(used).collect();
            let mut left = left_of(batch);
            let next = 10 + used as u64;
            left.push_back(next);
            let after: Vec<u64> = std::iter::from_fn(|| left.pop_front()).collect();
            assert_eq!([before, after].concat(), [1, 2, 3, 4, next]);
        }
    }
}
