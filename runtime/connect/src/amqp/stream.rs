//! Streams: a stream queue for each partition, and groups that share them out among all processes.
//!
//! | on the server | what it is |
//! |---|---|
//! | exchange `NAME`, topic | shows that `NAME` is a stream; what is sent there gets to its first partition |
//! | streams `NAME.0`, `NAME.1` ... | the records of a partition, in order, at their offsets |
//! | stream `paperflow.groups.NAME` | the names of its groups |
//! | stream `paperflow.group.NAME.GROUP` | how far the group is in each partition, and what has failed |
//! | queue `NAME.GROUP.members` | has a consumer for each process that reads |
//! | queues `NAME.GROUP.0.lock` ..., exclusive | are there as long as somebody has the partition |
//! | queues `VIA.NAME.0.rest.MILLISECONDS` | records that failed and come back at the end |
//!
//! How long records are kept is the server's business, which removes a whole piece of a file at a time. It
//! knows bounds of age and of bytes, and none of number.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use lapin::ExchangeKind;
use paperflow_core::connector::{Connector, Consumer, Declaration, Sent, StoreFault, Subscription};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;

use super::Inner;
use super::consumer::Reader;
use super::line::{Argument, Line};
use super::log::Log;
use super::outbox::{Fate, Outbox, To};
use super::tail::Tail;
use super::team::Team;
use super::wire::{self, Parcel};
use crate::broker::waiting::Writers;
use crate::fault::{unavailable, unsupported};
use crate::stream::group::Rules;
use crate::stream::ring::Key;

/// Bytes of a file of records, if the bound of all of them is not less.
const SEGMENT: u64 = 64 << 20;
/// Partitions that are looked for when there may be more than are wanted.
const PARTITIONS: u32 = 1_000;

/// A stream of a server, as this process uses it.
pub(super) struct Stream {
    pub(super) line: Arc<Line>,
    pub(super) name: String,
    pub(super) outbox: Outbox,
    groups: Log,
    local: Mutex<Local>,
    me: Weak<Self>,
}

/// What this process knows of a stream.
struct Local {
    declaration: Declaration,
    key: Key,
    tails: Vec<Arc<Tail>>,
    teams: BTreeMap<String, Arc<Team>>,
    writers: Writers,
}

/// Calls the readers of a stream when something comes.
struct Bell(Weak<Stream>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(stream) = self.0.upgrade() {
            stream.call_readers();
        }
    }
}

impl Stream {
    pub(super) fn new(line: &Arc<Line>, declaration: Declaration) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            line: Arc::clone(line),
            outbox: Outbox::new(line),
            groups: Log::of(line, &format!("paperflow.groups.{}", declaration.name)),
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                key: Key::of(declaration.key.as_deref()),
                declaration,
                tails: Vec::new(),
                teams: BTreeMap::new(),
                writers: Writers::default(),
            }),
            me: me.clone(),
        })
    }

    /// The queue of a partition.
    pub(super) fn partition(&self, at: usize) -> String {
        self.line.named(&format!("{}.{at}", self.name))
    }

    /// Makes it on the server, if it is not there.
    pub(super) fn declare(&self, declaration: &Declaration) -> Result<(), StoreFault> {
        let exchange = self.line.named(&self.name);
        self.line.declare_exchange(&exchange, ExchangeKind::Topic)?;
        let wanted = declaration.partitions.max(1);
        let is_there = |at: u32| {
            self.line
                .count(&self.partition(at as usize))
                .map(|found| found.is_some())
        };
        if is_there(wanted)? {
            let mut known = wanted + 1;
            while known < PARTITIONS && is_there(known)? {
                known += 1;
            }
            return Err(unsupported(format!(
                "the stream `{}` has {known} partitions, and cannot have {wanted}: \
                 records would lose their place",
                self.name
            )));
        }
        for at in 0..wanted as usize {
            self.make(at, declaration)?;
        }
        self.line.bind(&self.partition(0), &exchange, "#")?;
        let mut local = self.local.lock();
        for at in local.tails.len()..wanted as usize {
            let tail = Tail::of(&self.line, self.partition(at));
            local.tails.push(Arc::new(tail));
        }
        local.key = Key::of(declaration.key.as_deref());
        local.declaration = declaration.clone();
        for team in local.teams.values() {
            team.grow(wanted as usize);
        }
        Ok(())
    }

    fn make(&self, at: usize, declaration: &Declaration) -> Result<(), StoreFault> {
        let retain = declaration.retain;
        let mut arguments = vec![("x-queue-type", Argument::Text(String::from("stream")))];
        if let Some(age) = retain.age {
            let seconds = age.as_secs().max(1);
            arguments.push(("x-max-age", Argument::Text(format!("{seconds}s"))));
        }
        let partitions = u64::from(declaration.partitions.max(1));
        if let Some(bytes) = retain.bytes {
            let share = (bytes / partitions).max(1);
            let number = |bytes: u64| Argument::Number(i64::try_from(bytes).unwrap_or(i64::MAX));
            arguments.push(("x-max-length-bytes", number(share)));
            arguments.push((
                "x-stream-max-segment-size-bytes",
                number(share.min(SEGMENT)),
            ));
        }
        self.line.declare_stream(&self.partition(at), &arguments)
    }

    pub(super) fn declaration(&self) -> Declaration {
        self.local.lock().declaration.clone()
    }

    pub(super) fn rules(&self) -> Rules {
        Rules::of(&self.local.lock().declaration)
    }

    pub(super) fn tails(&self) -> Vec<Arc<Tail>> {
        self.local.lock().tails.clone()
    }

    /// The ends of its partitions.
    pub(super) fn ends(&self) -> Result<Vec<u64>, StoreFault> {
        let bell = Waker::from(Arc::new(Bell(self.me.clone())));
        self.tails().iter().map(|tail| tail.end(&bell)).collect()
    }

    /// The same, as far as they are known here.
    pub(super) fn ends_known(&self) -> Result<Vec<u64>, StoreFault> {
        let bell = Waker::from(Arc::new(Bell(self.me.clone())));
        self.tails().iter().map(|tail| tail.known(&bell)).collect()
    }

    /// The groups of this process.
    pub(super) fn teams(&self) -> Vec<Arc<Team>> {
        self.local.lock().teams.values().cloned().collect()
    }

    /// The group of a name, and whether it is new.
    pub(super) fn team(&self, name: &str) -> Result<(Arc<Team>, bool), StoreFault> {
        if let Some(team) = self.local.lock().teams.get(name) {
            return Ok((Arc::clone(team), false));
        }
        let is_new = !self.groups()?.iter().any(|known| known == name);
        if is_new {
            let entry = (name.to_owned(), String::new());
            self.groups.write(vec![entry], None)?;
        }
        let mut local = self.local.lock();
        let partitions = local.tails.len();
        let team = local
            .teams
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Team::new(&self.line, &self.name, name, partitions)));
        Ok((Arc::clone(team), is_new))
    }

    /// The names of all its groups.
    pub(super) fn groups(&self) -> Result<Vec<String>, StoreFault> {
        let groups = self.groups.read("")?;
        Ok(groups.into_iter().map(|(name, _)| name).collect())
    }

    pub(super) fn forget(&self, group: &str) -> Result<(), StoreFault> {
        self.local.lock().teams.remove(group);
        self.groups.remove_one(group)
    }

    /// Tells the readers of this process that there may be something.
    pub(super) fn call_readers(&self) {
        for team in self.teams() {
            team.group.lock().call();
        }
    }

    pub(super) fn call_all(&self) {
        self.call_readers();
        self.call_writers();
    }

    pub(super) fn call_writers(&self) {
        let mut writers = std::mem::take(&mut self.local.lock().writers);
        writers.call();
    }

    fn send(&self, messages: &[Message], is_structured: bool) -> Result<Sent, StoreFault> {
        let source = format!("paperflow:{}", self.name);
        let now = self.line.clock.wall();
        let parcels = messages.iter().map(|message| {
            let at = {
                let local = self.local.lock();
                let partitions = local.declaration.partitions.max(1);
                local.key.partition(message, partitions) as usize
            };
            let parcel = Parcel::pack(message, &source, is_structured)?;
            let parcel = parcel.copy([wire::at(now)]);
            Ok((To::queue(self.partition(at)), parcel))
        });
        let parcels = parcels.collect::<Result<Vec<_>, StoreFault>>()?;
        let fates = self.outbox.send(&parcels)?;
        failpoint!("before_confirm");
        if fates.iter().any(|fate| *fate != Fate::Safe) {
            // What was written is in its place: it is written again, and known by who has a table.
            return Err(unavailable(format!("`{}` takes no records now", self.name)));
        }
        self.call_readers();
        Ok(Sent {
            written: messages.len(),
            known: 0,
        })
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let lag = {
            let mut local = self.local.lock();
            let Some(lag) = local.declaration.lag else {
                return Ok(usize::MAX);
            };
            local.writers.add(waker);
            lag as u64
        };
        let ends = self.ends()?;
        let mut most = 0;
        for name in self.groups()? {
            let (team, _) = self.team(&name)?;
            most = most.max(team.lag(self, &ends)?);
        }
        let room = usize::try_from(lag.saturating_sub(most)).unwrap_or(usize::MAX);
        if room > 0 {
            let mut local = self.local.lock();
            local.writers.remove(waker);
        }
        Ok(room)
    }

    /// Saves what is to be saved, and sees to it that everybody has their share of the partitions.
    pub(super) fn look(&self) -> Result<(), StoreFault> {
        for team in self.teams() {
            team.save(self)?;
            team.balance(self)?;
        }
        self.call_writers();
        Ok(())
    }

    /// Until when copies rest that are to come back, by time that only goes on; and how many there are.
    pub(super) fn resting(&self, via: &str) -> Result<(u64, Option<Duration>), StoreFault> {
        let mut names = Vec::new();
        let mut steps = Vec::new();
        for at in 0..self.tails().len() {
            for step in self.steps() {
                names.push(self.rest_queue(via, at, step));
                steps.push(step);
            }
        }
        let counts = self.line.counts(&names)?;
        let filled = steps.iter().zip(&counts).filter(|(_, one)| one.ready > 0);
        let shortest = filled.map(|(step, _)| *step).min();
        let now = self.line.clock.elapsed();
        Ok((
            counts.iter().map(|one| one.ready).sum(),
            shortest.map(|step| now + Duration::from_millis(step)),
        ))
    }

    /// The lengths of its rests, in milliseconds.
    fn steps(&self) -> Vec<u64> {
        let local = self.local.lock();
        super::rests::steps(&local.declaration)
            .into_iter()
            .collect()
    }

    fn rest_queue(&self, via: &str, at: usize, step: u64) -> String {
        let stream = &self.name;
        self.line.named(&format!("{via}.{stream}.{at}.rest.{step}"))
    }

    /// Makes the queues for copies that come back.
    pub(super) fn declare_rests(&self, via: &str) -> Result<(), StoreFault> {
        for at in 0..self.tails().len() {
            for step in self.steps() {
                let name = self.rest_queue(via, at, step);
                super::rests::make_rest(&self.line, &name, &self.partition(at))?;
            }
        }
        Ok(())
    }

    /// Where a copy rests for so long.
    pub(super) fn rest_of(&self, via: &str, at: usize, rest: Duration) -> Result<To, StoreFault> {
        let declaration = self.declaration();
        let step = super::rests::stepped(rest, &declaration);
        let name = self.rest_queue(via, at, step);
        if !self.steps().contains(&step) {
            super::rests::make_rest(&self.line, &name, &self.partition(at))?;
        }
        Ok(To::queue(name))
    }
}

/// A stream, for the engine.
pub(super) struct Handle {
    pub(super) stream: Arc<Stream>,
    pub(super) inner: Arc<Inner>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        self.stream
            .send(messages, self.inner.settings.is_structured)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.stream.room(waker)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        let (team, _) = self.stream.team(group)?;
        let ends = self.stream.ends()?;
        team.unfinished(&self.stream, &ends).map(Some)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (stream, inner) = (Arc::clone(&self.stream), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(stream, inner, consumer)?))
    }
}
