//! What a consumer of a stream does, also when nobody asks it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use paperflow_core::connector::{Delivery, Disposition, Settlement, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Id;
use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::BaseConsumer;

use super::ears::{self, Ears};
use super::shelf::{Shelf, Taken};
use super::stream::Stream;
use super::wire::raw_offset;
use super::{Inner, note};
use crate::fault::unavailable;
use crate::stream::group::{Copy, Follow, Group, Now, Prospect, Received, Unsaved, Verdict};
use crate::stream::handed::Handed;
use crate::stream::mark::Offset;
use crate::stream::shares::Member;

pub(super) struct Reading {
    pub(super) stream: Arc<Stream>,
    pub(super) name: String,
    /// How its group knows it: no other has that name, here or elsewhere.
    pub(super) client: String,
    pub(super) group: String,
    pub(super) number: u64,
    pub(super) state: Mutex<State>,
    /// The client; nothing when it has left.
    pub(super) consumer: Mutex<Option<Arc<BaseConsumer<Ears>>>>,
    /// Who commits does so alone, and a partition is let go of alone.
    pub(super) commits: Mutex<()>,
    /// Rings when records have come.
    pub(super) bell: Sender<()>,
    pub(super) rung: Receiver<()>,
}

pub(super) struct State {
    pub(super) group: Group,
    pub(super) member: Member,
    /// The partitions that it has.
    pub(super) shelves: BTreeMap<usize, Shelf>,
    /// Those of them that others are to have, once nothing of them is held.
    pub(super) leaving: BTreeSet<usize>,
    /// Partitions that it has lost, since no sign of life came through, and may get again.
    pub(super) lost: BTreeSet<usize>,
    /// The offset that was committed last for each partition, as far as it is known.
    pub(super) known: BTreeMap<usize, Offset>,
    /// What others were told last of what is in its hands, for each partition.
    pub(super) told: BTreeMap<usize, u64>,
    /// How often it was given or lost partitions.
    pub(super) epoch: u64,
    /// The identities of what is in its hands, for what is set aside.
    pub(super) ids: BTreeMap<u64, Id>,
    /// Records that are to be copied.
    pub(super) copies: Vec<(Copy, Id)>,
    /// How far it is has not been committed.
    pub(super) is_dirty: bool,
    /// It has been told which partitions it has, if only that there is none.
    pub(super) has_joined: bool,
    pub(super) has_retired: bool,
    pub(super) has_left: bool,
    /// What the brokers said when it found nothing, and others had something.
    pub(super) seen: Option<super::reader::Seen>,
}

impl State {
    pub(super) fn new(group: &str) -> Self {
        let (group, member) = Group::assigned(group);
        Self {
            group,
            member,
            shelves: BTreeMap::new(),
            leaving: BTreeSet::new(),
            lost: BTreeSet::new(),
            known: BTreeMap::new(),
            told: BTreeMap::new(),
            epoch: 0,
            ids: BTreeMap::new(),
            copies: Vec::new(),
            is_dirty: false,
            has_joined: false,
            has_retired: false,
            has_left: false,
            seen: None,
        }
    }

    /// Others are to have a partition: nothing more of it is handed out.
    pub(super) fn leaves(&mut self, at: usize) {
        self.group.leaves(at, true);
        self.leaving.insert(at);
    }

    /// Whether something of some partitions is in its hands.
    pub(super) fn holds(&self, partitions: &[usize]) -> bool {
        let mut reports = self.group.reports().into_iter();
        reports.any(|report| report.unsettled > 0 && partitions.contains(&report.partition))
    }

    /// How many records of a partition behind its mark are not to be received any more: in its hands, or done.
    fn held(&self, at: usize) -> u64 {
        let mark = self.group.standing(at).state.mark;
        let mut reports = self.group.reports().into_iter();
        let report = reports.find(|report| report.partition == at);
        report.map_or(0, |report| {
            report.reached.saturating_sub(mark + report.again)
        })
    }

    /// Partitions of which others know wrongly what is in its hands, beside those that are written anyway.
    fn untold(&self, saved: &[Unsaved]) -> Vec<Unsaved> {
        let known = |at: usize| saved.iter().any(|saved| saved.partition == at);
        let told = |at: &usize| self.told.get(at).copied().unwrap_or_default();
        let own = self.shelves.keys().copied();
        let untold = own.filter(|at| !known(*at) && self.held(*at) != told(at));
        let unsaved = untold.map(|partition| Unsaved {
            partition,
            state: self.group.standing(partition).state,
            failures: Vec::new(),
        });
        unsaved.collect()
    }

    /// A partition is lost. What is held of it stays, in case that nobody else has it meanwhile.
    pub(super) fn lose(&mut self, at: usize) {
        self.shelves.remove(&at);
        self.leaving.remove(&at);
        self.group.leaves(at, true);
        self.lost.insert(at);
        self.has_joined = false;
    }

    /// Where to go on with a partition that was lost: nothing if somebody else has got on with it meanwhile, or
    /// has sent its group back.
    pub(super) fn resumes(&self, at: usize, committed: Offset) -> Option<Offset> {
        let known = self.known.get(&at).filter(|_| self.lost.contains(&at))?;
        let is_own = (*known..=self.group.standing(at).state.mark).contains(&committed);
        let mut reports = self.group.reports().into_iter();
        let report = reports.find(|report| report.partition == at && is_own)?;
        Some(report.reached)
    }

    /// A partition is in other hands: what is held of it has no say any more.
    pub(super) fn let_go(&mut self, at: usize) {
        self.shelves.remove(&at);
        self.leaving.remove(&at);
        self.group.take_away(at);
        let gone = |(copy, _): &mut (Copy, Id)| copy.flight.partition == at;
        for (copy, _) in self.copies.extract_if(.., gone) {
            self.group.copied(&copy, None);
        }
    }
}

/// What there is to hand out when nothing was.
pub(super) struct Lack {
    pub(super) prospect: Prospect,
    /// When the first copy comes back, by time that only goes on.
    pub(super) back: Option<Duration>,
    /// Partitions of which records are wanted that have not come, and from where on.
    pub(super) awaited: Vec<(usize, Offset)>,
}

impl Reading {
    /// The client.
    pub(super) fn consumer(&self) -> Result<Arc<BaseConsumer<Ears>>, StoreFault> {
        let consumer = self.consumer.lock().clone();
        consumer.ok_or_else(|| unavailable(format!("`{}` reads no more", self.name)))
    }

    /// Whether nobody gets anything by it any more.
    pub(super) fn is_gone(&self) -> bool {
        let state = self.state.lock();
        state.has_left || state.has_retired
    }

    /// Whether it has a partition that is not just about to go to others.
    pub(super) fn keeps(&self, at: usize) -> bool {
        let state = self.state.lock();
        state.shelves.contains_key(&at) && (!state.leaving.contains(&at) || state.holds(&[at]))
    }

    /// How many records of a partition are still to be received, if this one has it.
    pub(super) fn unread(&self, at: usize, end: Offset) -> Option<u64> {
        let state = self.state.lock();
        state.shelves.get(&at)?;
        let mut reports = state.group.reports().into_iter();
        let report = reports.find(|report| report.partition == at)?;
        Some(end.saturating_sub(report.reached) + report.again)
    }

    /// Hands out records that have come; `ends` are those of the partitions, where they are known.
    pub(super) fn hand_out(
        &self,
        inner: &Inner,
        (most, ends): (usize, Option<&BTreeMap<usize, Offset>>),
        into: &mut Vec<Handed>,
    ) -> Result<Option<Lack>, StoreFault> {
        let consumer = self.consumer()?;
        let mut state = self.state.lock();
        let now = Now::of(&*inner.line.clock);
        let mut known = vec![0; state.shelves.keys().last().map_or(0, |last| last + 1)];
        for at in state.shelves.keys() {
            // As long as nobody has asked, there may be any number.
            known[*at] = ends.map_or(Offset::MAX, |ends| {
                ends.get(at).copied().unwrap_or_default()
            });
        }
        let (mut back, mut awaited) = (None::<Duration>, Vec::new());
        loop {
            let State {
                group,
                member,
                shelves,
                ..
            } = &mut *state;
            let received = group.receive(*member, (most, now.elapsed), &known, into);
            match received {
                Received::Some => {
                    state.is_dirty = true;
                    return Ok(None);
                }
                Received::Lacks(at, from) => {
                    let Some(shelf) = shelves.get_mut(&at) else {
                        known[at] = from;
                        continue;
                    };
                    let client = (&consumer, &inner.line);
                    match shelf.take(client, (from, now.wall), &self.stream.name)? {
                        Taken::Page(page) => group.put(at, page),
                        Taken::Rests(until) => {
                            let until = now.elapsed_at(until);
                            back = Some(back.map_or(until, |back| back.min(until)));
                            known[at] = from;
                        }
                        Taken::Nothing => {
                            awaited.push((at, from));
                            known[at] = from;
                        }
                    }
                }
                Received::Nothing(prospect) => {
                    state.is_dirty |= state.group.is_unsaved();
                    return Ok(Some(Lack {
                        prospect,
                        back,
                        awaited,
                    }));
                }
            }
        }
    }

    /// The delivery; nothing when the record cannot be read, which is then set aside.
    pub(super) fn delivery(&self, inner: &Inner, handed: Handed) -> Option<Delivery> {
        let settled = |(ticket, settlement)| self.settle(inner, ticket, settlement);
        let delivery = handed.delivery().map_err(settled).ok()?;
        let id = delivery.message.id;
        self.state.lock().ids.insert(delivery.ticket, id);
        Some(delivery)
    }

    pub(super) fn settle(&self, inner: &Inner, ticket: u64, settlement: Settlement) {
        let is_done = settlement.disposition == Disposition::Done;
        let own = (self.group.as_str(), ticket);
        let verdict = Verdict::of(settlement, own, || {
            (Now::of(&*inner.line.clock), self.stream.rules())
        });
        let mut state = self.state.lock();
        let id = state.ids.remove(&ticket).unwrap_or(Id::of(""));
        let member = state.member;
        match state.group.settle(member, ticket, verdict) {
            Follow::Nothing => {
                tracing::debug!("a late settlement in `{}` is not heard", self.stream.name);
                return;
            }
            Follow::Save => {}
            Follow::Copy(copy) => state.copies.push((*copy, id)),
        }
        state.is_dirty = true;
        drop(state);
        // What is done is committed soon, and then all are called.
        if !is_done {
            self.stream.local.lock().readers.call_one(self.number);
        }
    }

    /// Copies what is to be copied, and commits how far it is.
    pub(super) fn report(&self, inner: &Inner) -> Result<(), StoreFault> {
        {
            let state = self.state.lock();
            let has_news = state.is_dirty || !state.copies.is_empty();
            if state.has_left || !has_news {
                return Ok(());
            }
        }
        let _alone = self.commits.lock();
        self.copy(inner)?;
        self.commit(inner)
    }

    /// Commits how far it is. Whoever calls it is the only one.
    pub(super) fn commit(&self, inner: &Inner) -> Result<(), StoreFault> {
        let consumer = self.consumer()?;
        let is_waited_for = self.stream.local.lock().declaration.lag.is_some();
        let (saved, told, lost, list) = {
            let mut state = self.state.lock();
            let unsaved = state.group.unsaved().into_iter();
            let is_here = |unsaved: &Unsaved| state.shelves.contains_key(&unsaved.partition);
            let (mut saved, lost): (Vec<_>, Vec<_>) = unsaved.partition(is_here);
            if is_waited_for {
                saved.extend(state.untold(&saved));
            }
            state.group.not_saved(&lost);
            state.is_dirty = !lost.is_empty();
            let list = offsets(&state, &saved, Now::of(&*inner.line.clock));
            let told = saved.iter().map(|saved| saved.partition);
            let told: Vec<_> = told.map(|at| (at, state.held(at))).collect();
            (saved, told, lost, list)
        };
        if saved.is_empty() && lost.is_empty() {
            return Ok(());
        } else if saved.is_empty() {
            let message = format!("`{}` has lost its partitions for a moment", self.name);
            return Err(unavailable(message));
        }
        failpoint!("settle_lost");
        let committed = list.and_then(|list| ears::commit(&consumer, &inner.line, &list));
        if let Err(fault) = committed {
            let mut state = self.state.lock();
            state.group.not_saved(&saved);
            state.is_dirty = true;
            return Err(fault);
        }
        let known = saved
            .iter()
            .map(|saved| (saved.partition, saved.state.mark));
        let mut state = self.state.lock();
        state.known.extend(known);
        state.told.extend(told);
        drop(state);
        if saved.iter().any(|saved| !saved.failures.is_empty()) {
            failpoint!("after_retry");
        }
        self.stream.call_all();
        Ok(())
    }
}

/// What is committed, with its notes.
fn offsets(state: &State, saved: &[Unsaved], now: Now) -> Result<TopicPartitionList, StoreFault> {
    let mut list = TopicPartitionList::with_capacity(saved.len());
    let wrong = |error| unavailable(format!("an offset cannot be committed: {error}"));
    for Unsaved {
        partition,
        state: kept,
        ..
    } in saved
    {
        let Some(shelf) = state.shelves.get(partition) else {
            continue;
        };
        let mut own = list.add_partition(&shelf.topic, shelf.partition);
        own.set_offset(raw_offset(kept.mark)).map_err(wrong)?;
        let kept = (*kept, state.held(*partition));
        own.set_metadata(note::write(kept, &state.group.failures(*partition), now));
    }
    Ok(list)
}
