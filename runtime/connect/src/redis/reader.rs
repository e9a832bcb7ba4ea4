//! The reading side of a queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::redis::Value;
use paperflow_core::connector::{
    Consumer, Declaration, Delivery, Found, Outlook, Recall, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use parking_lot::{Mutex, MutexGuard};

use super::line::Call;
use super::queue::{Local, Queue};
use super::wire::{item, list, lossy, message, number};
use super::{Inner, scripts};
use crate::broker::fate::{Fate, fate};
use crate::fault::damaged;

/// A consumer of a queue.
pub(super) struct Reader {
    queue: Arc<Queue>,
    /// The store stays open as long as somebody reads.
    inner: Arc<Inner>,
    name: String,
    number: u64,
    seat: Mutex<Seat>,
}

#[derive(Default)]
struct Seat {
    flights: HashMap<u64, Flight>,
    /// How often it has come.
    times: u64,
    /// An answer was lost: the server may count deliveries as ours that we do not know of.
    is_unsure: bool,
    has_left: bool,
}

/// A delivery that is not settled.
struct Flight {
    /// The entry of the stream.
    entry: String,
    id: Id,
    attempt: u32,
    /// Whom the server has given it to.
    token: String,
}

/// What the server is to be told about a delivery.
pub(super) struct Settled {
    pub(super) token: String,
    pub(super) entry: String,
    /// `done`, `release`, `rest`, `dead` or `invalid`.
    pub(super) what: &'static str,
    /// How long it rests.
    rest: Duration,
    /// The queue where it is set aside.
    to: String,
    why: Vec<(&'static str, String)>,
    /// When that was, see [`Clock::elapsed`](crate::clock::Clock::elapsed).
    at: Duration,
}

impl Settled {
    /// The message is gone, and nothing else is to be said.
    pub(super) fn is_done(&self) -> bool {
        self.what == "done"
    }

    /// The message waits again, so there is less room.
    pub(super) fn waits_again(&self) -> bool {
        matches!(self.what, "release" | "rest")
    }

    /// As arguments, told so much later.
    pub(super) fn write(&self, now: Duration, call: &mut Call) {
        let ago = now.saturating_sub(self.at);
        let to = match self.what {
            "rest" => self.rest.saturating_sub(ago).as_millis().to_string(),
            _ => self.to.clone(),
        };
        call.add(&self.token);
        call.add(&self.entry);
        call.add(self.what);
        call.add(ago.as_millis().to_string());
        call.add(to);
        call.add((2 * self.why.len()).to_string());
        for (name, value) in &self.why {
            call.add(name);
            call.add(value);
        }
    }
}

impl Reader {
    pub(super) fn new(queue: Arc<Queue>, inner: Arc<Inner>, consumer: Consumer) -> Self {
        let mut local = queue.local.lock();
        local.given += 1;
        let number = local.given;
        local.readers.add(number, consumer.waker, None);
        drop(local);
        Self {
            queue,
            inner,
            name: consumer.name,
            number,
            seat: Mutex::default(),
        }
    }

    /// Lets the server know that somebody reads.
    pub(super) fn join(&self) -> Result<(), StoreFault> {
        self.ask(&mut self.seat.lock(), 0).map(|_| ())
    }

    /// How the server knows it, if it does.
    pub(super) fn known_as(&self) -> Option<String> {
        let local = self.queue.local.lock();
        local.readers.seat(self.number)?.clone()
    }

    /// How the server knows this consumer; a new name when it had been given up.
    fn token(&self, seat: &mut Seat) -> (String, bool) {
        let mut local = self.queue.local.lock();
        let Some(known_as) = local.readers.seat_mut(self.number) else {
            return (String::new(), false);
        };
        if let Some(token) = known_as {
            return (token.clone(), false);
        }
        seat.times += 1;
        seat.flights.clear();
        let (session, number, times) = (&self.queue.line.session, self.number, seat.times);
        let token = format!("{session}:{}:{number}.{times}", self.name);
        *known_as = Some(token.clone());
        (token, true)
    }

    /// The server does not know us any more: what we hold is in other hands.
    fn give_up(&self, seat: &mut Seat) {
        tracing::warn!(
            "`{}` was given to others: there was no sign of life in time",
            self.queue.name
        );
        seat.flights.clear();
        let mut local = self.queue.local.lock();
        if let Some(known_as) = local.readers.seat_mut(self.number) {
            *known_as = None;
        }
    }

    fn ask(&self, seat: &mut Seat, most: usize) -> Result<Vec<Value>, StoreFault> {
        let _turn = self.queue.turn.lock();
        let (token, joins) = self.token(seat);
        let mut calls = Vec::new();
        let settled = {
            let mut local = self.queue.local.lock();
            local.take_settled()
        };
        if !settled.is_empty() {
            self.queue.before_settling(&settled);
            calls.push(self.queue.settling(&settled));
        }
        if seat.is_unsure && !joins {
            let mut call = Call::of(&scripts::RECONCILE)
                .with(&self.queue.name)
                .with(&token);
            seat.flights
                .values()
                .for_each(|flight| call.add(&flight.entry));
            calls.push(call);
        }
        calls.push(self.receiving(&token, joins, most));
        let losses = self.queue.line.losses();
        let answers = self.queue.line.call(calls);
        // Of a call whose answer was lost the server may have done all, before it was called again.
        seat.is_unsure = answers.is_err() || losses != self.queue.line.losses();
        match answers {
            Ok(answers) => {
                self.queue.after_settling(&settled);
                Ok(answers)
            }
            Err(fault) => {
                self.queue.put_back(settled);
                Err(fault)
            }
        }
    }

    fn receiving(&self, token: &str, joins: bool, most: usize) -> Call {
        let local = self.queue.local.lock();
        let declaration = &local.declaration;
        Call::of(&scripts::RECEIVE)
            .with(&self.queue.name)
            .with(token)
            .number(most as u64)
            .number(self.queue.lease(&local))
            .number(u64::from(declaration.retries))
            .with(declaration.dead_letter_name())
            .with(if joins { "joins" } else { "" })
    }

    /// Puts what was found into the hands of the process.
    fn take(
        &self,
        seat: &mut Seat,
        found: &[Value],
        into: &mut Vec<Delivery>,
    ) -> Result<(), StoreFault> {
        let (token, _) = self.token(seat);
        for one in found {
            let one = list(one)?;
            let entry = lossy(item(one, 0));
            let attempt = number(item(one, 2)).unwrap_or(1);
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            let place = format!("{} {entry}", self.queue.name);
            let message = message(list(item(one, 1))?, &place);
            let ticket = {
                let mut local = self.queue.local.lock();
                local.given += 1;
                local.given
            };
            let flight = Flight {
                entry,
                id: message
                    .as_ref()
                    .map_or_else(|_| Id::of(&place), |message| message.id),
                attempt,
                token: token.clone(),
            };
            seat.flights.insert(ticket, flight);
            match message {
                Ok(message) => into.push(Delivery {
                    ticket,
                    message,
                    attempt,
                    recall: Recall::default(),
                }),
                Err(unreadable) => {
                    self.settle_in(seat, ticket, Settlement::unreadable(unreadable));
                }
            }
        }
        Ok(())
    }

    /// The server is told soon: with the next receive, or by the keeper.
    fn tell_later(&self, mut local: MutexGuard<'_, Local>, settled: Settled) {
        local.settle(settled);
        local.readers.call();
        let first = (local.settled.len() == 1).then_some(local.round);
        drop(local);
        if let Some(round) = first {
            self.inner.write_later(&self.queue, round);
        }
    }

    fn settle_in(&self, seat: &mut Seat, ticket: u64, settlement: Settlement) {
        let Some(flight) = seat.flights.remove(&ticket) else {
            tracing::debug!("a late settlement in `{}` is not heard", self.queue.name);
            return;
        };
        let local = self.queue.local.lock();
        let now = self.queue.line.clock.elapsed();
        let settled = decided(flight, &local.declaration, &settlement, now);
        self.tell_later(local, settled);
    }
}

/// What the server is told of it.
fn decided(
    flight: Flight,
    declaration: &Declaration,
    settlement: &Settlement,
    at: Duration,
) -> Settled {
    let fate = fate((flight.id, flight.attempt), declaration, settlement);
    let mut settled = Settled {
        what: "done",
        rest: Duration::ZERO,
        to: String::new(),
        why: Vec::new(),
        at,
        token: flight.token,
        entry: flight.entry,
    };
    match fate {
        Fate::Done => {}
        Fate::Release => settled.what = "release",
        Fate::Rest(rest) => (settled.what, settled.rest) = ("rest", rest),
        Fate::Aside(aside) => {
            settled.what = if aside.is_invalid { "invalid" } else { "dead" };
            (settled.to, settled.why) = (aside.to, aside.why);
        }
    }
    settled
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let mut seat = self.seat.lock();
        if seat.has_left {
            return Ok(Found::Empty(Outlook::default()));
        }
        // First, so that what comes meanwhile is heard of.
        self.queue
            .local
            .lock()
            .readers
            .set_waiting(self.number, true);
        loop {
            let answers = self.ask(&mut seat, most)?;
            let none = || damaged("a server gave no answer");
            let answer = list(answers.last().ok_or_else(none)?)?;
            if lossy(item(answer, 0)) == "gone" {
                self.give_up(&mut seat);
                continue;
            }
            let found = list(item(answer, 1))?;
            let before = into.len();
            self.take(&mut seat, found, into)?;
            if into.len() > before {
                let mut local = self.queue.local.lock();
                local.readers.set_waiting(self.number, false);
                local.writers.call();
                return Ok(Found::Some);
            }
            if found.is_empty() {
                return Ok(Found::Empty(self.outlook(&seat, answer)));
            }
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.settle_in(&mut self.seat.lock(), ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        let mut seat = self.seat.lock();
        let Some(flight) = seat.flights.remove(&ticket) else {
            return Ok(());
        };
        let local = self.queue.local.lock();
        let settled = Settled {
            token: flight.token,
            entry: flight.entry,
            what: "rest",
            rest,
            to: String::new(),
            why: Vec::new(),
            at: self.queue.line.clock.elapsed(),
        };
        self.tell_later(local, settled);
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.queue.flush()
    }

    fn close(&self) {
        let mut seat = self.seat.lock();
        if std::mem::replace(&mut seat.has_left, true) {
            return;
        }
        seat.flights.clear();
        let known_as = self.queue.local.lock().readers.remove(self.number);
        let Some(token) = known_as.flatten().filter(|_| !self.queue.line.is_cut()) else {
            return;
        };
        let leave = Call::of(&scripts::LEAVE).with(&self.queue.name).with(token);
        let left = self
            .queue
            .write_settled()
            .and_then(|()| self.queue.line.ask(leave));
        if let Err(fault) = left {
            tracing::warn!(
                "what `{}` held is free when its lease ends: {fault}",
                self.name
            );
        }
        self.queue.local.lock().readers.call();
    }
}

impl Reader {
    fn outlook(&self, seat: &Seat, answer: &[Value]) -> Outlook {
        let rest = number(item(answer, 2)).map(Duration::from_millis);
        let elsewhere = number(item(answer, 4)).unwrap_or_default();
        Outlook {
            due: rest.map(|rest| self.queue.line.clock.wall() + rest),
            unsettled: seat.flights.len(),
            elsewhere: usize::try_from(elsewhere).unwrap_or(usize::MAX),
            is_moving: false,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
