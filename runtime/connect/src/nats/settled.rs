//! What the server is told about deliveries.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use async_nats::HeaderMap;
use paperflow_core::connector::{Declaration, Settlement, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Id;

use super::Inner;
use super::docs::nanos;
use super::line::Request;
use super::names::key;
use super::queue::{Flight, Note, Queue, published, published_still};
use super::server::message_at;
use super::wire;
use crate::broker::fate::{Aside, Fate, fate};
use crate::clock::{Clock, millis, utc_of};
use crate::names;

/// What is done with a delivery, since when.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) flight: Flight,
    fate: Fate,
    at: Instant,
    /// It is given back by whoever closes: that delivery counts.
    is_left: bool,
}

impl Settled {
    /// By what was said of it.
    pub(super) fn decided(
        flight: Flight,
        declaration: &Declaration,
        settlement: &Settlement,
    ) -> Self {
        let fate = fate((flight.id, flight.attempt), declaration, settlement);
        Self::of(flight, fate)
    }

    pub(super) fn of(flight: Flight, fate: Fate) -> Self {
        Self {
            flight,
            fate,
            at: Instant::now(),
            is_left: false,
        }
    }

    /// Whoever held it has left.
    pub(super) fn left(flight: Flight) -> Self {
        Self {
            is_left: true,
            ..Self::of(flight, Fate::Release)
        }
    }

    /// What the server is told.
    fn word(&self) -> Vec<u8> {
        match &self.fate {
            Fate::Done | Fate::Aside(_) => b"+ACK".to_vec(),
            Fate::Release => b"-NAK".to_vec(),
            Fate::Rest(rest) => {
                let left = rest.saturating_sub(self.at.elapsed());
                format!("-NAK {{\"delay\": {}}}", nanos(left).max(1)).into_bytes()
            }
        }
    }

    /// What is noted beside the message from now on; nothing when that stays as it is.
    fn note(&self, now: i64) -> Option<Note> {
        let before = self.flight.note.unwrap_or_default();
        let note = match &self.fate {
            Fate::Release if !self.is_left => Note {
                released: before.released + 1,
                ..before
            },
            Fate::Rest(_) => Note {
                first: before.first.or(Some(now)),
                ..before
            },
            _ => return None,
        };
        (note != before).then_some(note)
    }

    /// The process has nothing more to do with the message.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.fate, Fate::Done)
    }

    /// The message is gone.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.fate, Fate::Done | Fate::Aside(_))
    }
}

/// The messages of a queue that were last done here. One of them may come again when its lease was over before the
/// server could be told, and when a server was killed: it may have forgotten what it was told, or that it has
/// had the message when it is sent once more.
#[derive(Debug, Default)]
pub(super) struct Done {
    known: HashMap<Id, Place>,
    order: VecDeque<Id>,
}

/// Where a message lay.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: u64,
    /// When it was written there, in nanoseconds since 1970.
    at: u64,
    /// The number of the connection over which it came.
    connection: u64,
}

impl Done {
    /// More than a process has in its hands, as a rule.
    const MOST: usize = 1 << 14;

    pub(super) fn add(&mut self, flight: &Flight) {
        let place = Place {
            seq: flight.seq,
            at: flight.at,
            connection: flight.connection,
        };
        if self.known.insert(flight.id, place).is_none() {
            self.order.push_back(flight.id);
        }
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether a message that has come is one of them.
    pub(super) fn has(&self, flight: &Flight) -> bool {
        let known = self.known.get(&flight.id);
        known.is_some_and(|place| is_again(flight, (place.seq, place.connection)))
    }

    /// Their numbers, and when they were written.
    pub(super) fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        self.known.values().map(|place| (place.seq, place.at))
    }
}

/// Whether a message has come before, with this number and over this connection, if it had the same identity. Over
/// the same connection another message may say that it has.
pub(super) fn is_again(flight: &Flight, (seq, connection): (u64, u64)) -> bool {
    seq == flight.seq || connection != flight.connection
}

impl Queue {
    /// Tells the server what was settled, if nobody has since.
    pub(super) fn write_settled_of(&self, inner: &Inner, round: u64) -> Result<(), StoreFault> {
        let is_there = self.local.lock().round == round;
        match is_there {
            true => self.write_settled(inner),
            false => Ok(()),
        }
    }

    /// Tells the server what was settled.
    pub(super) fn write_settled(&self, inner: &Inner) -> Result<(), StoreFault> {
        let _turn = self.turn.lock();
        self.write_settled_in_turn(inner)
    }

    /// The same, by whoever has the turn.
    pub(super) fn write_settled_in_turn(&self, inner: &Inner) -> Result<(), StoreFault> {
        let number = self.recover_in_turn(inner)?;
        let mut settled = self.local.lock().take_settled();
        let before = settled.len();
        // What is said too late would be heard as said of another delivery.
        let now = Instant::now();
        settled.retain(|one| one.flight.until > now);
        if settled.len() < before {
            let late = before - settled.len();
            tracing::warn!(
                "what was said of {late} messages of `{}` is not heard: their lease was over",
                self.name
            );
        }
        if settled.is_empty() {
            return Ok(());
        }
        match self.tell(inner, number, &settled) {
            Ok(()) => {
                self.told(inner, &settled);
                Ok(())
            }
            Err(fault) => {
                let mut local = self.local.lock();
                settled.append(&mut local.settled);
                local.settled = settled;
                Err(fault)
            }
        }
    }

    /// Each step may be done again: copies are known by their identity, and what is told twice is told once.
    fn tell(&self, inner: &Inner, number: u64, settled: &[Settled]) -> Result<(), StoreFault> {
        for one in settled {
            if let Fate::Aside(aside) = &one.fate {
                if aside.is_invalid {
                    failpoint!("before_invalid_copy");
                }
                self.copy(inner, &one.flight, aside)?;
            }
        }
        failpoint!("settle_lost");
        let now = millis(inner.clock.wall());
        let notes = settled.iter().filter_map(|one| {
            let note = one.note(now)?;
            Some(inner.docs.writing(&self.note_key(one.flight.seq), &note))
        });
        inner.written(notes.collect::<Result<_, _>>()?)?;
        let words = settled.iter();
        let words = words.map(|one| (one.flight.token.clone(), one.word()));
        inner.acknowledge(number, words.collect())?;
        // Nobody asks for these any more, so nothing is lost when they stay.
        let over = settled.iter();
        let over = over.filter(|one| one.is_over() && one.flight.note.is_some());
        let removed = over.map(|one| inner.docs.removing(&self.note_key(one.flight.seq)));
        inner.line.exchange(removed.collect()).map(|_| ())
    }

    /// The server has been told.
    fn told(&self, inner: &Inner, settled: &[Settled]) {
        let has = |is: fn(&Fate) -> bool| settled.iter().any(|one| is(&one.fate));
        if has(|fate| matches!(fate, Fate::Rest(_))) {
            failpoint!("after_retry");
        }
        if has(|fate| matches!(fate, Fate::Aside(_))) {
            failpoint!("after_dead_letter");
        }
        let mut local = self.local.lock();
        for one in settled {
            if let Fate::Rest(rest) = one.fate {
                local.resting.insert(one.flight.seq, one.at + rest);
            }
        }
        let held = local.own();
        drop(local);
        inner.ring(&self.name, "settled", Some(held));
    }

    /// Where the notes on a message are kept.
    pub(super) fn note_key(&self, seq: u64) -> String {
        key(&["message", &self.name, &seq.to_string()])
    }

    /// Copies a message as it is to where it is set aside, with what is known about why.
    fn copy(&self, inner: &Inner, flight: &Flight, aside: &Aside) -> Result<(), StoreFault> {
        let Some((headers, payload)) = message_at(&inner.line, &self.stream, flight.seq)? else {
            return Ok(());
        };
        let now = millis(inner.clock.wall());
        let first = flight.note.and_then(|note| note.first).unwrap_or(now);
        let mut copy = wire::bare(&headers, false);
        let times = [(names::FIRST, utc_of(first)), (names::LAST, utc_of(now))];
        for (name, value) in aside.why.iter().chain(&times) {
            wire::put(&mut copy, name, value);
        }
        let origin = format!("{}/{}/{}", self.stream, flight.seq, flight.at);
        inner.put_aside(&aside.to, &origin, 0, (copy, payload))
    }
}

impl Inner {
    /// Writes documents, whatever was in their places.
    fn written(&self, requests: Vec<Request>) -> Result<(), StoreFault> {
        published(self, requests).map(|_| ())
    }

    /// Says something about deliveries, each on its subject, and returns when the server has heard all.
    /// Only over the connection of this number, since a server that was killed may have given the numbers of the
    /// messages to others.
    pub(super) fn acknowledge(
        &self,
        number: u64,
        words: Vec<(String, Vec<u8>)>,
    ) -> Result<(), StoreFault> {
        let mut words = words.into_iter();
        let Some((last, word)) = words.next_back() else {
            return Ok(());
        };
        self.line.run_still(number, |wire| async move {
            for (token, word) in words {
                wire.tell(token, word).await?;
            }
            // The server hears them in order.
            let request = Request {
                subject: last,
                headers: HeaderMap::new(),
                payload: word,
            };
            wire.exchange_one(request).await.map(|_| ())
        })
    }

    /// Writes a copy of a message to where it is set aside: a queue, or a stream if there is one of that name.
    pub(super) fn put_aside(
        &self,
        to: &str,
        origin: &str,
        partition: usize,
        (mut headers, payload): (HeaderMap, Vec<u8>),
    ) -> Result<(), StoreFault> {
        headers.insert("Nats-Msg-Id", format!("aside/{origin}"));
        let subject = self.place_aside(to, partition)?;
        let request = Request {
            subject,
            headers,
            payload,
        };
        let number = self.ready([self.line.names.queue(to).as_str()])?;
        published_still(self, number, vec![request])?;
        self.ring(to, "message", None);
        Ok(())
    }
}
