//! The reading side of a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::{
    Consumer, Delivery, Disposition, Failure, Found, Outlook, Recall, Settlement, StoreFault,
    Subscription,
};
use paperflow_core::message::Id;

use super::Inner;
use super::queue::{Flight, Place, Queue, Waiting, What};
use super::wire::{self, Parcel};
use crate::broker::fate::{Aside, Fate, fate};
use crate::clock::{millis, moment, utc};
use crate::names;

/// A consumer of a queue.
pub(super) struct Reader {
    queue: Arc<Queue>,
    /// The store stays open as long as somebody reads.
    inner: Arc<Inner>,
    number: u64,
    has_left: AtomicBool,
}

impl Reader {
    pub(super) fn new(queue: Arc<Queue>, inner: Arc<Inner>, consumer: Consumer) -> Self {
        let mut local = queue.local.lock();
        local.given += 1;
        let number = local.given;
        local.readers.add(number, consumer.waker, false);
        drop(local);
        Self {
            queue,
            inner,
            number,
            has_left: AtomicBool::new(false),
        }
    }

    /// Puts what waits here into the hands of the process.
    fn hand_out(&self, most: usize, into: &mut Vec<Delivery>) -> bool {
        let mut local = self.queue.local.lock();
        let taken = local.take_from_pool(most);
        if taken.is_empty() {
            return false;
        }
        local.doubt_room();
        let retries = local.declaration.retries;
        let mut unwanted = Vec::new();
        for (place, Waiting { parcel, attempts }) in taken {
            let at = format!(
                "{} {}",
                self.queue.name,
                name_of(&parcel, place, &self.inner)
            );
            let message = parcel.message(&at);
            let id = message
                .as_ref()
                .map_or_else(|_| Id::of(&at), |message| message.id);
            local.is_back(id);
            local.given += 1;
            let ticket = local.given;
            let is_over = attempts > retries;
            let attempt = if is_over { attempts } else { attempts + 1 };
            let flight = Flight {
                place,
                reader: self.number,
                id,
                attempt,
                parcel,
            };
            local.flights.insert(ticket, flight);
            match message {
                // What it was delivered for last, nobody has lived to tell.
                Ok(_) if is_over => unwanted.push((ticket, Disposition::Retry, None)),
                Ok(message) => into.push(Delivery {
                    ticket,
                    message,
                    attempt,
                    recall: Recall::default(),
                }),
                Err(unreadable) => {
                    let failure = Failure {
                        message: unreadable.to_string(),
                        ..Failure::default()
                    };
                    unwanted.push((ticket, Disposition::Invalid, Some(failure)));
                }
            }
        }
        local.writers.call();
        drop(local);
        for (ticket, disposition, failure) in unwanted {
            let settlement = Settlement {
                disposition,
                failure,
            };
            self.settle_in(ticket, settlement);
        }
        true
    }

    fn settle_in(&self, ticket: u64, settlement: Settlement) {
        let now = self.queue.line.clock.wall();
        let mut local = self.queue.local.lock();
        let is_own = |flight: &Flight| flight.reader == self.number;
        if !local.flights.get(&ticket).is_some_and(is_own) {
            tracing::debug!("a late settlement in `{}` is not heard", self.queue.name);
            return;
        }
        let Some(flight) = local.flights.remove(&ticket) else {
            return;
        };
        local.doubt_room();
        if settlement.disposition == Disposition::Release {
            let attempts = flight.attempt - 1;
            local.give_back(flight, attempts);
        } else {
            let fate = fate((flight.id, flight.attempt), &local.declaration, &settlement);
            let what = decided(&flight, fate, now);
            local.settle(flight, what);
        }
        local.readers.call();
        let is_first = local.settled.len() == 1;
        drop(local);
        if is_first {
            self.inner.write_later(&self.queue);
        }
    }

    fn outlook(&self) -> Result<Outlook, StoreFault> {
        let due = self.queue.due()?;
        let clock = &self.queue.line.clock;
        let rest = due.map(|due| due.saturating_sub(clock.elapsed()));
        let local = self.queue.local.lock();
        let own = |flight: &&Flight| flight.reader == self.number;
        let unsettled = local.flights.values().filter(own).count();
        Ok(Outlook {
            due: rest.map(|rest| clock.wall() + rest),
            unsettled,
            elsewhere: local.flights.len() - unsettled,
            is_moving: false,
        })
    }
}

/// What a message without an identity is called: what its sender does, or else something that no other is.
fn name_of(parcel: &Parcel, (channel, tag): Place, inner: &Inner) -> String {
    match parcel.id() {
        Some(id) => id.to_owned(),
        None => format!("{} {channel} {tag}", inner.line.session),
    }
}

/// What becomes of a delivery.
fn decided(flight: &Flight, fate: Fate, now: Moment) -> What {
    match fate {
        Fate::Done | Fate::Release => What::Done,
        Fate::Rest(rest) => What::Rest(Box::new(rested(flight, now)), rest),
        Fate::Aside(aside) => {
            let copy = set_aside(flight, &aside, now);
            What::Aside(Box::new(copy), aside.to, aside.is_invalid)
        }
    }
}

/// When it failed first.
fn first(flight: &Flight, now: Moment) -> i64 {
    let known = flight.parcel.number(wire::FIRST);
    known.map_or(millis(now), |known| known.cast_signed())
}

/// Its copy for a rest.
fn rested(flight: &Flight, now: Moment) -> Parcel {
    let notes = [
        wire::number(wire::ATTEMPTS, i64::from(flight.attempt)),
        wire::number(wire::FIRST, first(flight, now)),
    ];
    flight.parcel.copy(notes)
}

/// Its copy for where it is set aside.
fn set_aside(flight: &Flight, aside: &Aside, now: Moment) -> Parcel {
    let times = [
        (names::FIRST, utc(moment(first(flight, now)))),
        (names::LAST, utc(now)),
    ];
    let why = aside.why.iter().chain(&times);
    flight
        .parcel
        .copy(why.map(|(name, value)| wire::written(name, value)))
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        if self.has_left.load(Ordering::Acquire) {
            return Ok(Found::Empty(Outlook::default()));
        }
        let most = most.max(1);
        // First, so that what comes meanwhile is heard of.
        self.queue
            .local
            .lock()
            .readers
            .set_waiting(self.number, true);
        self.queue.write_settled()?;
        let before = into.len();
        loop {
            let waiting = self.queue.local.lock().pool.len();
            let came = match most.saturating_sub(waiting) {
                0 => 0,
                more => self.queue.fetch(more)?,
            };
            let was_some = self.hand_out(most, into);
            if into.len() > before {
                self.queue
                    .local
                    .lock()
                    .readers
                    .set_waiting(self.number, false);
                return Ok(Found::Some);
            }
            if !was_some && came == 0 {
                return Ok(Found::Empty(self.outlook()?));
            }
            // All of it was set aside, or lay there twice: there may be more behind it.
            self.queue.write_settled()?;
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.settle_in(ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        let now = self.queue.line.clock.wall();
        let mut local = self.queue.local.lock();
        let Some(flight) = local.flights.remove(&ticket) else {
            return Ok(());
        };
        local.doubt_room();
        let what = What::Rest(Box::new(rested(&flight, now)), rest);
        local.settle(flight, what);
        local.readers.call();
        drop(local);
        self.inner.write_later(&self.queue);
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.queue.flush()
    }

    fn stop(&self) {
        let is_last = {
            let mut local = self.queue.local.lock();
            if let Some(has_stopped) = local.readers.seat_mut(self.number) {
                *has_stopped = true;
            }
            local.readers.seats().all(|has_stopped| *has_stopped)
        };
        if is_last && let Err(fault) = self.queue.stop() {
            tracing::debug!("what `{}` holds is free later: {fault}", self.queue.name);
        }
    }

    fn close(&self) {
        if self.has_left.swap(true, Ordering::AcqRel) {
            return;
        }
        let is_last = {
            let mut local = self.queue.local.lock();
            local.readers.remove(self.number);
            let own = |_: &u64, flight: &mut Flight| flight.reader == self.number;
            let given_back: Vec<_> = local.flights.extract_if(own).collect();
            for (_, flight) in given_back {
                let attempts = flight.attempt;
                local.give_back(flight, attempts);
            }
            local.readers.call();
            local.readers.is_empty()
        };
        if is_last && !self.queue.line.is_cut() {
            self.queue.leave();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
