//! What is in a link at one moment, and who has not left it.

use std::collections::VecDeque;
use std::ops::Deref;

use paperflow_core::Packet;
use paperflow_core::turn::{Pulled, Received};

use super::LinkCounts;
use crate::crowd::{Called, Calls};
use crate::roster::Who;

/// What both ends write, in as few cache lines as can be. What few links need is kept elsewhere.
#[derive(Default)]
#[repr(C)]
pub(crate) struct State {
    pub(super) queue: VecDeque<Packet>,
    pub(super) held: u32,
    pub(super) reserved: u32,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) high_water: u32,
    /// Writers that have not left.
    pub(super) writers_left: u32,
    pub(super) is_deserted: bool,
    pub(super) is_ended: bool,
    pub(super) reader_waits: bool,
    /// Others divert to it and must see the room there is: nobody reserves more than the next packet.
    pub(super) takes_diverted: bool,
    /// Open brackets without their close brackets among what was received, so far.
    pub(super) depth: i32,
    /// The writer that has waited longest for room; behind it wait those in `calls`.
    pub(crate) waiting: Option<u32>,
    pub(super) open: Open,
    pub(super) rare: Option<Box<Rare>>,
}

/// What only links with several writers, with losses, or with more than plain packets have.
#[derive(Default)]
pub(crate) struct Rare {
    pub(crate) calls: Calls,
    /// Its reader has left and wants no more of this life of its subnet.
    pub(super) is_sated: bool,
    /// Writers that give nothing before the reader waits for it.
    pub(super) holding_back: Called,
    pub(super) shed: u64,
    pub(super) lost_on_close: u64,
    /// Packets fed by the embedding program, with what they own.
    pub(super) fed: u64,
    /// What packets owned that were lost, shed, or received.
    pub(super) members: Members,
    /// Open brackets without their close brackets among all that was received when the reader saw the end
    /// of the stream.
    pub(super) unbalanced: i64,
}

/// Who writes to a link: mostly one, so that needs no list.
pub(crate) enum Writers {
    One([Who; 1]),
    /// Behind two pointers, so that one writer needs no more than itself.
    More(Box<Box<[Who]>>),
}

impl FromIterator<Who> for Writers {
    fn from_iter<I: IntoIterator<Item = Who>>(writers: I) -> Self {
        let mut writers = writers.into_iter();
        match (writers.next(), writers.next()) {
            (Some(one), None) => Self::One([one]),
            (first, second) => {
                let some = first.into_iter().chain(second);
                Self::More(Box::new(some.chain(writers).collect()))
            }
        }
    }
}

impl Deref for Writers {
    type Target = [Who];

    fn deref(&self) -> &[Who] {
        match self {
            Self::One(one) => one,
            Self::More(more) => more,
        }
    }
}

/// Which writers have not left.
pub(crate) enum Open {
    /// One bit for each.
    Few(u64),
    Many(Box<[bool]>),
}

impl Default for Open {
    fn default() -> Self {
        Self::Few(0)
    }
}

impl Open {
    pub(super) fn all(writers: usize) -> Self {
        match u32::try_from(writers) {
            Ok(few @ ..=64) => Self::Few(u64::MAX.checked_shr(64 - few).unwrap_or(0)),
            _ => Self::Many(vec![true; writers].into()),
        }
    }

    /// False: it has left before.
    pub(super) fn remove(&mut self, writer: usize) -> bool {
        match self {
            Self::Few(bits) => {
                let left = *bits & !(1 << writer);
                std::mem::replace(bits, left) != left
            }
            Self::Many(open) => std::mem::take(&mut open[writer]),
        }
    }

    pub(super) fn to_vec(&self, writers: usize) -> Vec<bool> {
        match self {
            Self::Few(bits) => (0..writers).map(|at| bits >> at & 1 == 1).collect(),
            Self::Many(open) => open.to_vec(),
        }
    }
}

/// Packets owned by others, which the link counts only as these others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Members {
    pub(crate) lost: u64,
    pub(crate) shed: u64,
    pub(super) received: u64,
}

pub(super) fn members<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> u64 {
    let owned = packets.into_iter().map(|packet| packet.weight() as u64 - 1);
    owned.sum()
}

impl State {
    pub(super) fn is_over(&self) -> bool {
        self.is_ended || self.writers_left == 0
    }

    pub(super) fn is_sated(&self) -> bool {
        self.rare(|rare| rare.is_sated)
    }

    pub(super) fn counts(&self) -> LinkCounts {
        let (shed, lost_on_close) = self.rare(|rare| (rare.shed, rare.lost_on_close));
        LinkCounts {
            sent: self.sent,
            received: self.received,
            shed,
            lost_on_close,
            high_water: self.high_water as usize,
        }
    }

    /// What few links have; nothing if this one does not.
    pub(crate) fn rare<T: Default>(&self, look: impl FnOnce(&Rare) -> T) -> T {
        self.rare.as_deref().map_or_else(T::default, look)
    }

    /// To write what few links have.
    pub(crate) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn calls(&mut self) -> Option<&mut Calls> {
        self.rare.as_deref_mut().map(|rare| &mut rare.calls)
    }

    /// Nobody will receive these packets, and what they own.
    pub(super) fn lose(&mut self, packets: u64, members: u64) {
        if packets > 0 {
            let rare = self.rare_mut();
            rare.lost_on_close += packets;
            rare.members.lost += members;
        }
    }

    /// A packet has been shed, and what it owned.
    pub(super) fn shed(&mut self, members: u64) {
        let rare = self.rare_mut();
        rare.shed += 1;
        rare.members.shed += members;
    }

    pub(super) fn take_holding_back(&mut self) -> Called {
        match &mut self.rare {
            None => Called::Nobody,
            Some(rare) => std::mem::take(&mut rare.holding_back),
        }
    }

    /// Packets in the queue, and taken by a turn and not received.
    pub(super) fn fill(&self) -> usize {
        self.queue.len() + self.held as usize
    }

    /// A turn has so many packets less that it has not received.
    pub(super) fn unhold(&mut self, packets: usize) {
        self.held = self.held.saturating_sub(number(packets));
    }

    /// Nobody handles what is still here.
    pub(super) fn lose_queue(&mut self) {
        for packet in std::mem::take(&mut self.queue) {
            self.let_go_of(&packet);
        }
    }

    /// Nobody handles this packet. One that a sated reader left is done with.
    pub(super) fn let_go_of(&self, packet: &Packet) {
        if !self.is_sated() {
            packet.release();
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.fill() + self.reserved as usize
    }

    /// Moves packets to a reader's window; gives how many.
    #[inline]
    pub(super) fn move_into(&mut self, window: &mut VecDeque<Packet>, most: usize) -> u32 {
        if window.is_empty() && self.queue.len() <= most {
            std::mem::swap(window, &mut self.queue);
            number(window.len())
        } else {
            let most = most.min(self.queue.len());
            window.extend(self.queue.drain(..most));
            number(most)
        }
    }

    /// Counts brackets, and packets that are owned by others, among what has been received.
    #[inline]
    pub(super) fn note_special(&mut self, received: Received) {
        if received.depth != 0 || received.members != 0 {
            // No turn receives so many that they do not fit.
            let more = i32::try_from(received.depth).unwrap_or_default();
            self.depth = self.depth.saturating_add(more);
            if received.members != 0 {
                self.rare_mut().members.received += received.members;
            }
        }
    }

    /// The queue is empty: for now or for ever.
    pub(super) fn nothing(&mut self) -> Pulled {
        if self.is_over() || self.is_deserted {
            let depth = i64::from(self.depth);
            if !self.is_deserted && depth != 0 && self.rare_mut().unbalanced == 0 {
                self.rare_mut().unbalanced = depth;
            }
            return Pulled::End;
        }
        self.reader_waits = true;
        Pulled::Empty
    }

    /// After packets have come: whether the reader is to be called.
    pub(super) fn settle(&mut self) -> bool {
        self.high_water = self.high_water.max(number(self.fill()));
        !self.queue.is_empty() && std::mem::take(&mut self.reader_waits)
    }
}

/// As it is counted in a link: no capacity is larger.
pub(crate) fn number(packets: usize) -> u32 {
    u32::try_from(packets).unwrap_or(u32::MAX)
}
