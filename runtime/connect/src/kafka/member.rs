//! The membership of a consumer in its group: a thread that gives signs of life, takes partitions, lets go of
//! them, and commits.
//!
//! Partitions move one by one (cooperative rebalancing). One that is to move is handed out no more; it is let
//! go of when nothing of it is held, or after a bound, and then what is held of it has no say any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use paperflow_core::connector::{Consumer as Asked, StoreFault};
use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;

use super::ears::{self, Change, Ears};
use super::health::Ear;
use super::line::Part;
use super::reading::{Reading, State};
use super::shelf::Shelf;
use super::stream::{Parts, Stream};
use super::wire::raw_offset;
use super::{Inner, note};
use crate::broker::threads;
use crate::fault::unavailable;
use crate::stream::group::Now;

/// How often it is looked whether something is to be committed.
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked how others get on, by who waits for them.
const LOOK: Duration = Duration::from_millis(250);
/// The shortest session that counts there.
const SHORTEST: Duration = Duration::from_secs(5);
/// For how many times the length of a session its group has not had it, when it joins anew.
const MISSED: u32 = 3;
/// Kilobytes that the client fetches ahead.
const AHEAD: &str = "16384";

/// Begins to read a stream: gives what reads, and what ends when it has left.
pub(super) fn join(
    stream: Arc<Stream>,
    inner: &Arc<Inner>,
    asked: Asked,
) -> Result<(Arc<Reading>, Receiver<()>), StoreFault> {
    let parts = stream.parts();
    let number = stream.number();
    let known_as = format!("{}@{}.{number}", asked.name, inner.line.session);
    let client = enlisted(inner, &parts, (&stream.group_id(&asked.group), &known_as))?;
    let (bell, rung) = bounded(1);
    let reading = Arc::new(Reading {
        name: asked.name,
        client: known_as,
        number,
        state: Mutex::new(State::new(&asked.group)),
        group: asked.group,
        consumer: Mutex::new(Some(Arc::clone(&client))),
        commits: Mutex::default(),
        bell,
        rung,
        stream,
    });
    let weak = Arc::downgrade(&reading);
    reading.stream.seat(reading.number, weak, asked.waker);
    let (left, has_left) = bounded::<()>(0);
    let member = Member {
        reading: Arc::clone(&reading),
        inner: Arc::clone(inner),
        client,
        parts,
        given: None,
        taken: None,
        looked: Instant::now(),
        listed: Instant::now(),
        asked: Instant::now(),
        has_unsubscribed: false,
    };
    threads::start("kafka-member", move || member.attend(left))?;
    Ok((reading, has_left))
}

/// A client that joins a group, in which it is known by a name.
fn enlisted(
    inner: &Inner,
    parts: &Parts,
    (group, name): (&str, &str),
) -> Result<Arc<BaseConsumer<Ears>>, StoreFault> {
    let settings = &inner.line.settings;
    let millis = |time: Duration| time.as_millis().to_string();
    let (session, heartbeat) = (millis(settings.session), millis(settings.heartbeat()));
    let patience = millis((2 * settings.hold).max(settings.session));
    let own = [
        ("group.id", group),
        ("client.id", name),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("session.timeout.ms", &session),
        ("heartbeat.interval.ms", &heartbeat),
        ("max.poll.interval.ms", &patience),
        ("fetch.error.backoff.ms", "100"),
        ("queued.max.messages.kbytes", AHEAD),
    ];
    let ears = Ears::new(Ear(Arc::clone(&inner.line.health)));
    let client = inner.line.consumer(&own, ears)?;
    let topics = std::iter::once(parts.topic.as_str());
    let topics = topics.chain(parts.via.as_ref().map(|(via, _)| via.as_str()));
    let subscribed = client.subscribe(&topics.collect::<Vec<_>>());
    subscribed.map_err(|error| inner.line.health.fault(&error))?;
    Ok(Arc::new(client))
}

/// What the thread of a member knows.
struct Member {
    reading: Arc<Reading>,
    inner: Arc<Inner>,
    client: Arc<BaseConsumer<Ears>>,
    parts: Parts,
    /// Partitions that are given to it, and that it has not taken yet.
    given: Option<Vec<(String, i32)>>,
    /// Partitions that it is to let go of, and until when it may hold something of them.
    taken: Option<(Vec<(String, i32)>, Instant)>,
    looked: Instant,
    /// When its group was last known to have it, and when that was last asked.
    listed: Instant,
    asked: Instant,
    has_unsubscribed: bool,
}

impl Member {
    /// Until it leaves; then `left` ends.
    fn attend(mut self, left: Sender<()>) {
        while !self.reading.state.lock().has_left && !self.inner.line.is_cut() {
            ears::hear(&self.client, &self.inner.line, TICK);
            if let Err(fault) = self.act().and(self.renew()) {
                tracing::debug!("`{}`: {fault}", self.reading.name);
            }
        }
        self.leave();
        drop(left);
    }

    fn act(&mut self) -> Result<(), StoreFault> {
        while self.given.is_none() && self.taken.is_none() {
            let change = self.client.context().changes.lock().pop_front();
            match change {
                None => break,
                Some(Change::Given(parts)) => self.given = Some(parts),
                Some(Change::Taken(parts)) => self.is_to_let_go(parts),
            }
            self.carry_out()?;
        }
        self.carry_out()?;
        self.reading.report(&self.inner)?;
        self.retire()?;
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            if self.reading.has_news(&self.inner)? {
                self.call();
            }
        }
        Ok(())
    }

    /// Joins its group with a new client, when brokers answer and say for long that the group does not have it:
    /// a client that has heard of no broker any more may not find one again (librdkafka 2.12).
    fn renew(&mut self) -> Result<(), StoreFault> {
        let Self { reading, inner, .. } = self;
        let session = inner.line.settings.session.max(SHORTEST);
        if self.has_unsubscribed || self.asked.elapsed() < session {
            return Ok(());
        }
        let group = reading.stream.group_id(&reading.group);
        let name = &reading.client;
        let roll = inner.line.roll(&group)?;
        let is_listed = roll.members.iter().any(|(known, _)| known == name);
        let missed = self.listed.elapsed();
        // A time in which nobody could be asked does not count.
        if is_listed || self.asked.elapsed() > 2 * session {
            self.listed = Instant::now();
        }
        self.asked = Instant::now();
        if is_listed || missed < MISSED * session {
            return Ok(());
        }
        tracing::warn!("`{}` has lost its group, and joins it anew", reading.name);
        let client = enlisted(inner, &self.parts, (&group, name))?;
        let alone = reading.commits.lock();
        let mut state = reading.state.lock();
        let own: Vec<usize> = state.shelves.keys().copied().collect();
        own.into_iter().for_each(|at| state.lose(at));
        drop(state);
        *reading.consumer.lock() = Some(Arc::clone(&client));
        drop(alone);
        (self.given, self.taken) = (None, None);
        self.listed = Instant::now();
        let old = std::mem::replace(&mut self.client, client);
        old.context().is_closing.store(true, Ordering::Release);
        // It may take its time to leave.
        threads::start("kafka-leaver", move || drop(old))
    }

    fn carry_out(&mut self) -> Result<(), StoreFault> {
        if let Some(parts) = &self.given {
            self.take(parts)?;
            self.given = None;
            self.call();
        }
        self.let_go()
    }

    fn call(&self) {
        self.reading
            .stream
            .local
            .lock()
            .readers
            .call_one(self.reading.number);
    }

    /// Takes partitions, each from where its group is.
    fn take(&self, parts: &[(String, i32)]) -> Result<(), StoreFault> {
        let line = &self.inner.line;
        let refs: Vec<Part<'_>> = parts
            .iter()
            .map(|(topic, at)| (topic.as_str(), *at))
            .collect();
        let (mut committed, mut starts) = (Vec::new(), Vec::new());
        if !refs.is_empty() {
            committed = line.committed(&self.client, &refs)?;
            starts = line.starts(&refs)?;
        }
        let now = Now::of(&*line.clock);
        let mut list = TopicPartitionList::with_capacity(refs.len());
        let mut shelves = Vec::with_capacity(refs.len());
        for ((part, committed), start) in refs.into_iter().zip(committed).zip(starts) {
            let (mark, note) = committed.unwrap_or((start, String::new()));
            let (kept, held) = (note::read(mark, &note, now), note::held(&note));
            let at = self.parts.number(part);
            let resumed = self.reading.state.lock().resumes(at, mark);
            let from = resumed.unwrap_or_else(|| mark.max(start));
            let added = list.add_partition_offset(part.0, part.1, raw_offset(from));
            added.map_err(|error| line.health.fault(&error))?;
            shelves.push((at, (kept, held), resumed.is_some(), self.shelf(part, from)?));
        }
        let mut state = self.reading.state.lock();
        for (at, (kept, held), is_resumed, shelf) in shelves {
            state.lost.remove(&at);
            state.known.insert(at, kept.0.mark);
            state.told.insert(at, held);
            // Who had it before holds nothing any more.
            state.is_dirty |= held > 0;
            if is_resumed {
                state.group.leaves(at, false);
            } else {
                state.epoch += 1;
                let (member, epoch) = (state.member, state.epoch);
                state.let_go(at);
                state.group.give((at, member, epoch), kept);
            }
            state.shelves.insert(at, shelf);
            if state.has_retired {
                state.leaves(at);
            }
        }
        // Others have what was lost and is not given again.
        let lost = std::mem::take(&mut state.lost);
        lost.into_iter().for_each(|at| state.let_go(at));
        drop(state);
        self.done(self.client.incremental_assign(&list))?;
        self.reading.state.lock().has_joined = true;
        Ok(())
    }

    fn done(&self, result: KafkaResult<()>) -> Result<(), StoreFault> {
        result.map_err(|error| self.inner.line.health.fault(&error))
    }

    /// A partition's own queue, which calls when records have come.
    fn shelf(&self, (topic, partition): Part<'_>, from: u64) -> Result<Shelf, StoreFault> {
        let queue = self.client.split_partition_queue(topic, partition);
        let mut queue = queue.ok_or_else(|| unavailable(format!("`{topic}` has no queue here")))?;
        let (stream, number) = (Arc::clone(&self.reading.stream), self.reading.number);
        let bell = self.reading.bell.clone();
        queue.set_nonempty_callback(move || {
            // One ring is enough for all.
            let _ = bell.try_send(());
            stream.local.lock().readers.call_one(number);
        });
        Ok(Shelf::new((topic.to_owned(), partition), queue, from))
    }

    fn numbers(&self, parts: &[(String, i32)]) -> Vec<usize> {
        let parts = parts.iter();
        parts
            .map(|(topic, at)| self.parts.number((topic, *at)))
            .collect()
    }

    /// Partitions are to go to others.
    fn is_to_let_go(&mut self, parts: Vec<(String, i32)>) {
        let mut state = self.reading.state.lock();
        state.epoch += 1;
        for at in self.numbers(&parts) {
            state.leaves(at);
        }
        drop(state);
        self.taken = Some((parts, Instant::now() + self.inner.line.settings.hold));
    }

    /// Lets go of partitions when nothing of them is held, or nobody waits any longer.
    fn let_go(&mut self) -> Result<(), StoreFault> {
        let Some((parts, until)) = &self.taken else {
            return Ok(());
        };
        let own = self.numbers(parts);
        let is_lost = self.client.assignment_lost();
        let is_over = is_lost || Instant::now() >= *until;
        if !is_over && self.reading.state.lock().holds(&own) {
            return Ok(());
        }
        if is_over && !is_lost && self.reading.state.lock().holds(&own) {
            tracing::warn!(
                "`{}` works on records of partitions that others have now",
                self.reading.name
            );
        }
        let list = listed(parts);
        let alone = self.reading.commits.lock();
        if !is_lost && let Err(fault) = self.reading.commit(&self.inner) {
            // Others do not go on from there before it is known how far it is.
            if !is_over {
                return Err(fault);
            }
            tracing::warn!(
                "`{}`: what it has done is done again: {fault}",
                self.reading.name
            );
        }
        let mut state = self.reading.state.lock();
        for at in own {
            match is_lost {
                true => state.lose(at),
                false => state.let_go(at),
            }
        }
        drop(state);
        drop(alone);
        self.taken = None;
        self.done(self.client.incremental_unassign(&list))?;
        self.reading.stream.call_all();
        Ok(())
    }

    /// Leaves its group when it is to receive nothing more and holds nothing.
    fn retire(&mut self) -> Result<(), StoreFault> {
        let state = self.reading.state.lock();
        let own: Vec<usize> = state.shelves.keys().copied().collect();
        let is_idle = state.has_retired && !state.holds(&own) && !state.is_dirty;
        drop(state);
        if is_idle && self.taken.is_none() && !self.has_unsubscribed {
            self.client.unsubscribe();
            self.has_unsubscribed = true;
        }
        Ok(())
    }

    /// Commits, and gives back what it has.
    fn leave(self) {
        let Self {
            reading,
            inner,
            client,
            given,
            taken,
            ..
        } = self;
        let alone = reading.commits.lock();
        if !inner.line.is_cut()
            && let Err(fault) = reading.copy(&inner).and_then(|()| reading.commit(&inner))
        {
            tracing::warn!(
                "`{}`: what it has done is done again: {fault}",
                reading.name
            );
        }
        {
            let mut state = reading.state.lock();
            state.has_left = true;
            state.shelves.clear();
        }
        *reading.consumer.lock() = None;
        drop(alone);
        client.context().is_closing.store(true, Ordering::Release);
        // The group waits for what was not carried out yet.
        let mut changes: Vec<Change> = given.map(Change::Given).into_iter().collect();
        changes.extend(taken.map(|(parts, _)| Change::Taken(parts)));
        changes.extend(client.context().changes.lock().drain(..));
        for change in changes {
            let done = match change {
                Change::Given(parts) => client.incremental_assign(&listed(&parts)),
                Change::Taken(parts) => client.incremental_unassign(&listed(&parts)),
            };
            if let Err(error) = done {
                tracing::debug!("a member that leaves: {error}");
            }
        }
        // With its last owner it leaves the group.
        drop(client);
    }
}

fn listed(parts: &[(String, i32)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(parts.len());
    for (topic, partition) in parts {
        list.add_partition(topic, *partition);
    }
    list
}
