//! A consumer of a stream whose partitions a broker gives and takes: what it holds is in memory, and it tells
//! how far it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{
    Consumer, Delivery, Disposition, Found, OnError, Outlook, Settlement, StoreFault,
    StoreFaultKind, Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::Id;
use parking_lot::Mutex;

use super::aside;
use super::patience::{PATIENCE, insist};
use super::stream::Stream;
use crate::clock::{Clock, millis};
use crate::fault::not_locked;
use crate::names;
use crate::stream::group::{Copy, Flight, Follow, Group, Now, Prospect, Received, To, Verdict};
use crate::stream::handed::Handed;
use crate::stream::mark::Offset;
use crate::stream::shares::Member;

/// What a broker does for the streams that it keeps.
pub(crate) trait Side: Send + Sync + Sized + 'static {
    /// What it knows of one consumer of this process.
    type Own: Default + Send;

    /// The time.
    fn clock(&self) -> &dyn Clock;

    /// Who this process is, among all who use the broker.
    fn session(&self) -> &str;

    /// Nothing is told it any more.
    fn is_cut(&self) -> bool;

    /// How far the readers of a stream are is told it soon.
    fn report_later(&self, stream: &Arc<Stream<Self>>);

    /// One exchange: how far a consumer is, which partitions it has, and pages from offsets on.
    ///
    /// # Errors
    /// It cannot be reached.
    fn turn(
        &self,
        reading: &Reading<Self>,
        state: &mut State<Self::Own>,
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault>;

    /// Copies a record that failed, of this identity.
    ///
    /// # Errors
    /// It cannot be reached (`Unavailable`), or cannot do that.
    fn copy(
        &self,
        reading: &Reading<Self>,
        state: &State<Self::Own>,
        copy: &Copying,
    ) -> Result<(), StoreFault>;
}

/// A record that is to be copied, as a broker is told.
pub(crate) struct Copying {
    /// The delivery that failed.
    pub(crate) flight: Flight,
    /// Where to.
    pub(crate) to: String,
    /// From there it comes back after so long; nothing when it is set aside.
    pub(crate) rest: Option<Duration>,
    /// When it failed first, in milliseconds since 1970, if it failed before.
    pub(crate) first: Option<i64>,
    /// Headers that tell why, but for the times.
    pub(crate) why: Vec<(&'static str, String)>,
}

/// How long a record rests that could not be copied.
const REFUSED: Duration = Duration::from_secs(1);

/// See [`Subscription`].
pub(crate) struct Reader<B: Side> {
    reading: Arc<Reading<B>>,
    broker: Arc<B>,
}

/// What a consumer does, also when nobody asks it.
pub(crate) struct Reading<B: Side> {
    pub(crate) stream: Arc<Stream<B>>,
    pub(crate) name: String,
    pub(crate) group: String,
    number: u64,
    state: Mutex<State<B::Own>>,
}

/// What it knows.
pub(crate) struct State<O> {
    pub(crate) group: Group,
    pub(crate) member: Member,
    /// How the server knows it; nothing when it does not, or not yet.
    pub(crate) token: Option<String>,
    times: u64,
    /// The ends of partitions.
    pub(crate) ends: Vec<Offset>,
    /// The epochs of those that it has.
    pub(crate) epochs: BTreeMap<usize, u64>,
    /// The identities of what is in its hands, for what is set aside.
    ids: BTreeMap<u64, Id>,
    /// Records that are to be copied.
    copies: Vec<(Copy, Id)>,
    /// The server does not know yet how far it is.
    pub(crate) is_dirty: bool,
    pub(crate) has_retired: bool,
    pub(crate) has_left: bool,
    /// When a copy comes back, by time that only goes on.
    pub(crate) back: Option<Duration>,
    /// What others have in their hands, or are to receive.
    pub(crate) elsewhere: usize,
    /// What the broker knows of it.
    #[cfg_attr(
        not(feature = "nats"),
        expect(dead_code, reason = "Redis has nothing of its own to remember")
    )]
    pub(crate) own: O,
}

impl<O: Default> State<O> {
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
            own: O::default(),
        }
    }

    /// The server has given it up.
    pub(crate) fn give_up(&mut self, group: &str) {
        let (times, has_retired) = (self.times, self.has_retired);
        *self = Self {
            times,
            has_retired,
            ..Self::new(group)
        };
    }
}

impl<B: Side> Reader<B> {
    pub(crate) fn new(
        stream: Arc<Stream<B>>,
        broker: Arc<B>,
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
        stream.report(&broker)?;
        reading.turn(&broker, &mut reading.state.lock(), &[])?;
        Ok(Self { reading, broker })
    }
}

impl<B: Side> Reading<B> {
    /// Says what the server does not know yet.
    pub(crate) fn report(&self, broker: &B) -> Result<(), StoreFault> {
        let mut state = self.state.lock();
        let has_news = state.is_dirty || !state.copies.is_empty();
        if state.has_left || !has_news {
            return Ok(());
        }
        self.turn(broker, &mut state, &[])
    }

    /// How the broker knows it, if it does.
    #[cfg(feature = "redis")]
    pub(crate) fn token(&self) -> Option<String> {
        self.state.lock().token.clone()
    }

    /// Gives a sign of life, and says what the server does not know yet.
    pub(crate) fn live(&self, broker: &B) -> Result<(), StoreFault> {
        let mut state = self.state.lock();
        if state.has_left {
            return Ok(());
        }
        self.turn(broker, &mut state, &[])
    }

    /// Hands out records; nothing when some were read that only others want.
    fn hand_out(
        &self,
        broker: &B,
        most: usize,
        into: &mut Vec<Handed>,
    ) -> Result<Option<Prospect>, StoreFault> {
        let mut state = self.state.lock();
        self.turn(broker, &mut state, &[])?;
        loop {
            let now = broker.clock().elapsed();
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
                    self.turn(broker, &mut state, &[(partition, from)])?;
                }
                Received::Nothing(prospect) => return Ok(Some(prospect)),
            }
        }
    }

    /// The delivery; nothing when the record cannot be read, which is then set aside.
    fn delivery(&self, broker: &B, handed: Handed) -> Option<Delivery> {
        let settled = |(ticket, settlement)| self.settle(broker, ticket, settlement);
        let delivery = handed.delivery().map_err(settled).ok()?;
        let id = delivery.message.id;
        self.state.lock().ids.insert(delivery.ticket, id);
        Some(delivery)
    }

    fn settle(&self, broker: &B, ticket: u64, settlement: Settlement) {
        let own = (self.group.as_str(), ticket);
        let terms = || (Now::of(broker.clock()), self.stream.rules());
        let verdict = Verdict::of(settlement, own, terms);
        let mut state = self.state.lock();
        let id = state.ids.remove(&ticket).unwrap_or(Id::of(""));
        let member = state.member;
        match state.group.settle(member, ticket, verdict) {
            Follow::Nothing => {
                tracing::debug!("a late settlement in `{}` is not heard", self.stream.name);
                return;
            }
            Follow::Save => {}
            Follow::Copy(copy) => state.copies.push((*copy, id)),
        }
        let was_dirty = std::mem::replace(&mut state.is_dirty, true);
        drop(state);
        self.stream.local.lock().readers.call();
        if !was_dirty {
            broker.report_later(&self.stream);
        }
    }
}

impl<B: Side> Reading<B> {
    /// One exchange with the broker, after what failed was copied.
    fn turn(
        &self,
        broker: &B,
        state: &mut State<B::Own>,
        pages: &[(usize, Offset)],
    ) -> Result<(), StoreFault> {
        self.copy(broker, state)?;
        broker.turn(self, state, pages)
    }

    /// How the broker knows it; a new name when it had been given up.
    pub(crate) fn token_in(&self, broker: &B, state: &mut State<B::Own>) -> String {
        let token = state.token.get_or_insert_with(|| {
            state.times += 1;
            let (session, number, times) = (broker.session(), self.number, state.times);
            format!("{session}:{number}.{times}:{}", self.name)
        });
        token.clone()
    }

    /// Has records copied that failed; each is finished when its copy is safe.
    fn copy(&self, broker: &B, state: &mut State<B::Own>) -> Result<(), StoreFault> {
        while let Some((copy, id)) = state.copies.first().cloned() {
            if copy.to == To::Invalid {
                failpoint!("before_invalid_copy");
            }
            let answer = match broker.copy(self, state, &self.copying(&copy, id)) {
                Err(fault) if fault.kind() == StoreFaultKind::Unavailable => return Err(fault),
                answer => answer,
            };
            state.copies.remove(0);
            if matches!(copy.to, To::Delay(_)) {
                failpoint!("after_retry");
            } else {
                failpoint!("after_dead_letter");
            }
            let refused = answer.is_err().then(|| broker.clock().elapsed() + REFUSED);
            if let Err(fault) = answer {
                tracing::warn!(
                    "a record of `{}` cannot be copied: {fault}",
                    self.stream.name
                );
            }
            state.group.copied(&copy, refused);
            state.is_dirty = true;
        }
        Ok(())
    }

    fn copying(&self, copy: &Copy, id: Id) -> Copying {
        let Copy { flight, failed, .. } = copy;
        let (to, disposition, rest) = self.target(copy.to);
        let of = (id, flight.attempt);
        let mut why = aside::why(disposition, copy.failure.as_ref(), &self.stream.name, of);
        why.push((names::PARTITION, flight.partition.to_string()));
        why.push((names::OFFSET, flight.offset.to_string()));
        why.push((names::GROUP, self.group.clone()));
        let first = failed.filter(|failed| failed.times > 0);
        Copying {
            flight: flight.clone(),
            to,
            rest,
            first: first.map(|failed| millis(failed.first)),
            why,
        }
    }

    /// To which connector a record that failed is copied, why, and after how long it comes back.
    fn target(&self, to: To) -> (String, Disposition, Option<Duration>) {
        let local = self.stream.local.lock();
        let declaration = &local.declaration;
        match (to, &declaration.on_error) {
            (To::Delay(rest), OnError::Copy(via)) => (via.clone(), Disposition::Retry, Some(rest)),
            (To::Delay(_) | To::Dead, _) => {
                (declaration.dead_letter_name(), Disposition::Retry, None)
            }
            (To::Rejected, _) => (declaration.dead_letter_name(), Disposition::Reject, None),
            (To::Invalid, _) => (declaration.invalid_name(), Disposition::Invalid, None),
        }
    }
}

impl<B: Side> Reader<B> {
    fn outlook(&self, prospect: Prospect) -> Outlook {
        let now = Now::of(self.broker.clock());
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
        reading.stream.report(&self.broker)?;
        let before = into.len();
        while into.len() == before {
            let mut handed = Vec::new();
            let prospect = reading.hand_out(&self.broker, most.max(1), &mut handed)?;
            if let Some(prospect) = prospect {
                return Ok(Found::Empty(self.outlook(prospect)));
            }
            let deliveries = handed.into_iter();
            into.extend(deliveries.filter_map(|handed| reading.delivery(&self.broker, handed)));
        }
        Ok(Found::Some)
    }
}

impl<B: Side> Subscription for Reader<B> {
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
            .readers
            .set_waiting(reading.number, true);
        match self.try_receive(most, into) {
            Ok(Found::Some) => {
                let mut local = reading.stream.local.lock();
                local.readers.set_waiting(reading.number, false);
                local.writers.call();
                Ok(Found::Some)
            }
            result => result,
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.reading.settle(&self.broker, ticket, settlement);
    }

    fn requeue(&self, _: u64, _: Duration) -> Result<(), StoreFault> {
        Err(not_locked(&self.reading.stream.name))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        insist(&self.reading.name, PATIENCE, || {
            self.reading.report(&self.broker)
        })
    }

    fn stop(&self) {
        let mut state = self.reading.state.lock();
        state.has_retired = true;
        state.is_dirty = true;
        drop(state);
        let mut local = self.reading.stream.local.lock();
        local.readers.call();
        local.writers.call();
        drop(local);
        self.broker.report_later(&self.reading.stream);
    }

    fn close(&self) {
        let reading = &self.reading;
        let mut state = reading.state.lock();
        if std::mem::replace(&mut state.has_left, true) || self.broker.is_cut() {
            return;
        }
        if state.token.is_some()
            && let Err(fault) = reading.turn(&self.broker, &mut state, &[])
        {
            tracing::warn!(
                "the partitions of `{}` are free when its lease ends: {fault}",
                reading.name
            );
        }
        state.give_up(&reading.group);
        state.has_left = true;
        drop(state);
        reading.stream.unseat(reading.number);
    }
}

impl<B: Side> Drop for Reader<B> {
    fn drop(&mut self) {
        self.close();
    }
}
