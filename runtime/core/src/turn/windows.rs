//! The windows, the room and the hand of a turn, and how packets move between them and the links.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::fault::Fault;
use crate::headers::Headers;
use crate::packet::Packet;
use crate::settle::{Holding, Trail};
use crate::turn::staging::Staging;
use crate::turn::ways::{Side, Way};
use crate::turn::{
    BATCH, Counts, Give, Haul, Inlet, Manner, Outlet, Pulled, Received, Room, Take, Waits, Window,
};

pub(super) struct InElement {
    pub(super) inlet: Option<Arc<dyn Inlet>>,
    pub(super) window: VecDeque<Packet>,
    pub(super) received: Received,
    /// So many received packets are released at once.
    pub(super) stride: u32,
    pub(super) way: Way,
    pub(super) ended: bool,
    /// Its link outlives the process's lives: it comes from outside a re-armed subnet.
    pub(super) is_border: bool,
}

impl InElement {
    pub(super) fn new(inlet: Option<Arc<dyn Inlet>>, stride: u32) -> Self {
        Self {
            ended: inlet.is_none(),
            inlet,
            window: VecDeque::new(),
            received: Received::default(),
            stride,
            way: Way::default(),
            is_border: false,
        }
    }
}

pub(super) struct OutElement {
    pub(super) outlet: Option<Arc<dyn Outlet>>,
    pub(super) window: Window,
    pub(super) room: u32,
    /// So many packets are asked room for, and published, at a time.
    pub(super) stride: u32,
    pub(super) way: Way,
    /// The room is nobody else's: it need not be given back.
    pub(super) is_own: bool,
    pub(super) gate: Gate,
    /// Its link outlives the process's lives: it leads out of a re-armed subnet.
    pub(super) is_border: bool,
}

/// Whether an out-port element is open in this life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// To be closed once the hand has left.
    Closing,
    Closed,
}

impl OutElement {
    pub(super) fn new(outlet: Option<Arc<dyn Outlet>>, stride: u32) -> Self {
        Self {
            outlet,
            window: Window::default(),
            room: 0,
            stride,
            way: Way::default(),
            is_own: false,
            gate: Gate::Open,
            is_border: false,
        }
    }

    /// Looks for room that is this port's alone, if it has none.
    #[inline]
    pub(super) fn seek_own_room(&mut self) {
        if self.room == 0
            && self.gate != Gate::Closed
            && let Some(outlet) = &self.outlet
        {
            self.room = number(outlet.own_room(self.window.len())).min(self.stride);
            self.is_own = true;
        }
    }

    /// Takes the room away; gives what of it is to be given back.
    fn unused(&mut self) -> usize {
        self.way.close();
        let room = std::mem::take(&mut self.room);
        if self.is_own { 0 } else { room as usize }
    }
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) ins: Box<[InElement]>,
    /// Up to the last one that leads anywhere.
    pub(super) outs: Box<[OutElement]>,
    pub(super) hand: VecDeque<(usize, Packet, bool)>,
    pub(super) retry: Option<Box<(usize, Packet)>>,
    /// The packet being handled has failed before.
    pub(super) retrying: bool,
    pub(super) is_outside: bool,
    pub(super) manner: Manner,
    pub(super) left: usize,
    pub(super) spent: bool,
    pub(super) counts: Counts,
    pub(super) owned: i64,
    pub(super) waits: Waits,
    pub(super) lineage: Option<Arc<Headers>>,
    /// In a network with connectors; there is a lineage then, even if it is empty.
    pub(super) holding: Option<Box<Holding>>,
    /// With tables in a store; there is a holding then. No out-port ever has room before its packets are
    /// committed.
    pub(super) staging: Option<Box<Staging>>,
    pub(super) fault: Option<Box<Fault>>,
    pub(super) seldom: Option<Box<Seldom>>,
    /// The process has had a packet that owns packets: each that leaves is looked at.
    pub(super) has_trees: bool,
    /// Ways that are open, or were.
    pub(super) ways: Vec<Side>,
    /// When it has received all there was, it waits without a further look in the same turn.
    pub(super) rests: bool,
    /// There was no more when its only in-port was last looked at in this turn, and it is woken by more.
    pub(super) is_drained: bool,
    /// The packet that a pull has given by itself counts as received already.
    pub(super) is_settled: bool,
    /// The last packet that was refused was one that a sated reader left.
    pub(super) is_sated: bool,
    /// A looper runs, and nothing about its process forbids ways.
    pub(super) allows_ways: bool,
}

/// What only few processes have.
#[derive(Default)]
pub(super) struct Seldom {
    pub(super) kept: Option<Kept>,
    /// Packets that stay over the end of an activation.
    pub(super) stack: Vec<Packet>,
}

/// The packet that a plain function handles.
pub(super) struct Kept {
    pub(super) element: usize,
    pub(super) packet: Packet,
    /// The function has it as it is.
    pub(super) is_raw: bool,
    /// So many packets it owned.
    pub(super) members: usize,
}

impl Inner {
    /// The books of no process.
    #[cold]
    #[inline(never)]
    pub(super) fn nowhere() -> Box<Self> {
        Box::default()
    }

    /// Where an out-port element leads, if anywhere.
    #[inline]
    pub(super) fn outlet(&self, at: usize) -> Option<&Arc<dyn Outlet>> {
        self.outs.get(at)?.outlet.as_ref()
    }

    /// The next packet of a window, when nothing else has to be looked at first; nothing as well when it
    /// was recalled, and is given back.
    #[inline]
    pub(super) fn receive(&mut self, at: usize) -> Option<Packet> {
        if self.left == 0 || self.retry.is_some() {
            return None;
        }
        let (packet, is_plain) = self.pop(at)?;
        if !is_plain && self.holding.is_some() && self.is_recalled(at, &packet) {
            self.give_back(&packet);
            return None;
        }
        self.retrying = false;
        self.waits.clear();
        if !is_plain {
            self.begin_lineage(&packet);
        }
        Some(packet)
    }

    /// Whether the store wants back what this packet comes from. A group is given back as a whole, or
    /// received as a whole.
    fn is_recalled(&mut self, at: usize, packet: &Packet) -> bool {
        let is_in_groups = self.manner.is_in_groups;
        let Some(holding) = &mut self.holding else {
            return false;
        };
        let group = holding.group(at);
        if group.level == 0 && !is_in_groups {
            group.is_recalled = packet
                .trail()
                .is_some_and(|trail| trail.tokens.are_recalled());
        }
        group.level = (group.level + Received::of(packet).depth).max(0);
        group.is_recalled
    }

    fn give_back(&mut self, packet: &Packet) {
        packet.release();
        self.dropped_all(packet.weight());
    }

    /// Takes the next packet out of a window; whether it needs no further look.
    #[inline]
    pub(super) fn pop(&mut self, at: usize) -> Option<(Packet, bool)> {
        let element = self.ins.get_mut(at)?;
        // Looked at where it lies: what is looked at on its way is copied in pieces.
        let is_plain = !element.window.front()?.is_special() && self.lineage.is_none();
        let packet = element.window.pop_front()?;
        self.left = self.left.saturating_sub(1);
        self.owned += signed(packet.weight());
        self.counts.received += 1;
        if !std::mem::take(&mut self.is_settled) {
            element.received.add(Received::of(&packet));
            if element.received.packets >= element.stride as usize {
                release(element);
            }
        }
        if !is_plain {
            self.note_trees(packet.weight() > 1);
        }
        Some((packet, is_plain))
    }

    /// What is made from now on follows from this packet.
    fn begin_lineage(&mut self, packet: &Packet) {
        self.close_ways();
        self.lineage = packet.headers().and_then(|headers| headers.lineage());
        if let Some(holding) = &mut self.holding {
            if let Some(staging) = &mut self.staging {
                staging.end_unit(Some(holding));
                if staging.is_full() {
                    self.left = 0;
                }
            }
            holding.receive(packet.trail().unwrap_or(&Trail::default()));
            self.lineage.get_or_insert_default();
        }
    }

    #[inline]
    pub(super) fn take_quietly(&mut self, at: usize) -> Take {
        if self.staging.is_some() {
            return self.take_new(at);
        }
        match self.receive(at) {
            Some(packet) => Take::Packet(packet),
            None => self.take_slowly(at),
        }
    }

    /// Looks at everything else: the turn is spent, a packet is to be handled once more, the window is
    /// empty.
    pub(super) fn take_slowly(&mut self, at: usize) -> Take {
        if self.left == 0 {
            self.spent = true;
            return Take::Empty;
        }
        if self.retry.as_ref().is_some_and(|retry| retry.0 == at)
            && let Some((_, packet)) = self.retry.take().map(|retry| *retry)
        {
            self.owned += signed(packet.weight());
            self.retrying = true;
            self.begin_lineage(&packet);
            return Take::Packet(packet);
        }
        loop {
            match self.look_into(at) {
                Pulled::Empty => self.wait_for_packet(at),
                Pulled::End => return Take::End,
                Pulled::Some | Pulled::All => {
                    let later = self.retry.take();
                    let packet = self.receive(at);
                    self.retry = later;
                    if let Some(packet) = packet {
                        return Take::Packet(packet);
                    }
                    if self.left > 0 {
                        // One has been given back.
                        continue;
                    }
                    self.spent = true;
                }
            }
            return Take::Empty;
        }
    }

    /// Makes the window non-empty if it can be.
    pub(super) fn look_into(&mut self, at: usize) -> Pulled {
        match self.haul(at) {
            Haul::One(packet) => {
                self.lay(at, packet);
                Pulled::All
            }
            Haul::Window(pulled) => pulled,
        }
    }

    /// Lays the only packet there is into the window, which is empty.
    pub(super) fn lay(&mut self, at: usize, packet: Packet) {
        let window = &mut self.ins[at].window;
        if window.capacity() == 0 {
            // Many windows never hold more.
            window.reserve_exact(1);
        }
        window.push_back(packet);
    }

    /// Makes the window non-empty if it can be, or gives the only packet there is.
    #[inline(always)]
    pub(super) fn haul(&mut self, at: usize) -> Haul {
        let Some(element) = self.ins.get_mut(at) else {
            return Haul::Window(Pulled::End);
        };
        if !element.window.is_empty() {
            return Haul::Window(Pulled::Some);
        }
        let Some(inlet) = element.inlet.as_ref().filter(|_| !element.ended) else {
            return Haul::Window(Pulled::End);
        };
        if std::mem::take(&mut self.is_drained) {
            return Haul::Window(Pulled::Empty);
        }
        element.way.close();
        let most = BATCH.min(self.left.max(1));
        let received = std::mem::take(&mut element.received);
        if !self.rests {
            let pulled = inlet.pull(&mut element.window, most, received);
            element.ended = pulled == Pulled::End;
            return Haul::Window(pulled);
        }
        let haul = inlet.pull_to_rest(&mut element.window, most, received);
        match &haul {
            Haul::One(_) => {
                self.is_drained = true;
                self.is_settled = true;
            }
            Haul::Window(pulled) => {
                self.is_drained = *pulled == Pulled::All;
                element.ended = *pulled == Pulled::End;
            }
        }
        haul
    }

    /// What there is. What was received is told before, or who looks at the end of a stream would be taken for one
    /// that has not received its last brackets.
    pub(super) fn look(&mut self, at: usize) -> Pulled {
        let Some(element) = self.ins.get_mut(at) else {
            return Pulled::End;
        };
        if !element.window.is_empty() {
            return Pulled::Some;
        }
        release(element);
        match &element.inlet {
            Some(inlet) if !element.ended => inlet.look(),
            _ => Pulled::End,
        }
    }

    pub(super) fn room(&mut self, at: usize) -> Room {
        if self
            .manner
            .stop
            .as_ref()
            .is_some_and(|stop| stop.load(Ordering::Relaxed))
        {
            return Room::Closed;
        }
        let Some(element) = self.outs.get_mut(at) else {
            return Room::For(1);
        };
        let Some(outlet) = &element.outlet else {
            return Room::For(1);
        };
        if element.gate == Gate::Closed {
            return Room::Closed;
        }
        if element.room == 0 {
            if self.manner.is_threaded && !element.window.is_empty() {
                outlet.publish(&mut element.window, 0);
            }
            let pending = element.window.len();
            let own = number(outlet.own_room(pending));
            element.is_own = own > 0;
            element.room = if element.is_own {
                own.min(element.stride)
            } else {
                match outlet.reserve(element.stride as usize, pending) {
                    Room::For(room) => number(room),
                    refused => return refused,
                }
            };
        }
        Room::For(element.room as usize)
    }

    /// Nobody reads what is given there. If it is sent elsewhere it may be handled twice.
    #[cold]
    fn refuse(&mut self, at: usize, packet: Packet) -> Give {
        let outlet = self.outlet(at);
        self.is_sated = outlet.is_some_and(|outlet| outlet.is_sated());
        if !self.is_sated {
            packet.release();
        }
        Give::Closed(packet)
    }

    /// Gives a packet that knows where it comes from.
    fn give_ready(&mut self, at: usize, packet: Packet, forwarded: bool) -> Give {
        match self.room(at) {
            Room::Full => return Give::Full(packet),
            Room::Closed => return self.refuse(at, packet),
            Room::For(_) => self.place(at, packet, forwarded),
        }
        Give::Sent
    }

    /// Whether an out-port element has to ask before a packet is placed there, or leads nowhere.
    #[inline]
    fn has_no_room(&self, at: usize) -> bool {
        self.outs.get(at).is_none_or(|element| element.room == 0)
    }

    #[inline]
    pub(super) fn give(&mut self, at: usize, packet: Packet, forwarded: bool) -> Give {
        if self.has_no_room(at) {
            if self.staging.is_some() {
                return self.stage(at, packet, forwarded);
            }
            match self.room(at) {
                Room::Full => return Give::Full(packet),
                Room::Closed => return self.refuse(at, packet),
                Room::For(_) => {}
            }
        }
        if self.lineage.is_some() {
            self.place_heir(at, packet, forwarded);
        } else {
            self.place(at, packet, forwarded);
        }
        Give::Sent
    }

    /// Places a packet while one with a lineage is handled.
    #[inline(never)]
    pub(super) fn place_heir(&mut self, at: usize, packet: Packet, forwarded: bool) {
        let packet = self.descend(at, packet, forwarded);
        self.place(at, packet, forwarded);
    }

    /// The packet as it leaves: a new one takes over the lineage, and each tells where it comes from.
    pub(super) fn descend(&mut self, at: usize, packet: Packet, forwarded: bool) -> Packet {
        let packet = if forwarded {
            packet
        } else {
            self.inherit(packet)
        };
        match &mut self.holding {
            Some(holding) => {
                let own = packet.trail().cloned().unwrap_or_default();
                let trail = holding.send(at, &own, forwarded);
                packet.with_trail(trail)
            }
            None => packet,
        }
    }

    #[inline]
    pub(super) fn place(&mut self, at: usize, packet: Packet, forwarded: bool) {
        if self.has_trees {
            self.count_members(at, &packet, forwarded);
        }
        if forwarded {
            self.owned -= 1;
        } else {
            self.counts.created += 1;
        }
        self.left = self.left.saturating_sub(1);
        self.waits.clear();
        let Some(element) = self.outs.get_mut(at).filter(|element| element.room > 0) else {
            // It leads nowhere.
            self.counts.dropped += 1;
            return;
        };
        self.counts.sent += 1;
        element.way.close();
        element.room -= 1;
        element.window.push(packet);
        if self.manner.eager
            && let Some(outlet) = &element.outlet
        {
            outlet.publish(&mut element.window, 0);
        }
    }

    #[inline]
    pub(super) fn inherit(&self, packet: Packet) -> Packet {
        match &self.lineage {
            Some(lineage) if packet.headers().is_none() => packet.with_headers(Arc::clone(lineage)),
            _ => packet,
        }
    }

    pub(super) fn put(&mut self, at: usize, packet: Packet, forwarded: bool) {
        if !self.hand.is_empty() {
            let packet = self.descend(at, packet, forwarded);
            self.hand.push_back((at, packet, forwarded));
            return;
        }
        match self.give(at, packet, forwarded) {
            Give::Sent => {}
            Give::Full(packet) | Give::Closed(packet) => {
                self.close_ways();
                let packet = self.descend(at, packet, forwarded);
                self.hand.push_back((at, packet, forwarded));
            }
        }
    }

    pub(super) fn empty_hand(&mut self) -> Result<bool, Fault> {
        if self.hand.is_empty() {
            return Ok(true);
        }
        while let Some((at, packet, forwarded)) = self.hand.pop_front() {
            match self.give_ready(at, packet, forwarded) {
                Give::Sent => {}
                Give::Full(packet) => {
                    self.hand.push_front((at, packet, forwarded));
                    self.wait_for_room(at);
                    return Ok(false);
                }
                Give::Closed(packet) => {
                    self.dropped_all(packet.weight() - usize::from(!forwarded));
                    return Err(crate::fault::Closed(packet).into());
                }
            }
        }
        for at in 0..self.outs.len() {
            if self.outs[at].gate == Gate::Closing {
                self.close_output(at);
            }
        }
        if self.staging.is_some() {
            // Room that is left would be a way past the next commit.
            self.publish();
        }
        Ok(true)
    }

    pub(super) fn wait_for_packet(&mut self, at: usize) {
        self.waits.receive.note(at);
    }

    pub(super) fn wait_for_room(&mut self, at: usize) {
        self.waits.send.note(at);
    }

    /// A packet leaves, and what it owns with it. What a new one owns and nobody has counted yet is new
    /// too.
    #[inline(never)]
    fn count_members(&mut self, at: usize, packet: &Packet, forwarded: bool) {
        let members = signed(packet.weight() - 1);
        let counted = if forwarded {
            members
        } else {
            members.min(self.owned.max(0))
        };
        self.owned -= counted;
        self.counts.created += (members - counted).cast_unsigned();
        if self.has_no_room(at) {
            self.counts.dropped += members.cast_unsigned();
        }
    }

    /// A packet of this weight has ended.
    #[inline]
    pub(super) fn dropped_all(&mut self, weight: usize) {
        self.counts.dropped += weight as u64;
        self.owned -= signed(weight);
    }

    #[inline]
    pub(super) const fn dropped(&mut self) {
        self.counts.dropped += 1;
        self.owned -= 1;
    }

    pub(super) fn publish(&mut self) {
        for element in &mut self.outs {
            let unused = element.unused();
            if let Some(outlet) = &element.outlet
                && (unused > 0 || !element.window.is_empty())
            {
                outlet.publish(&mut element.window, unused);
            }
        }
    }

    pub(super) fn release(&mut self) {
        self.ins.iter_mut().for_each(release);
    }

    /// Tells what has been received, but for in-ports whose window has so much left that nobody is
    /// called now: whoever waits for room there is called for several packets at once, later.
    pub(super) fn release_where_few_are_left(&mut self) {
        let few = |element: &&mut InElement| element.window.len() < element.stride as usize;
        self.ins.iter_mut().filter(few).for_each(release);
    }

    /// Once the hand has left.
    pub(super) fn close_output_later(&mut self, at: usize) {
        if let Some(element) = self.outs.get_mut(at)
            && element.gate == Gate::Open
        {
            element.gate = Gate::Closing;
        }
    }

    /// Nothing leaves there any more in this life; a link that ends with this life is closed.
    pub(super) fn close_output(&mut self, at: usize) {
        let Some(element) = self.outs.get_mut(at) else {
            return;
        };
        if element.gate == Gate::Closed {
            return;
        }
        element.gate = Gate::Closed;
        let unused = element.unused();
        if let Some(outlet) = &element.outlet {
            if unused > 0 || !element.window.is_empty() {
                outlet.publish(&mut element.window, unused);
            }
            if !element.is_border {
                outlet.close();
            }
        }
    }

    /// Nothing leaves there ever again.
    pub(super) fn end_output(&mut self, at: usize) {
        self.close_output(at);
        if let Some(element) = self.outs.get(at)
            && let Some(outlet) = element.outlet.as_ref().filter(|_| element.is_border)
        {
            outlet.close();
        }
    }

    /// Nothing is received there any more in this life; a link that ends with this life is closed, and
    /// what comes from elsewhere waits for the next life.
    pub(super) fn close_input(&mut self, at: usize) {
        let element = &mut self.ins[at];
        if !element.is_border {
            return self.end_input(at, true);
        }
        release(element);
        element.ended = true;
        if let Some(inlet) = &element.inlet {
            inlet.put_back(&mut element.window);
        }
    }

    /// Nothing is received there ever again.
    pub(super) fn end_input(&mut self, at: usize, is_sated: bool) {
        let element = &mut self.ins[at];
        release(element);
        element.ended = true;
        let unread = Received::all(&element.window);
        let inlet = element.inlet.as_ref();
        let is_done_with = inlet.is_some_and(|inlet| inlet.close(unread, is_sated));
        for packet in element.window.drain(..) {
            if !is_done_with {
                packet.release();
            }
        }
    }
}

pub(super) fn release(element: &mut InElement) {
    if element.received.packets > 0
        && let Some(inlet) = &element.inlet
    {
        inlet.release(std::mem::take(&mut element.received));
    }
}

/// Packets of a turn, as they are counted there: there are never more.
pub(super) fn number(packets: usize) -> u32 {
    u32::try_from(packets).unwrap_or(u32::MAX)
}

/// A number of packets, to count with.
pub(super) fn signed(packets: usize) -> i64 {
    i64::try_from(packets).unwrap_or(i64::MAX)
}
