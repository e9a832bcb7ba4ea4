//! Publish-subscribe channels: a fanout exchange, and a queue of its own for each subscriber.
//!
//! | on the server | what it is |
//! |---|---|
//! | exchange `NAME`, fanout | what is sent there is copied for each subscriber |
//! | queue `SUBSCRIBER` and its `.rest.` queues | copies, as those of any queue |
//! | queue `SUBSCRIBER.here`, exclusive | is there as long as the subscriber is |
//! | stream `paperflow.subscribers.NAME` | who has subscribed, and to which queue |
//!
//! Who leaves gets no new copies, and is forgotten when it has nothing to do. Whose process has died finds
//! what was sent meanwhile as well, since nobody was there to end its subscription; it keeps nobody
//! waiting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

use lapin::ExchangeKind;
use paperflow_core::connector::{
    Connector, Consumer, Declaration, Delivery, Found, Sent, Settlement, StoreFault, Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use parking_lot::Mutex;

use super::Inner;
use super::line::Line;
use super::log::Log;
use super::outbox::{Fate, Outbox, To};
use super::queue::Queue;
use super::reader::Reader;
use super::wire::Parcel;
use crate::broker::waiting::Writers;
use crate::fault::unavailable;
use crate::pubsub::{ChannelStatus, SubscriberStatus, queue_of};

/// How long it is believed who has subscribed.
const BELIEVED: Duration = Duration::from_secs(1);

/// A channel, as this process uses it.
pub(super) struct Channel {
    name: String,
    outbox: Outbox,
    subscribers: Log,
    /// Messages that were sent here, and of those the ones for nobody.
    sent: AtomicU64,
    unobserved: AtomicU64,
    local: Mutex<Local>,
}

struct Local {
    declaration: Declaration,
    /// The queues of the subscribers of this process, and how many read each.
    present: BTreeMap<String, (Arc<Queue>, usize)>,
    /// The queues of those of other processes who were there, and when that was.
    others: Option<(Vec<String>, Duration)>,
    writers: Writers,
}

impl Channel {
    pub(super) fn new(line: &Arc<Line>, declaration: Declaration) -> Self {
        let name = declaration.name.clone();
        Self {
            outbox: Outbox::new(line),
            subscribers: Log::of(line, &format!("paperflow.subscribers.{name}")),
            name,
            sent: AtomicU64::new(0),
            unobserved: AtomicU64::new(0),
            local: Mutex::new(Local {
                declaration,
                present: BTreeMap::new(),
                others: None,
                writers: Writers::default(),
            }),
        }
    }

    pub(super) fn declare(&self, declaration: Declaration, line: &Line) -> Result<(), StoreFault> {
        self.local.lock().declaration = declaration;
        line.declare_exchange(&line.named(&self.name), ExchangeKind::Fanout)
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

    /// Gives whether nobody of this process reads as this subscriber any more.
    fn leave(&self, subscriber: &str) -> bool {
        let mut local = self.local.lock();
        let Some((_, readers)) = local.present.get_mut(subscriber) else {
            return false;
        };
        *readers -= 1;
        let is_last = *readers == 0;
        if is_last {
            local.present.remove(subscriber);
        }
        is_last
    }

    /// The queues of subscribers of other processes who are there, as it was known a moment ago.
    fn others(&self, line: &Line) -> Result<Vec<String>, StoreFault> {
        let now = line.clock.elapsed();
        if let Some((others, known)) = &self.local.lock().others
            && now.saturating_sub(*known) < BELIEVED
        {
            return Ok(others.clone());
        }
        let mut others = Vec::new();
        for (name, queue) in self.subscribers.read("")? {
            let is_here = self.local.lock().present.contains_key(&name);
            if !is_here && is_there(line, &queue)? {
                others.push(queue);
            }
        }
        self.local.lock().others = Some((others.clone(), now));
        Ok(others)
    }
}

/// What is there as long as somebody reads a subscriber's queue.
fn sign_of(line: &Line, queue: &str) -> String {
    line.named(&format!("{queue}.here"))
}

/// Whether somebody reads a subscriber's queue.
fn is_there(line: &Line, queue: &str) -> Result<bool, StoreFault> {
    line.is_exclusive(&sign_of(line, queue))
}

/// A channel, for the engine.
pub(super) struct Handle {
    pub(super) channel: Arc<Channel>,
    pub(super) inner: Arc<Inner>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (inner, name) = (&self.inner, &self.channel.name);
        let source = format!("paperflow:{name}");
        let to = To {
            exchange: inner.line.named(name),
            key: String::new(),
        };
        let parcels = messages.iter().map(|message| {
            let parcel = Parcel::pack(message, &source, inner.settings.is_structured)?;
            Ok((to.clone(), parcel))
        });
        let parcels = parcels.collect::<Result<Vec<_>, StoreFault>>()?;
        let fates = self.channel.outbox.send(&parcels)?;
        failpoint!("before_confirm");
        if fates.contains(&Fate::Refused) {
            return Err(unavailable(format!("a subscriber of `{name}` has no room")));
        }
        let unobserved = fates.iter().filter(|fate| **fate == Fate::Unroutable);
        let (sent, unobserved) = (messages.len(), unobserved.count());
        self.channel.sent.fetch_add(sent as u64, Ordering::AcqRel);
        self.channel
            .unobserved
            .fetch_add(unobserved as u64, Ordering::AcqRel);
        for queue in self.channel.queues() {
            let mut local = queue.local.lock();
            local.doubt_room();
            local.readers.call();
        }
        Ok(Sent {
            written: sent,
            known: 0,
        })
    }

    /// As many as the slowest subscriber that is there has room for.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let (channel, line) = (&self.channel, &self.inner.line);
        let mut room = usize::MAX;
        for queue in channel.queues() {
            room = room.min(queue.room(waker)?);
        }
        {
            let mut local = channel.local.lock();
            local.writers.add(waker);
        }
        let others = channel.others(line)?;
        let names: Vec<String> = others.iter().map(|queue| line.named(queue)).collect();
        let capacity = channel.local.lock().declaration.capacity;
        for counts in line.counts(&names)? {
            let ready = usize::try_from(counts.ready).unwrap_or(usize::MAX);
            room = room.min(capacity.saturating_sub(ready));
        }
        Ok(room)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (inner, channel) = (&self.inner, &self.channel);
        let name = consumer.name.clone();
        let wanted = queue_of(&channel.local.lock().declaration, &name);
        let queue = inner.queue(&wanted)?;
        let entry = (name.clone(), wanted.name.clone());
        channel.subscribers.write(vec![entry], None)?;
        inner
            .line
            .declare_exclusive(&sign_of(&inner.line, &wanted.name))?;
        let [key, exchange] = [&wanted.name, &channel.name].map(|name| inner.line.named(name));
        inner.line.bind(&key, &exchange, "")?;
        let mut local = channel.local.lock();
        let reading = Arc::clone(&queue);
        local.present.entry(name.clone()).or_insert((queue, 0)).1 += 1;
        drop(local);
        Ok(Arc::new(Subscriber {
            channel: Arc::clone(channel),
            inner: Arc::clone(inner),
            copies: Reader::new(Arc::clone(&reading), Arc::clone(inner), consumer),
            queue: reading,
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
    queue: Arc<Queue>,
    name: String,
    has_left: AtomicBool,
    is_closed: AtomicBool,
}

impl Subscriber {
    /// It gets no more copies; gives whether nobody else of this process does under its name.
    fn leave(&self) -> Result<bool, StoreFault> {
        let is_last = self.channel.leave(&self.name);
        if is_last {
            let line = &self.inner.line;
            let names = [&self.queue.name, &self.channel.name];
            let [key, exchange] = names.map(|name| line.named(name));
            line.unbind(&key, &exchange, "")?;
            line.remove_queue(&sign_of(line, &self.queue.name))?;
        }
        self.channel.call_writers();
        Ok(is_last)
    }

    /// It is forgotten, if it has nothing to do.
    fn forget(&self) -> Result<(), StoreFault> {
        if self.channel.local.lock().present.contains_key(&self.name)
            || self.queue.unfinished()? > 0
            || is_there(&self.inner.line, &self.queue.name)?
        {
            return Ok(());
        }
        self.queue.remove()?;
        self.channel.subscribers.remove_one(&self.name)
    }
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
        if let Err(fault) = self.leave() {
            tracing::debug!("`{}` gets copies for a while yet: {fault}", self.name);
        }
    }

    fn close(&self) {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.copies.close();
        if self.inner.line.is_cut() {
            self.channel.leave(&self.name);
            return;
        }
        self.stop();
        if let Err(fault) = self.forget() {
            tracing::debug!("`{}` is remembered as a subscriber: {fault}", self.name);
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}

/// How the channels of this process are doing.
pub(super) fn all(inner: &Inner) -> Result<Vec<ChannelStatus>, StoreFault> {
    let channels = inner.channels().into_iter();
    channels.map(|channel| status(inner, &channel)).collect()
}

fn status(inner: &Inner, channel: &Channel) -> Result<ChannelStatus, StoreFault> {
    let mut subscribers = Vec::new();
    for (name, queue) in channel.subscribers.read("")? {
        let copies = inner.line.count(&inner.line.named(&queue))?;
        let here = inner.queues.lock().get(&queue).cloned();
        let here = here.map_or(0, |queue| queue.here());
        subscribers.push(SubscriberStatus {
            is_present: is_there(&inner.line, &queue)?,
            copies: copies.map_or(0, |counts| counts.ready) + here,
            name,
            queue,
        });
    }
    Ok(ChannelStatus {
        name: channel.name.clone(),
        sent: channel.sent.load(Ordering::Acquire),
        unobserved: channel.unobserved.load(Ordering::Acquire),
        subscribers,
    })
}
