//! A bounded link: one reader, any number of writers, an exact capacity.
//!
//! The capacity counts packets wherever they are: queued, or taken by a turn and not yet received
//! (held), or room promised to a writer's turn (reserved).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use paperflow_core::Packet;
use paperflow_core::turn::{Haul, Inlet, Pulled, Received};
use paperflow_graph::Full;
use serde::Serialize;

use crate::crowd::Called;
use crate::roster::{Roster, Who};
use crate::shed::least;
use crate::sync::{Apart, AtomicUsize, Latch, LatchGuard};

mod outlet;
mod state;

pub(crate) use outlet::Writer;
pub(crate) use state::{Members, State, Writers, number};
use state::{Open, members};

pub(crate) struct Link {
    capacity: u32,
    full: Full,
    pub(crate) reader: Who,
    pub(crate) writers: Writers,
    special: OnceLock<Box<Special>>,
    pub(crate) roster: Arc<Roster>,
    /// Nobody else sends, and nothing is shed: the writer can keep count of its own room.
    has_one_writer: bool,
    /// Of the writers that wait for room one is called at a time.
    pub(crate) is_crowded: bool,
    pub(crate) middle: Apart<Middle>,
}

/// What only links have that divert, that lie in a re-armed subnet, or whose reader outlasts the run.
#[derive(Default)]
struct Special {
    /// The innermost re-armed subnet that holds all its ends.
    home: Option<usize>,
    /// The link that takes what this one refuses, and which writer of it each of ours is.
    divert: OnceLock<(Arc<Link>, Vec<usize>)>,
    /// Whether the run is cut short, if the next one goes on with the reader.
    cut: OnceLock<Arc<AtomicBool>>,
}

/// Where both ends of a link meet.
#[repr(C)]
pub(crate) struct Middle {
    /// What is in the link as its only writer may know it; the most there can be when it may not.
    gauge: AtomicUsize,
    pub(crate) state: Latch<State>,
}

/// What went through a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkCounts {
    /// Packets written.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
    /// Packets shed because the link was full.
    pub shed: u64,
    /// Packets in the link, or sent to it, after its reader had left or its cycle had ended.
    pub lost_on_close: u64,
    /// Most packets at one time.
    pub high_water: usize,
}

/// A link at one moment, for reports and judgement.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) fill: usize,
    pub(crate) open: Vec<bool>,
    pub(crate) is_over: bool,
    /// The reader has left.
    pub(crate) is_deserted: bool,
}

impl Link {
    pub(crate) fn new(
        capacity: usize,
        full: Full,
        reader: Who,
        writers: impl IntoIterator<Item = Who>,
        home: Option<usize>,
        roster: Arc<Roster>,
    ) -> Arc<Self> {
        let writers: Writers = writers.into_iter().collect();
        let has_several = writers.len() > 1;
        let state = State {
            open: Open::all(writers.len()),
            writers_left: number(writers.len()),
            reader_waits: true,
            rare: has_several.then(Box::default),
            ..State::default()
        };
        let has_one_writer =
            matches!(writers[..], [Who::Process(_)]) && full == Full::Wait && home.is_none();
        let has_thread =
            matches!(reader, Who::Process(process) if roster.own_thread(process).is_some());
        let is_pooled = |who: &Who| match who {
            Who::Process(process) => roster.own_thread(*process).is_none(),
            Who::External(_) => false,
        };
        let is_brief = is_pooled(&reader) && writers.iter().all(is_pooled);
        let special = home.map(|_| Special {
            home,
            ..Special::default()
        });
        Arc::new(Self {
            // More than this fits no memory.
            capacity: number(capacity),
            has_one_writer,
            is_crowded: Self::is_crowd(has_thread, &writers),
            full,
            reader,
            writers,
            special: special.map_or_else(OnceLock::new, |special| Box::new(special).into()),
            roster,
            middle: Apart::new(Middle {
                gauge: AtomicUsize::new(if has_one_writer { 0 } else { usize::MAX }),
                state: Latch::new(state, is_brief),
            }),
        })
    }

    /// The next run goes on with the reader: it does not see an end that comes after this has been set.
    pub(crate) fn outlast(&self, cut: &Arc<AtomicBool>) {
        if self.home().is_none() {
            let special = self.special.get_or_init(Box::default);
            special.cut.get_or_init(|| Arc::clone(cut));
        }
    }

    fn is_cut_short(&self) -> bool {
        let cut = self.special.get().and_then(|special| special.cut.get());
        cut.is_some_and(|cut| cut.load(Ordering::Acquire))
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// The innermost re-armed subnet that holds all its ends.
    pub(crate) fn home(&self) -> Option<usize> {
        self.special.get()?.home
    }

    /// Where it diverts to, and which writer there each of ours is.
    fn divert(&self) -> Option<&(Arc<Self>, Vec<usize>)> {
        self.special.get()?.divert.get()
    }

    pub(crate) fn counts(&self) -> LinkCounts {
        self.middle.state.lock().counts()
    }

    /// What was counted, and how much waits for the embedding program.
    pub(crate) fn counts_and_waiting(&self) -> (LinkCounts, u64) {
        let state = self.middle.state.lock();
        let waiting = match self.reader {
            Who::Process(_) => 0,
            Who::External(_) => state.fill() as u64,
        };
        (state.counts(), waiting)
    }

    /// What was counted, what of it was owned by other packets, and how much the embedding program has
    /// fed.
    pub(crate) fn counts_and_fed(&self) -> (LinkCounts, Members, u64) {
        let state = self.middle.state.lock();
        let (members, fed) = state.rare(|rare| (rare.members, rare.fed));
        (state.counts(), members, fed)
    }

    /// Packets that somebody outside the network has received, or may still receive.
    pub(crate) fn handed_out(&self) -> u64 {
        let state = self.middle.state.lock();
        let waiting = state.fill() as u64 + members(&state.queue);
        state.received + state.rare(|rare| rare.members.received) + waiting
    }

    /// Open brackets that were received without their close brackets, less stray close brackets, in a
    /// stream that was read to its end.
    pub(crate) fn unbalanced(&self) -> i64 {
        let state = self.middle.state.lock();
        state.rare(|rare| rare.unbalanced)
    }

    /// Whether nobody will write to it again.
    pub(crate) fn is_over(&self) -> bool {
        self.middle.state.lock().is_over()
    }

    pub(crate) fn observe(&self) -> Look {
        let state = self.middle.state.lock();
        Look {
            fill: state.fill(),
            open: state.open.to_vec(self.writers.len()),
            is_over: state.is_over(),
            is_deserted: state.is_deserted,
        }
    }

    /// The cycle that this link belongs to is quiescent: the reader sees the end, and what is sent
    /// from now on is swallowed.
    pub(crate) fn end_by_quiescence(&self) {
        let mut state = self.middle.state.lock();
        state.is_ended = true;
        self.show(&state);
        drop(state);
        self.roster.wake_who(&self.reader);
    }

    /// Everybody may use it again, for the next life of a re-armed subnet.
    pub(crate) fn rearm(&self) {
        let mut state = self.middle.state.lock();
        state.is_deserted = false;
        if let Some(rare) = &mut state.rare {
            rare.is_sated = false;
        }
        state.is_ended = false;
        state.depth = 0;
        state.reader_waits = true;
        state.open = Open::all(self.writers.len());
        state.writers_left = number(self.writers.len());
    }

    /// What this link refuses goes to `target`, where our writers have these numbers.
    pub(crate) fn divert_to(&self, target: &Arc<Self>, writers: Vec<usize>) {
        let mut state = target.middle.state.lock();
        state.takes_diverted = true;
        target.show(&state);
        drop(state);
        self.middle.gauge.store(usize::MAX, Ordering::Release);
        let special = self.special.get_or_init(Box::default);
        special.divert.get_or_init(|| (Arc::clone(target), writers));
    }

    /// Which writer of `target` this link's writer is, when it diverts there.
    pub(crate) fn diverted_writer(&self, target: &Arc<Self>, writer: usize) -> Option<usize> {
        let (to, writers) = self.divert()?;
        Arc::ptr_eq(to, target).then(|| writers[writer])
    }

    pub(crate) fn close_writer(&self, writer: usize) {
        if let Some((target, writers)) = self.divert() {
            target.close_writer(writers[writer]);
        }
        let mut state = self.middle.state.lock();
        if !state.open.remove(writer) {
            return;
        }
        state.come(writer);
        state.writers_left -= 1;
        let is_last = state.writers_left == 0;
        if is_last && self.is_cut_short() {
            // As if one were left: there will be another run.
            state.writers_left = 1;
            return;
        }
        drop(state);
        self.pass_on(writer);
        if is_last {
            self.roster.wake_who(&self.reader);
        }
    }

    /// At the end of a run that was cut short: whatever is left is lost, but for what waits for the
    /// embedding program, which may still receive it.
    pub(crate) fn abandon(&self) {
        if matches!(self.reader, Who::External(_)) {
            return;
        }
        let mut state = self.middle.state.lock();
        let left = state.fill() as u64;
        let owned = members(&state.queue);
        state.lose(left, owned);
        state.held = 0;
        state.lose_queue();
    }

    /// Whether the reader has left and wants no more of this life of its subnet.
    pub(crate) fn is_sated(&self) -> bool {
        self.middle.state.lock().is_sated()
    }

    /// Whether a writer never waits.
    fn sheds(&self) -> bool {
        self.full != Full::Wait || self.diverts()
    }

    fn diverts(&self) -> bool {
        self.divert().is_some()
    }

    /// Puts a packet in, or sheds one. Gives it back when it is to go elsewhere.
    fn accept(&self, state: &mut State, packet: Packet) -> Option<Packet> {
        let is_gone = state.is_deserted || state.is_ended;
        let is_full = self.sheds() && state.queue.len() >= self.capacity();
        if self.diverts() && is_full && !is_gone {
            return Some(packet);
        }
        state.sent += 1;
        if is_gone {
            state.let_go_of(&packet);
            state.lose(1, members([&packet]));
            return None;
        }
        if is_full {
            let Some(victim) = least(&state.queue, &packet, self.full) else {
                state.shed(members([&packet]));
                return None;
            };
            let victim = state.queue.remove(victim);
            state.shed(members(&victim));
        }
        state.queue.push_back(packet);
        None
    }

    /// Sends on what this link had no room for; what has no room there either is shed.
    fn send_elsewhere(&self, packets: Vec<Packet>) {
        for packet in packets {
            let owned = members([&packet]);
            let divert = self.divert();
            let taken = divert.is_some_and(|divert| divert.0.take_diverted(packet));
            if !taken {
                let mut state = self.middle.state.lock();
                state.sent += 1;
                state.shed(owned);
            }
        }
    }

    fn take_diverted(&self, packet: Packet) -> bool {
        let mut state = self.middle.state.lock();
        let is_full = !self.sheds() && state.used() >= self.capacity();
        if state.is_deserted || state.is_ended || is_full {
            return false;
        }
        let refused = self.accept(&mut state, packet);
        let call = state.settle();
        drop(state);
        if call {
            self.roster.wake_who(&self.reader);
        }
        self.send_elsewhere(refused.into_iter().collect());
        true
    }
}

impl Inlet for Link {
    fn pull(&self, window: &mut VecDeque<Packet>, most: usize, released: Received) -> Pulled {
        let mut state = self.middle.state.lock();
        let waiting = self.let_go(&mut state, released);
        self.move_out(state, waiting, (window, most), false)
    }

    fn pull_to_rest(&self, window: &mut VecDeque<Packet>, most: usize, released: Received) -> Haul {
        let mut guard = self.middle.state.lock();
        let state = &mut *guard;
        let mut waiting = self.let_go(state, released);
        if state.queue.len() == 1
            && !self.sheds()
            && !state.is_over()
            && let Some(packet) = state.queue.pop_front()
        {
            state.reader_waits = true;
            if packet.is_special() {
                state.note_special(Received::of(&packet));
            }
            waiting.join(self.receive(state, 1));
            drop(guard);
            self.wake_all(waiting);
            return Haul::One(packet);
        }
        Haul::Window(self.move_out(guard, waiting, (window, most), true))
    }

    fn stride(&self) -> usize {
        self.half()
    }

    fn look(&self) -> Pulled {
        let mut state = self.middle.state.lock();
        if !state.queue.is_empty() {
            return Pulled::Some;
        }
        let holding_back = state.take_holding_back();
        let found = state.nothing();
        drop(state);
        self.wake_all(holding_back);
        found
    }

    fn release(&self, received: Received) {
        let mut state = self.middle.state.lock();
        let waiting = self.let_go(&mut state, received);
        drop(state);
        self.wake_all(waiting);
    }

    fn put_back(&self, window: &mut VecDeque<Packet>) {
        let mut state = self.middle.state.lock();
        if self.sheds() {
            state.received -= window.len() as u64;
        } else {
            state.unhold(window.len());
        }
        while let Some(packet) = window.pop_back() {
            state.queue.push_front(packet);
        }
        // Others may have filled a link that sheds: it is the oldest that has no room now.
        while self.sheds() && state.queue.len() > self.capacity() {
            let victim = state.queue.pop_front();
            state.shed(members(&victim));
        }
    }

    fn close(&self, unread: Received, is_sated: bool) -> bool {
        self.close_reader(unread, is_sated)
    }
}

impl Link {
    pub(crate) fn close_reader(&self, unread: Received, is_sated: bool) -> bool {
        let mut state = self.middle.state.lock();
        // Only a link that ends with a life of its subnet: what waits in others is for another run.
        let is_done_with = is_sated && self.home().is_some();
        if is_done_with || state.rare.is_some() {
            state.rare_mut().is_sated = is_done_with;
        }
        let lost = (state.queue.len() + unread.packets) as u64;
        if self.sheds() {
            state.received -= unread.packets as u64;
        } else {
            state.unhold(unread.packets);
        }
        let owned = unread.members + members(&state.queue);
        state.lose(lost, owned);
        state.lose_queue();
        state.is_deserted = true;
        self.show(&state);
        let mut waiting = self.call_all(&mut state);
        // A writer may wait for room elsewhere that only this reader could have made.
        let open = state.open.to_vec(self.writers.len());
        let open = open.into_iter().enumerate();
        open.filter(|(_, is_open)| *is_open)
            .for_each(|(at, _)| waiting.add(number(at)));
        drop(state);
        self.wake_all(waiting);
        is_done_with
    }

    /// Moves packets to the window of a reader, and wakes who waits for what it has received before.
    /// `rests`: it waits without a further look once it has received all there was.
    #[inline(always)]
    fn move_out(
        &self,
        mut guard: LatchGuard<'_, State>,
        waiting: Called,
        (window, most): (&mut VecDeque<Packet>, usize),
        rests: bool,
    ) -> Pulled {
        let state = &mut *guard;
        let mut holding_back = Called::Nobody;
        let pulled = if state.queue.is_empty() {
            holding_back = state.take_holding_back();
            state.nothing()
        } else if self.sheds() {
            window.extend(state.queue.pop_front());
            state.received += 1;
            Pulled::Some
        } else {
            let moved = state.move_into(window, most);
            let is_all = rests && state.queue.is_empty() && !state.is_over();
            state.reader_waits |= is_all;
            state.held += moved;
            if is_all { Pulled::All } else { Pulled::Some }
        };
        drop(guard);
        self.wake_all(waiting);
        self.wake_all(holding_back);
        pulled
    }

    /// These packets have been received: whoever waited for their room is to be woken.
    #[inline]
    fn let_go(&self, state: &mut State, received: Received) -> Called {
        if received.packets == 0 {
            return Called::Nobody;
        }
        state.note_special(received);
        if self.sheds() {
            return Called::Nobody;
        }
        // After a run was cut short, a thread that was left behind may release what has been abandoned.
        let count = number(received.packets).min(state.held);
        state.held -= count;
        self.receive(state, count)
    }

    /// So many packets have been received, which are not held, or not any longer.
    #[inline]
    fn receive(&self, state: &mut State, count: u32) -> Called {
        state.received += u64::from(count);
        self.show(state);
        self.call(state)
    }

    /// The room as the only writer may know it without the lock: only the reader changes it meanwhile,
    /// and only for the better. `None`: ask under the lock.
    fn room_of_only_writer(&self, pending: usize) -> Option<usize> {
        let used = self
            .middle
            .gauge
            .load(Ordering::Acquire)
            .saturating_add(pending);
        self.capacity().checked_sub(used).filter(|room| *room > 0)
    }

    /// Whether the only writer keeps count of its own room: what it has pending is not reserved.
    fn gives_own_room(&self) -> bool {
        self.has_one_writer && !self.diverts()
    }

    /// Lets the only writer know what is in the link; to be called with whatever changes that.
    fn show(&self, state: &State) {
        if self.gives_own_room() {
            let is_usual = !(state.is_deserted || state.is_ended || state.takes_diverted);
            let used = if is_usual { state.fill() } else { usize::MAX };
            self.middle.gauge.store(used, Ordering::Release);
        }
    }

    fn half(&self) -> usize {
        (self.capacity() / 2).max(1)
    }

    #[inline(always)]
    pub(crate) fn wake_all(&self, called: Called) {
        match called {
            Called::Nobody => {}
            Called::One(writer) => self.wake(writer),
            Called::More(first, more) => self.wake_several(first, more),
        }
    }

    #[inline(never)]
    fn wake_several(&self, first: u32, more: Vec<u32>) {
        self.wake(first);
        more.iter().for_each(|writer| self.wake(*writer));
        self.middle.state.lock().take_list_back(more);
    }

    fn wake(&self, writer: u32) {
        self.roster.wake_who(&self.writers[writer as usize]);
    }
}

#[cfg(test)]
mod tests {
    use paperflow_core::Headers;
    use paperflow_core::headers::names;
    use paperflow_core::turn::{Outlet, Room, Window};

    use super::*;

    fn link(capacity: usize, full: Full) -> (Arc<Link>, Writer) {
        let roster = Arc::new(Roster::new(&[true, true], 0));
        let link = Link::new(
            capacity,
            full,
            Who::Process(1),
            vec![Who::Process(0)],
            None,
            roster,
        );
        (Arc::clone(&link), Writer { link, index: 0 })
    }

    fn packets(packets: usize) -> Received {
        Received {
            packets,
            ..Received::default()
        }
    }

    fn send(writer: &Writer, value: i64) -> Room {
        let room = writer.reserve(1, 0);
        if let Room::For(_) = room {
            writer.publish(&mut Window::from(Packet::int(value)), 0);
        }
        room
    }

    #[test]
    fn capacity_counts_what_is_held_and_what_is_reserved() {
        let (link, writer) = link(3, Full::Wait);
        assert_eq!(writer.reserve(2, 0), Room::For(2));
        assert_eq!(writer.reserve(2, 2), Room::For(1));
        assert_eq!(writer.reserve(1, 3), Room::Full);
        writer.publish(&mut Window::from(Packet::int(1)), 2);
        let mut window = VecDeque::new();
        assert_eq!(link.pull(&mut window, 9, packets(0)), Pulled::Some);
        assert_eq!(
            [send(&writer, 2), send(&writer, 3), send(&writer, 4)],
            [Room::For(1), Room::For(1), Room::Full]
        );
        link.release(packets(1));
        assert_eq!(send(&writer, 4), Room::For(1));
        assert_eq!(link.counts().high_water, 3);
    }

    #[test]
    fn drop_oldest_keeps_the_newest_and_drop_new_the_oldest() {
        for (full, kept) in [(Full::DropOldest, [4, 5]), (Full::DropNew, [1, 2])] {
            let (link, writer) = link(2, full);
            for value in 1..=5 {
                assert_eq!(send(&writer, value), Room::For(1));
            }
            let mut window = VecDeque::new();
            while link.pull(&mut window, 9, packets(0)) == Pulled::Some {}
            assert_eq!(window, kept.map(Packet::int));
            assert_eq!((link.counts().sent, link.counts().shed), (5, 3));
        }
    }

    #[test]
    fn the_least_important_packet_is_shed_first() {
        for (full, kept) in [(Full::DropOldest, [2, 5]), (Full::DropNew, [2, 5])] {
            let (link, writer) = link(2, full);
            for (value, important) in [(1, false), (2, true), (3, false), (5, true), (6, false)] {
                let mut headers = Headers::default();
                headers.set(names::PRIORITY, if important { "1" } else { "0" });
                let packet = Packet::int(value).with_headers(headers);
                writer.publish(&mut Window::from(packet), 0);
            }
            let mut window = VecDeque::new();
            while link.pull(&mut window, 9, packets(0)) == Pulled::Some {}
            assert_eq!(window, kept.map(Packet::int), "{full}");
        }
    }

    #[test]
    fn a_reader_that_leaves_refuses_and_loses_what_it_did_not_read() {
        let (link, writer) = link(3, Full::Wait);
        send(&writer, 1);
        send(&writer, 2);
        link.close_reader(packets(0), false);
        assert_eq!(send(&writer, 3), Room::Closed);
        assert_eq!(
            link.counts(),
            LinkCounts {
                sent: 2,
                lost_on_close: 2,
                high_water: 2,
                ..LinkCounts::default()
            }
        );
    }

    #[test]
    fn brackets_are_counted_where_they_are_received_and_told_at_the_end() {
        let (link, writer) = link(1, Full::DropOldest);
        for packet in [Packet::open(), Packet::int(1), Packet::close()] {
            writer.publish(&mut Window::from(packet), 0);
        }
        let mut window = VecDeque::new();
        assert_eq!(link.pull(&mut window, 9, packets(0)), Pulled::Some);
        assert_eq!(window, [Packet::close()]);
        link.release(Received::of(&window[0]));
        assert_eq!(link.unbalanced(), 0, "more may come");
        Outlet::close(&writer);
        assert_eq!(link.pull(&mut window, 9, packets(0)), Pulled::End);
        assert_eq!(link.unbalanced(), -1);
    }

    #[test]
    fn a_link_ended_by_quiescence_swallows_and_counts() {
        let (link, writer) = link(1, Full::Wait);
        link.end_by_quiescence();
        assert_eq!(link.pull(&mut VecDeque::new(), 1, packets(0)), Pulled::End);
        assert_eq!(
            [send(&writer, 1), send(&writer, 2)],
            [Room::For(1), Room::For(1)]
        );
        assert_eq!(link.counts().lost_on_close, 2);
    }
}
