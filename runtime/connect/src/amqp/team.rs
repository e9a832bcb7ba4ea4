//! A group of a stream, as this process knows it: which partitions it may read here, and how far it is.
//!
//! A partition belongs to the process that has its lock, a queue that is exclusive to a connection and goes
//! with it. How far the group is is written over that same connection, so that who has lost a
//! partition cannot say anything of it any more. Each process takes as many partitions as there are for
//! each of those that read; in it they are shared out as in the embedded store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use paperflow_core::Moment;
use paperflow_core::connector::{Disposition, OnError, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Id;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::line::{Line, Link, short};
use super::log::Log;
use super::outbox::{Fate, To};
use super::rests::{A_LITTLE_LATER, ON_ITS_WAY};
use super::stream::Stream;
use super::wire::{self, Parcel};
use crate::broker::aside;
use crate::clock::{millis, moment, utc};
use crate::fault::unavailable;
use crate::names;
use crate::stream::group::{Copy, Group, Kept, Now, Place, To as CopiedTo};
use crate::stream::mark::{Failed, Offset};
use crate::stream::shares::Member;

/// How long a record rests that could not be copied.
const REFUSED: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Team {
    line: Arc<Line>,
    stream: String,
    pub(super) name: String,
    pub(super) group: Mutex<Group>,
    log: Log,
    /// The partitions that may be read here.
    claims: Mutex<BTreeSet<usize>>,
    /// Held while it is talked about with the server.
    turn: Mutex<Turn>,
    copies: Mutex<Vec<(Copy, Id)>>,
    /// Copies that rest and have not come back: the record, its attempts, and until when it rests, by time
    /// that only goes on. The server does not tell of one that is on its way.
    resting: Mutex<HashMap<(Id, u64), Duration>>,
    /// The server does not know yet how far it is.
    is_dirty: AtomicBool,
}

#[derive(Default)]
struct Turn {
    /// The connection that has the locks.
    link: Option<Arc<Link>>,
    /// Partitions that are given up as soon as nothing of them is held.
    leaving: BTreeSet<usize>,
    /// Partitions that were lost with a connection. If nobody else has had one meanwhile, it is as it was.
    lost: BTreeSet<usize>,
    /// Shows the others that somebody reads here.
    seat: Option<(Channel, Consumer)>,
    /// What was written last of each partition.
    written: BTreeMap<usize, String>,
}

/// How a group stands in a partition, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) mark: Offset,
    replayed: Offset,
    pub(super) skipped: u64,
    pub(super) expired: u64,
    /// In the hands of consumers, to be delivered again, and the end of what was delivered.
    pub(super) unsettled: usize,
    again: u64,
    reached: Offset,
    /// What has failed: how often, and in milliseconds since 1970 until when it rests and since when it
    /// fails.
    failed: Vec<(Offset, u32, i64, i64)>,
    /// Who reads it.
    pub(super) owner: Option<String>,
    /// The opening of a store that has written this.
    by: String,
}

impl Said {
    fn of(place: Place, owner: Option<String>, by: &str, now: Now) -> Self {
        let failed = place.failed.into_iter().map(|(offset, failed)| {
            let until = millis(now.wall_at(failed.until));
            (offset, failed.times, until, millis(failed.first))
        });
        let mut failed: Vec<_> = failed.collect();
        failed.sort_unstable();
        Self {
            mark: place.state.mark,
            replayed: place.state.replayed,
            skipped: place.state.skipped,
            expired: place.state.expired,
            unsettled: place.unsettled,
            again: place.again,
            reached: place.reached,
            failed,
            owner,
            by: by.to_owned(),
        }
    }

    fn kept(&self, now: Now) -> (Kept, Vec<(Offset, Failed)>) {
        let state = Kept {
            mark: self.mark,
            replayed: self.replayed,
            skipped: self.skipped,
            expired: self.expired,
        };
        let failed = self.failed.iter().map(|(offset, times, until, first)| {
            let failed = Failed {
                times: *times,
                until: now.elapsed_at(moment(*until)),
                first: moment(*first),
            };
            (*offset, failed)
        });
        (state, failed.collect())
    }

    /// Records that are to be received before an end, once or once more.
    fn unread(&self, end: Offset) -> u64 {
        end.saturating_sub(self.reached) + self.again
    }
}

impl Team {
    pub(super) fn new(line: &Arc<Line>, stream: &str, name: &str, partitions: usize) -> Self {
        let kept = vec![Default::default(); partitions];
        Self {
            line: Arc::clone(line),
            log: Log::of(line, &format!("paperflow.group.{stream}.{name}")),
            stream: stream.to_owned(),
            name: name.to_owned(),
            group: Mutex::new(Group::new(name, kept)),
            claims: Mutex::default(),
            turn: Mutex::default(),
            copies: Mutex::default(),
            resting: Mutex::default(),
            is_dirty: AtomicBool::new(false),
        }
    }

    pub(super) fn grow(&self, partitions: usize) {
        let kept = vec![Default::default(); partitions];
        self.group.lock().grow(kept);
    }

    fn lock_of(&self, at: usize) -> String {
        self.line
            .named(&format!("{}.{}.{at}.lock", self.stream, self.name))
    }

    fn members_queue(&self) -> String {
        self.line
            .named(&format!("{}.{}.members", self.stream, self.name))
    }

    /// A consumer of this process comes.
    pub(super) fn join(
        &self,
        stream: &Stream,
        name: &str,
        waker: Waker,
    ) -> Result<Member, StoreFault> {
        let member = self.group.lock().join(name, waker);
        let balanced = self.balance(stream);
        if balanced.is_err() {
            self.group.lock().leave(member);
        }
        balanced.map(|()| member)
    }

    /// The ends of partitions, as far as they may be read here.
    pub(super) fn ends_here(&self, ends: &[Offset]) -> Vec<Offset> {
        let claims = self.claims.lock();
        let own = ends.iter().enumerate();
        own.map(|(at, end)| if claims.contains(&at) { *end } else { 0 })
            .collect()
    }

    /// Whether a partition is read here, also if no more of it is to be.
    pub(super) fn has(&self, at: usize) -> bool {
        self.claims.lock().contains(&at) || self.turn.lock().leaving.contains(&at)
    }

    /// Something is wanted of a partition that was lost: it is forgotten what was known of it.
    pub(super) fn forget_lost(&self, at: usize) {
        self.turn.lock().lost.remove(&at);
        self.group.lock().unload(at);
    }

    /// There is something that the server is to know; gives whether nobody has been told yet.
    pub(super) fn soil(&self) -> bool {
        !self.is_dirty.swap(true, Ordering::AcqRel)
    }

    pub(super) fn copy_later(&self, copy: Copy, id: Id) {
        self.copies.lock().push((copy, id));
    }

    /// This was read: it may be a copy that has come back.
    pub(super) fn is_back(&self, parcel: &Parcel) {
        let id = parcel.id().and_then(|id| id.parse::<Id>().ok());
        if let (Some(id), Some(attempts)) = (id, parcel.number(wire::ATTEMPTS)) {
            self.resting.lock().remove(&(id, attempts));
        }
    }

    /// When copies come back, by time that only goes on. What should be back is forgotten after a while:
    /// somebody else has it.
    pub(super) fn back(&self) -> Vec<Duration> {
        let now = self.line.clock.elapsed();
        let mut resting = self.resting.lock();
        resting.retain(|_, until| *until + ON_ITS_WAY > now);
        let soon = now + A_LITTLE_LATER;
        resting.values().map(|until| (*until).max(soon)).collect()
    }

    /// What was held is nobody's any more when the connection was lost.
    fn check(&self, turn: &mut Turn) -> Result<Arc<Link>, StoreFault> {
        let link = self.line.link()?;
        if turn
            .link
            .as_ref()
            .is_none_or(|own| own.number != link.number)
        {
            let mut lost = std::mem::take(&mut *self.claims.lock());
            lost.append(&mut turn.leaving);
            lost.append(&mut turn.lost);
            if !lost.is_empty() {
                let (stream, name) = (&self.stream, &self.name);
                tracing::debug!("`{name}` lost its partitions of `{stream}` with the connection");
            }
            let mut group = self.group.lock();
            lost.iter().for_each(|at| group.put_down(*at));
            drop(group);
            *turn = Turn {
                link: Some(Arc::clone(&link)),
                lost,
                ..Turn::default()
            };
        }
        Ok(link)
    }

    /// Sees to it that this process has its share of the partitions.
    pub(super) fn balance(&self, stream: &Stream) -> Result<(), StoreFault> {
        let mut turn = self.turn.lock();
        let turn = &mut *turn;
        let link = self.check(turn)?;
        let all = stream.tails().len();
        // Before the server is asked: the client's thread calls readers, who look into the group.
        let is_read = self.group.lock().is_read();
        let share = match is_read {
            true => all.div_ceil(self.sit(turn, &link)?.max(1)),
            false => 0,
        };
        self.give_up(turn, share)?;
        self.claim(turn, share, all)?;
        if !self.group.lock().is_live() {
            turn.seat = None;
        }
        Ok(())
    }

    /// Shows that somebody reads here; gives how many do.
    fn sit(&self, turn: &mut Turn, link: &Link) -> Result<usize, StoreFault> {
        let queue = short(&self.members_queue())?;
        if turn.seat.is_none() {
            self.line.declare_queue(&self.members_queue(), &[])?;
            let channel = self.line.channel(link)?;
            let (name, options) = (queue.clone(), BasicConsumeOptions::default());
            let consumer = channel.basic_consume(name, "".into(), options, FieldTable::default());
            let consumer = self.line.wait(consumer)?;
            turn.seat = Some((channel, consumer));
        }
        let counted = self.line.ask(async |channel| {
            let options = QueueDeclareOptions::durable().passive();
            channel
                .queue_declare(queue, options, FieldTable::default())
                .await
        })?;
        Ok(counted.consumer_count() as usize)
    }

    /// Whether anybody reads, here or elsewhere.
    fn is_read(&self) -> Result<bool, StoreFault> {
        if self.group.lock().is_read() {
            return Ok(true);
        }
        let members = self.line.count(&self.members_queue())?;
        Ok(members.is_some_and(|members| members.consumers > 0))
    }

    /// Gives up what is more than its share, if nothing of it is held.
    fn give_up(&self, turn: &mut Turn, share: usize) -> Result<(), StoreFault> {
        {
            let mut claims = self.claims.lock();
            while claims.len() > share
                && let Some(last) = claims.pop_last()
            {
                turn.leaving.insert(last);
            }
        }
        let is_held = |at: &usize| self.group.lock().standing(*at).unsettled > 0;
        let free: Vec<usize> = turn
            .leaving
            .iter()
            .copied()
            .filter(|at| !is_held(at))
            .collect();
        if free.is_empty() {
            return Ok(());
        }
        self.write(turn)?;
        for at in free {
            self.group.lock().unload(at);
            turn.leaving.remove(&at);
            turn.written.remove(&at);
            self.line.remove_queue(&self.lock_of(at))?;
        }
        Ok(())
    }

    /// Takes what nobody has, up to its share.
    fn claim(&self, turn: &mut Turn, share: usize, all: usize) -> Result<(), StoreFault> {
        for at in 0..all {
            if self.claims.lock().len() >= share {
                break;
            }
            if turn.leaving.remove(&at) {
                self.claims.lock().insert(at);
                continue;
            }
            if !self.claims.lock().contains(&at) {
                self.take(turn, at)?;
            }
        }
        Ok(())
    }

    /// Takes a partition, if nobody has it; gives whether it is ours then.
    fn take(&self, turn: &mut Turn, at: usize) -> Result<bool, StoreFault> {
        if !self.line.declare_exclusive(&self.lock_of(at))? {
            return Ok(false);
        }
        let said = self.said()?.remove(&at).unwrap_or_default();
        turn.written.remove(&at);
        let mut group = self.group.lock();
        if !turn.lost.remove(&at) || said.by != self.line.session {
            group.load(at, said.kept(Now::of(&*self.line.clock)));
        }
        self.claims.lock().insert(at);
        group.call();
        Ok(true)
    }

    /// How the group stands in all partitions, as it was written.
    fn said(&self) -> Result<BTreeMap<usize, Said>, StoreFault> {
        let texts = self.log.read("")?.into_iter();
        let said = texts
            .filter_map(|(at, text)| Some((at.parse().ok()?, serde_json::from_str(&text).ok()?)));
        Ok(said.collect())
    }

    /// How it stands in each partition, here or elsewhere.
    pub(super) fn standing(&self, partitions: usize) -> Result<Vec<Said>, StoreFault> {
        let is_here =
            |at: &usize| self.claims.lock().contains(at) || self.turn.lock().leaving.contains(at);
        let here: Vec<bool> = (0..partitions).map(|at| is_here(&at)).collect();
        let mut said = match here.iter().all(|is_here| *is_here) {
            true => BTreeMap::new(),
            false => self.said()?,
        };
        let all = here
            .into_iter()
            .enumerate()
            .map(|(at, is_here)| match is_here {
                true => self.present(at),
                false => said.remove(&at).unwrap_or_default(),
            });
        Ok(all.collect())
    }

    fn present(&self, at: usize) -> Said {
        let group = self.group.lock();
        let owner = group.standing(at).owner.map(|(name, _)| name);
        let now = Now::of(&*self.line.clock);
        Said::of(group.place(at), owner, &self.line.session, now)
    }

    /// What it has left to receive, if anybody reads.
    pub(super) fn lag(&self, stream: &Stream, ends: &[Offset]) -> Result<u64, StoreFault> {
        if !self.is_read()? {
            return Ok(0);
        }
        let standing = self.standing(stream.tails().len())?;
        let lags = standing
            .iter()
            .zip(ends)
            .map(|(said, end)| said.unread(*end));
        Ok(lags.sum())
    }

    /// What is left to others: held by them, and to be received by them first; and whether some of it is in a
    /// partition that nobody has taken since it was lost here, so that it may come here again.
    pub(super) fn elsewhere(&self, ends: &[Offset]) -> Result<(u64, bool), StoreFault> {
        if self.claims.lock().len() == ends.len() {
            return Ok((0, false));
        }
        let claims = self.claims.lock().clone();
        let (mut left, mut is_lost) = (0, false);
        for (at, said) in self.standing(ends.len())?.iter().enumerate() {
            let more = said.unsettled as u64 + said.unread(ends[at]);
            if !claims.contains(&at) && more > 0 {
                left += more;
                let is_last_here = said.by.is_empty() || said.by == self.line.session;
                is_lost |= is_last_here && !self.turn.lock().leaving.contains(&at);
            }
        }
        Ok((left, is_lost))
    }

    /// All that is not done.
    pub(super) fn unfinished(&self, stream: &Stream, ends: &[Offset]) -> Result<u64, StoreFault> {
        let standing = self.standing(ends.len())?;
        let left = standing.iter().zip(ends);
        let left = left.map(|(said, end)| said.unsettled as u64 + said.unread(*end));
        let resting = match stream.declaration().on_error {
            OnError::Copy(via) => stream.resting(&via)?.0,
            _ => 0,
        };
        let copies = self.copies.lock().len() + self.back().len();
        Ok(left.sum::<u64>() + resting + copies as u64)
    }

    /// Copies what is to be copied, and writes how far it is.
    pub(super) fn save(&self, stream: &Stream) -> Result<(), StoreFault> {
        if !self.is_dirty.swap(false, Ordering::AcqRel) {
            // Whoever is at it has it done when this is free.
            drop(self.turn.lock());
            return Ok(());
        }
        let mut turn = self.turn.lock();
        let saved = self.check(&mut turn).and_then(|_| {
            self.copy(stream)?;
            self.write(&mut turn)
        });
        if saved.is_err() {
            self.is_dirty.store(true, Ordering::Release);
        }
        saved
    }

    fn write(&self, turn: &mut Turn) -> Result<(), StoreFault> {
        let Some(link) = turn.link.clone() else {
            return Ok(());
        };
        let unsaved = self.group.lock().unsaved();
        if !unsaved.is_empty() {
            failpoint!("settle_lost");
        }
        let own: BTreeSet<usize> = &*self.claims.lock() | &turn.leaving;
        let mut texts = Vec::new();
        for at in own {
            let text = serde_json::to_string(&self.present(at)).unwrap_or_default();
            if turn.written.get(&at) != Some(&text) {
                texts.push((at, text));
            }
        }
        if texts.is_empty() {
            return Ok(());
        }
        let named = texts
            .iter()
            .map(|(at, text)| (at.to_string(), text.clone()));
        if let Err(fault) = self.log.write(named.collect(), Some(&link)) {
            self.group.lock().not_saved(&unsaved);
            return Err(fault);
        }
        turn.written.extend(texts);
        if unsaved.iter().any(|one| !one.failures.is_empty()) {
            failpoint!("after_retry");
        }
        Ok(())
    }

    /// Copies what is to be copied; each is finished when its copy is safe.
    fn copy(&self, stream: &Stream) -> Result<(), StoreFault> {
        loop {
            let Some((copy, id)) = self.copies.lock().first().cloned() else {
                return Ok(());
            };
            let parcel = self.copy_of(stream, &copy, id)?;
            if copy.to == CopiedTo::Invalid {
                failpoint!("before_invalid_copy");
            }
            let copied = (id, u64::from(copy.flight.attempt));
            if let CopiedTo::Delay(rest) = copy.to {
                // First, since it may be back before we hear that it was sent.
                let until = self.line.clock.elapsed() + rest;
                self.resting.lock().insert(copied, until);
            }
            let fates = stream.outbox.send(&[parcel])?;
            if matches!(copy.to, CopiedTo::Delay(_)) {
                failpoint!("after_retry");
            } else {
                failpoint!("after_dead_letter");
            }
            self.copies.lock().remove(0);
            let is_safe = fates == [Fate::Safe];
            let refused = (!is_safe).then(|| self.line.clock.elapsed() + REFUSED);
            if refused.is_some() {
                self.resting.lock().remove(&copied);
                tracing::warn!("a record of `{}` cannot be copied", self.stream);
            }
            self.group.lock().copied(&copy, refused);
        }
    }

    /// A record that failed, as it is published.
    fn copy_of(&self, stream: &Stream, copy: &Copy, id: Id) -> Result<(To, Parcel), StoreFault> {
        let flight = &copy.flight;
        let tail = stream.tails().get(flight.partition).cloned();
        let page = tail.map(|tail| tail.page(flight.offset, 1)).transpose()?;
        let found = page.and_then(|(mut records, _)| records.pop());
        let Some((_, parcel)) = found.filter(|(offset, _)| *offset == flight.offset) else {
            return Err(unavailable(format!(
                "a record of `{}` that failed is kept no more",
                self.stream
            )));
        };
        let now = self.line.clock.wall();
        let declaration = stream.declaration();
        let (disposition, to) = match (copy.to, &declaration.on_error) {
            (CopiedTo::Delay(rest), OnError::Copy(via)) => {
                let notes = [
                    wire::number(wire::ATTEMPTS, i64::from(flight.attempt)),
                    wire::number(wire::FIRST, millis(first(&parcel, copy, now))),
                    wire::written(wire::ONLY, &self.name),
                    wire::at(now),
                ];
                let to = stream.rest_of(via, flight.partition, rest)?;
                return Ok((to, parcel.copy(notes).resting(rest)?));
            }
            (CopiedTo::Delay(_) | CopiedTo::Dead, _) => {
                (Disposition::Retry, declaration.dead_letter_name())
            }
            (CopiedTo::Rejected, _) => (Disposition::Reject, declaration.dead_letter_name()),
            (CopiedTo::Invalid, _) => (Disposition::Invalid, declaration.invalid_name()),
        };
        let of = (id, flight.attempt);
        let mut why = aside::why(disposition, copy.failure.as_ref(), &self.stream, of);
        why.push((names::FIRST, utc(first(&parcel, copy, now))));
        why.push((names::LAST, utc(now)));
        why.push((names::PARTITION, flight.partition.to_string()));
        why.push((names::OFFSET, flight.offset.to_string()));
        why.push((names::GROUP, self.name.clone()));
        let notes = why.iter().map(|(name, value)| wire::written(name, value));
        let name = self.line.named(&to);
        let to = To {
            exchange: name.clone(),
            key: name,
        };
        Ok((to, parcel.copy(notes.chain([wire::at(now)]))))
    }

    /// Sends the group to other offsets, one for each partition, or leaves it where it is.
    pub(super) fn seek(
        &self,
        stream: &Stream,
        to: &[Option<Offset>],
        replays_until: Option<&[Offset]>,
    ) -> Result<(), StoreFault> {
        {
            let mut turn = self.turn.lock();
            self.check(&mut turn)?;
            for at in (0..to.len()).filter(|at| to[*at].is_some()) {
                let is_own = self.claims.lock().contains(&at);
                if !is_own && !self.take(&mut turn, at)? {
                    return Err(unavailable(format!(
                        "another process reads the partition {at} of `{}` for `{}`",
                        self.stream, self.name
                    )));
                }
            }
            let mut group = self.group.lock();
            if let Some(ends) = replays_until {
                group.replays_until(ends);
            }
            group.seek(to);
            drop(group);
            self.write(&mut turn)?;
        }
        // What nobody reads here is given up again.
        self.balance(stream)
    }

    /// Forgets how far it is, if nobody reads.
    pub(super) fn forget(&self) -> Result<bool, StoreFault> {
        if self.is_read()? {
            return Ok(false);
        }
        self.log.remove("")?;
        Ok(true)
    }
}

/// When a record failed first.
fn first(parcel: &Parcel, copy: &Copy, now: Moment) -> Moment {
    let before = parcel.number(wire::FIRST);
    let before = before.map(|first| moment(first.cast_signed()));
    let here = copy.failed.filter(|failed| failed.times > 0);
    before.or(here.map(|failed| failed.first)).unwrap_or(now)
}
