//! One activation's view of its links: windows on its in-ports, room on its out-ports, and its hand.
//!
//! The engine lends a turn to an activity for a step. Packets that the turn has taken but the
//! component has not received still count in their link, and room is reserved before it is used, so
//! a link never holds more than its capacity, whatever the batch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::component::Deskside;
use crate::fault::Fault;
use crate::packet::Packet;
use crate::settle::{Holding, Identity};
use crate::slot;

mod deliveries;
mod lane;
mod owing;
mod received;
mod staging;
mod waits;
mod ways;
mod windows;

pub(crate) use lane::{Batch, Lane};
pub use received::Received;
use staging::Staging;
pub use waits::{Places, Waits};
use windows::{Gate, InElement, Inner, Kept, OutElement};

/// Most packets moved between a link and a turn at a time.
pub const BATCH: usize = 256;

/// Packets on their way from a turn to a link.
#[derive(Debug, Default)]
pub struct Window {
    packets: Vec<Packet>,
}

impl Window {
    /// Adds a packet at the end.
    #[inline]
    pub fn push(&mut self, packet: Packet) {
        self.packets.push(packet);
    }

    /// How many packets there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// How many packets there are, with what they own.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.packets
            .iter()
            .map(|packet| packet.weight() as u64)
            .sum()
    }

    /// Takes everything out, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Packet> {
        self.packets.drain(..)
    }

    /// Moves everything to the end of a queue.
    #[inline]
    pub fn empty_into(&mut self, queue: &mut VecDeque<Packet>) {
        if self.packets.len() == 1
            && queue.capacity() > 0
            && let Some(packet) = self.packets.pop()
        {
            queue.push_back(packet);
        } else {
            self.empty_all_into(queue);
        }
    }

    #[inline(never)]
    fn empty_all_into(&mut self, queue: &mut VecDeque<Packet>) {
        if self.packets.len() == 1 {
            // Many links never hold more.
            queue.reserve_exact(1);
            queue.extend(self.packets.pop());
        } else if queue.is_empty() && self.packets.len() > lane::FEW {
            let emptied = std::mem::take(queue).into();
            *queue = std::mem::replace(&mut self.packets, emptied).into();
        } else {
            queue.extend(self.packets.drain(..));
        }
    }

    /// Moves packets to the end.
    #[inline]
    pub(crate) fn take_all(&mut self, packets: &mut Vec<Packet>) {
        if self.packets.is_empty() {
            std::mem::swap(&mut self.packets, packets);
        } else {
            self.packets.append(packets);
        }
    }
}

impl From<Packet> for Window {
    fn from(packet: Packet) -> Self {
        let mut window = Self::default();
        window.push(packet);
        window
    }
}

/// The reading end of a link.
pub trait Inlet: Send + Sync {
    /// Moves up to `most` packets into the window, which is empty. They count in the link until
    /// released; what was received since an earlier pull is `released` first.
    ///
    /// When there is nothing, the reader is woken by the next packet or by the end.
    fn pull(&self, window: &mut VecDeque<Packet>, most: usize, released: Received) -> Pulled;

    /// As `pull`, for a reader that waits without a further look once it has received all there was: the
    /// answer is then [`Haul::One`] or [`Pulled::All`].
    fn pull_to_rest(&self, window: &mut VecDeque<Packet>, most: usize, released: Received) -> Haul {
        Haul::Window(self.pull(window, most, released))
    }

    /// Tells that pulled packets have been received.
    fn release(&self, received: Received);

    /// Whether a pull would find something; arms the wake-up when it would not.
    fn look(&self) -> Pulled;

    /// Takes pulled packets back that were not received, to give them again in the same order.
    fn put_back(&self, window: &mut VecDeque<Packet>);

    /// How many packets are received at least before a thread tells so: half of what fits, so that the
    /// writer goes on while the reader has the other half.
    fn stride(&self) -> usize {
        BATCH
    }

    /// The reader leaves; `unread` are the packets of its window it never received. Whether it is sated:
    /// it has ended well, and wants no more of this life of its subnet. Answers whether what it leaves is
    /// done with; if not it is given back to its store.
    fn close(&self, unread: Received, is_sated: bool) -> bool;
}

/// What a pull found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Packets.
    Some,
    /// Packets, and no more now; the reader is woken by the next one, or by the end.
    All,
    /// None yet.
    Empty,
    /// None ever again.
    End,
}

/// What a pull found for a reader that rests once it has received all there was.
#[derive(Debug)]
pub enum Haul {
    /// The only packet there was: it counts as received, and is in no window.
    One(Packet),
    /// What there is lies in the window.
    Window(Pulled),
}

/// The writing end of a link.
pub trait Outlet: Send + Sync {
    /// Asks for room for up to `most` packets beside the `pending` ones, for which there is room and
    /// which are not published yet.
    ///
    /// When there is none, the writer is woken once there may be.
    fn reserve(&self, most: usize, pending: usize) -> Room;

    /// Room for packets beside the `pending` ones that is this writer's alone, so that it need not be
    /// given back; 0 when a reservation has to tell.
    fn own_room(&self, pending: usize) -> usize {
        let _ = pending;
        0
    }

    /// Writes the packets of the window and gives back room that was reserved and not used.
    fn publish(&self, window: &mut Window, unused: usize);

    /// How many packets a thread writes before the reader sees them, unless each is published at once.
    fn stride(&self) -> usize {
        BATCH
    }

    /// The writer leaves.
    fn close(&self);

    /// Packets in the link.
    fn backlog(&self) -> usize;

    /// Whether the reader has looked for a packet, found none, and has got none since. When that is not
    /// so, the writer is woken once it is.
    fn is_awaited(&self) -> bool {
        true
    }

    /// Whether the reader has left and is [sated](Inlet::close): what it did not receive is done with.
    fn is_sated(&self) -> bool {
        false
    }
}

/// An answer to a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// For this many packets, at least one.
    For(usize),
    /// For none.
    Full,
    /// The reader has left.
    Closed,
}

/// What a take found.
#[derive(Debug)]
pub enum Take {
    /// A packet; the activity owns it now.
    Packet(Packet),
    /// Nothing yet; the step should end with `Wait` unless there is other work.
    Empty,
    /// Nothing ever again.
    End,
}

/// What became of a packet that was given.
#[derive(Debug)]
pub enum Give {
    /// It is on its way.
    Sent,
    /// The link is full; the packet is back.
    Full(Packet),
    /// The receiver has left; the packet is back.
    Closed(Packet),
}

/// Waiting on the world, kept by the engine.
pub trait Outside: Send + Sync {
    /// The process is about to wait for something that is not in the network; this is what it has
    /// done since the engine last looked. When the limit passes before it is back, it has failed.
    fn enter(&self, counts: Counts, limit: Option<Duration>);

    /// It is back.
    fn leave(&self);
}

/// Packets counted since the engine last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made by the component.
    pub created: u64,
    /// Ended in the component.
    pub dropped: u64,
    /// Taken from in-ports.
    pub received: u64,
    /// Given to out-ports that lead somewhere.
    pub sent: u64,
}

/// How a turn behaves; the same for all turns of a process.
#[derive(Clone, Default)]
pub struct Manner {
    /// Publish each packet at once: the process may block in its own code.
    pub eager: bool,
    /// The process has a thread of its own: its neighbours work while it does.
    pub is_threaded: bool,
    /// Where brackets pass to.
    pub passing: Option<Arc<Passing>>,
    /// Set when this process, a source, is to stop.
    pub stop: Option<Arc<AtomicBool>>,
    /// Waiting on the world.
    pub outside: Option<Arc<dyn Outside>>,
    /// Keep each packet while a plain function handles it: somebody takes care of it when it panics.
    pub keep: bool,
    /// It lives once per group.
    pub is_in_groups: bool,
}

/// Where brackets pass to; the same for all processes with the same port elements.
#[derive(Debug, Default)]
pub struct Passing {
    /// Out-ports that get brackets which pass through: all but ERROR.
    pub elements: Box<[usize]>,
    /// The one out-port a looper's brackets pass to, if it has one in-port and one out-port.
    pub bypass: Option<usize>,
}

/// What a process has to do with stores.
#[derive(Clone, Default)]
pub struct Ties {
    /// Who it is in a network with connectors.
    pub identity: Option<Arc<Identity>>,
    /// What a store keeps for it.
    pub desk: Option<Arc<Deskside>>,
}

/// A process's ports, lent for a step.
#[derive(Default)]
pub struct Turn(Option<Box<Inner>>);

impl Turn {
    /// Made by the engine: `None` for elements that are not connected. Out-port elements behind the last one
    /// that leads anywhere, such as ERROR mostly, need not be there.
    #[must_use]
    pub fn new(
        inlets: impl Iterator<Item = Option<Arc<dyn Inlet>>>,
        outlets: impl Iterator<Item = Option<Arc<dyn Outlet>>>,
        manner: Manner,
        ties: Ties,
    ) -> Self {
        let stride = |own: Option<usize>| {
            let own = own.filter(|_| manner.is_threaded);
            windows::number(own.unwrap_or(BATCH))
        };
        let ins = inlets.map(|inlet| {
            let own = inlet.as_ref().map(|inlet| inlet.stride());
            InElement::new(inlet, stride(own))
        });
        let outs = outlets.map(|outlet| {
            let own = outlet.as_ref().map(|outlet| outlet.stride());
            OutElement::new(outlet, stride(own))
        });
        let (ins, outs): (Box<[_]>, Box<[_]>) = (ins.collect(), outs.collect());
        let Ties { identity, desk } = ties;
        // Who has a choice, or works for long between two looks, looks again.
        let rests = ins.len() == 1 && identity.is_none() && !manner.is_threaded;
        Self(Some(Box::new(Inner {
            ins,
            outs,
            staging: desk.map(|side| Box::new(Staging::new(side))),
            lineage: identity.as_ref().map(|_| Arc::default()),
            holding: identity.map(|identity| Box::new(Holding::new(identity))),
            manner,
            rests,
            left: usize::MAX,
            ..Inner::default()
        })))
    }

    /// A turn of no process, which stands in for one that is lent.
    pub(crate) const fn nowhere() -> Self {
        Self(None)
    }

    /// Whether it is the turn of a process.
    #[inline]
    pub(crate) const fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// The books, with everything entered that has passed by an open way.
    #[inline]
    fn inner(&mut self) -> &mut Inner {
        let inner = self.raw();
        if !inner.ways.is_empty() {
            inner.enter();
        }
        inner
    }

    /// The books as they are, for what may be entered in any order.
    #[inline]
    fn raw(&mut self) -> &mut Inner {
        self.0.get_or_insert_with(Inner::nowhere)
    }

    // ---- what a component does ----

    /// Takes the next packet from an in-port element.
    #[inline]
    pub fn take(&mut self, element: usize) -> Take {
        let taken = self.take_quietly(element);
        if let Take::Packet(packet) = &taken
            && let Some(trail) = packet.trail()
        {
            let trail = trail.clone();
            self.hold(&trail);
        }
        taken
    }

    /// Takes the next packet for somebody who says what becomes of the deliveries it follows from.
    #[inline]
    pub(crate) fn take_quietly(&mut self, element: usize) -> Take {
        self.inner().take_quietly(element)
    }

    /// Gives a packet that this process took before.
    #[inline]
    pub fn give(&mut self, element: usize, packet: Packet) -> Give {
        self.offer(element, packet, true)
    }

    /// Gives a packet that this process has made. It inherits the lineage of the one being handled.
    #[inline]
    pub fn give_new(&mut self, element: usize, packet: Packet) -> Give {
        self.offer(element, packet, false)
    }

    #[inline]
    fn offer(&mut self, element: usize, packet: Packet, forwarded: bool) -> Give {
        let inner = self.inner();
        inner.note_trees(packet.weight() > 1);
        let given = inner.give(element, packet, forwarded);
        if matches!(given, Give::Full(_)) {
            inner.wait_for_room(element);
        }
        given
    }

    /// Gives a packet if it can leave at once, behind everything in the hand; nobody waits for room.
    pub(crate) fn try_give(&mut self, element: usize, packet: Packet, forwarded: bool) -> Give {
        let inner = self.inner();
        if inner.hand.is_empty() {
            inner.give(element, packet, forwarded)
        } else {
            Give::Full(packet)
        }
    }

    /// Gives a packet through the hand: it leaves at once or before anything else happens.
    ///
    /// `forwarded`: it is one that this process took before.
    pub fn put(&mut self, element: usize, packet: Packet, forwarded: bool) {
        let inner = self.inner();
        inner.note_trees(packet.weight() > 1);
        inner.put(element, packet, forwarded);
    }

    /// Ends a packet that this process took.
    pub fn drop_packet(&mut self, packet: Packet) {
        self.dropped_all(packet.weight());
    }

    /// Counts a packet that this process has made and does not give at once, such as one that others
    /// are to be attached to, or that is to be attached: it is the process's as if it had been taken.
    pub fn adopt(&mut self) {
        let inner = self.inner();
        // What is attached to it later is seen only when it leaves.
        inner.note_trees(true);
        inner.counts.created += 1;
        inner.owned += 1;
    }

    /// Lays a packet that this process has on its stack, where it stays over the end of the activation.
    /// The process is activated again as long as there are fewer each time.
    pub fn push(&mut self, packet: Packet) {
        let inner = self.inner();
        inner.owned -= windows::signed(packet.weight());
        inner.seldom.get_or_insert_default().stack.push(packet);
    }

    /// Takes the packet from the top of the stack.
    pub fn pop(&mut self) -> Option<Packet> {
        let inner = self.inner();
        let packet = inner.seldom.as_mut()?.stack.pop()?;
        inner.note_trees(packet.weight() > 1);
        inner.owned += windows::signed(packet.weight());
        Some(packet)
    }

    /// Whether an out-port element leads anywhere. Packets given to one that does not are dropped and
    /// counted.
    pub fn is_connected(&mut self, element: usize) -> bool {
        self.raw().outlet(element).is_some()
    }

    /// Whether a packet given now would leave at once.
    pub fn has_room(&mut self, element: usize) -> bool {
        let inner = self.inner();
        let is_free = inner.hand.is_empty();
        // What is staged asks for room only when it leaves.
        is_free && (inner.staging.is_some() || inner.room(element) != Room::Full)
    }

    /// Whether nobody will read any more what is given to an out-port element.
    pub fn is_deserted(&mut self, element: usize) -> bool {
        self.inner().room(element) == Room::Closed
    }

    /// Packets that wait behind an out-port element.
    pub fn backlog(&mut self, element: usize) -> usize {
        let Some(out) = self.inner().outs.get(element) else {
            return 0;
        };
        out.window.len() + out.outlet.as_ref().map_or(0, |outlet| outlet.backlog())
    }

    /// The reader's side of a port is closed early: its sender learns it with the next packet.
    ///
    /// A link from outside a re-armed subnet stays open: what waits there is for the next life.
    pub fn close_input(&mut self, element: usize) {
        self.inner().close_input(element);
    }

    /// An out-port element is closed before the process ends, once what was put before has left.
    ///
    /// A link that leads out of a re-armed subnet stays open: its writer is the subnet, and the process
    /// only refuses to send there until its next life.
    pub fn close_output(&mut self, element: usize) {
        let inner = self.inner();
        if inner.hand.iter().any(|(at, ..)| *at == element) {
            inner.close_output_later(element);
        } else {
            inner.close_output(element);
        }
    }

    /// Whether an in-port element will never give a packet again.
    pub fn is_ended(&mut self, element: usize) -> bool {
        self.inner().look(element) == Pulled::End
    }

    /// Whether the packets of this turn are used up; the step should end with `More`.
    #[inline]
    pub fn is_spent(&mut self) -> bool {
        let inner = self.inner();
        inner.spent = inner.left == 0;
        inner.spent
    }

    /// Runs something that waits for the world. Everything given before is on its way meanwhile.
    pub fn publish(&mut self) {
        self.inner().publish();
    }

    // ---- what the adapters do ----

    /// Moves the hand to the links, in order. False: something did not fit, and the wait is recorded.
    ///
    /// # Errors
    /// A receiver has left.
    #[inline]
    pub(crate) fn empty_hand(&mut self) -> Result<bool, Fault> {
        let inner = self.inner();
        if inner.hand.is_empty() {
            return Ok(true);
        }
        inner.empty_hand()
    }

    pub(crate) fn pass_bracket(&mut self, packet: Packet) {
        let inner = self.inner();
        let passing = inner.manner.passing.clone();
        let connected = passing.iter().flat_map(|passing| &passing.elements);
        let connected = connected.filter(|element| inner.outlet(**element).is_some());
        let targets: Vec<usize> = connected.copied().collect();
        let Some((last, rest)) = targets.split_last() else {
            return inner.dropped();
        };
        for element in rest {
            inner.put(*element, packet.clone(), false);
        }
        inner.put(*last, packet, true);
    }

    /// Keeps a packet while a function handles it, if somebody wants it when the function panics.
    pub(crate) fn keep(&mut self, element: usize, packet: &Packet, is_raw: bool) -> bool {
        let inner = self.inner();
        if inner.manner.keep {
            inner.seldom.get_or_insert_default().kept = Some(Kept {
                element,
                packet: packet.clone(),
                is_raw,
                members: packet.weight() - 1,
            });
        }
        inner.manner.keep
    }

    /// The function has returned.
    pub(crate) fn let_go(&mut self) {
        if let Some(seldom) = &mut self.inner().seldom {
            seldom.kept = None;
        }
    }

    pub(crate) fn bypass(&mut self) -> Option<usize> {
        self.inner().manner.passing.as_ref()?.bypass
    }

    #[inline]
    pub(crate) fn dropped(&mut self) {
        self.raw().dropped();
    }

    /// A packet of this weight has ended.
    #[inline]
    pub(crate) fn dropped_all(&mut self, weight: usize) {
        self.raw().dropped_all(weight);
    }

    pub(crate) fn owns_again(&mut self) {
        let inner = self.inner();
        inner.counts.created += 1;
        inner.owned += 1;
    }

    pub(crate) fn moved(&mut self) {
        self.inner().waits.clear();
    }

    /// The step ends with a wait for something outside the network, which calls the waker.
    pub fn wait_outside(&mut self) {
        self.inner().waits.outside = true;
    }

    /// The step ends with a wait for others to settle what this process has handed out.
    pub fn wait_for_settlement(&mut self) {
        self.inner().waits.settlement = true;
    }

    /// The step ends with a wait for room behind an out-port element, which the activity knows of.
    pub fn wait_for_room(&mut self, element: usize) {
        self.inner().wait_for_room(element);
    }

    pub(crate) fn fail(&mut self, fault: Fault) {
        self.inner().fault.get_or_insert_with(|| Box::new(fault));
    }

    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        self.inner().fault.take().map(|fault| *fault)
    }

    /// `None` when it is outside already, or when nobody keeps count.
    pub(crate) fn go_outside(&mut self) -> Option<(Arc<dyn Outside>, Counts)> {
        let inner = self.inner();
        inner.publish();
        inner.release_where_few_are_left();
        if std::mem::replace(&mut inner.is_outside, true) {
            return None;
        }
        let outside = inner.manner.outside.clone()?;
        Some((outside, std::mem::take(&mut inner.counts)))
    }

    pub(crate) fn come_back(&mut self) {
        self.inner().is_outside = false;
    }

    /// What was waited for so far.
    pub(crate) fn waits(&mut self) -> Waits {
        self.inner().waits.clone()
    }

    /// Still waits for these in-port elements too, although something has moved since.
    pub(crate) fn wait_also(&mut self, waits: Waits) {
        let inner = self.inner();
        for element in waits.receive.iter() {
            inner.wait_for_packet(element);
        }
        inner.waits.outside |= waits.outside;
    }

    // ---- what the engine does ----

    /// Tells which elements have a link that leads out of the process's re-armed subnet, or into it.
    /// They close for a life only, until the subnet ends.
    pub fn set_border(
        &mut self,
        inputs: impl IntoIterator<Item = usize>,
        outputs: impl IntoIterator<Item = usize>,
    ) {
        let inner = self.inner();
        for element in inputs {
            inner.ins[element].is_border = true;
        }
        for element in outputs {
            if let Some(out) = inner.outs.get_mut(element) {
                out.is_border = true;
            }
        }
    }

    /// Starts a step that may move this many packets.
    #[inline]
    pub fn begin(&mut self, packets: usize) {
        let inner = self.raw();
        if !inner.ways.is_empty() {
            inner.close_ways();
        }
        inner.allows_ways = false;
        inner.is_drained = false;
        inner.left = packets;
        inner.spent = false;
        inner.waits.clear();
    }

    /// Ends a step: publishes, releases, leaves behind what it waits for, and tells whether it was cut
    /// short.
    pub fn end(&mut self, waits: &mut Waits) -> bool {
        let inner = self.inner();
        inner.close_ways();
        inner.release();
        inner.publish();
        std::mem::swap(waits, &mut inner.waits);
        inner.spent
    }

    /// Takes the counts since the last call.
    #[inline]
    pub fn counts(&mut self) -> Counts {
        std::mem::take(&mut self.inner().counts)
    }

    /// Packets the component has taken and neither sent nor dropped.
    pub fn owned(&mut self) -> i64 {
        self.inner().owned
    }

    /// Packets on the stack.
    pub fn stacked(&mut self) -> usize {
        let seldom = self.inner().seldom.as_ref();
        seldom.map_or(0, |seldom| seldom.stack.len())
    }

    /// Drops what is left on the stack. Gives how many packets that is.
    pub fn drop_stack(&mut self) -> usize {
        let inner = self.inner();
        let stack = inner
            .seldom
            .as_mut()
            .map(|seldom| std::mem::take(&mut seldom.stack));
        let weight = stack.iter().flatten().map(Packet::weight).sum();
        inner.counts.dropped += weight as u64;
        weight
    }

    /// Forgets what a component leaked, once it has been reported; the packets count as dropped.
    pub fn forgive(&mut self) {
        let inner = self.inner();
        inner.counts.dropped += u64::try_from(inner.owned).unwrap_or(0);
        inner.owned = 0;
    }

    /// Moves the hand to the links. `Ok(false)`: a link is full.
    ///
    /// # Errors
    /// A receiver has left.
    pub fn flush(&mut self) -> Result<bool, Fault> {
        self.inner().empty_hand()
    }

    /// Drops what is in the hand, or waits to be handled once more; it counts as dropped.
    pub fn drop_hand(&mut self) {
        self.discard();
        let inner = self.inner();
        let is_sated = inner.is_sated;
        let leave = |packet: &Packet| {
            if !is_sated {
                packet.release();
            }
        };
        if let Some((_, packet)) = inner.retry.take().map(|retry| *retry) {
            leave(&packet);
            inner.counts.dropped += packet.weight() as u64;
        }
        for (_, packet, forwarded) in std::mem::take(&mut inner.hand) {
            leave(&packet);
            inner.dropped_all(packet.weight() - usize::from(!forwarded));
        }
    }

    /// Packets in the hand, and those that are to be committed before they are.
    pub fn in_hand(&mut self) -> usize {
        self.inner().hand.len() + self.staged()
    }

    /// What an in-port element has.
    pub fn look(&mut self, element: usize) -> Pulled {
        self.inner().look(element)
    }

    /// Closes every port for good: outputs first, then inputs with what was never received.
    pub fn close(&mut self) {
        let inner = self.inner();
        for element in 0..inner.outs.len() {
            inner.end_output(element);
        }
        for element in 0..inner.ins.len() {
            inner.end_input(element, false);
        }
    }

    /// Closes an out-port element for good.
    pub fn end_output(&mut self, element: usize) {
        self.inner().end_output(element);
    }

    /// Closes an in-port element for good; what was never received is lost. Whether the process is
    /// [sated](Inlet::close) decides what its store hears of that.
    pub fn end_input(&mut self, element: usize, is_sated: bool) {
        self.inner().end_input(element, is_sated);
    }

    /// Whether the last packet that was refused was one that a [sated](Inlet::close) reader left.
    pub fn is_sated(&mut self) -> bool {
        self.inner().is_sated
    }

    /// Makes elements usable again for the next life of a re-armed subnet.
    pub fn rearm(&mut self) {
        self.rearm_inputs();
        for element in &mut self.inner().outs {
            element.gate = Gate::Open;
        }
        self.inner().is_sated = false;
    }

    /// Looks at every in-port afresh, for the next activation.
    pub fn rearm_inputs(&mut self) {
        for element in &mut self.inner().ins {
            element.ended = element.inlet.is_none();
        }
    }

    /// Sends a faulty packet to ERROR, through the hand.
    pub fn divert(&mut self, element: usize, packet: Packet) {
        self.inner().put(element, packet, true);
    }

    /// Puts a packet that could not be handled before its in-port, to be taken once more.
    pub fn retry(&mut self, element: usize, packet: Packet) {
        let inner = self.inner();
        inner.close_ways();
        inner.owned -= windows::signed(packet.weight());
        inner.retry = Some(Box::new((element, packet)));
    }

    /// The packet that a plain function was handling when it panicked, with its in-port element; the
    /// process owns it (again). `None` when it was not kept.
    pub fn take_kept(&mut self) -> Option<(usize, Packet)> {
        let Kept {
            element,
            packet,
            is_raw,
            members,
        } = self.inner().seldom.as_mut()?.kept.take()?;
        if is_raw && !slot::take_forward() {
            self.owns_again();
        } else {
            // They ended with the packet itself; what was kept is its clone.
            self.dropped_all(members);
        }
        Some((element, packet))
    }

    /// Whether the packet being handled was put back by [`Turn::retry`] before.
    pub fn is_retrying(&mut self) -> bool {
        self.inner().retrying
    }
}
