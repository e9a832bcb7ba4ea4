//! A consumer of a stream.

mod exchange;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{
    Consumer, Delivery, Found, Outlook, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::{Id, hash_of_key};
use parking_lot::Mutex;

use super::Inner;
use super::line::Call;
use super::stream::Stream;
use crate::broker::patience::{PATIENCE, insist};
use crate::fault::unsupported;
use crate::stream::group::{Copy, Follow, Group, Now, Prospect, Received};
use crate::stream::handed::Handed;
use crate::stream::mark::Offset;
use crate::stream::shares::Member;
pub(super) use exchange::record;

/// See [`Subscription`].
pub(super) struct Reader {
    reading: Arc<Reading>,
    inner: Arc<Inner>,
}

/// What a consumer does, also when nobody asks it.
pub(super) struct Reading {
    stream: Arc<Stream>,
    name: String,
    group: String,
    number: u64,
    state: Mutex<State>,
}

struct State {
    group: Group,
    member: Member,
    /// How the server knows it; nothing when it does not, or not yet.
    token: Option<String>,
    times: u64,
    /// The ends of partitions.
    ends: Vec<Offset>,
    /// The epochs of those that it has.
    epochs: BTreeMap<usize, u64>,
    /// The identities of what is in its hands, for what is set aside.
    ids: BTreeMap<u64, Id>,
    /// Records that are to be copied.
    copies: Vec<(Copy, Id)>,
    /// The server does not know yet how far it is.
    is_dirty: bool,
    has_retired: bool,
    has_left: bool,
    /// When a copy comes back, by time that only goes on.
    back: Option<Duration>,
    /// What others have in their hands, or are to receive.
    elsewhere: usize,
}

impl State {
    fn new(group: &str) -> Self {
        let (group, member) = Group::assigned(group);
        Self {
            group,
            member,
            token: None,
            times: 0,
            ends: Vec::new(),
            epochs: BTreeMap::new(),
            ids: BTreeMap::new(),
            copies: Vec::new(),
            is_dirty: false,
            has_retired: false,
            has_left: false,
            back: None,
            elsewhere: 0,
        }
    }

    /// The server has given it up.
    fn give_up(&mut self, group: &str) {
        let (times, has_retired) = (self.times, self.has_retired);
        *self = Self {
            times,
            has_retired,
            ..Self::new(group)
        };
    }
}

impl Reader {
    pub(super) fn new(
        stream: Arc<Stream>,
        inner: Arc<Inner>,
        consumer: Consumer,
    ) -> Result<Self, StoreFault> {
        let reading = Arc::new(Reading {
            name: consumer.name,
            number: stream.number(),
            state: Mutex::new(State::new(&consumer.group)),
            group: consumer.group,
            stream,
        });
        let stream = &reading.stream;
        stream.seat(reading.number, Arc::downgrade(&reading), consumer.waker);
        // The others give up what is to be this one's, if they hold nothing of it.
        stream.report(&inner)?;
        reading.turn(&inner, &mut reading.state.lock(), &[])?;
        Ok(Self { reading, inner })
    }
}

impl Reading {
    /// Says what the server does not know yet.
    pub(super) fn report(&self, inner: &Inner) -> Result<(), StoreFault> {
        let mut state = self.state.lock();
        let has_news = state.is_dirty || !state.copies.is_empty();
        if state.has_left || !has_news {
            return Ok(());
        }
        self.turn(inner, &mut state, &[])
    }

    /// Its group and how the server knows it, as arguments.
    pub(super) fn name_in(&self, call: &mut Call) {
        if let Some(token) = &self.state.lock().token {
            call.add(&self.group);
            call.add(token);
        }
    }

    /// Gives a sign of life, and says what the server does not know yet.
    pub(super) fn live(&self, inner: &Inner) -> Result<(), StoreFault> {
        let mut state = self.state.lock();
        if state.has_left {
            return Ok(());
        }
        self.turn(inner, &mut state, &[])
    }

    /// Hands out records; nothing when some were read that only others want.
    fn hand_out(
        &self,
        inner: &Inner,
        most: usize,
        into: &mut Vec<Handed>,
    ) -> Result<Option<Prospect>, StoreFault> {
        let mut state = self.state.lock();
        self.turn(inner, &mut state, &[])?;
        loop {
            let now = inner.line.clock.elapsed();
            let State {
                group,
                member,
                ends,
                ..
            } = &mut *state;
            let received = group.receive(*member, (most, now), ends, into);
            state.is_dirty |= state.group.is_unsaved();
            match received {
                Received::Some => {
                    state.is_dirty = true;
                    return Ok(None);
                }
                Received::Lacks(partition, from) => {
                    self.turn(inner, &mut state, &[(partition, from)])?;
                }
                Received::Nothing(prospect) => return Ok(Some(prospect)),
            }
        }
    }

    /// The delivery; nothing when the record cannot be read, which is then set aside.
    fn delivery(&self, inner: &Inner, handed: Handed) -> Option<Delivery> {
        let settled = |(ticket, settlement)| self.settle(inner, ticket, settlement);
        let delivery = handed.delivery().map_err(settled).ok()?;
        let id = delivery.message.id;
        self.state.lock().ids.insert(delivery.ticket, id);
        Some(delivery)
    }

    fn settle(&self, inner: &Inner, ticket: u64, settlement: Settlement) {
        let (now, rules) = (Now::of(&*inner.line.clock), self.stream.rules());
        let mut state = self.state.lock();
        let id = state.ids.remove(&ticket).unwrap_or(Id::of(""));
        let (member, chance) = (state.member, chance(&self.group, ticket));
        match state
            .group
            .settle(member, ticket, settlement, (now, chance), &rules)
        {
            Follow::Nothing => {
                tracing::debug!("a late settlement in `{}` is not heard", self.stream.name);
                return;
            }
            Follow::Save => {}
            Follow::Copy(copy) => state.copies.push((*copy, id)),
        }
        let was_dirty = std::mem::replace(&mut state.is_dirty, true);
        drop(state);
        self.stream.local.lock().call_readers();
        if !was_dirty {
            inner.report_later(&self.stream);
        }
    }
}

/// A number from 0 to 1 that follows from the delivery.
fn chance(group: &str, ticket: u64) -> f64 {
    let hash = hash_of_key(&format!("{group} {ticket}"));
    // 32 bits are enough chance.
    f64::from((hash >> 32) as u32) / f64::from(u32::MAX)
}

impl Reader {
    fn outlook(&self, prospect: Prospect) -> Outlook {
        let now = Now::of(&*self.inner.line.clock);
        let (back, elsewhere) = {
            let state = self.reading.state.lock();
            (state.back, state.elsewhere)
        };
        let due = [prospect.due, back].into_iter().flatten().min();
        Outlook {
            due: due.map(|due| now.wall_at(due)),
            unsettled: prospect.unsettled,
            elsewhere,
            is_moving: prospect.is_copying,
        }
    }

    fn try_receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let reading = &self.reading;
        // What others have settled here counts, and what they are to give up is theirs no more.
        reading.stream.report(&self.inner)?;
        let before = into.len();
        while into.len() == before {
            let mut handed = Vec::new();
            let prospect = reading.hand_out(&self.inner, most.max(1), &mut handed)?;
            if let Some(prospect) = prospect {
                return Ok(Found::Empty(self.outlook(prospect)));
            }
            let deliveries = handed.into_iter();
            into.extend(deliveries.filter_map(|handed| reading.delivery(&self.inner, handed)));
        }
        Ok(Found::Some)
    }
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let reading = &self.reading;
        if reading.state.lock().has_left {
            return Ok(Found::Empty(Outlook::default()));
        }
        // First, so that what comes meanwhile is heard of.
        reading
            .stream
            .local
            .lock()
            .set_waiting(reading.number, true);
        match self.try_receive(most, into) {
            Ok(Found::Some) => {
                let mut local = reading.stream.local.lock();
                local.set_waiting(reading.number, false);
                local.call_writers();
                Ok(Found::Some)
            }
            result => result,
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.reading.settle(&self.inner, ticket, settlement);
    }

    fn requeue(&self, _: u64, _: Duration) -> Result<(), StoreFault> {
        Err(unsupported(format!(
            "`{}` is a stream: its records are not locked, and none can be given back alone; \
             one that fails is left behind (`on-error=skip`), tried again in its place \
             (`on-error=retry`), or copied (`on-error=copy`)",
            self.reading.stream.name
        )))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        insist(&self.reading.name, PATIENCE, || {
            self.reading.report(&self.inner)
        })
    }

    fn stop(&self) {
        let mut state = self.reading.state.lock();
        state.has_retired = true;
        state.is_dirty = true;
        drop(state);
        let mut local = self.reading.stream.local.lock();
        local.call_readers();
        local.call_writers();
        drop(local);
        self.inner.report_later(&self.reading.stream);
    }

    fn close(&self) {
        let reading = &self.reading;
        let mut state = reading.state.lock();
        if std::mem::replace(&mut state.has_left, true) || self.inner.line.is_cut() {
            return;
        }
        if state.token.is_some()
            && let Err(fault) = reading.turn(&self.inner, &mut state, &[])
        {
            tracing::warn!(
                "the partitions of `{}` are free when its lease ends: {fault}",
                reading.name
            );
        }
        state.give_up(&reading.group);
        state.has_left = true;
        drop(state);
        let mut local = reading.stream.local.lock();
        local.readers.remove(&reading.number);
        local.call_readers();
        local.call_writers();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
