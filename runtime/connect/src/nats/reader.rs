//! The reading side of a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::Message as Raw;
use paperflow_core::connector::{
    Consumer, Declaration, Delivery, Found, Outlook, Recall, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use parking_lot::Mutex;

use super::Inner;
use super::queue::{Flight, Note, Queue, margin};
use super::server::{CONSUMER, Delivered, Inbox, fetch};
use super::settled::Settled;
use super::wire::message;
use crate::broker::fate::{Aside, Fate};
use crate::clock::Clock;
use crate::names;

/// A consumer of a queue.
pub(super) struct Reader {
    queue: Arc<Queue>,
    /// The store stays open as long as somebody reads.
    inner: Arc<Inner>,
    name: String,
    number: u64,
    /// Where messages come, between two times.
    inbox: Mutex<Option<Inbox>>,
    has_left: AtomicBool,
}

impl Reader {
    pub(super) fn new(queue: Arc<Queue>, inner: Arc<Inner>, consumer: Consumer) -> Self {
        let mut local = queue.local.lock();
        local.given += 1;
        let number = local.given;
        local.readers.add(number, consumer.waker, ());
        drop(local);
        Self {
            queue,
            inner,
            name: consumer.name,
            number,
            inbox: Mutex::default(),
            has_left: AtomicBool::new(false),
        }
    }

    /// Takes what there is from the server.
    fn ask(&self, most: usize) -> Result<Vec<(Raw, Delivered, Option<Note>)>, StoreFault> {
        let (queue, inner) = (&self.queue, &self.inner);
        let stream = queue.stream.clone();
        let inbox = self.inbox.lock().take();
        let (found, inbox) = inner
            .line
            .run(move |wire| async move { fetch(&wire, inbox, (&stream, CONSUMER), most).await })?;
        *self.inbox.lock() = inbox;
        let delivered: Vec<Delivered> =
            found.iter().map(Delivered::of).collect::<Result<_, _>>()?;
        // Only who was delivered before can have notes.
        let is_again = |delivered: &Delivered| delivered.times > 1;
        let keys = delivered.iter().filter(|one| is_again(one));
        let keys: Vec<String> = keys.map(|one| queue.note_key(one.seq)).collect();
        let mut notes = inner.docs.get_all::<Note>(&keys)?.into_iter();
        let found = found.into_iter().zip(delivered);
        Ok(found
            .map(|(raw, delivered)| {
                let note = is_again(&delivered).then(|| notes.next()).flatten();
                (raw, delivered, note)
            })
            .collect())
    }

    /// Puts what was found into the hands of the process.
    fn take(
        &self,
        asked: Instant,
        found: Vec<(Raw, Delivered, Option<Note>)>,
        into: &mut Vec<Delivery>,
    ) {
        let lease = self.queue.lease();
        let until = asked + lease - margin(lease);
        for (raw, delivered, note) in found {
            // A server that was set back gives a number once more.
            let (name, at) = (&self.queue.name, delivered.at);
            let place = format!("{name} {} {at}", delivered.seq);
            let message = message(raw.headers.as_ref(), &raw.payload, &place);
            let id = match &message {
                Ok(message) => message.id,
                Err(_) => Id::of(&place),
            };
            let Some((ticket, attempt)) = self.hold(&raw, (delivered, note), (id, until)) else {
                continue;
            };
            match message {
                Ok(message) => into.push(Delivery {
                    ticket,
                    message,
                    attempt,
                    recall: Recall::default(),
                }),
                Err(unreadable) => self.settle(ticket, Settlement::unreadable(unreadable)),
            }
        }
    }

    /// A delivery is in the hands of the process from now on; or it is set aside, since its tries are used
    /// up.
    fn hold(
        &self,
        raw: &Raw,
        (delivered, note): (Delivered, Option<Note>),
        (id, until): (Id, Instant),
    ) -> Option<(u64, u32)> {
        let times = u32::try_from(delivered.times).unwrap_or(u32::MAX);
        let released = note.unwrap_or_default().released;
        let attempt = times.saturating_sub(released).max(1);
        let mut local = self.queue.local.lock();
        local.given += 1;
        let ticket = local.given;
        local.resting.remove(&delivered.seq);
        let flight = Flight {
            reader: self.number,
            token: raw.reply.as_deref().unwrap_or_default().to_owned(),
            seq: delivered.seq,
            connection: local.recovered,
            at: delivered.at,
            id,
            attempt,
            note,
            bytes: raw.length as u64,
            until,
        };
        if local.done.has(&flight) {
            tracing::debug!(%id, "a message of `{}` comes again that is done", self.queue.name);
            local.settled.push(Settled::of(flight, Fate::Done));
            return None;
        }
        if times > 1 {
            local.give_up_late(&self.queue.name);
        }
        let flight = local.take_up_again(flight, times)?;
        if attempt <= local.declaration.retries.saturating_add(1) {
            local.flights.insert(ticket, flight);
            return Some((ticket, attempt));
        }
        let aside = Aside {
            to: local.declaration.dead_letter_name(),
            is_invalid: false,
            why: why(&self.queue.name, &flight),
        };
        local.settled.push(Settled::of(flight, Fate::Aside(aside)));
        None
    }

    /// What becomes of a delivery is told soon. What is said when the lease is over the server does not hear; but
    /// what is done is known when it comes again.
    fn settle_by(&self, ticket: u64, settled: impl FnOnce(Flight, &Declaration) -> Settled) {
        let mut local = self.queue.local.lock();
        let is_own = |flight: &Flight| flight.reader == self.number;
        let own = local.flights.get(&ticket).is_some_and(is_own);
        let flight = if own {
            local.flights.remove(&ticket)
        } else {
            tracing::debug!("a late settlement in `{}` is not heard", self.queue.name);
            local.late.remove(&ticket)
        };
        let Some(settled) = flight.map(|flight| settled(flight, &local.declaration)) else {
            return;
        };
        if settled.is_done() {
            local.done.add(&settled.flight);
        }
        if !own {
            return;
        }
        if !settled.is_over() {
            local.forget_room();
        }
        local.settled.push(settled);
        local.readers.call();
        let first = (local.settled.len() == 1).then_some(local.round);
        drop(local);
        if let Some(round) = first {
            self.inner.write_later(&self.queue, round);
        }
    }

    /// What may still come when there is nothing now.
    fn outlook(&self) -> Result<Outlook, StoreFault> {
        let reads = self.queue.reads(&self.inner)?;
        let now = Instant::now();
        let mut local = self.queue.local.lock();
        local.resting.retain(|_, until| *until > now);
        let flights = local.flights.values();
        let unsettled = flights
            .filter(|flight| flight.reader == self.number)
            .count();
        let others_here = local.flights.len() - unsettled;
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let pending = count(reads.num_ack_pending + reads.num_pending);
        let elsewhere = pending.saturating_sub(unsettled + local.resting.len());
        // Another process may hold these, or they rest and it was another one that had them.
        let lease = local.declaration.lease;
        let ends = (elsewhere > others_here).then(|| now + lease);
        let due = local.resting.values().copied().chain(ends).min();
        drop(local);
        let wall = self.inner.clock.wall();
        Ok(Outlook {
            due: due.map(|due| wall + due.saturating_duration_since(now)),
            unsettled,
            elsewhere,
            is_moving: false,
        })
    }
}

/// Why a message is set aside whose consumers died.
fn why(queue: &str, flight: &Flight) -> Vec<(&'static str, String)> {
    vec![
        (names::REASON, String::from("delivery-error")),
        (names::CONNECTOR, queue.to_owned()),
        (names::ATTEMPTS, (flight.attempt - 1).to_string()),
        (names::ID, flight.id.to_string()),
    ]
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        if self.has_left.load(Ordering::Acquire) || most == 0 {
            return Ok(Found::Empty(Outlook::default()));
        }
        let queue = &self.queue;
        let _turn = queue.turn.lock();
        // First, so that what comes meanwhile is heard of.
        queue.local.lock().readers.set_waiting(self.number, true);
        loop {
            queue.write_settled_in_turn(&self.inner)?;
            let asked = Instant::now();
            let found = self.ask(most)?;
            let (before, is_empty) = (into.len(), found.is_empty());
            self.take(asked, found, into);
            if into.len() > before {
                let mut local = queue.local.lock();
                local.readers.set_waiting(self.number, false);
                local.writers.call();
                let held = local.own();
                drop(local);
                self.inner.ring(&queue.name, "room", Some(held));
                return Ok(Found::Some);
            }
            if is_empty {
                return self.outlook().map(Found::Empty);
            }
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.settle_by(ticket, |flight, declaration| {
            Settled::decided(flight, declaration, &settlement)
        });
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        self.settle_by(ticket, |flight, _| Settled::of(flight, Fate::Rest(rest)));
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.queue.flush(&self.inner)
    }

    fn close(&self) {
        if self.has_left.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut local = self.queue.local.lock();
        local.readers.remove(self.number);
        let own = local
            .flights
            .extract_if(.., |_, flight| flight.reader == self.number);
        let left: Vec<Settled> = own.map(|(_, flight)| Settled::left(flight)).collect();
        local.late.retain(|_, flight| flight.reader != self.number);
        local.settled.extend(left);
        local.forget_room();
        drop(local);
        if self.inner.line.is_cut() {
            return;
        }
        if let Err(fault) = self.queue.write_settled(&self.inner) {
            tracing::warn!(
                "what `{}` held is free when its lease ends: {fault}",
                self.name
            );
        }
        self.queue.local.lock().readers.call();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
