//! The writing ends of a link.

use std::sync::Arc;

use paperflow_core::Packet;
use paperflow_core::turn::{Outlet, Room, Window};

use super::Link;
use super::state::{State, number};
use crate::crowd::Called;
use crate::roster::Who;
use crate::sync::LatchGuard;

/// One arrow into a link.
pub(crate) struct Writer {
    pub(crate) link: Arc<Link>,
    pub(crate) index: usize,
}

impl Writer {
    /// As its process has it: the link itself stands for its first writer.
    pub(crate) fn outlet(self) -> Arc<dyn Outlet> {
        if self.index == 0 {
            self.link
        } else {
            Arc::new(self)
        }
    }
}

/// Its first arrow.
impl Outlet for Link {
    fn own_room(&self, pending: usize) -> usize {
        self.room_of_only_writer(pending).unwrap_or(0)
    }

    fn reserve(&self, most: usize, pending: usize) -> Room {
        self.reserve_as(0, most, pending)
    }

    fn publish(&self, window: &mut Window, unused: usize) {
        self.publish_as(0, window, unused);
    }

    fn stride(&self) -> usize {
        self.half()
    }

    fn close(&self) {
        self.close_writer(0);
    }

    fn backlog(&self) -> usize {
        self.middle.state.lock().fill()
    }

    fn is_awaited(&self) -> bool {
        self.is_awaited_as(0)
    }

    fn is_sated(&self) -> bool {
        Self::is_sated(self)
    }
}

impl Outlet for Writer {
    fn own_room(&self, pending: usize) -> usize {
        self.link.own_room(pending)
    }

    fn reserve(&self, most: usize, pending: usize) -> Room {
        self.link.reserve_as(self.index, most, pending)
    }

    fn publish(&self, window: &mut Window, unused: usize) {
        self.link.publish_as(self.index, window, unused);
    }

    fn stride(&self) -> usize {
        self.link.half()
    }

    fn close(&self) {
        self.link.close_writer(self.index);
    }

    fn backlog(&self) -> usize {
        self.link.backlog()
    }

    fn is_awaited(&self) -> bool {
        self.link.is_awaited_as(self.index)
    }

    fn is_sated(&self) -> bool {
        self.link.is_sated()
    }
}

impl Link {
    fn reserve_as(&self, writer: usize, most: usize, pending: usize) -> Room {
        let mut guard = self.middle.state.lock();
        let state = &mut *guard;
        if state.is_deserted && !state.is_ended {
            return Room::Closed;
        }
        if state.is_ended || self.sheds() {
            return Room::For(1);
        }
        let is_own = self.gives_own_room() && !state.takes_diverted;
        let pending = if is_own { pending } else { 0 };
        let room = self.capacity().saturating_sub(state.used() + pending);
        if room == 0 {
            self.wait(state, writer);
            return Room::Full;
        }
        if self.is_crowded {
            state.come(writer);
        }
        // Who has a link to itself takes room from nobody.
        let granted = if state.takes_diverted {
            1
        } else if self.writers.len() > 1 {
            room.min(most).min(self.half())
        } else {
            room.min(most)
        };
        if !is_own {
            state.reserved += number(granted);
        }
        Room::For(granted)
    }

    fn publish_as(&self, writer: usize, window: &mut Window, unused: usize) {
        let mut guard = self.middle.state.lock();
        let state = &mut *guard;
        if !self.has_one_writer && matches!(self.writers[writer], Who::External(_)) {
            state.rare_mut().fed += window.weight();
        }
        let settled = number(window.len() + unused);
        state.reserved = state.reserved.saturating_sub(settled);
        if self.sheds() || state.is_deserted || state.is_ended {
            let refused = self.accept_all(state, window);
            self.settle(guard, unused);
            return self.send_elsewhere(refused);
        }
        state.sent += window.len() as u64;
        window.empty_into(&mut state.queue);
        self.settle(guard, unused);
    }

    /// Packets have come, and room that was reserved and not used has been given back: tells whom it
    /// concerns.
    #[inline(always)]
    fn settle(&self, mut guard: LatchGuard<'_, State>, unused: usize) {
        let state = &mut *guard;
        let call = state.settle();
        self.show(state);
        let waiting = if unused > 0 {
            self.call(state)
        } else {
            Called::Nobody
        };
        drop(guard);
        if call {
            self.roster.wake_who(&self.reader);
        }
        self.wake_all(waiting);
    }

    /// Puts packets in one by one, or sheds some. Gives back those that are to go elsewhere.
    #[inline(never)]
    fn accept_all(&self, state: &mut State, window: &mut Window) -> Vec<Packet> {
        let packets = window.drain();
        packets
            .filter_map(|packet| self.accept(state, packet))
            .collect()
    }

    fn is_awaited_as(&self, writer: usize) -> bool {
        let mut state = self.middle.state.lock();
        let is_empty = state.used() == 0;
        let is_awaited = is_empty && state.reader_waits || state.is_deserted || state.is_ended;
        if !is_awaited {
            state.rare_mut().holding_back.add(number(writer));
        }
        is_awaited
    }
}
