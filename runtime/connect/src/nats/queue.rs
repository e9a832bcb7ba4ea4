//! Queues: a stream of the server for the messages, with one consumer that all who read it share, and what
//! this process knows of both.
//!
//! What is done is acknowledged and gone. What rests is given back with a delay, and what was given back
//! without having been handled is noted beside (`notes` of a message), since the server counts that
//! delivery. A delivery is this process's as long as the server waits for its acknowledgement; that time
//! ends earlier here than there, and then nothing is said of it any more, since it would be heard as said of
//! the next delivery.

use std::collections::{BTreeMap, HashMap};
use std::task::Waker;
use std::time::{Duration, Instant};

use paperflow_core::connector::{Declaration, Sent, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Inner;
use super::docs::nanos;
use super::line::{Request, read};
use super::recovery::sweep;
use super::server::{Reads, State, ensure, ensure_consumer, reads, state};
use super::settled::{Done, Settled, is_again};
use super::wire::written;
use crate::broker::patience::{PATIENCE, insist, wait_for};
use crate::broker::waiting::{Readers, Writers};
use crate::fault::unavailable;

/// A queue of a server, as this process uses it.
pub(super) struct Queue {
    pub(super) name: String,
    /// The server's stream.
    pub(super) stream: String,
    pub(super) local: Mutex<Local>,
    /// Held while deliveries are received or settled, so that one sees what the other has done.
    pub(super) turn: Mutex<()>,
}

/// What this process knows of a queue.
pub(super) struct Local {
    pub(super) declaration: Declaration,
    pub(super) readers: Readers<()>,
    /// Those who wait for room.
    pub(super) writers: Writers,
    /// What is in the hands of this process.
    pub(super) flights: BTreeMap<u64, Flight>,
    /// What is still in the hands of this process although its lease is over.
    pub(super) late: BTreeMap<u64, Flight>,
    /// What was settled and the server does not know yet.
    pub(super) settled: Vec<Settled>,
    /// What is done, whatever the server knows of it.
    pub(super) done: Done,
    /// How often that was taken to be told.
    pub(super) round: u64,
    /// What rests, and until when, of what failed here.
    pub(super) resting: BTreeMap<u64, Instant>,
    /// What other processes hold, as they said last, and until when that is believed.
    pub(super) others: HashMap<String, (Held, Instant)>,
    /// Readers and deliveries that were given a number.
    pub(super) given: u64,
    room: Room,
    /// The last message that has come.
    last: u64,
    /// The connection over which it was looked what the server had forgotten.
    pub(super) recovered: u64,
}

/// Room that there was when it was looked, less what was sent since.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    messages: usize,
    bytes: u64,
    /// Until when that is believed: others send as well.
    until: Option<Instant>,
}

impl Room {
    /// How many messages may be sent without another look.
    fn told(&self) -> usize {
        let is_believed = self.until.is_some_and(|until| Instant::now() < until);
        if is_believed { self.messages } else { 0 }
    }

    fn send(&mut self, messages: usize, bytes: u64) {
        self.messages = match self.bytes > bytes {
            true => self.messages.saturating_sub(messages),
            false => 0,
        };
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// How long a look for room is believed.
const BELIEVED: Duration = Duration::from_millis(5);

/// A delivery that is not settled.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) reader: u64,
    /// The subject on which it is acknowledged.
    pub(super) token: String,
    pub(super) seq: u64,
    /// The number of the connection over which it came.
    pub(super) connection: u64,
    /// When it was written, in nanoseconds since 1970.
    pub(super) at: u64,
    pub(super) id: Id,
    pub(super) attempt: u32,
    /// It was delivered before, so there may be notes.
    pub(super) note: Option<Note>,
    /// What it takes of the stream.
    pub(super) bytes: u64,
    /// Until when it is ours.
    pub(super) until: Instant,
}

/// What is noted about a message beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Deliveries that do not count.
    pub(super) released: u32,
    /// When it failed first, in milliseconds since 1970.
    pub(super) first: Option<i64>,
}

/// How much is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// How much earlier than the server we believe that a lease has ended.
pub(super) fn margin(lease: Duration) -> Duration {
    lease / 10
}

impl Queue {
    pub(super) fn new(inner: &Inner, declaration: Declaration) -> Self {
        let name = declaration.name.clone();
        Self {
            stream: inner.line.names.queue(&name),
            name,
            turn: Mutex::default(),
            local: Mutex::new(Local::new(declaration)),
        }
    }

    /// Makes what keeps it, if that is not there.
    pub(super) fn make(&self, inner: &Inner) -> Result<(), StoreFault> {
        let config = kept(inner, &self.name);
        ensure(&inner.line, &config)?;
        ensure_consumer(&inner.line, &self.stream, self.lease())
    }

    pub(super) fn lease(&self) -> Duration {
        let lease = self.local.lock().declaration.lease;
        lease.max(Duration::from_millis(1))
    }

    /// Writes messages, and returns when they are safe; waits while there is no room for them.
    pub(super) fn send(&self, inner: &Inner, messages: &[Message]) -> Result<Sent, StoreFault> {
        let requests = inner.publishing(&self.name, messages, |_| {
            inner.line.names.subject(&self.name)
        })?;
        let has_room = || {
            if self.local.lock().room.told() >= messages.len() {
                return Ok(Some(()));
            }
            let (room, is_empty) = self.look_for_room(inner)?;
            Ok((room >= messages.len() || is_empty).then_some(()))
        };
        when_there_is_room(&self.name, has_room)?;
        let bytes: u64 = requests.iter().map(Request::bytes).sum();
        let number = inner.ready([self.stream.as_str()])?;
        let sent = published_still(inner, number, requests)?;
        failpoint!("before_confirm");
        let mut local = self.local.lock();
        local.room.send(sent.written, bytes);
        if sent.written > 0 {
            local.readers.call();
            drop(local);
            inner.ring(&self.name, "message", None);
        }
        Ok(sent)
    }

    /// How many more messages may be sent now.
    pub(super) fn room(&self, inner: &Inner, waker: &Waker) -> Result<usize, StoreFault> {
        let told = self.local.lock().room.told();
        if told > 0 {
            return Ok(told);
        }
        // First, so that room which is made meanwhile is heard of.
        self.local.lock().writers.add(waker);
        let (room, _) = self.look_for_room(inner)?;
        let mut local = self.local.lock();
        if room > 0 {
            local.writers.remove(waker);
        }
        Ok(room)
    }

    /// All that is in it: what is done is gone.
    pub(super) fn unfinished(&self, inner: &Inner) -> Result<u64, StoreFault> {
        self.write_settled(inner)?;
        Ok(self.state(inner, true)?.messages)
    }

    /// How it stands with it. What is done and lies there still is removed when somebody waits for room, or for
    /// the end.
    fn state(&self, inner: &Inner, is_urgent: bool) -> Result<State, StoreFault> {
        let number = self.recover(inner)?;
        let found = state(&inner.line, &self.stream)?;
        let none = || unavailable(format!("the server has no queue `{}` now", self.name));
        let found = found.ok_or_else(none)?;
        match is_urgent {
            true => sweep(&inner.line, number, &self.stream, found),
            false => Ok(found),
        }
    }

    /// How many more messages it takes, and whether nothing waits in it: then it takes one at least.
    pub(super) fn look_for_room(&self, inner: &Inner) -> Result<(usize, bool), StoreFault> {
        self.write_settled(inner)?;
        let state = self.state(inner, false)?;
        let mut local = self.local.lock();
        let held = local.held();
        let waiting = state.messages.saturating_sub(held.messages);
        let bytes = state.bytes.saturating_sub(held.bytes);
        let most = local.declaration.capacity;
        let free = local.declaration.capacity_bytes.saturating_sub(bytes);
        let is_empty = waiting == 0;
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        let room = match is_empty {
            true => most.max(1),
            false if free == 0 => 0,
            false => most.saturating_sub(waiting),
        };
        local.room = Room {
            messages: room,
            bytes: free,
            until: Some(Instant::now() + BELIEVED),
        };
        Ok((room, is_empty))
    }

    /// How it stands with those who read it.
    pub(super) fn reads(&self, inner: &Inner) -> Result<Reads, StoreFault> {
        reads(&inner.line, &self.stream)
    }

    /// Renews what is held, looks whether others have written here, and tells what is held.
    pub(super) fn look(&self, inner: &Inner) -> Result<(), StoreFault> {
        self.renew(inner)?;
        let (is_read, is_full, held) = {
            let local = self.local.lock();
            let is_waited = local.readers.is_waited();
            let is_full = !local.writers.is_empty();
            (is_waited || is_full, is_full, local.own())
        };
        if held.messages > 0 {
            inner.ring(&self.name, "held", Some(held));
        }
        if !is_read {
            return Ok(());
        }
        let state = self.state(inner, is_full)?;
        let mut local = self.local.lock();
        if std::mem::replace(&mut local.last, state.last_seq) != state.last_seq {
            local.readers.call();
        }
        // A bell may not have been heard.
        let held = local.held();
        let waiting = usize::try_from(state.messages.saturating_sub(held.messages));
        if waiting.is_ok_and(|waiting| waiting < local.declaration.capacity) {
            local.writers.call();
        }
        Ok(())
    }

    /// Lets the server wait longer for what is held, a good while before it waits no longer.
    fn renew(&self, inner: &Inner) -> Result<(), StoreFault> {
        let lease = self.lease();
        let number = self.recover(inner)?;
        let asked = Instant::now();
        let held: Vec<(u64, String)> = {
            let mut local = self.local.lock();
            local.give_up_late(&self.name);
            let late = asked + lease * 2 / 3;
            let flights = local.flights.iter();
            let flights = flights.filter(|(_, flight)| flight.until < late);
            flights
                .map(|(ticket, flight)| (*ticket, flight.token.clone()))
                .collect()
        };
        if held.is_empty() {
            return Ok(());
        }
        let said = held
            .iter()
            .map(|(_, token)| (token.clone(), b"+WPI".to_vec()));
        inner.acknowledge(number, said.collect())?;
        let until = asked + lease - margin(lease);
        let mut local = self.local.lock();
        for (ticket, _) in held {
            if let Some(flight) = local.flights.get_mut(&ticket) {
                flight.until = until;
            }
        }
        Ok(())
    }

    /// Another process tells how much it holds.
    pub(super) fn hear_held(&self, session: &str, held: Held) {
        let mut local = self.local.lock();
        let until = Instant::now() + local.declaration.lease;
        if held.messages == 0 {
            local.others.remove(session);
        } else {
            local.others.insert(session.to_owned(), (held, until));
        }
    }

    /// Tells the server what was settled, and does not give up before patience is over.
    pub(super) fn flush(&self, inner: &Inner) -> Result<(), StoreFault> {
        insist(&self.name, PATIENCE, || self.write_settled(inner))
    }

    /// Everybody looks again.
    pub(super) fn call_all(&self) {
        let mut local = self.local.lock();
        local.readers.call();
        local.writers.call();
    }
}

/// The server's stream of a queue.
fn kept(inner: &Inner, name: &str) -> Json {
    json!({
        "name": inner.line.names.queue(name),
        "subjects": [inner.line.names.subject(name)],
        "retention": "workqueue",
        "storage": "file",
        "discard": "old",
        "num_replicas": inner.settings.replicas,
        "duplicate_window": nanos(inner.settings.window),
    })
}

impl Local {
    fn new(declaration: Declaration) -> Self {
        Self {
            declaration,
            readers: Readers::default(),
            writers: Writers::default(),
            flights: BTreeMap::new(),
            late: BTreeMap::new(),
            settled: Vec::new(),
            done: Done::default(),
            round: 0,
            resting: BTreeMap::new(),
            others: HashMap::new(),
            given: 0,
            room: Room::default(),
            last: 0,
            recovered: 1,
        }
    }

    /// What is to be told now.
    pub(super) fn take_settled(&mut self) -> Vec<Settled> {
        self.round += 1;
        std::mem::take(&mut self.settled)
    }

    /// There may be less room than there was: messages wait again that were held.
    pub(super) fn forget_room(&mut self) {
        self.room = Room::default();
    }

    /// What is in the hands of this process.
    pub(super) fn own(&self) -> Held {
        Held {
            messages: self.flights.len() as u64,
            bytes: self.flights.values().map(|flight| flight.bytes).sum(),
        }
    }

    /// What is in the hands of all processes, as far as that is known.
    fn held(&mut self) -> Held {
        let now = Instant::now();
        self.others.retain(|_, (_, until)| *until > now);
        let others = self.others.values();
        others.fold(self.own(), |all, (held, _)| Held {
            messages: all.messages + held.messages,
            bytes: all.bytes + held.bytes,
        })
    }

    /// What the server gives to others from now on is not ours any more.
    pub(super) fn give_up_late(&mut self, name: &str) {
        let now = Instant::now();
        let late = self.flights.extract_if(.., |_, flight| flight.until <= now);
        let late: Vec<_> = late.collect();
        if !late.is_empty() {
            tracing::warn!(
                "{} messages of `{name}` may be given to others: their lease was over",
                late.len()
            );
            // Who believes that he has all there is would not look for them, and writers would wait for room.
            self.readers.call();
        }
        self.late.extend(late);
    }

    /// Goes on with a message that has come again while this process still has it in its hands: what becomes of
    /// that is what becomes of this delivery. Gives it back if it is none of those.
    pub(super) fn take_up_again(&mut self, flight: Flight, times: u32) -> Option<Flight> {
        // A server that begins anew may give what it had set out to give although its lease was renewed since, or
        // have forgotten that it had given it.
        let of_before = |first: &Flight| first.connection != flight.connection;
        let may_be_held = times > 1 || self.flights.values().next().is_some_and(of_before);
        let held = self.flights.iter().filter(|_| may_be_held);
        let is_it =
            |own: &Flight| own.id == flight.id && is_again(&flight, (own.seq, own.connection));
        let mut own = self.late.iter().chain(held);
        let Some((ticket, own)) = own.find(|(_, own)| is_it(own)) else {
            return Some(flight);
        };
        let (ticket, reader) = (*ticket, own.reader);
        self.late.remove(&ticket);
        self.flights.insert(ticket, Flight { reader, ..flight });
        None
    }
}

impl Inner {
    /// Messages, ready to be published, each to its subject.
    pub(super) fn publishing(
        &self,
        connector: &str,
        messages: &[Message],
        mut subject: impl FnMut(&Message) -> String,
    ) -> Result<Vec<Request>, StoreFault> {
        let (source, run) = (format!("paperflow:{connector}"), self.run_of(connector));
        let requests = messages.iter().map(|message| {
            let (mut headers, payload) = written(message, &source, self.settings.is_structured)?;
            headers.insert("Nats-Msg-Id", format!("{run}{}", message.id));
            Ok(Request {
                subject: subject(message),
                headers,
                payload,
            })
        });
        requests.collect()
    }
}

/// Waits until there is room. Others may have taken what there was.
pub(super) fn when_there_is_room<T>(
    name: &str,
    look: impl FnMut() -> Result<Option<T>, StoreFault>,
) -> Result<T, StoreFault> {
    let full = || unavailable(format!("there is no room in `{name}`"));
    wait_for(name, look)?.ok_or_else(full)
}

/// What the server says when it has written a message.
#[derive(Deserialize)]
pub(super) struct Published {
    /// It had been written before.
    #[serde(default)]
    duplicate: bool,
}

impl Published {
    /// Whether it had been written before.
    pub(super) const fn is_known(&self) -> bool {
        self.duplicate
    }
}

/// Publishes messages and waits until all are safe; tells how many were new. When one is not, all may be
/// sent again: those that are safe are known by their identity.
pub(super) fn published(inner: &Inner, requests: Vec<Request>) -> Result<Sent, StoreFault> {
    said(&inner.line.exchange(requests)?)
}

/// The same over the connection of this number alone.
pub(super) fn published_still(
    inner: &Inner,
    number: u64,
    requests: Vec<Request>,
) -> Result<Sent, StoreFault> {
    said(&inner.line.exchange_still(number, requests)?)
}

/// How many messages were new, by what the server said of each.
fn said(answers: &[async_nats::Message]) -> Result<Sent, StoreFault> {
    let mut sent = Sent::default();
    for answer in answers {
        match read::<Published>(answer)?.duplicate {
            true => sent.known += 1,
            false => sent.written += 1,
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use paperflow_core::connector::ConnectorKind;

    use super::*;

    #[derive(Default)]
    struct Called(AtomicBool);

    impl Wake for Called {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_holds_all_there_is_looks_again_when_its_lease_was_over() {
        let called = Arc::new(Called::default());
        let mut local = Local::new(Declaration::new("q", ConnectorKind::Queue));
        local.readers.add(1, Waker::from(Arc::clone(&called)), ());
        local.readers.set_waiting(1, true);
        let flight = |until: Instant| Flight {
            reader: 1,
            token: String::new(),
            seq: 1,
            connection: 1,
            at: 0,
            id: Id::of("a"),
            attempt: 1,
            note: None,
            bytes: 1,
            until,
        };
        let now = Instant::now();
        local
            .flights
            .insert(1, flight(now + Duration::from_secs(60)));
        local.give_up_late("q");
        assert!(!called.0.load(Ordering::Relaxed) && local.late.is_empty());
        local.flights.insert(2, flight(now));
        local.give_up_late("q");
        assert!(called.0.load(Ordering::Relaxed));
        assert_eq!((local.flights.len(), local.late.len()), (1, 1));
    }
}
