//! Queues: a quorum queue for the messages, one for each rest, and what this process knows of them.
//!
//! | on the server | what it is |
//! |---|---|
//! | exchange `NAME`, direct | shows that `NAME` is a queue; what is sent there under the key `NAME` gets there |
//! | queue `NAME` | the messages |
//! | queues `NAME.rest.MILLISECONDS` | messages that rest; each goes back by itself when its time is over |
//!
//! A message rests by being copied: it is published to the queue for its rest, and acknowledged once that is
//! confirmed. There is a queue for each length of rest, since only the first message of a queue is looked
//! at. The server gives it back with its dead-letter mechanism, in the mode `at-least-once`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use paperflow_core::connector::{Declaration, Sent, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;

use super::Settings;
use super::intake::{Come, Intake};
use super::known::{Copied, Known, REMEMBERED};
use super::line::Line;
use super::outbox::{Fate, Outbox, To};
use super::rests::{A_LITTLE_LATER, ON_ITS_WAY, make, make_rest, stepped, steps};
use super::wire::{ATTEMPTS, Parcel};
use crate::broker::patience::{PATIENCE, insist};
use crate::broker::waiting::{Readers, Writers};
use crate::fault::unavailable;

/// How often a server is asked that does not have back yet what was held over a lost connection.
const RECOVERING: Duration = Duration::from_millis(200);
/// So many messages tell how large they are on the whole.
const LAST: u32 = 64;
/// For how long what a server has said of room is believed.
const BELIEVED: Duration = Duration::from_millis(50);

/// A queue of a server, as this process uses it.
pub(super) struct Queue {
    pub(super) line: Arc<Line>,
    pub(super) name: String,
    settings: Arc<Settings>,
    outbox: Outbox,
    pub(super) local: Mutex<Local>,
    /// Held while something is received or settled. What a server has to say comes by other threads, so
    /// nobody may wait for it and hold `local`.
    intake: Mutex<Option<Intake>>,
}

/// What this process knows of a queue.
pub(super) struct Local {
    pub(super) declaration: Declaration,
    /// Each with whether it has stopped.
    pub(super) readers: Readers<bool>,
    /// Those who wait for room.
    pub(super) writers: Writers,
    /// What is here and in nobody's hands, by the channel that it has come on and its number there.
    pub(super) pool: BTreeMap<Place, Waiting>,
    /// What consumers hold.
    pub(super) flights: HashMap<u64, Flight>,
    /// What was settled and the server does not know yet.
    pub(super) settled: Vec<Settled>,
    /// What this process had when it lost its connection. If the server gives it to this process again, it
    /// is the same delivery; if to another, nobody hears what is said of it here.
    pub(super) lost: HashMap<Copied, Lost>,
    /// What has come, and what of it was done.
    pub(super) known: Known,
    /// Something that was settled was lost, and the server has not been asked for it since.
    is_unsure: bool,
    /// What rests, until when, by time that only goes on.
    resting: HashMap<Id, Duration>,
    /// Readers and deliveries that were given a number.
    pub(super) given: u64,
    /// Channels that were opened to read.
    opened: u64,
    /// How many were ready at the server, and when it has said so; what was sent since is counted.
    ready: Option<(u64, Duration)>,
    /// Bytes of a message that was sent here, on the whole, and of how many that is the mean.
    mean: f64,
    measured: u32,
    /// Of a batch that was not confirmed as a whole: what was.
    confirmed: HashSet<Id>,
}

/// On which channel something has come, and which it was there.
pub(super) type Place = (u64, u64);

/// It went back with its connection.
const NOWHERE: Place = (0, 0);

/// What is in nobody's hands.
pub(super) struct Waiting {
    pub(super) parcel: Parcel,
    /// How often it was delivered.
    pub(super) attempts: u32,
}

/// A delivery that is not settled.
pub(super) struct Flight {
    pub(super) place: Place,
    pub(super) reader: u64,
    pub(super) id: Id,
    pub(super) attempt: u32,
    pub(super) parcel: Parcel,
}

impl Flight {
    fn copied(&self) -> Copied {
        (self.id, written(&self.parcel))
    }
}

/// Which message it is, if it says so.
fn copied(parcel: &Parcel) -> Option<Copied> {
    let id = parcel.id()?.parse().ok()?;
    Some((id, written(parcel)))
}

/// Whether its identity is one that Paperflow gives, so that no other message has it; a stranger may mean
/// something else by it.
fn is_ours(parcel: &Parcel) -> bool {
    const DIGITS: usize = 32;
    parcel.id().is_some_and(|id| id.len() == DIGITS)
}

/// How often something had been delivered when it was written.
fn written(parcel: &Parcel) -> u64 {
    parcel.number(ATTEMPTS).unwrap_or(0)
}

/// What has become of something that went back to the server with the connection.
pub(super) enum Lost {
    /// A consumer holds it, under this ticket.
    Held(u64),
    /// It was settled.
    Settled(What),
}

/// What is to become of a delivery.
pub(super) struct Settled {
    pub(super) place: Place,
    pub(super) copied: Copied,
    pub(super) what: What,
}

/// What is to be acknowledged, by its number on the channel, and whether it is done; nothing of what
/// lies there twice.
type Acknowledged = BTreeMap<u64, Option<(Copied, bool)>>;

/// See [`Settled`].
pub(super) enum What {
    Done,
    /// It was written twice, and the other one counts.
    Twice,
    /// It rests: its copy, and for how long.
    Rest(Box<Parcel>, Duration),
    /// It is set aside: its copy, where to, and whether it cannot be read.
    Aside(Box<Parcel>, String, bool),
}

/// Calls the readers of a queue when something comes.
struct Bell(Weak<Queue>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if let Some(queue) = self.0.upgrade() {
            queue.local.lock().readers.call();
        }
    }
}

impl Queue {
    pub(super) fn new(
        line: &Arc<Line>,
        settings: &Arc<Settings>,
        declaration: Declaration,
    ) -> Self {
        Self {
            line: Arc::clone(line),
            name: declaration.name.clone(),
            settings: Arc::clone(settings),
            outbox: Outbox::new(line),
            local: Mutex::new(Local {
                declaration,
                readers: Readers::default(),
                writers: Writers::default(),
                pool: BTreeMap::new(),
                flights: HashMap::new(),
                settled: Vec::new(),
                lost: HashMap::new(),
                known: Known::default(),
                is_unsure: false,
                resting: HashMap::new(),
                given: 0,
                opened: 0,
                ready: None,
                mean: 0.0,
                measured: 0,
                confirmed: HashSet::new(),
            }),
            intake: Mutex::default(),
        }
    }

    fn key(&self) -> String {
        self.line.named(&self.name)
    }

    /// Makes it on the server, if it is not there.
    pub(super) fn declare(&self) -> Result<(), StoreFault> {
        make(&self.line, &self.name)?;
        for rest in self.steps() {
            self.declare_rest(rest)?;
        }
        Ok(())
    }

    /// The lengths of its rests, in milliseconds.
    fn steps(&self) -> BTreeSet<u64> {
        steps(&self.local.lock().declaration)
    }

    fn rest_queue(&self, step: u64) -> String {
        self.line.named(&format!("{}.rest.{step}", self.name))
    }

    fn declare_rest(&self, step: u64) -> Result<(), StoreFault> {
        make_rest(&self.line, &self.rest_queue(step), &self.key())
    }

    /// Writes messages, and returns when they are safe.
    pub(super) fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (known, mut parcels, mut ids) = {
            let mut local = self.local.lock();
            let ids: HashSet<Id> = messages.iter().map(|message| message.id).collect();
            // Whoever sends something else does not come back to what was sent in part.
            local.confirmed.retain(|id| ids.contains(id));
            (local.confirmed.clone(), Vec::new(), Vec::new())
        };
        let source = format!("paperflow:{}", self.name);
        for message in messages
            .iter()
            .filter(|message| !known.contains(&message.id))
        {
            let parcel = Parcel::pack(message, &source, self.settings.is_structured)?;
            ids.push((message.id, parcel.size()));
            parcels.push((To::queue(self.key()), parcel));
        }
        let fates = self.outbox.send(&parcels)?;
        failpoint!("before_confirm");
        let mut local = self.local.lock();
        let mut unsafe_ones = 0;
        let mut is_gone = false;
        for ((id, size), fate) in ids.into_iter().zip(fates) {
            if fate == Fate::Safe {
                local.measure(size);
                local.confirmed.insert(id);
            } else {
                unsafe_ones += 1;
                is_gone |= fate == Fate::Unroutable;
            }
        }
        if let Some((ready, _)) = &mut local.ready {
            *ready += (parcels.len() - unsafe_ones) as u64;
        }
        local.readers.call();
        if unsafe_ones == 0 {
            local.confirmed.clear();
            return Ok(Sent {
                written: parcels.len(),
                known: known.len(),
            });
        }
        drop(local);
        if is_gone {
            self.declare()?;
        }
        Err(unavailable(format!(
            "`{}` refuses {unsafe_ones} of {} messages: there is no room, or it was removed",
            self.name,
            messages.len()
        )))
    }

    /// How many more messages may be sent now.
    pub(super) fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        {
            let mut local = self.local.lock();
            let now = self.line.clock.elapsed();
            if let Some((ready, told)) = local.ready
                && now.saturating_sub(told) < BELIEVED
                && let room @ 1.. = local.room_beside(ready)
            {
                return Ok(room);
            }
            // First, so that room which is made meanwhile is heard of.
            local.writers.add(waker);
        }
        self.write_settled()?;
        let ready: u64 = self.count()?.iter().sum();
        let mut local = self.local.lock();
        let room = local.room_beside(ready);
        local.ready = Some((ready, self.line.clock.elapsed()));
        if room > 0 {
            local.writers.remove(waker);
        }
        Ok(room)
    }

    /// How many are ready here, and in each of the queues for rests.
    fn count(&self) -> Result<Vec<u64>, StoreFault> {
        let rests = self.steps().into_iter().map(|step| self.rest_queue(step));
        let names: Vec<String> = std::iter::once(self.key()).chain(rests).collect();
        let counts = self.line.counts(&names)?;
        Ok(counts.into_iter().map(|counts| counts.ready).collect())
    }

    /// All that is in it, as far as it can be seen: the server does not tell what others hold. They tell
    /// themselves what they hold; so what nobody holds counts for more than they can have.
    pub(super) fn unfinished(&self) -> Result<u64, StoreFault> {
        const MORE_THAN_ANY_HOLD: u64 = 1 << 40;
        self.write_settled()?;
        let free: u64 = self.count()?.iter().sum();
        let mut local = self.local.lock();
        local.forget_rests(self.line.clock.elapsed());
        let unknown = u64::from(self.line.recovers());
        let free = free + unknown + (local.pool.len() + local.resting.len()) as u64;
        let held = local.flights.len() as u64;
        Ok(if free > 0 {
            free + MORE_THAN_ANY_HOLD
        } else {
            held
        })
    }

    /// Until when something rests, if it does, by time that only goes on.
    pub(super) fn due(&self) -> Result<Option<Duration>, StoreFault> {
        let steps = self.steps();
        let counts = self.count()?;
        let now = self.line.clock.elapsed();
        let mut local = self.local.lock();
        let filled = steps.iter().zip(counts.iter().skip(1));
        let filled = filled.filter(|(_, count)| **count > 0);
        let shortest = filled.map(|(step, _)| *step).min();
        local.forget_rests(now);
        let soon = now + A_LITTLE_LATER;
        let own = local.resting.values().map(|until| (*until).max(soon));
        let of_others = shortest.map(|step| now + Duration::from_millis(step));
        let due = own.min().or(of_others);
        if self.line.recovers() {
            let again = now + RECOVERING;
            return Ok(Some(due.map_or(again, |due| due.min(again))));
        }
        Ok(due)
    }

    /// Brings what consumers may have: sees to it that there is as much as is wanted, if the server has it. Gives
    /// how many messages came, those that lay there twice among them.
    pub(super) fn fetch(self: &Arc<Self>, most: usize) -> Result<usize, StoreFault> {
        let mut intake = self.intake.lock();
        let own = self.opened(&mut intake)?;
        let mut come = Vec::new();
        let asked = own.ask_for(most, &mut come);
        let (number, count) = (own.number, come.len());
        self.lay_down(number, come);
        asked.map(|()| count)
    }

    /// The channel on which messages come; a new one when the last is of no use any more.
    fn opened<'a>(
        self: &Arc<Self>,
        intake: &'a mut Option<Intake>,
    ) -> Result<&'a mut Intake, StoreFault> {
        if intake.as_ref().is_some_and(|own| !own.is_there()) {
            *intake = None;
            self.lose();
        }
        if let Some(own) = intake {
            return Ok(own);
        }
        let number = {
            let mut local = self.local.lock();
            local.opened += 1;
            local.opened
        };
        let bell = Waker::from(Arc::new(Bell(Arc::downgrade(self))));
        let opened = Intake::open(&self.line, &self.key(), number, bell)?;
        Ok(intake.insert(opened))
    }

    /// What was here is with the server again, as far as that does not know what was said of it.
    fn lose(&self) {
        let mut local = self.local.lock();
        let local = &mut *local;
        local.pool.clear();
        local.ready = None;
        // What was settled and did not come again after an earlier loss may come after this one.
        let is_bounded = local.lost.len() <= REMEMBERED;
        local
            .lost
            .retain(|_, lost| is_bounded && matches!(lost, Lost::Settled(_)));
        for (ticket, flight) in &mut local.flights {
            flight.place = NOWHERE;
            local.lost.insert(flight.copied(), Lost::Held(*ticket));
        }
        local.is_unsure |= !local.settled.is_empty();
        let counts = |settled: &Settled| !matches!(settled.what, What::Twice);
        for settled in local.settled.drain(..).filter(counts) {
            local
                .lost
                .insert(settled.copied, Lost::Settled(settled.what));
        }
        local.known.all_go_back_but(local.lost.keys().copied());
        for (copied, is_done) in local.known.recent() {
            // Of what was copied the copy counts, and may come back under the same name.
            let what = if is_done { What::Done } else { What::Twice };
            local.lost.insert(copied, Lost::Settled(what));
        }
        if !local.lost.is_empty() {
            let count = local.lost.len();
            tracing::debug!(
                "the connection of `{}` was lost with {count} messages",
                self.name
            );
        }
    }

    fn lay_down(&self, number: u64, come: Vec<Come>) {
        let mut local = self.local.lock();
        for Come { tag, parcel } in come {
            local.lay_down((number, tag), parcel);
        }
    }

    /// Does on the server what was settled, and does not give up before patience is over.
    pub(super) fn flush(self: &Arc<Self>) -> Result<(), StoreFault> {
        insist(&self.name, PATIENCE, || {
            self.write_settled()?;
            if std::mem::take(&mut self.local.lock().is_unsure) {
                // What was settled and lost comes again, if nobody else has it, and is settled then.
                self.fetch(REMEMBERED)?;
                self.write_settled()?;
            }
            match self.intake.lock().as_ref() {
                // When it has answered it has heard what was said before.
                Some(own) if own.is_there() => own.ready().map(|_| ()),
                _ => Ok(()),
            }
        })
    }

    /// Does on the server what was settled.
    pub(super) fn write_settled(&self) -> Result<(), StoreFault> {
        // Whoever is at it has it done when this is free.
        let mut intake = self.intake.lock();
        if self.local.lock().settled.is_empty() {
            return Ok(());
        }
        let Some(own) = intake.as_mut().filter(|own| own.is_there()) else {
            // The server has these deliveries back.
            self.lose();
            return self.line.link().map(|_| ());
        };
        let settled = std::mem::take(&mut self.local.lock().settled);
        let (done, rest) = self.copy(settled);
        if !done.is_empty() {
            failpoint!("settle_lost");
        }
        let result = own.done(&done.keys().copied().collect());
        let mut local = self.local.lock();
        local.known.acknowledged(done.into_values().flatten());
        local.doubt_room();
        local.writers.call();
        rest.and(result)
    }

    /// Publishes the copies of what was settled: what is to be acknowledged, and whether that is all.
    fn copy(&self, settled: Vec<Settled>) -> (Acknowledged, Result<(), StoreFault>) {
        let mut done = BTreeMap::new();
        let (mut copied, mut parcels) = (Vec::new(), Vec::new());
        for one in settled {
            match self.copy_of(&one.what) {
                Ok(None) => {
                    let counts = !matches!(one.what, What::Twice);
                    done.insert(one.place.1, counts.then_some((one.copied, true)));
                }
                Ok(Some(parcel)) => {
                    parcels.push(parcel);
                    copied.push(one);
                }
                Err(fault) => {
                    self.local.lock().settled.push(one);
                    return (done, Err(fault));
                }
            }
        }
        if copied.is_empty() {
            return (done, Ok(()));
        }
        if copied
            .iter()
            .any(|one| matches!(one.what, What::Aside(.., true)))
        {
            failpoint!("before_invalid_copy");
        }
        let fates = self.outbox.send(&parcels);
        let mut result = fates.as_ref().map(|_| ()).map_err(Clone::clone);
        let fates = fates.unwrap_or_else(|_| vec![Fate::Refused; copied.len()]);
        let now = self.line.clock.elapsed();
        let (mut has_rested, mut was_set_aside) = (false, false);
        let mut local = self.local.lock();
        for (one, fate) in copied.into_iter().zip(fates) {
            if fate != Fate::Safe {
                result = result.and(Err(unavailable(format!(
                    "a message of `{}` cannot be copied now",
                    self.name
                ))));
                local.settled.push(one);
                continue;
            }
            done.insert(one.place.1, Some((one.copied, false)));
            if let What::Rest(_, rest) = one.what {
                local.resting.insert(one.copied.0, now + rest);
                has_rested = true;
            } else {
                was_set_aside = true;
            }
        }
        drop(local);
        if has_rested {
            failpoint!("after_retry");
        }
        if was_set_aside {
            failpoint!("after_dead_letter");
        }
        (done, result)
    }

    /// What is published before a delivery is acknowledged.
    fn copy_of(&self, what: &What) -> Result<Option<(To, Parcel)>, StoreFault> {
        Ok(match what {
            What::Done | What::Twice => None,
            What::Rest(copy, rest) => {
                let step = stepped(*rest, &self.local.lock().declaration);
                if !self.steps().contains(&step) {
                    self.declare_rest(step)?;
                }
                let parcel = Parcel::clone(copy).resting(*rest)?;
                Some((To::queue(self.rest_queue(step)), parcel))
            }
            What::Aside(copy, to, _) => {
                let name = self.line.named(to);
                let to = To {
                    exchange: name.clone(),
                    key: name,
                };
                Some((to, Parcel::clone(copy)))
            }
        })
    }

    /// Nobody reads here any more: what is here goes back.
    pub(super) fn leave(&self) {
        let settled = self.write_settled();
        if let Err(fault) = settled {
            tracing::warn!(
                "what was settled in `{}` is delivered again: {fault}",
                self.name
            );
        }
        let mut intake = self.intake.lock();
        if let Some(own) = intake.take() {
            own.close();
        }
        let mut local = self.local.lock();
        local.pool.clear();
        local.settled.clear();
        local.known.all_go_back_but([]);
        local.writers.call();
    }

    /// Nobody wants more: what is here and in nobody's hands goes back.
    pub(super) fn stop(&self) -> Result<(), StoreFault> {
        self.write_settled()?;
        let mut intake = self.intake.lock();
        let Some(own) = intake.as_mut().filter(|own| own.is_there()) else {
            return Ok(());
        };
        let mut come = Vec::new();
        own.stop(&mut come)?;
        let number = own.number;
        self.lay_down(number, come);
        let pool = {
            let mut local = self.local.lock();
            let pool = std::mem::take(&mut local.pool);
            let back = pool.values().filter_map(|waiting| copied(&waiting.parcel));
            back.for_each(|copied| local.known.goes_back(copied));
            pool
        };
        own.give_back(&pool.keys().map(|(_, tag)| *tag).collect())
    }

    /// Removes it from the server, and what is in it.
    pub(super) fn remove(&self) -> Result<(), StoreFault> {
        let rests = self.steps().into_iter().map(|step| self.rest_queue(step));
        for name in rests.chain([self.key()]) {
            self.line.remove_queue(&name)?;
        }
        self.line.remove_exchange(&self.key())
    }

    /// How many are in this process.
    pub(super) fn here(&self) -> u64 {
        let local = self.local.lock();
        (local.pool.len() + local.flights.len()) as u64
    }

    /// Everybody looks again.
    pub(super) fn call_all(&self) {
        let mut local = self.local.lock();
        local.readers.call();
        local.writers.call();
    }
}

impl Local {
    /// Something has come, perhaps once more.
    fn lay_down(&mut self, place: Place, parcel: Parcel) {
        let copied = copied(&parcel);
        // The server says of what it has given to somebody before that it has.
        let is_again = parcel.attempts_by_server() > 0;
        let lost = copied.filter(|_| is_again).and_then(|copied| {
            let lost = self.lost.remove(&copied)?;
            Some((copied, lost))
        });
        match (lost, copied) {
            (Some((_, Lost::Held(ticket))), _) if self.flights.contains_key(&ticket) => {
                if let Some(flight) = self.flights.get_mut(&ticket) {
                    flight.place = place;
                }
            }
            (Some((copied, Lost::Settled(what))), _) => self.settled.push(Settled {
                place,
                copied,
                what,
            }),
            (None, Some(copied)) if is_ours(&parcel) && !self.known.comes(copied) => {
                tracing::debug!(
                    "a message that lies in a queue twice is passed over: {}",
                    copied.0
                );
                self.settled.push(Settled {
                    place,
                    copied,
                    what: What::Twice,
                });
            }
            _ => {
                let attempts = parcel.attempts();
                self.pool.insert(place, Waiting { parcel, attempts });
            }
        }
    }

    /// Something was said of a delivery, which may have been lost meanwhile.
    pub(super) fn settle(&mut self, flight: Flight, what: What) {
        let copied = flight.copied();
        if flight.place != NOWHERE {
            let place = flight.place;
            self.settled.push(Settled {
                place,
                copied,
                what,
            });
        } else if let Some(lost) = self.lost.get_mut(&copied) {
            *lost = Lost::Settled(what);
        }
    }

    /// A delivery is given back after so many attempts, unless the server has it already.
    pub(super) fn give_back(&mut self, flight: Flight, attempts: u32) {
        if flight.place == NOWHERE {
            let copied = flight.copied();
            self.lost.remove(&copied);
            self.known.goes_back(copied);
            return;
        }
        let parcel = flight.parcel;
        self.pool.insert(flight.place, Waiting { parcel, attempts });
    }

    /// Room that is told of no more is asked for.
    pub(super) fn doubt_room(&mut self) {
        self.ready = None;
    }

    /// How many more may be sent when so many are ready at the server. Bytes are not told: what waits has as
    /// many, it is assumed, as what was sent.
    fn room_beside(&self, ready: u64) -> usize {
        let waiting = usize::try_from(ready).unwrap_or(usize::MAX);
        let waiting = waiting.saturating_add(self.pool.len());
        let free = self.declaration.capacity.saturating_sub(waiting);
        if waiting == 0 || self.measured == 0 || self.mean <= 0.0 {
            return free.max(usize::from(waiting == 0));
        }
        let bytes = waiting as f64 * self.mean;
        let left = (self.declaration.capacity_bytes as f64 - bytes) / self.mean;
        // A message that finds some room is not kept out because it needs more.
        free.min(left.ceil().max(0.0) as usize)
    }

    /// A message of this size was sent. The last ones count.
    fn measure(&mut self, size: usize) {
        self.measured = (self.measured + 1).min(LAST);
        self.mean += (size as f64 - self.mean) / f64::from(self.measured);
    }

    /// What should be back is forgotten: somebody else has it.
    fn forget_rests(&mut self, now: Duration) {
        self.resting.retain(|_, until| *until + ON_ITS_WAY > now);
    }

    /// Takes what waits, up to so many, in order.
    pub(super) fn take_from_pool(&mut self, most: usize) -> VecDeque<(Place, Waiting)> {
        let mut taken = VecDeque::new();
        while taken.len() < most
            && let Some(first) = self.pool.pop_first()
        {
            taken.push_back(first);
        }
        taken
    }

    /// It has come back from its rest.
    pub(super) fn is_back(&mut self, id: Id) {
        self.resting.remove(&id);
    }
}
