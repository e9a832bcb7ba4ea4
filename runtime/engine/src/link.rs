//! A bounded link: one reader, any number of writers, an exact capacity.
//!
//! The capacity counts packets wherever they are: queued, or taken by a turn and not yet received
//! (held), or room promised to a writer's turn (reserved).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use paperflow_core::Packet;
use paperflow_core::turn::{Inlet, Outlet, Pulled, Received, Room, Window};
use paperflow_graph::Full;
use serde::Serialize;

use crate::crowd::{Crowd, Numbers};
use crate::roster::{Roster, Who};
use crate::shed::least;
use crate::sync::{Apart, AtomicUsize, Mutex};

pub(crate) struct Link {
    pub(crate) capacity: usize,
    full: Full,
    pub(crate) reader: Who,
    pub(crate) writers: Vec<Who>,
    /// The innermost re-armed subnet that holds all its ends.
    pub(crate) home: Option<usize>,
    /// The link that takes what this one refuses, and which writer of it each of ours is.
    divert: OnceLock<(Arc<Self>, Vec<usize>)>,
    /// Whether the run is cut short, if the next one goes on with the reader.
    cut: OnceLock<Arc<AtomicBool>>,
    pub(crate) roster: Arc<Roster>,
    /// Nobody else sends, and nothing is shed: the writer can keep count of its own room.
    has_one_writer: bool,
    /// Of the writers that wait for room one is called at a time.
    pub(crate) is_crowded: bool,
    pub(crate) middle: Apart<Middle>,
}

/// Where both ends of a link meet.
#[repr(C)]
pub(crate) struct Middle {
    /// What is in the link as its only writer may know it; the most there can be when it may not.
    gauge: AtomicUsize,
    pub(crate) state: Mutex<State>,
}

/// What both ends write. What every packet changes comes first, in as few cache lines as can be, and the
/// rest is written only when it changes.
#[derive(Default)]
#[repr(C)]
pub(crate) struct State {
    queue: VecDeque<Packet>,
    held: usize,
    reserved: usize,
    sent: u64,
    received: u64,
    high_water: usize,
    /// Writers that have not left.
    writers_left: usize,
    is_deserted: bool,
    /// Its reader has left and wants no more of this life of its subnet.
    is_sated: bool,
    is_ended: bool,
    reader_waits: bool,
    /// Others divert to it and must see the room there is: nobody reserves more than the next packet.
    takes_diverted: bool,
    pub(crate) crowd: Crowd,
    open: Vec<bool>,
    /// Writers that give nothing before the reader waits for it.
    holding_back: Numbers,
    shed: u64,
    lost_on_close: u64,
    /// Packets fed by the embedding program, with what they own.
    fed: u64,
    /// What packets owned that were lost, shed, or received.
    members: Members,
    /// Open brackets without their close brackets among what was received, so far.
    depth: i64,
    /// The same when the reader saw the end of the stream.
    unbalanced: i64,
}

/// Packets owned by others, which the link counts only as these others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Members {
    pub(crate) lost: u64,
    pub(crate) shed: u64,
    received: u64,
}

fn members<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> u64 {
    let owned = packets.into_iter().map(|packet| packet.weight() as u64 - 1);
    owned.sum()
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
        writers: Vec<Who>,
        home: Option<usize>,
        roster: Arc<Roster>,
    ) -> Arc<Self> {
        let state = State {
            open: vec![true; writers.len()],
            writers_left: writers.len(),
            reader_waits: true,
            ..State::default()
        };
        let has_one_writer =
            matches!(writers[..], [Who::Process(_)]) && full == Full::Wait && home.is_none();
        let has_thread =
            matches!(reader, Who::Process(process) if roster.own_thread(process).is_some());
        Arc::new(Self {
            capacity,
            has_one_writer,
            is_crowded: Self::is_crowd(has_thread, &writers),
            full,
            reader,
            writers,
            home,
            divert: OnceLock::new(),
            cut: OnceLock::new(),
            roster,
            middle: Apart::new(Middle {
                gauge: AtomicUsize::new(if has_one_writer { 0 } else { usize::MAX }),
                state: Mutex::new(state),
            }),
        })
    }

    /// The next run goes on with the reader: it does not see an end that comes after this has been set.
    pub(crate) fn outlast(&self, cut: &Arc<AtomicBool>) {
        if self.home.is_none() {
            self.cut.get_or_init(|| Arc::clone(cut));
        }
    }

    fn is_cut_short(&self) -> bool {
        let cut = self.cut.get();
        cut.is_some_and(|cut| cut.load(Ordering::Acquire))
    }

    pub(crate) fn counts(&self) -> LinkCounts {
        self.middle.state.lock().counts()
    }

    /// What was counted, and how much waits for the embedding program.
    pub(crate) fn counts_and_waiting(&self) -> (LinkCounts, u64) {
        let state = self.middle.state.lock();
        let waiting = match self.reader {
            Who::Process(_) => 0,
            Who::External(_) => (state.queue.len() + state.held) as u64,
        };
        (state.counts(), waiting)
    }

    /// What was counted, what of it was owned by other packets, and how much the embedding program has
    /// fed.
    pub(crate) fn counts_and_fed(&self) -> (LinkCounts, Members, u64) {
        let state = self.middle.state.lock();
        (state.counts(), state.members, state.fed)
    }

    /// Packets that somebody outside the network has received, or may still receive.
    pub(crate) fn handed_out(&self) -> u64 {
        let state = self.middle.state.lock();
        let waiting = (state.queue.len() + state.held) as u64 + members(&state.queue);
        state.received + state.members.received + waiting
    }

    /// Open brackets that were received without their close brackets, less stray close brackets, in a
    /// stream that was read to its end.
    pub(crate) fn unbalanced(&self) -> i64 {
        self.middle.state.lock().unbalanced
    }

    /// Whether nobody will write to it again.
    pub(crate) fn is_over(&self) -> bool {
        self.middle.state.lock().is_over()
    }

    pub(crate) fn observe(&self) -> Look {
        let state = self.middle.state.lock();
        Look {
            fill: state.queue.len() + state.held,
            open: state.open.clone(),
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
        state.is_sated = false;
        state.is_ended = false;
        state.depth = 0;
        state.reader_waits = true;
        state.open.fill(true);
        state.writers_left = state.open.len();
    }

    /// What this link refuses goes to `target`, where our writers have these numbers.
    pub(crate) fn divert_to(&self, target: &Arc<Self>, writers: Vec<usize>) {
        let mut state = target.middle.state.lock();
        state.takes_diverted = true;
        target.show(&state);
        drop(state);
        self.middle.gauge.store(usize::MAX, Ordering::Release);
        self.divert.get_or_init(|| (Arc::clone(target), writers));
    }

    /// Which writer of `target` this link's writer is, when it diverts there.
    pub(crate) fn diverted_writer(&self, target: &Arc<Self>, writer: usize) -> Option<usize> {
        let (to, writers) = self.divert.get()?;
        Arc::ptr_eq(to, target).then(|| writers[writer])
    }

    pub(crate) fn close_writer(&self, writer: usize) {
        if let Some((target, writers)) = self.divert.get() {
            target.close_writer(writers[writer]);
        }
        let mut state = self.middle.state.lock();
        if !std::mem::replace(&mut state.open[writer], false) {
            return;
        }
        state.crowd.come(writer);
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
        let left = state.queue.len() + state.held;
        state.lost_on_close += left as u64;
        state.members.lost += members(&state.queue);
        state.held = 0;
        state.lose_queue();
    }

    /// Whether the reader has left and wants no more of this life of its subnet.
    pub(crate) fn is_sated(&self) -> bool {
        self.middle.state.lock().is_sated
    }

    /// Whether a writer never waits.
    fn sheds(&self) -> bool {
        self.full != Full::Wait || self.diverts()
    }

    fn diverts(&self) -> bool {
        self.divert.get().is_some()
    }

    /// Puts a packet in, or sheds one. Gives it back when it is to go elsewhere.
    fn accept(&self, state: &mut State, packet: Packet) -> Option<Packet> {
        let is_gone = state.is_deserted || state.is_ended;
        let is_full = self.sheds() && state.queue.len() >= self.capacity;
        if self.diverts() && is_full && !is_gone {
            return Some(packet);
        }
        state.sent += 1;
        if is_gone {
            state.lose(&packet);
            state.lost_on_close += 1;
            state.members.lost += members([&packet]);
            return None;
        }
        if is_full {
            state.shed += 1;
            let Some(victim) = least(&state.queue, &packet, self.full) else {
                state.members.shed += members([&packet]);
                return None;
            };
            let victim = state.queue.remove(victim);
            state.members.shed += members(&victim);
        }
        state.queue.push_back(packet);
        None
    }

    /// Sends on what this link had no room for; what has no room there either is shed.
    fn send_elsewhere(&self, packets: Vec<Packet>) {
        for packet in packets {
            let owned = members([&packet]);
            let taken = self
                .divert
                .get()
                .is_some_and(|(target, _)| target.take_diverted(packet));
            if !taken {
                let mut state = self.middle.state.lock();
                state.sent += 1;
                state.shed += 1;
                state.members.shed += owned;
            }
        }
    }

    fn take_diverted(&self, packet: Packet) -> bool {
        let mut state = self.middle.state.lock();
        let is_full = !self.sheds() && state.used() >= self.capacity;
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

impl State {
    fn is_over(&self) -> bool {
        self.is_ended || self.writers_left == 0
    }

    const fn counts(&self) -> LinkCounts {
        LinkCounts {
            sent: self.sent,
            received: self.received,
            shed: self.shed,
            lost_on_close: self.lost_on_close,
            high_water: self.high_water,
        }
    }

    /// Nobody handles what is still here.
    fn lose_queue(&mut self) {
        for packet in std::mem::take(&mut self.queue) {
            self.lose(&packet);
        }
    }

    /// Nobody handles this packet. One that a sated reader left is done with.
    fn lose(&self, packet: &Packet) {
        if !self.is_sated {
            packet.release();
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.queue.len() + self.held + self.reserved
    }
}

impl Inlet for Link {
    fn pull(&self, window: &mut VecDeque<Packet>, most: usize, released: Received) -> Pulled {
        self.pull_as(false, window, most, released)
    }

    fn pull_to_rest(
        &self,
        window: &mut VecDeque<Packet>,
        most: usize,
        released: Received,
    ) -> Pulled {
        self.pull_as(true, window, most, released)
    }

    fn stride(&self) -> usize {
        self.half()
    }

    fn look(&self) -> Pulled {
        let mut state = self.middle.state.lock();
        if !state.queue.is_empty() {
            return Pulled::Some;
        }
        let holding_back = state.holding_back.take();
        let found = state.nothing();
        drop(state);
        self.wake_all(&holding_back);
        found
    }

    fn release(&self, received: Received) {
        let mut state = self.middle.state.lock();
        let waiting = self.let_go(&mut state, received);
        drop(state);
        self.wake_all(&waiting);
    }

    fn put_back(&self, window: &mut VecDeque<Packet>) {
        let mut state = self.middle.state.lock();
        if self.sheds() {
            state.received -= window.len() as u64;
        } else {
            state.held = state.held.saturating_sub(window.len());
        }
        while let Some(packet) = window.pop_back() {
            state.queue.push_front(packet);
        }
        // Others may have filled a link that sheds: it is the oldest that has no room now.
        while self.sheds() && state.queue.len() > self.capacity {
            let victim = state.queue.pop_front();
            state.members.shed += members(&victim);
            state.shed += 1;
        }
    }

    fn close(&self, unread: Received, is_sated: bool) -> bool {
        let mut state = self.middle.state.lock();
        // Only a link that ends with a life of its subnet: what waits in others is for another run.
        state.is_sated = is_sated && self.home.is_some();
        let is_done_with = state.is_sated;
        let lost = (state.queue.len() + unread.packets) as u64;
        if self.sheds() {
            state.received -= unread.packets as u64;
        } else {
            state.held = state.held.saturating_sub(unread.packets);
        }
        state.lost_on_close += lost;
        state.members.lost += unread.members + members(&state.queue);
        state.lose_queue();
        state.is_deserted = true;
        self.show(&state);
        let mut waiting = self.call_all(&mut state);
        // A writer may wait for room elsewhere that only this reader could have made.
        let open = state.open.iter().enumerate();
        open.filter(|(_, is_open)| **is_open)
            .for_each(|(at, _)| waiting.add(at));
        drop(state);
        self.wake_all(&waiting);
        is_done_with
    }
}

impl Link {
    /// `rests`: the reader waits without a further look once it has received all there was.
    fn pull_as(
        &self,
        rests: bool,
        window: &mut VecDeque<Packet>,
        most: usize,
        released: Received,
    ) -> Pulled {
        let mut state = self.middle.state.lock();
        let mut waiting = self.let_go(&mut state, released);
        let mut holding_back = Numbers::default();
        let pulled = if state.queue.is_empty() {
            holding_back = state.holding_back.take();
            state.nothing()
        } else if self.sheds() {
            window.extend(state.queue.pop_front());
            state.received += 1;
            Pulled::Some
        } else {
            state.move_into(window, most);
            if rests && state.queue.is_empty() && !state.is_over() {
                state.reader_waits = true;
                if let ([only], []) = window.as_slices() {
                    let more = self.let_go(&mut state, Received::of(only));
                    waiting = if waiting.first.is_some() {
                        waiting
                    } else {
                        more
                    };
                }
                Pulled::All
            } else {
                Pulled::Some
            }
        };
        drop(state);
        self.wake_all(&waiting);
        self.wake_all(&holding_back);
        pulled
    }

    /// These packets have been received: whoever waited for their room is to be woken.
    fn let_go(&self, state: &mut State, received: Received) -> Numbers {
        if received.depth != 0 || received.members != 0 {
            state.depth += received.depth;
            state.members.received += received.members;
        }
        let count = received.packets;
        if count == 0 || self.sheds() {
            return Numbers::default();
        }
        // After a run was cut short, a thread that was left behind may release what has been abandoned.
        let count = count.min(state.held);
        state.held -= count;
        state.received += count as u64;
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
        self.capacity.checked_sub(used).filter(|room| *room > 0)
    }

    /// Whether the only writer keeps count of its own room: what it has pending is not reserved.
    fn gives_own_room(&self) -> bool {
        self.has_one_writer && !self.diverts()
    }

    /// Lets the only writer know what is in the link; to be called with whatever changes that.
    fn show(&self, state: &State) {
        if self.gives_own_room() {
            let is_usual = !(state.is_deserted || state.is_ended || state.takes_diverted);
            let used = if is_usual {
                state.queue.len() + state.held
            } else {
                usize::MAX
            };
            self.middle.gauge.store(used, Ordering::Release);
        }
    }

    fn half(&self) -> usize {
        (self.capacity / 2).max(1)
    }

    pub(crate) fn wake_all(&self, waiting: &Numbers) {
        let Some(first) = waiting.first else { return };
        self.roster.wake_who(&self.writers[first]);
        for writer in &waiting.more {
            self.roster.wake_who(&self.writers[*writer]);
        }
    }
}

impl State {
    /// Moves packets to a reader's window.
    fn move_into(&mut self, window: &mut VecDeque<Packet>, most: usize) {
        if window.is_empty() && self.queue.len() <= most {
            std::mem::swap(window, &mut self.queue);
            self.held += window.len();
        } else {
            let most = most.min(self.queue.len());
            window.extend(self.queue.drain(..most));
            self.held += most;
        }
    }

    /// The queue is empty: for now or for ever.
    fn nothing(&mut self) -> Pulled {
        if self.is_over() || self.is_deserted {
            if !self.is_deserted && self.unbalanced == 0 {
                self.unbalanced = self.depth;
            }
            return Pulled::End;
        }
        self.reader_waits = true;
        Pulled::Empty
    }

    /// After packets have come: whether the reader is to be called.
    fn settle(&mut self) -> bool {
        let fill = self.queue.len() + self.held;
        self.high_water = self.high_water.max(fill);
        !self.queue.is_empty() && std::mem::take(&mut self.reader_waits)
    }
}

/// One arrow into a link.
pub(crate) struct Writer {
    pub(crate) link: Arc<Link>,
    pub(crate) index: usize,
}

impl Outlet for Writer {
    fn own_room(&self, pending: usize) -> usize {
        self.link.room_of_only_writer(pending).unwrap_or(0)
    }

    fn reserve(&self, most: usize, pending: usize) -> Room {
        let link = &self.link;
        let mut state = link.middle.state.lock();
        if state.is_deserted && !state.is_ended {
            return Room::Closed;
        }
        if state.is_ended || link.sheds() {
            return Room::For(1);
        }
        let is_own = link.gives_own_room() && !state.takes_diverted;
        let pending = if is_own { pending } else { 0 };
        let room = link.capacity.saturating_sub(state.used() + pending);
        if room == 0 {
            link.wait(&mut state, self.index);
            return Room::Full;
        }
        if link.is_crowded {
            state.crowd.come(self.index);
        }
        // Who has a link to itself takes room from nobody.
        let granted = if state.takes_diverted {
            1
        } else if link.writers.len() > 1 {
            room.min(most).min(link.half())
        } else {
            room.min(most)
        };
        if !is_own {
            state.reserved += granted;
        }
        Room::For(granted)
    }

    fn publish(&self, window: &mut Window, unused: usize) {
        let link = &self.link;
        let mut state = link.middle.state.lock();
        if matches!(link.writers[self.index], Who::External(_)) {
            state.fed += window.weight();
        }
        state.reserved = state.reserved.saturating_sub(window.len() + unused);
        let mut refused = Vec::new();
        if link.sheds() || state.is_deserted || state.is_ended {
            for packet in window.drain() {
                refused.extend(link.accept(&mut state, packet));
            }
        } else {
            let state = &mut *state;
            state.sent += window.len() as u64;
            window.empty_into(&mut state.queue);
        }
        let call = state.settle();
        link.show(&state);
        let waiting = if unused > 0 {
            link.call(&mut state)
        } else {
            Numbers::default()
        };
        drop(state);
        if call {
            link.roster.wake_who(&link.reader);
        }
        link.wake_all(&waiting);
        if !refused.is_empty() {
            link.send_elsewhere(refused);
        }
    }

    fn stride(&self) -> usize {
        self.link.half()
    }

    fn close(&self) {
        self.link.close_writer(self.index);
    }

    fn backlog(&self) -> usize {
        let state = self.link.middle.state.lock();
        state.queue.len() + state.held
    }

    fn is_awaited(&self) -> bool {
        let mut state = self.link.middle.state.lock();
        let is_empty = state.used() == 0;
        let is_awaited = is_empty && state.reader_waits || state.is_deserted || state.is_ended;
        if !is_awaited {
            state.holding_back.add(self.index);
        }
        is_awaited
    }

    fn is_sated(&self) -> bool {
        self.link.is_sated()
    }
}

#[cfg(test)]
mod tests {
    use paperflow_core::Headers;
    use paperflow_core::headers::names;

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
        link.close(packets(0), false);
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
