//! A consumer group while the store is open: who reads what, what is in whose hands, how far it has come.
//!
//! This is the memory of a group and nothing else: it reads no clock and no disk. What is to be written is
//! taken out with [`Group::unsaved`], and said to be written, or not, afterwards.

#[cfg(feature = "assigned")]
mod assigned;
#[cfg(feature = "amqp")]
mod placed;
mod verdict;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::Waker;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::{Disposition, Failure, OnError, Recall};

#[cfg(any(feature = "nats", feature = "redis"))]
pub(crate) use assigned::Report;
#[cfg(feature = "amqp")]
pub(crate) use placed::Place;
use verdict::Case;
pub(crate) use verdict::{Rules, Verdict};

use crate::clock::Clock;

use super::handed::Handed;
use super::log::Record;
use super::mark::{Failed, Next, Offset, Reading};
use super::shares::{Member, Shares};

/// A group of consumers of a stream.
#[derive(Debug, Default)]
pub(crate) struct Group {
    name: String,
    shares: Shares,
    members: BTreeMap<Member, Seat>,
    partitions: Vec<Partition>,
    /// Deliveries in somebody's hands, by ticket.
    flights: BTreeMap<u64, Flight>,
    /// Records whose copies are not safe yet.
    copying: usize,
    last: u64,
}

/// A consumer of the group.
#[derive(Debug)]
struct Seat {
    name: String,
    waker: Waker,
    /// It has been told that there is nothing.
    is_waiting: bool,
    /// The partition it is to be served from first.
    turn: usize,
}

/// What a group knows of a partition.
#[derive(Debug, Default)]
struct Partition {
    reading: Reading,
    /// Records that were read from the disk and not delivered.
    page: Page,
    state: Kept,
    /// What is on the disk.
    saved: Kept,
    /// Whether `state` or the mark differs from what is on the disk.
    is_unsaved: bool,
    /// Records whose failures differ from what is on the disk.
    unsaved: BTreeSet<Offset>,
}

/// What is kept of a group and a partition beside the failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Everything before this is finished.
    pub(crate) mark: Offset,
    /// Records before this were delivered before, in an earlier reading.
    pub(crate) replayed: Offset,
    /// Records that failed and were left behind.
    pub(crate) skipped: u64,
    /// Records that were kept no more before they were delivered.
    pub(crate) expired: u64,
}

/// A delivery that is not settled.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) ticket: u64,
    pub(crate) partition: usize,
    pub(crate) offset: Offset,
    member: Member,
    epoch: u64,
    /// Which delivery of the record it is, from 1; a record that was copied to a delay stream before
    /// counts from there.
    pub(crate) attempt: u32,
    recall: Recall,
}

/// What follows from a settlement.
#[derive(Debug)]
pub(crate) enum Follow {
    /// Nothing: nobody knows the delivery any more.
    Nothing,
    /// The group has something to save.
    Save,
    /// The record is to be copied; the mark does not pass it before that is safe.
    Copy(Box<Copy>),
}

/// A record that is to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) flight: Flight,
    pub(crate) to: To,
    pub(crate) failure: Option<Failure>,
    /// What is known of earlier failures.
    pub(crate) failed: Option<Failed>,
    /// It is left behind, beside being copied.
    pub(crate) is_skipped: bool,
}

/// Where a record is copied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// To where those go whose tries are used up.
    Dead,
    /// There too, at once.
    Rejected,
    /// To where those go that cannot be read.
    Invalid,
    /// To the delay stream, for so long.
    Delay(Duration),
}

/// Something to write: the state of a partition, and failures in it, each nothing when it is over.
#[derive(Debug)]
pub(crate) struct Unsaved {
    pub(crate) partition: usize,
    pub(crate) state: Kept,
    pub(crate) failures: Vec<(Offset, Option<Failed>)>,
}

/// How a group stands with a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: Kept,
    pub(crate) unsettled: usize,
    /// The name of the consumer, and the epoch.
    pub(crate) owner: Option<(String, u64)>,
}

/// What a receive came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Records were handed out.
    Some,
    /// There are none now.
    Nothing(Prospect),
    /// Records of a partition from an offset on are to be read from the disk first, see [`Group::put`].
    Lacks(usize, Offset),
}

/// What may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prospect {
    /// When a record that rests is due, see [`Now::elapsed`].
    pub(crate) due: Option<Duration>,
    /// Deliveries of this consumer that are not settled.
    pub(crate) unsettled: usize,
    /// Deliveries of the other consumers of the group that are not settled, and what they are still to get.
    pub(crate) elsewhere: usize,
    /// Records that failed are being copied; everybody is called when they are.
    pub(crate) is_copying: bool,
}

/// The present, twice: as the clock on the wall has it, for what is kept, and as time that only goes on,
/// for what is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) wall: Moment,
    pub(crate) elapsed: Duration,
}

impl Now {
    /// What a clock tells.
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.wall(),
            elapsed: clock.elapsed(),
        }
    }

    /// How much time will have gone by at a moment.
    pub(crate) fn elapsed_at(self, moment: Moment) -> Duration {
        self.elapsed + moment.saturating_sub(self.wall)
    }

    /// What the wall will say when so much time has gone by.
    pub(crate) fn wall_at(self, elapsed: Duration) -> Moment {
        self.wall + elapsed.saturating_sub(self.elapsed)
    }
}

/// Records that were read from the disk: all that are kept of a range.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) from: Offset,
    pub(crate) end: Offset,
    pub(crate) records: VecDeque<Record>,
}

impl Group {
    /// A group as it was kept: for each partition its state and its failures.
    pub(crate) fn new(name: &str, kept: Vec<(Kept, Vec<(Offset, Failed)>)>) -> Self {
        let mut group = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        group.grow(kept);
        group
    }

    /// The stream has more partitions.
    pub(crate) fn grow(&mut self, kept: Vec<(Kept, Vec<(Offset, Failed)>)>) {
        let more = kept.into_iter().skip(self.partitions.len());
        self.partitions
            .extend(more.map(|(state, failed)| Partition {
                reading: Reading::at(state.mark, failed),
                state,
                saved: state,
                ..Partition::default()
            }));
        self.shares.grow(self.partitions.len());
        self.balance();
    }

    /// A consumer comes; gives its number.
    pub(crate) fn join(&mut self, name: &str, waker: Waker) -> Member {
        self.last += 1;
        let member = self.last;
        let seat = Seat {
            name: name.to_owned(),
            waker,
            is_waiting: false,
            turn: 0,
        };
        self.members.insert(member, seat);
        self.shares.join(member);
        self.balance();
        member
    }

    /// A consumer gets no more records, and goes once what it has is settled.
    pub(crate) fn retire(&mut self, member: Member) {
        self.shares.retire(member);
        self.balance();
    }

    /// A consumer goes; what it has not settled is delivered again, to somebody else.
    pub(crate) fn leave(&mut self, member: Member) {
        if self.members.remove(&member).is_none() {
            return;
        }
        for (ticket, flight) in self
            .flights
            .extract_if(.., |_, flight| flight.member == member)
        {
            let reading = &mut self.partitions[flight.partition].reading;
            reading.release(flight.offset, ticket);
        }
        self.shares.leave(member);
        self.balance();
    }

    fn balance(&mut self) {
        let partitions = &self.partitions;
        let is_busy = |at: usize| partitions[at].reading.unsettled() > 0;
        if !self.shares.balance(is_busy) {
            return;
        }
        for (at, partition) in self.partitions.iter_mut().enumerate() {
            if self.shares.owner(at).is_none() {
                partition.page = Page::default();
            }
        }
        self.call();
    }

    /// Calls everybody who has been told that there is nothing.
    pub(crate) fn call(&mut self) {
        for seat in self.members.values_mut() {
            if std::mem::take(&mut seat.is_waiting) {
                seat.waker.wake_by_ref();
            }
        }
    }

    /// Hands out up to `most` records to a consumer; `ends` has the end of each partition.
    pub(crate) fn receive(
        &mut self,
        member: Member,
        (most, now): (usize, Duration),
        ends: &[Offset],
        into: &mut Vec<Handed>,
    ) -> Received {
        let order = self.order(member);
        let (before, mut due) = (into.len(), None);
        for (rank, at) in order.iter().enumerate() {
            // Each of the partitions has its share of the room that is left.
            let left = most - (into.len() - before);
            let share = left.div_ceil(order.len() - rank);
            let end = ends.get(*at).copied().unwrap_or_default();
            match self.hand_out(member, *at, (share, now, end), into) {
                Stop::Rest(until) => due = earlier(due, Some(until)),
                Stop::Lacks(offset) if into.len() == before => {
                    return Received::Lacks(*at, offset);
                }
                Stop::Enough | Stop::Lacks(_) => {}
            }
        }
        if into.len() > before {
            if let (Some(seat), Some(first)) = (self.members.get_mut(&member), order.first()) {
                seat.turn = first + 1;
            }
            return Received::Some;
        }
        if let Some(seat) = self.members.get_mut(&member) {
            seat.is_waiting = true;
        }
        let own = self.unsettled_by(member);
        Received::Nothing(Prospect {
            due,
            unsettled: own,
            elsewhere: self.flights.len() - own + self.unread_by_others(member, ends),
            is_copying: self.copying > 0,
        })
    }

    /// Records that others are to receive: if they leave, somebody else is.
    fn unread_by_others(&self, member: Member, ends: &[Offset]) -> usize {
        let partitions = self.partitions.iter().zip(ends).enumerate();
        let unread = partitions.map(|(at, (partition, end))| {
            let is_own = self
                .shares
                .owner(at)
                .is_some_and(|owner| owner.member == member);
            if is_own {
                0
            } else {
                partition.reading.unread(*end)
            }
        });
        usize::try_from(unread.sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// The partitions of a consumer, another one first each time.
    fn order(&self, member: Member) -> Vec<usize> {
        let turn = self.members.get(&member).map_or(0, |seat| seat.turn);
        let own = self.shares.read_by(member);
        let (early, late): (Vec<usize>, Vec<usize>) = own.partition(|at| *at < turn);
        [late, early].concat()
    }

    /// Hands out up to `most` records of a partition.
    fn hand_out(
        &mut self,
        member: Member,
        at: usize,
        (most, now, end): (usize, Duration, Offset),
        into: &mut Vec<Handed>,
    ) -> Stop {
        let epoch = self.shares.owner(at).map_or(0, |owner| owner.epoch);
        let partition = &mut self.partitions[at];
        let full = into.len() + most;
        while into.len() < full {
            let wanted = match partition.reading.next(now, end) {
                Next::Record(offset) => offset,
                Next::Rest(until) => return Stop::Rest(until),
                Next::Nothing => return Stop::Enough,
            };
            if !partition.page.covers(wanted) {
                return Stop::Lacks(wanted);
            }
            let Some(record) = partition.record(wanted) else {
                continue;
            };
            self.last += 1;
            let (ticket, offset) = (self.last, record.offset);
            let attempt = partition.reading.deliver(offset, ticket) - 1 + record.attempt;
            if record.is_for_others(&self.name) {
                partition.finish(offset, ticket);
                continue;
            }
            let flight = Flight {
                ticket,
                partition: at,
                offset,
                member,
                epoch,
                attempt,
                recall: Recall::possible(),
            };
            let recall = flight.recall.clone();
            self.flights.insert(ticket, flight);
            into.push(Handed {
                ticket,
                attempt,
                is_replayed: offset < partition.state.replayed,
                recall,
                record,
            });
        }
        Stop::Enough
    }

    /// Records have been read from the disk.
    pub(crate) fn put(&mut self, partition: usize, page: Page) {
        if let Some(partition) = self.partitions.get_mut(partition) {
            partition.page = page;
        }
    }

    /// What becomes of a delivery.
    pub(crate) fn settle(&mut self, member: Member, ticket: u64, verdict: Verdict) -> Follow {
        let is_own = |flight: &Flight| flight.member == member;
        if !self.flights.get(&ticket).is_some_and(is_own) {
            return Follow::Nothing;
        }
        let Some(flight) = self.flights.remove(&ticket) else {
            return Follow::Nothing;
        };
        if !self
            .shares
            .is_current(flight.partition, member, flight.epoch)
        {
            return Follow::Nothing;
        }
        let partition = &mut self.partitions[flight.partition];
        let (offset, ticket) = (flight.offset, flight.ticket);
        let follow = match verdict {
            Verdict::Done => {
                partition.finish(offset, ticket);
                Follow::Save
            }
            Verdict::Released => {
                partition.reading.release(offset, ticket);
                Follow::Save
            }
            Verdict::Failed(case) => self.decide(flight, *case),
        };
        self.balance();
        follow
    }

    fn decide(&mut self, flight: Flight, case: Case) -> Follow {
        let Case {
            disposition,
            failure,
            now,
            chance,
            rules,
        } = case;
        let partition = &mut self.partitions[flight.partition];
        let (offset, ticket) = (flight.offset, flight.ticket);
        let is_last = flight.attempt > rules.retries;
        let rest = rules.delay.after(flight.attempt, chance);
        let to = match (disposition, &rules.on_error) {
            (Disposition::Reject, _) => To::Rejected,
            (Disposition::Invalid, _) => To::Invalid,
            (_, OnError::Skip) => {
                partition.finish(offset, ticket);
                partition.state.skipped += 1;
                return Follow::Save;
            }
            (_, OnError::Retry) if !is_last => {
                let until = now.elapsed.saturating_add(rest);
                partition.reading.fail(offset, ticket, now.wall, until);
                partition.unsaved.insert(offset);
                self.recall_behind(flight.partition, offset);
                return Follow::Save;
            }
            (_, OnError::Copy(_)) if !is_last => To::Delay(rest),
            _ => To::Dead,
        };
        let failed = partition.reading.failed(offset);
        self.copying += 1;
        Follow::Copy(Box::new(Copy {
            flight,
            to,
            failure,
            failed,
            is_skipped: rules.on_error == OnError::Skip,
        }))
    }

    /// What was delivered behind a record that failed, and is not handled yet, is to come behind it again.
    fn recall_behind(&self, partition: usize, offset: Offset) {
        let flights = self.flights.values();
        let behind =
            flights.filter(|flight| flight.partition == partition && flight.offset > offset);
        behind.for_each(|flight| flight.recall.recall());
    }

    /// The copy of a record is safe; or it could not be written, and the record rests until then.
    pub(crate) fn copied(&mut self, copy: &Copy, refused: Option<Duration>) {
        let (offset, ticket) = (copy.flight.offset, copy.flight.ticket);
        self.copying = self.copying.saturating_sub(1);
        let partition = &mut self.partitions[copy.flight.partition];
        match refused {
            None => {
                partition.finish(offset, ticket);
                partition.state.skipped += u64::from(copy.is_skipped);
            }
            Some(until) => partition.reading.rest(offset, ticket, until),
        }
        self.balance();
        self.call();
    }

    /// Whether there is something to be written.
    pub(crate) fn is_unsaved(&self) -> bool {
        let is_unsaved = |at: &Partition| at.is_unsaved || !at.unsaved.is_empty();
        self.partitions.iter().any(is_unsaved)
    }

    /// Takes out what is to be written.
    pub(crate) fn unsaved(&mut self) -> Vec<Unsaved> {
        let partitions = self.partitions.iter_mut().enumerate();
        partitions
            .filter_map(|(at, partition)| partition.take_unsaved(at))
            .collect()
    }

    /// What was taken out was not written.
    pub(crate) fn not_saved(&mut self, unsaved: &[Unsaved]) {
        for Unsaved {
            partition,
            failures,
            ..
        } in unsaved
        {
            let partition = &mut self.partitions[*partition];
            partition.is_unsaved = true;
            // Other than anything there can be.
            partition.saved.mark = Offset::MAX;
            let offsets = failures.iter().map(|(offset, _)| *offset);
            partition.unsaved.extend(offsets);
        }
    }

    /// Goes on from other offsets, one for each partition, or stays where it is. What is in somebody's
    /// hands of a partition that moves has no say any more.
    pub(crate) fn seek(&mut self, offsets: &[Option<Offset>]) {
        for (at, offset) in offsets.iter().enumerate() {
            let (Some(partition), Some(offset)) = (self.partitions.get_mut(at), offset) else {
                continue;
            };
            self.flights.retain(|_, flight| flight.partition != at);
            let reached = partition.reading.reached();
            partition.unsaved.extend(partition.reading.all_failed());
            partition.reading.seek(*offset);
            partition.page = Page::default();
            partition.state.replayed = partition.state.replayed.max(reached);
            partition.is_unsaved = true;
        }
        self.balance();
        self.call();
    }

    /// Records before these offsets, one for each partition, have been delivered before.
    pub(crate) fn replays_until(&mut self, ends: &[Offset]) {
        for (partition, end) in self.partitions.iter_mut().zip(ends) {
            partition.state.replayed = partition.state.replayed.max(*end);
            partition.is_unsaved = true;
        }
    }

    /// How it stands with a partition.
    pub(crate) fn standing(&self, at: usize) -> Standing {
        let Some(partition) = self.partitions.get(at) else {
            return Standing {
                state: Kept::default(),
                unsettled: 0,
                owner: None,
            };
        };
        let owner = self.shares.owner(at);
        let name = |member: Member| self.members.get(&member).map(|seat| seat.name.clone());
        Standing {
            state: partition.present(),
            unsettled: partition.reading.unsettled(),
            owner: owner.and_then(|owner| Some((name(owner.member)?, owner.epoch))),
        }
    }

    /// The names of its consumers, in the order in which they came.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.values().map(|seat| seat.name.as_str())
    }

    /// Whether anybody reads.
    pub(crate) fn is_live(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether anybody is to get more records.
    pub(crate) fn is_read(&self) -> bool {
        self.shares.is_live()
    }

    /// How many records it has still to receive, or to receive again. What is in the hands of its consumers
    /// does not count: who keeps all of it to the end would wait for ever.
    pub(crate) fn lag(&self, ends: &[Offset]) -> u64 {
        let partitions = self.partitions.iter().zip(ends);
        let lags = partitions.map(|(partition, end)| partition.reading.unread(*end));
        lags.sum()
    }

    fn unsettled_by(&self, member: Member) -> usize {
        let flights = self.flights.values();
        flights.filter(|flight| flight.member == member).count()
    }
}

impl Partition {
    /// The first record that is kept from `wanted` on, which the page covers; nothing when it has none.
    fn record(&mut self, wanted: Offset) -> Option<Record> {
        let records = &mut self.page.records;
        while records
            .pop_front_if(|first| first.offset < wanted)
            .is_some()
        {}
        let record = records.pop_front();
        let found = record
            .as_ref()
            .map_or(self.page.end, |record| record.offset);
        self.page.from = record.as_ref().map_or(found, |_| found + 1);
        if found > wanted {
            self.state.expired += self.reading.pass(found);
            self.is_unsaved = true;
        }
        record
    }

    fn finish(&mut self, offset: Offset, ticket: u64) {
        if self.reading.failed(offset).is_some() {
            self.unsaved.insert(offset);
        }
        self.reading.finish(offset, ticket);
        self.is_unsaved = true;
    }

    fn present(&self) -> Kept {
        Kept {
            mark: self.reading.mark(),
            ..self.state
        }
    }

    fn take_unsaved(&mut self, at: usize) -> Option<Unsaved> {
        let state = self.present();
        let is_changed = std::mem::take(&mut self.is_unsaved) && state != self.saved;
        if !is_changed && self.unsaved.is_empty() {
            return None;
        }
        self.saved = state;
        let offsets = std::mem::take(&mut self.unsaved).into_iter();
        let failures = offsets.map(|offset| (offset, self.reading.failed(offset)));
        Some(Unsaved {
            partition: at,
            state,
            failures: failures.collect(),
        })
    }
}

impl Page {
    fn covers(&self, offset: Offset) -> bool {
        (self.from..self.end).contains(&offset)
    }
}

/// Why no more is handed out of a partition.
enum Stop {
    /// There is no more, or no more is wanted.
    Enough,
    /// A record that failed rests until then.
    Rest(Duration),
    /// Records from there on are not in memory.
    Lacks(Offset),
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}
