//! One subscriber: its session at the broker, and what it holds of the channel's messages.
//!
//! The broker keeps what a session has not confirmed, and sends no more than the *window* beyond that; so
//! what is held here is bounded, and whoever does not keep up leaves the rest to the broker. MQTT confirms
//! messages in the order in which they came, so what is settled is confirmed once all before it is.
//!
//! MQTT cannot give a message back. What is released or fails rests here, and is delivered again to this
//! subscriber; after a crash the broker delivers everything that was not confirmed, and the attempts are
//! counted anew. After a loss of the connection it does so as well: what comes again is known by the number
//! of its packet, and takes its place.
//!
//! A broker lets whoever comes by a name have its session, and not each tells the one who had it. So whoever
//! enters says first, in a retained message below `paperflow/readers`, that the name is now its own; who hears
//! of another leaves for good.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::{
    Consumer, Declaration, Delivery, Disposition, Found, Outlook, Recall, Settlement, StoreFault,
};
use paperflow_core::message::{Id, Message, Unreadable};
use parking_lot::Mutex;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Publish, RetainForwardRule};
use xxhash_rust::xxh3::xxh3_64;

use super::line::{Ear, Line};
use super::wire::Packed;
use super::{Inner, wire};
use crate::broker::fate::{Aside, Fate, fate};
use crate::clock::{Clock, utc};
use crate::names;

/// A subscriber's session.
pub(super) struct Session {
    own: Weak<Self>,
    pub(super) line: Line,
    pub(super) topic: String,
    /// Where it stands who reads by this name.
    claim: String,
    /// The channel, as it is declared.
    declaration: Declaration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One copies at a time what is set aside.
    asides: Mutex<()>,
    /// Most that is held without a promise.
    window: usize,
    store: Weak<Inner>,
    store_session: String,
}

#[derive(Default)]
struct State {
    /// What has come and is not confirmed, in order.
    window: VecDeque<Entry>,
    ready: BTreeSet<u64>,
    /// What rests, by the time when it is due.
    resting: BTreeSet<(Duration, u64)>,
    /// By ticket: the number of the entry, and who has it.
    leases: HashMap<u64, (u64, u64)>,
    /// Ids of what this program has sent to the channel since the session is there, and which has not come.
    awaited: VecDeque<Id>,
    readers: HashMap<u64, Listener>,
    numbers: u64,
    /// It gets nothing more.
    has_stopped: bool,
    /// Messages without any promise that came while the window was full.
    dropped: u64,
}

struct Listener {
    waker: Waker,
    is_waiting: bool,
}

/// A message that has come.
struct Entry {
    number: u64,
    /// By which it is confirmed; none for a message that wants no confirmation.
    packet: Option<u16>,
    bond: Bond,
    fingerprint: u64,
    id: Id,
    raw: Publish,
    /// As read from `raw`, until it is delivered.
    message: Option<Box<Message>>,
    attempts: u32,
    /// When it failed first.
    failed: Option<Moment>,
    place: Place,
}

/// What the broker knows of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bond {
    /// It waits for the confirmation.
    Here,
    /// It sends it again on this connection.
    Expected,
    /// It knows nothing of it any more.
    Gone,
}

enum Place {
    Ready,
    Resting,
    Leased,
    /// To be set aside.
    Leaving(Box<Aside>),
    Settled,
}

impl Session {
    /// Enters, and returns when the broker has it as a subscriber.
    pub(super) fn open(
        line: Line,
        (topic, claim): (String, String),
        declaration: Declaration,
        store: &Arc<Inner>,
    ) -> Result<Arc<Self>, StoreFault> {
        store.retain(&claim, &store.session)?;
        let session = Arc::new_cyclic(|own| Self {
            own: own.clone(),
            line,
            topic,
            claim,
            declaration,
            clock: Arc::clone(&store.clock),
            state: Mutex::default(),
            asides: Mutex::default(),
            window: usize::from(store.settings.window),
            store: Arc::downgrade(store),
            store_session: store.session.clone(),
        });
        let ear: Arc<dyn Ear> = Arc::clone(&session) as Arc<dyn Ear>;
        session.line.start(Arc::downgrade(&ear))?;
        session.line.fence()?;
        Ok(session)
    }

    /// Somebody reads; its number.
    pub(super) fn join(&self, consumer: &Consumer) -> u64 {
        let mut state = self.state.lock();
        let number = state.number();
        let listener = Listener {
            waker: consumer.waker.clone(),
            is_waiting: false,
        };
        state.readers.insert(number, listener);
        number
    }

    /// Whoever has left gives back what it holds.
    pub(super) fn leave(&self, reader: u64) {
        let mut state = self.state.lock();
        state.readers.remove(&reader);
        let own = state.leases.iter();
        let own = own.filter(|(_, (_, holder))| *holder == reader);
        let own: Vec<u64> = own.map(|(ticket, _)| *ticket).collect();
        for ticket in own {
            let settlement = Settlement {
                disposition: Disposition::Release,
                failure: None,
            };
            self.decide(&mut state, ticket, &settlement);
        }
        state.call_readers();
    }

    pub(super) fn receive(
        &self,
        reader: u64,
        most: usize,
        into: &mut Vec<Delivery>,
    ) -> Result<Found, StoreFault> {
        if self.state.lock().lease(self, reader, most, into) {
            return Ok(Found::Some);
        }
        self.line.fence()?;
        let mut state = self.state.lock();
        if state.lease(self, reader, most, into) {
            return Ok(Found::Some);
        }
        if let Some(listener) = state.readers.get_mut(&reader) {
            listener.is_waiting = true;
        }
        Ok(Found::Empty(state.outlook(reader, &*self.clock)))
    }

    pub(super) fn settle(&self, ticket: u64, settlement: Settlement) {
        let mut state = self.state.lock();
        let is_leaving = self.decide(&mut state, ticket, &settlement);
        state.confirm(&self.line);
        state.call_readers();
        drop(state);
        if is_leaving {
            self.set_aside_later();
        }
    }

    /// Rests, and counts as no failure.
    pub(super) fn requeue(&self, ticket: u64, rest: Duration) {
        let mut state = self.state.lock();
        if let Some((number, _)) = state.leases.remove(&ticket) {
            state.rest(number, self.clock.elapsed() + rest);
            state.call_readers();
        }
    }

    /// What becomes of a delivery; whether it is to be set aside.
    fn decide(&self, state: &mut State, ticket: u64, settlement: &Settlement) -> bool {
        let Some((number, _)) = state.leases.remove(&ticket) else {
            tracing::debug!("a late settlement in `{}` is not heard", self.topic);
            return false;
        };
        let Some(entry) = state.entry(number) else {
            return false;
        };
        match fate((entry.id, entry.attempts), &self.declaration, settlement) {
            Fate::Done => entry.settle(),
            Fate::Release => {
                entry.attempts -= 1;
                entry.place = Place::Ready;
                state.ready.insert(number);
            }
            Fate::Rest(rest) => {
                entry.failed.get_or_insert_with(|| self.clock.wall());
                state.rest(number, self.clock.elapsed() + rest);
            }
            Fate::Aside(aside) => {
                entry.leave(aside, self.clock.wall());
                return true;
            }
        }
        false
    }

    /// Sets aside what is to be, and confirms it then; what cannot be now stays to be.
    pub(super) fn set_aside(&self, store: &Inner) -> Result<(), StoreFault> {
        let _one = self.asides.lock();
        loop {
            let found = self.state.lock().leaving();
            let Some((number, to, copy)) = found else {
                return Ok(());
            };
            store.set_aside(&to, copy)?;
            let mut state = self.state.lock();
            if let Some(entry) = state.entry(number) {
                entry.settle();
            }
            state.confirm(&self.line);
            state.call_readers();
        }
    }

    /// Confirms what is settled, also what found no room on its way to the broker.
    pub(super) fn confirm_all(&self) {
        self.state.lock().confirm(&self.line);
    }

    fn set_aside_later(&self) {
        if let (Some(store), Some(own)) = (self.store.upgrade(), self.own.upgrade()) {
            store.set_aside_later(&own);
        }
    }

    /// A message that cannot be read is set aside.
    fn refuse(&self, entry: &mut Entry, unreadable: &Unreadable) {
        let settlement = Settlement::unreadable(unreadable);
        if let Fate::Aside(aside) = fate((entry.id, 0), &self.declaration, &settlement) {
            entry.leave(aside, self.clock.wall());
        }
    }

    /// What this program sends to the channel will come.
    pub(super) fn await_all(&self, ids: &[Id]) {
        let mut state = self.state.lock();
        if !state.has_stopped {
            state.awaited.extend(ids);
        }
    }

    /// What was sent may never come: it was refused, or is sent again.
    pub(super) fn await_no_more(&self, ids: &[Id]) {
        self.state.lock().awaited.retain(|id| !ids.contains(id));
    }

    /// How many messages wait, here or on their way.
    pub(super) fn waiting(&self) -> usize {
        let state = self.state.lock();
        state.awaited.len() + state.ready.len() + state.resting.len()
    }

    /// How many are not done.
    pub(super) fn unsettled(&self) -> usize {
        let state = self.state.lock();
        let open = state.window.iter();
        let open = open.filter(|entry| !entry.is_settled());
        open.count() + state.awaited.len()
    }

    /// It gets nothing more, and nobody waits for it.
    pub(super) fn stop(&self) -> Result<(), StoreFault> {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.has_stopped, true) {
            return Ok(());
        }
        state.awaited.clear();
        drop(state);
        self.line.unsubscribe(&self.topic)
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let found = self
            .window
            .binary_search_by_key(&number, |entry| entry.number);
        found.ok().and_then(|at| self.window.get_mut(at))
    }

    fn rest(&mut self, number: u64, until: Duration) {
        if let Some(entry) = self.entry(number) {
            entry.place = Place::Resting;
            self.resting.insert((until, number));
        }
    }

    /// Leases what is ready; whether there was something.
    fn lease(
        &mut self,
        session: &Session,
        reader: u64,
        most: usize,
        into: &mut Vec<Delivery>,
    ) -> bool {
        let now = session.clock.elapsed();
        while let Some((due, number)) = self.resting.first().copied()
            && due <= now
        {
            self.resting.pop_first();
            self.ready.insert(number);
        }
        let before = into.len();
        while into.len() - before < most
            && let Some(number) = self.ready.pop_first()
        {
            let ticket = self.number();
            let Some(entry) = self.entry(number) else {
                continue;
            };
            let Some(message) = entry.read() else {
                continue;
            };
            entry.attempts += 1;
            entry.place = Place::Leased;
            into.push(Delivery {
                ticket,
                message,
                attempt: entry.attempts,
                recall: Recall::default(),
            });
            self.leases.insert(ticket, (number, reader));
        }
        into.len() > before
    }

    fn outlook(&self, reader: u64, clock: &dyn Clock) -> Outlook {
        let own = self.leases.values();
        let own = own.filter(|(_, holder)| *holder == reader).count();
        let leaving = self.window.iter();
        let leaving = leaving.filter(|entry| matches!(entry.place, Place::Leaving(_)));
        let due = self.resting.first().map(|(due, _)| {
            let rest = due.saturating_sub(clock.elapsed());
            let moment: Moment = clock.wall() + rest;
            moment
        });
        Outlook {
            due,
            unsettled: own,
            elsewhere: self.leases.len() - own + leaving.count(),
            is_moving: false,
        }
    }

    /// Confirms what is settled, in order.
    fn confirm(&mut self, line: &Line) {
        let client = line.present();
        while let Some(entry) = self.window.front()
            && entry.is_settled()
        {
            match (entry.packet, entry.bond) {
                (Some(packet), Bond::Here) => {
                    let Some(client) = &client else {
                        return;
                    };
                    let confirmed = Publish {
                        pkid: packet,
                        qos: QoS::AtLeastOnce,
                        ..Publish::default()
                    };
                    if client.try_ack(&confirmed).is_err() {
                        return;
                    }
                }
                // It is confirmed when it has come again.
                (Some(_), Bond::Expected) => return,
                _ => {}
            }
            self.window.pop_front();
        }
    }

    /// The first message that is to be set aside: its number, where to, and what it is to be.
    fn leaving(&self) -> Option<(u64, String, Packed)> {
        self.window.iter().find_map(|entry| match &entry.place {
            Place::Leaving(aside) => {
                let copy = Packed::again(&entry.raw, &aside.why);
                Some((entry.number, aside.to.clone(), copy))
            }
            _ => None,
        })
    }

    /// A message without any promise finds no room.
    fn drop_one(&mut self, topic: &str) {
        self.dropped += 1;
        if self.dropped.is_power_of_two() {
            tracing::warn!(
                "`{topic}` does not keep up: {} messages that were sent without a promise (QoS 0) are lost",
                self.dropped
            );
        }
    }

    fn call_readers(&mut self) {
        for listener in self.readers.values_mut() {
            if std::mem::take(&mut listener.is_waiting) {
                listener.waker.wake_by_ref();
            }
        }
    }

    /// The entry of a message that the broker sends again.
    fn again(&mut self, publish: &Publish, fingerprint: u64) -> bool {
        let known = self.window.iter_mut().find(|entry| {
            entry.bond == Bond::Expected
                && entry.packet == Some(publish.pkid)
                && entry.fingerprint == fingerprint
        });
        known.is_some_and(|entry| {
            entry.bond = Bond::Here;
            true
        })
    }

    /// What was awaited has come, and all before it has come or never will.
    fn arrived(&mut self, id: Id) {
        if let Some(at) = self.awaited.iter().position(|own| *own == id) {
            self.awaited.drain(..=at);
        }
    }
}

impl Entry {
    fn is_settled(&self) -> bool {
        matches!(self.place, Place::Settled)
    }

    /// The message, as it came.
    fn read(&mut self) -> Option<Message> {
        if let Some(message) = self.message.take() {
            return Some(*message);
        }
        // It could be read when it came, and has its identity from then.
        let mut message = wire::message(&self.raw, "").ok()?;
        message.id = self.id;
        Some(message)
    }

    /// It is to be set aside.
    fn leave(&mut self, mut aside: Aside, now: Moment) {
        aside.why.extend([
            (names::FIRST, utc(self.failed.unwrap_or(now))),
            (names::LAST, utc(now)),
        ]);
        self.place = Place::Leaving(Box::new(aside));
    }

    fn settle(&mut self) {
        self.place = Place::Settled;
        self.raw = Publish::default();
        self.message = None;
    }
}

impl Ear for Session {
    fn begun(&self, is_known: bool) -> Vec<Filter> {
        let mut state = self.state.lock();
        for entry in &mut state.window {
            entry.bond = match (entry.bond, is_known) {
                (Bond::Gone, _) | (_, false) => Bond::Gone,
                (_, true) => Bond::Expected,
            };
        }
        if !is_known {
            // What was on its way is lost with the session.
            state.awaited.clear();
        }
        let claim = Filter::new(&*self.claim, QoS::AtMostOnce);
        if state.has_stopped {
            return vec![claim];
        }
        let mut filter = Filter::new(&*self.topic, QoS::AtLeastOnce);
        filter.retain_forward_rule = match self.declaration.retained && !is_known {
            true => RetainForwardRule::OnEverySubscribe,
            false => RetainForwardRule::Never,
        };
        vec![claim, filter]
    }

    fn settled_in(&self) {
        let mut state = self.state.lock();
        for entry in &mut state.window {
            if entry.bond == Bond::Expected {
                entry.bond = Bond::Gone;
            }
        }
        state.confirm(&self.line);
        state.call_readers();
        drop(state);
        if let Some(store) = self.store.upgrade() {
            store.call_writers(&self.topic);
        }
    }

    fn heard(&self, publish: Publish) {
        if publish.topic == self.claim {
            let is_other = publish.payload != self.store_session;
            if is_other && !publish.payload.is_empty() {
                self.line.give_way();
                self.state.lock().call_readers();
            }
            return;
        }
        let fingerprint = xxh3_64(&publish.payload);
        let mut state = self.state.lock();
        if publish.qos != QoS::AtMostOnce && state.again(&publish, fingerprint) {
            state.confirm(&self.line);
            return;
        }
        let is_promised = publish.qos != QoS::AtMostOnce;
        if !is_promised && state.window.len() >= self.window {
            return state.drop_one(&self.topic);
        }
        let number = state.number();
        // Nobody else has this name, whoever reads.
        let place = format!("{} {} {number}", self.store_session, self.topic);
        let read = wire::message(&publish, &place);
        let mut entry = Entry {
            number,
            packet: is_promised.then_some(publish.pkid),
            bond: if is_promised { Bond::Here } else { Bond::Gone },
            fingerprint,
            id: read
                .as_ref()
                .map_or_else(|_| Id::of(&place), |message| message.id),
            raw: publish,
            message: None,
            attempts: 0,
            failed: None,
            place: Place::Ready,
        };
        state.arrived(entry.id);
        let is_unreadable = read.is_err();
        match read {
            Ok(message) => {
                state.ready.insert(number);
                entry.message = Some(Box::new(message));
            }
            Err(unreadable) => self.refuse(&mut entry, &unreadable),
        }
        state.window.push_back(entry);
        state.call_readers();
        drop(state);
        if is_unreadable {
            self.set_aside_later();
        }
    }

    fn lost(&self) {
        self.state.lock().call_readers();
    }
}
