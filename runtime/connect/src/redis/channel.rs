//! Publish-subscribe channels: a queue of its own for each subscriber, and a copy in each of those that
//! are there.
//!
//! | key | what it holds |
//! |---|---|
//! | `paperflow:NAME:about` | a hash: kind, declaration, counts |
//! | `paperflow:NAME:subscribers` | a hash: subscribers and their queues |
//! | `paperflow:NAME:retained` | the fields of the last message, if new subscribers get it |
//! | `paperflow:NAME:ids` | a set: the ids that were sent last |
//! | `paperflow:NAME:ids-before` | a set: those that were sent before |
//! | `paperflow:NAME:seen` | ids that an older version has sent, and when |
//!
//! A subscriber is there as long as somebody reads its queue; who is away gets no new copies and keeps
//! nobody waiting. Who has left with nothing to do is forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use ::redis::Value;
use paperflow_core::connector::{
    Connector, Consumer, Declaration, Delivery, Found, Sent, Settlement, StoreFault, Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;

use super::line::Call;
use super::queue::{Queue, as_count, sent_of, told, when_there_is_room, written};
use super::reader::Reader;
use super::wire::{item, list, lossy, number};
use super::{Inner, scripts};
use crate::broker::waiting::Writers;
use crate::pubsub::{ChannelStatus, SubscriberStatus, queue_of};

/// A channel, as this process uses it.
pub(super) struct Channel {
    name: String,
    local: Mutex<Local>,
}

struct Local {
    declaration: Declaration,
    /// The queues of the subscribers of this process, and how many read each.
    present: BTreeMap<String, (Arc<Queue>, usize)>,
    writers: Writers,
}

impl Channel {
    pub(super) fn new(declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            local: Mutex::new(Local {
                declaration,
                present: BTreeMap::new(),
                writers: Writers::default(),
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

    fn queues(&self) -> Vec<Arc<Queue>> {
        let local = self.local.lock();
        let queues = local.present.values();
        queues.map(|(queue, _)| Arc::clone(queue)).collect()
    }

    fn bounds(&self, call: Call) -> Call {
        let local = self.local.lock();
        call.number(local.declaration.capacity as u64)
            .number(local.declaration.capacity_bytes)
    }

    fn leave(&self, subscriber: &str) {
        let mut local = self.local.lock();
        if let Some((_, readers)) = local.present.get_mut(subscriber) {
            *readers -= 1;
            if *readers == 0 {
                local.present.remove(subscriber);
            }
        }
    }
}

/// A channel, for the engine.
pub(super) struct Handle {
    pub(super) channel: Arc<Channel>,
    pub(super) inner: Arc<Inner>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (inner, name) = (&self.inner, &self.channel.name);
        let source = inner.settings.source(name);
        let texts = written(messages, &source, &inner.settings)?;
        let retains = self.channel.local.lock().declaration.retained;
        let (sent, _) = when_there_is_room(name, || {
            let call = Call::of(&scripts::CHANNEL_SEND).with(name);
            let call = self.channel.bounds(inner.settings.known(call));
            let mut call = call.with(if retains { "retains" } else { "" });
            texts.iter().for_each(|text| text.write(&mut call));
            told(&inner.line.ask(call)?)
        })?;
        failpoint!("before_confirm");
        if sent > 0 {
            let queues = self.channel.queues();
            queues
                .iter()
                .for_each(|queue| queue.local.lock().readers.call());
        }
        Ok(sent_of(messages, sent))
    }

    /// As many as the slowest subscriber that is there has room for.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        for queue in self.channel.queues() {
            queue.local.lock().writers.add(waker);
        }
        let mut local = self.channel.local.lock();
        local.writers.add(waker);
        drop(local);
        let call = Call::of(&scripts::CHANNEL_ROOM).with(&self.channel.name);
        match self.inner.line.ask(self.channel.bounds(call))? {
            Value::Int(-1) => Ok(usize::MAX),
            answer => Ok(as_count(number(&answer))),
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let name = consumer.name.clone();
        let wanted = queue_of(&self.channel.local.lock().declaration, &name);
        let queue = self.inner.queue(&wanted)?;
        let enter = Call::of(&scripts::CHANNEL_ENTER);
        let enter = enter
            .with(&self.channel.name)
            .with(&name)
            .with(&wanted.name);
        let copies = Reader::new(Arc::clone(&queue), Arc::clone(&self.inner), consumer);
        copies.join()?;
        self.inner.line.ask(enter)?;
        let mut local = self.channel.local.lock();
        local.present.entry(name.clone()).or_insert((queue, 0)).1 += 1;
        drop(local);
        Ok(Arc::new(Subscriber {
            channel: Arc::clone(&self.channel),
            inner: Arc::clone(&self.inner),
            copies,
            queue: wanted.name,
            name,
            has_left: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }))
    }
}

/// Somebody who has subscribed.
struct Subscriber {
    channel: Arc<Channel>,
    inner: Arc<Inner>,
    copies: Reader,
    queue: String,
    name: String,
    has_left: AtomicBool,
    is_closed: AtomicBool,
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
        self.channel.leave(&self.name);
        if let Some(token) = self.copies.known_as() {
            let stop = Call::of(&scripts::CHANNEL_STOP)
                .with(&self.queue)
                .with(token);
            if let Err(fault) = self.inner.line.ask(stop) {
                tracing::debug!("`{}` gets copies for a while yet: {fault}", self.name);
            }
        }
        self.channel.call_writers();
    }

    fn close(&self) {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.copies.close();
        if !self.has_left.swap(true, Ordering::AcqRel) {
            self.channel.leave(&self.name);
        }
        self.channel.call_writers();
        if self.inner.line.is_cut() {
            return;
        }
        let forget = Call::of(&scripts::CHANNEL_FORGET);
        let forget = forget
            .with(&self.channel.name)
            .with(&self.name)
            .with(&self.queue);
        if let Err(fault) = self.inner.line.ask(forget) {
            tracing::debug!("`{}` is remembered as a subscriber: {fault}", self.name);
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}

/// How the channels are doing.
pub(super) fn all(inner: &Inner) -> Result<Vec<ChannelStatus>, StoreFault> {
    let answer = inner.line.ask(Call::of(&scripts::CHANNELS))?;
    list(&answer)?.iter().map(status).collect()
}

fn status(channel: &Value) -> Result<ChannelStatus, StoreFault> {
    let channel = list(channel)?;
    let subscribers = list(item(channel, 3))?.iter().map(|one| {
        let one = list(one)?;
        Ok(SubscriberStatus {
            name: lossy(item(one, 0)),
            queue: lossy(item(one, 1)),
            is_present: number(item(one, 2)) == Some(1),
            copies: number(item(one, 3)).unwrap_or_default(),
        })
    });
    let subscribers = subscribers.collect::<Result<Vec<_>, _>>()?;
    Ok(ChannelStatus {
        name: lossy(item(channel, 0)),
        sent: number(item(channel, 1)).unwrap_or_default(),
        unobserved: number(item(channel, 2)).unwrap_or_default(),
        subscribers,
    })
}
