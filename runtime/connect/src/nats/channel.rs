//! Publish-subscribe channels: a queue of its own for each subscriber, and a copy in each of those that are
//! there.
//!
//! One document says who has subscribed and who is there. Whoever sends reads it first; a subscriber that
//! comes at that moment may get the message or not. Who is away gets no new copies and keeps nobody
//! waiting; who has left with nothing to do is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use async_nats::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Found, Sent, Settlement, StoreFault,
    Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Inner;
use super::group::session_of;
use super::known::About;
use super::line::{Request, codes, is_refused, read};
use super::names::key;
use super::queue::{Published, Queue, published_still, when_there_is_room};
use super::reader::Reader;
use super::server::state;
use crate::broker::waiting::Writers;
use crate::pubsub::{ChannelStatus, SubscriberStatus, queue_of};

/// What all know of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Common {
    sent: u64,
    /// Messages for which nobody was there.
    unobserved: u64,
    subscribers: BTreeMap<String, Subscribed>,
    /// The last message, if new subscribers get it.
    retained: Option<Retained>,
}

/// Somebody who has subscribed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Subscribed {
    queue: String,
    /// Those who read its queue and get more: `SESSION:NUMBER`.
    readers: BTreeSet<String>,
}

/// A message as it is kept for those who come later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Retained {
    headers: HeaderMap,
    /// In base64.
    payload: String,
}

fn key_of(channel: &str) -> String {
    key(&["channel", channel])
}

impl Common {
    /// Those of dead processes are not there.
    fn bury(&mut self, living: &BTreeSet<String>) {
        for subscribed in self.subscribers.values_mut() {
            let readers = &mut subscribed.readers;
            readers.retain(|reader| living.contains(session_of(reader)));
        }
    }

    /// The queues of those who are there.
    fn present(&self) -> Vec<String> {
        let all = self.subscribers.values();
        let present = all.filter(|subscribed| !subscribed.readers.is_empty());
        present.map(|subscribed| subscribed.queue.clone()).collect()
    }
}

/// A channel, as this process uses it.
pub(super) struct Channel {
    name: String,
    local: Mutex<Local>,
}

struct Local {
    declaration: Declaration,
    writers: Writers,
    given: u64,
}

impl Channel {
    pub(super) fn new(declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                declaration,
                writers: Writers::default(),
                given: 0,
            }),
        }
    }

    pub(super) fn declare(&self, declaration: Declaration) {
        self.local.lock().declaration = declaration;
    }

    /// Tells those who wait for room to look again.
    pub(super) fn call_writers(&self) {
        let mut writers = std::mem::take(&mut self.local.lock().writers);
        writers.call();
    }

    /// What all know of it, without those who are dead.
    fn common(&self, inner: &Inner) -> Result<Common, StoreFault> {
        let mut common = inner.docs.get::<Common>(&key_of(&self.name))?.value;
        let readers = common.subscribers.values();
        let readers = readers.flat_map(|subscribed| &subscribed.readers);
        let living = inner
            .docs
            .living(readers.map(|reader| session_of(reader)))?;
        common.bury(&living);
        Ok(common)
    }

    /// The queues of those who are there, as this process knows them.
    fn present(&self, inner: &Inner, common: &Common) -> Vec<Arc<Queue>> {
        let declaration = self.local.lock().declaration.clone();
        let queues = common.present().into_iter();
        queues
            .map(|name| inner.queue_of(&queue_of(&declaration, &name)))
            .collect()
    }

    /// As many messages as all these queues take.
    fn room_in(&self, inner: &Inner, queues: &[Arc<Queue>]) -> Result<(usize, bool), StoreFault> {
        let (mut least, mut are_empty) = (usize::MAX, true);
        for queue in queues {
            let (room, is_empty) = queue.look_for_room(inner)?;
            least = least.min(room);
            are_empty &= is_empty;
        }
        Ok((least, are_empty))
    }
}

/// A channel, for the engine.
pub(super) struct Handle {
    pub(super) channel: Arc<Channel>,
    pub(super) inner: Arc<Inner>,
}

impl Handle {
    /// A copy of each message for each of these queues; tells which messages were new to any of them.
    fn copy(&self, messages: &[Message], queues: &[Arc<Queue>]) -> Result<Sent, StoreFault> {
        let (inner, name) = (&self.inner, &self.channel.name);
        let mut requests = Vec::with_capacity(messages.len() * queues.len());
        for queue in queues {
            let subject = inner.line.names.subject(&queue.name);
            requests.extend(inner.publishing(name, messages, |_| subject.clone())?);
        }
        let mut is_new = vec![false; messages.len()];
        let number = inner.ready(queues.iter().map(|queue| queue.stream.as_str()))?;
        let answers = inner.line.exchange_still(number, requests)?;
        for (at, answer) in answers.iter().enumerate() {
            is_new[at % messages.len()] |= !read::<Published>(answer)?.is_known();
        }
        let written = is_new.iter().filter(|is_new| **is_new).count();
        Ok(Sent {
            written,
            known: messages.len() - written,
        })
    }

    /// The last message, as it is kept.
    fn retained(&self, messages: &[Message]) -> Result<Option<Retained>, StoreFault> {
        let retains = self.channel.local.lock().declaration.retained;
        let last = messages.last().filter(|_| retains).cloned();
        let last = last.as_slice();
        let last = self
            .inner
            .publishing(&self.channel.name, last, |_| String::new())?;
        Ok(last.into_iter().next().map(|request| Retained {
            headers: request.headers,
            payload: STANDARD.encode(request.payload),
        }))
    }
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        if messages.is_empty() {
            return Ok(Sent::default());
        }
        let (inner, channel) = (&self.inner, &self.channel);
        let has_room = || {
            let common = channel.common(inner)?;
            let queues = channel.present(inner, &common);
            let (room, are_empty) = channel.room_in(inner, &queues)?;
            Ok((room >= messages.len() || are_empty).then_some(queues))
        };
        let queues = when_there_is_room(&channel.name, has_room)?;
        let retained = self.retained(messages)?;
        let sent = match queues.is_empty() {
            false => self.copy(messages, &queues)?,
            true => Sent {
                written: messages.len(),
                known: 0,
            },
        };
        inner
            .docs
            .change(&key_of(&channel.name), |common: &mut Common| {
                common.sent += sent.written as u64;
                if queues.is_empty() {
                    common.unobserved += sent.written as u64;
                }
                if retained.is_some() && sent.written > 0 {
                    common.retained.clone_from(&retained);
                }
            })?;
        failpoint!("before_confirm");
        for queue in queues {
            queue.local.lock().readers.call();
            inner.ring(&queue.name, "message", None);
        }
        Ok(sent)
    }

    /// As many as the slowest subscriber that is there has room for.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let (inner, channel) = (&self.inner, &self.channel);
        let mut local = channel.local.lock();
        local.writers.add(waker);
        drop(local);
        let queues = channel.present(inner, &channel.common(inner)?);
        for queue in &queues {
            queue.local.lock().writers.add(waker);
        }
        Ok(channel.room_in(inner, &queues)?.0)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (inner, name) = (&self.inner, consumer.name.clone());
        let (wanted, number) = {
            let mut local = self.channel.local.lock();
            local.given += 1;
            (queue_of(&local.declaration, &name), local.given)
        };
        let queue = inner.queue(&wanted)?;
        let copies = Reader::new(Arc::clone(&queue), Arc::clone(inner), consumer);
        inner.docs.live()?;
        let token = format!("{}:{number}", inner.line.session);
        let first = inner
            .docs
            .change(&key_of(&self.channel.name), |common: &mut Common| {
                let is_new = !common.subscribers.contains_key(&name);
                let subscribed = common.subscribers.entry(name.clone()).or_default();
                subscribed.queue.clone_from(&wanted.name);
                subscribed.readers.insert(token.clone());
                common.retained.clone().filter(|_| is_new)
            })?;
        let subscriber = Subscriber {
            channel: Arc::clone(&self.channel),
            inner: Arc::clone(inner),
            copies,
            queue,
            name,
            token,
            has_left: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        };
        if let Some(first) = first {
            subscriber.begin_with(first)?;
        }
        Ok(Arc::new(subscriber))
    }
}

/// Somebody who has subscribed.
struct Subscriber {
    channel: Arc<Channel>,
    inner: Arc<Inner>,
    copies: Reader,
    queue: Arc<Queue>,
    name: String,
    /// How it is called among those who read.
    token: String,
    has_left: AtomicBool,
    is_closed: AtomicBool,
}

impl Subscriber {
    /// A new subscriber gets the last message first.
    fn begin_with(&self, retained: Retained) -> Result<(), StoreFault> {
        let payload = STANDARD.decode(retained.payload);
        let payload = payload.map_err(|error| crate::fault::damaged(error.to_string()))?;
        let request = Request {
            subject: self.inner.line.names.subject(&self.queue.name),
            headers: retained.headers,
            payload,
        };
        let number = self.inner.ready([self.queue.stream.as_str()])?;
        published_still(&self.inner, number, vec![request]).map(|_| ())
    }

    /// It is not there any more; who has nothing left to do is forgotten, if it has closed.
    fn leave(&self, has_closed: bool) -> Result<(), StoreFault> {
        let (inner, key) = (&self.inner, key_of(&self.channel.name));
        let left = match has_closed {
            true => state(&inner.line, &self.queue.stream)?.map_or(0, |state| state.messages),
            false => u64::MAX,
        };
        let is_over = inner.docs.change(&key, |common: &mut Common| {
            let Some(subscribed) = common.subscribers.get_mut(&self.name) else {
                return false;
            };
            subscribed.readers.remove(&self.token);
            let is_over = left == 0 && subscribed.readers.is_empty();
            if is_over {
                common.subscribers.remove(&self.name);
            }
            is_over
        })?;
        if is_over {
            forget(inner, &self.queue)?;
        }
        Ok(())
    }
}

/// A queue that nobody needs any more.
fn forget(inner: &Inner, queue: &Queue) -> Result<(), StoreFault> {
    inner.queues.lock().remove(&queue.name);
    let what = format!("STREAM.DELETE.{}", queue.stream);
    match inner.line.ask::<Json>(&what, &Json::Null) {
        Err(fault) if !is_refused(&fault, codes::NO_STREAM) => return Err(fault),
        _ => {}
    }
    let removing = inner.docs.removing(&About::key(&queue.name));
    inner.line.exchange_one(removing).map(|_| ())
}

impl Subscription for Subscriber {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let found = self.copies.receive(most, into)?;
        if found == Found::Some {
            self.channel.call_writers();
        }
        Ok(found)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.copies.settle(ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        self.copies.requeue(ticket, rest)
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.copies.flush()
    }

    /// It gets no more copies, and nobody waits for it.
    fn stop(&self) {
        if self.has_left.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Err(fault) = self.leave(false) {
            tracing::debug!("`{}` gets copies for a while yet: {fault}", self.name);
        }
        self.channel.call_writers();
    }

    fn close(&self) {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.has_left.store(true, Ordering::Release);
        self.copies.close();
        if !self.inner.line.is_cut()
            && let Err(fault) = self.leave(true)
        {
            tracing::debug!("`{}` is remembered as a subscriber: {fault}", self.name);
        }
        self.channel.call_writers();
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}

/// How the channels are doing.
pub(super) fn all(inner: &Inner) -> Result<Vec<ChannelStatus>, StoreFault> {
    let mut channels = Vec::new();
    for (_, about) in inner.docs.all::<About>("about")? {
        let declared = about.declaration;
        let Some(declared) = declared.filter(|known| known.kind == ConnectorKind::Pubsub) else {
            continue;
        };
        channels.push(status(inner, declared)?);
    }
    channels.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(channels)
}

fn status(inner: &Inner, declared: Declaration) -> Result<ChannelStatus, StoreFault> {
    let channel = Channel::new(declared);
    let common = channel.common(inner)?;
    let subscribers = common.subscribers.into_iter().map(|(name, subscribed)| {
        let stream = inner.line.names.queue(&subscribed.queue);
        let copies = state(&inner.line, &stream)?.map_or(0, |state| state.messages);
        Ok(SubscriberStatus {
            name,
            queue: subscribed.queue,
            is_present: !subscribed.readers.is_empty(),
            copies,
        })
    });
    Ok(ChannelStatus {
        subscribers: subscribers.collect::<Result<_, StoreFault>>()?,
        name: channel.name,
        sent: common.sent,
        unobserved: common.unobserved,
    })
}
