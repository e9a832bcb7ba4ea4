//! The thread that writes the note of a part, and reads those of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use paperflow_core::connector::StoreFault;
use paperflow_graph::plan::{Connector, ConnectorKind};

use crate::network::Net;
use crate::report::FaultReport;
use crate::roster::Who;

use super::cycles::{Cycle, foremost, members};
use super::quiet::Quiet;
use super::seen::{Seen, part_of};
use super::{Account, Crossing, Part, key_of};

/// How often notes are read.
const TICK: Duration = Duration::from_millis(100);
/// How often at least a program says that it is there.
const BEAT: Duration = Duration::from_secs(1);

/// So long at most a sender waits for parts that are to subscribe.
const PATIENT: Duration = Duration::from_secs(30);

/// Watches until the network has ended.
pub(crate) fn keep_on(net: &Arc<Net>) {
    let Some(part) = &net.part else {
        return;
    };
    let mut watching = Watching {
        net,
        part,
        quiet: Quiet::default(),
        members: net.members(part),
        begun: Instant::now(),
        written: Instant::now(),
        still_since: None,
    };
    while !net.roster.is_stopped() {
        if let Err(fault) = watching.look() {
            // It may be there again the next time.
            tracing::warn!(part = %part.name, "{fault}");
        }
        // Somebody rings, or it is time: either way it looks again.
        let _either = part.poke.recv_timeout(TICK);
    }
}

struct Watching<'a> {
    net: &'a Arc<Net>,
    part: &'a Part,
    quiet: Quiet,
    /// Processes in cycles through several parts: in the whole graph and here.
    members: Vec<(usize, usize)>,
    begun: Instant,
    written: Instant,
    /// Since when nothing moves here, and how much had moved by then.
    still_since: Option<(Instant, u64)>,
}

impl Watching<'_> {
    fn look(&mut self) -> Result<(), StoreFault> {
        let notes = self.part.notes.read()?;
        *self.part.heard.lock() = Instant::now();
        let present = {
            let mut seen = self.part.seen.lock();
            seen.update(notes, self.part.epoch);
            let present = seen.present();
            let present = present.map(|(name, account)| (name.to_owned(), account.clone()));
            present.collect::<BTreeMap<String, Account>>()
        };
        if self.is_replaced(&present) {
            return Ok(());
        }
        self.write(present.get(&self.part.note))?;
        self.tell_ends();
        self.end_when_idle()?;
        self.end_cycles(&present)
    }

    /// Writes its note, if there is something new to say, or somebody may wait for it.
    fn write(&mut self, written: Option<&Account>) -> Result<(), StoreFault> {
        let moved = self.net.moved();
        let mut account = self.part.account.lock();
        if account.is_finished || account.has_left {
            return Ok(());
        }
        let is_still = self.net.is_still() && self.net.moved() == moved;
        let is_cut_short = self.net.is_stopping.load(Ordering::Acquire);
        let mut new = Account {
            is_still,
            moved,
            held: self.held(),
            over: self.over(),
            listens: self.listens(),
            ..account.clone()
        };
        // What was told to stop has not been sent to its end.
        if !is_cut_short {
            let is_over =
                |sender: usize| self.net.processes[sender].is_over.load(Ordering::Acquire);
            new.ended = self.part.ended(is_over);
            new.deserted = self.net.deserted();
        }
        self.still_since = match self.still_since {
            Some((since, before)) if is_still && before == moved => Some((since, before)),
            _ => is_still.then(|| (Instant::now(), moved)),
        };
        let is_old = written != Some(&new) || self.written.elapsed() >= BEAT;
        if is_old || is_still {
            new.beat(&*self.part.notes, &self.part.note)?;
            *account = new;
            self.written = Instant::now();
        }
        Ok(())
    }

    fn over(&self) -> BTreeSet<usize> {
        let is_over = |here: usize| self.net.processes[here].is_over.load(Ordering::Acquire);
        let over = self.members.iter().filter(|(_, here)| is_over(*here));
        over.map(|(whole, _)| *whole).collect()
    }

    /// The connectors to which all readers here have subscribed.
    fn listens(&self) -> BTreeSet<String> {
        let mut all = BTreeMap::new();
        for (_, station) in &self.net.receivers {
            if let Some(key) = station.key() {
                *all.entry(key).or_insert(true) &= station.has_subscribed();
            }
        }
        let all = all.into_iter().filter(|(_, have)| *have);
        all.map(|(key, _)| key.to_owned()).collect()
    }

    fn held(&self) -> BTreeMap<String, u64> {
        let mut held = BTreeMap::new();
        for (_, station) in &self.net.receivers {
            let unsettled = station.unsettled.here.load(Ordering::Acquire) as u64;
            if let Some(key) = station.key().filter(|_| unsettled > 0) {
                *held.entry(key.to_owned()).or_default() += unsettled;
            }
        }
        held
    }

    /// Another program runs under the same name: this one has no say any more.
    fn is_replaced(&self, present: &BTreeMap<String, Account>) -> bool {
        let account = self.part.account.lock();
        let found = present.get(&self.part.note);
        let is_replaced = found.is_some_and(|found| account.is_replaced_by(found));
        drop(account);
        if is_replaced {
            let (part, copy) = (&self.part.name, self.part.note.rsplit_once('/'));
            let copy = copy.map_or("", |(_, copy)| copy);
            self.net.fail(FaultReport {
                address: part.clone(),
                message: format!(
                    "another program has begun to run the part `{part}` as its copy `{copy}`; each copy needs a name of its own"
                ),
                ..FaultReport::default()
            });
        }
        is_replaced
    }

    /// Receivers of connectors to which nobody elsewhere sends any more may end, and so may senders to
    /// those that nobody elsewhere reads any more; senders to those to which others were to subscribe may begin.
    fn tell_ends(&self) {
        let seen = self.part.seen.lock();
        let (mut over, mut called_for) = (BTreeSet::new(), BTreeSet::new());
        for (key, crossing) in &self.part.connectors {
            let mut writers = crossing.writers.iter();
            let is_over = writers.all(|part| seen.has_ended(part, key, &self.part.note));
            if is_over && !crossing.shore.is_over.swap(true, Ordering::AcqRel) {
                over.insert(key.as_str());
            }
            let mut readers = crossing.readers.iter();
            let is_deserted = readers.all(|part| seen.has_deserted(part, key, &self.part.note));
            if is_deserted && !crossing.shore.is_deserted.swap(true, Ordering::AcqRel) {
                called_for.insert(key.as_str());
            }
            if self.is_listened_to(key, crossing, &seen) {
                called_for.insert(key.as_str());
            }
        }
        drop(seen);
        let receivers = self.net.receivers.iter();
        let receivers = receivers.filter_map(|(index, station)| Some((station.key()?, *index)));
        let receivers = receivers.filter(|(key, _)| over.contains(key));
        let senders = self.part.senders.iter();
        let senders = senders.map(|(key, index)| (key.as_str(), *index));
        let senders = senders.filter(|(key, _)| called_for.contains(key));
        let called: Vec<_> = receivers.chain(senders).collect();
        if !called.is_empty() {
            self.net.busily(|| {
                let called = called.into_iter();
                called.for_each(|(_, index)| self.net.roster.wake(index));
            });
        }
    }

    /// Whether all have subscribed since it was looked last who read a connector elsewhere; who has not come
    /// for long is waited for no more.
    fn is_listened_to(&self, key: &str, crossing: &Crossing, seen: &Seen) -> bool {
        if crossing.shore.is_listened_to() {
            return false;
        }
        let others = crossing.readers.iter();
        let mut missing =
            others.filter(|part| **part != self.part.name && !seen.listens(part, key));
        if let Some(part) = missing.next() {
            if self.begun.elapsed() < PATIENT {
                return false;
            }
            tracing::warn!(
                "the part `{part}` has not subscribed to `{key}` within {PATIENT:?}: what is sent is not for it"
            );
        }
        crossing.shore.is_listened_to.store(true, Ordering::Release);
        true
    }

    /// Somebody has said after how long a part in which nothing moves is to end.
    fn end_when_idle(&mut self) -> Result<(), StoreFault> {
        let (Some(idle), Some((since, _))) = (self.net.idle, self.still_since) else {
            return Ok(());
        };
        if since.elapsed() < idle || self.is_awaited()? {
            return Ok(());
        }
        self.still_since = None;
        tracing::debug!(part = %self.part.name, "nothing has moved for {idle:?}");
        self.net.busily(|| {
            for (index, station) in &self.net.receivers {
                if station.key().is_some() {
                    station.call_for_the_last_time();
                    self.net.roster.wake(*index);
                }
            }
        });
        Ok(())
    }

    /// Whether something that this part has sent is not done.
    fn is_awaited(&self) -> Result<bool, StoreFault> {
        for crossing in self.part.connectors.values() {
            if crossing.writers.contains(&self.part.name) {
                for group in &crossing.groups {
                    if crossing.connector.unfinished(group)?.unwrap_or(0) > 0 {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Ends the cycles through several parts that are entered here, once nothing moves anywhere.
    fn end_cycles(&mut self, present: &BTreeMap<String, Account>) -> Result<(), StoreFault> {
        let mut parts = self.part.whole.parts.iter();
        let is_run = |part: &str| present.keys().any(|name| part_of(name) == part);
        if !parts.all(|part| is_run(&part.name)) {
            self.quiet = Quiet::No;
            return Ok(());
        }
        let part = self.part;
        if !self.quiet.look(present, || part.is_empty(present))? {
            return Ok(());
        }
        let is_over = |connector: &Connector| part.is_over(connector, present);
        let cycles = foremost(&part.whole, &part.over(present), is_over);
        let entry = |cycle: &Cycle| &part.whole.processes[cycle.entry].address;
        let entries: Vec<_> = cycles.iter().map(entry).collect();
        tracing::debug!(part = %part.name, ?entries, "nothing moves in any part");
        self.net.busily(|| {
            for cycle in &cycles {
                self.net.end_cycle(part, &self.members, cycle);
            }
            // Without a cycle it is several copies that hold something to the end of their input.
            let held = self.net.receivers.iter().filter(|(_, station)| {
                cycles.is_empty() && station.is_over_elsewhere() && station.key().is_some()
            });
            for (index, station) in held {
                station.call_for_the_last_time();
                self.net.roster.wake(*index);
            }
        });
        Ok(())
    }
}

impl Part {
    /// Whether the store has nothing of the connectors between parts, but for what they hold to the end
    /// of their input.
    fn is_empty(&self, present: &BTreeMap<String, Account>) -> Result<bool, StoreFault> {
        for (key, crossing) in &self.connectors {
            if crossing.kind == ConnectorKind::Pubsub {
                continue;
            }
            let held = present.values().filter_map(|account| account.held.get(key));
            let held: u64 = held.sum();
            let mut unfinished = 0;
            for group in &crossing.groups {
                match crossing.connector.unfinished(group)? {
                    Some(count) => unfinished += count,
                    None => return Ok(false),
                }
                // All who read a queue take from the same messages.
                if crossing.kind == ConnectorKind::Queue {
                    break;
                }
            }
            if unfinished > held {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The processes that have ended in all copies of their parts.
    fn over(&self, present: &BTreeMap<String, Account>) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        for part in &self.whole.parts {
            let copies = present
                .iter()
                .filter(|(name, _)| part_of(name) == part.name);
            let over = copies.map(|(_, account)| match account.is_finished {
                true => part.processes.iter().copied().collect(),
                false => account.over.clone(),
            });
            all.extend(over.reduce(|one, other| &one & &other).unwrap_or_default());
        }
        all
    }

    /// Whether nobody sends to a connector any more.
    fn is_over(&self, connector: &Connector, present: &BTreeMap<String, Account>) -> bool {
        let key = key_of(connector);
        let Some(crossing) = self.connectors.get(&key) else {
            return false;
        };
        let mut accounts = present.iter();
        accounts.all(|(name, account)| {
            !crossing.writers.contains(part_of(name)) || account.has_ended(&key)
        })
    }
}

impl Net {
    /// Connectors whose readers here have all left.
    pub(crate) fn deserted(&self) -> BTreeSet<String> {
        let stations = || self.receivers.iter().map(|(_, station)| station);
        let keys = stations().filter(|station| station.is_forsaken());
        let keys = keys.filter_map(|station| station.key());
        let all = |key: &str| {
            let mut own = stations().filter(|station| station.key() == Some(key));
            own.all(|station| station.is_forsaken())
        };
        keys.filter(|key| all(key)).map(str::to_owned).collect()
    }

    /// How much has moved so far.
    fn moved(&self) -> u64 {
        let received: u64 = self
            .processes
            .iter()
            .map(crate::process::Process::received)
            .sum();
        let delivered = self.receivers.iter();
        let delivered = delivered.map(|(_, one)| one.unsettled.delivered.load(Ordering::Acquire));
        received + delivered.sum::<u64>()
    }

    /// Those of its processes that are in cycles through several parts: in the whole graph and here.
    fn members(&self, part: &Part) -> Vec<(usize, usize)> {
        let here = self.processes.iter().enumerate();
        let here: HashMap<&str, usize> = here.map(|(at, one)| (&*one.address, at)).collect();
        let members = members(&part.whole).into_iter();
        members
            .filter_map(|whole| {
                let address = part.whole.processes[whole].address.as_str();
                Some((whole, *here.get(address)?))
            })
            .collect()
    }

    /// Ends the links and receivers of a cycle at its entry, if that is here.
    fn end_cycle(&self, part: &Part, own: &[(usize, usize)], cycle: &Cycle) {
        let entry = own.iter().find(|(whole, _)| *whole == cycle.entry);
        let Some((_, entry)) = entry.copied() else {
            return;
        };
        let members = own
            .iter()
            .filter(|(whole, _)| cycle.members.contains(whole));
        let members: BTreeSet<usize> = members.map(|(_, here)| *here).collect();
        let keys: BTreeSet<String> = part.keys_within(cycle);
        let station = |index: usize| {
            let mut stations = self.receivers.iter();
            let (_, station) = stations.find(|(receiver, _)| *receiver == index)?;
            Some(station)
        };
        for link in self.processes[entry].links_in() {
            let writers = self.links[link].writers.iter();
            let writers = writers.filter_map(|who| match who {
                Who::Process(writer) => Some(*writer),
                Who::External(_) => None,
            });
            for writer in writers {
                if members.contains(&writer) {
                    self.links[link].end_by_quiescence();
                }
                let found = station(writer);
                let found = found.filter(|found| found.key().is_some_and(|key| keys.contains(key)));
                if let Some(station) = found {
                    station.call_for_the_last_time();
                    self.roster.wake(writer);
                }
            }
        }
    }
}

impl Part {
    /// The connectors by which members of a cycle write to its entry.
    fn keys_within(&self, cycle: &Cycle) -> BTreeSet<String> {
        let links = self.whole.links.iter();
        let inner = links.filter(|link| {
            let mut writers = link.writers();
            link.to.process == cycle.entry
                && writers.any(|writer| cycle.members.contains(&writer.end.process))
        });
        let connectors = inner.filter_map(|link| link.connector.as_deref());
        connectors.map(key_of).collect()
    }
}
