//! Publish-subscribe channels: a topic, and the subscribers of this program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{
    Connector, Consumer, Declaration, Delivery, Found, Sent, Settlement, StoreFault, Subscription,
};
use paperflow_core::failpoint;
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;

use super::Inner;
use super::session::Session;
use super::wire::Packed;
use super::writer::{Way, Writer};
use crate::broker::waiting::Writers;
use crate::pubsub::{ChannelStatus, SubscriberStatus, queue_of};

/// Requests of a subscriber: it confirms at most as many messages as a window can have, and asks now and then.
const REQUESTS: usize = 70_000;

/// A channel, as this program uses it.
pub(super) struct Channel {
    pub(super) topic: String,
    local: Mutex<Local>,
    /// One enters or leaves at a time.
    entering: Mutex<()>,
}

struct Local {
    declaration: Declaration,
    writer: Option<Arc<Writer>>,
    /// The subscribers of this program, and how many read for each.
    present: BTreeMap<String, (Arc<Session>, usize)>,
    /// Those who have left with something to do, and with how much.
    left: BTreeMap<String, u64>,
    writers: Writers,
    sent: u64,
    unobserved: u64,
}

impl Channel {
    pub(super) fn new(topic: String, declaration: Declaration) -> Self {
        Self {
            topic,
            local: Mutex::new(Local {
                declaration,
                writer: None,
                present: BTreeMap::new(),
                left: BTreeMap::new(),
                writers: Writers::default(),
                sent: 0,
                unobserved: 0,
            }),
            entering: Mutex::default(),
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

    /// Nothing goes over its lines any more.
    pub(super) fn cut(&self) {
        let local = self.local.lock();
        local
            .present
            .values()
            .for_each(|(session, _)| session.line.close());
        if let Some(writer) = &local.writer {
            writer.line.close();
        }
    }

    /// As this program knows it.
    pub(super) fn status(&self) -> ChannelStatus {
        let local = self.local.lock();
        let name = &local.declaration.name;
        let present = local.present.iter();
        let present = present.map(|(name, (session, _))| (name, true, session.unsettled() as u64));
        let left = local
            .left
            .iter()
            .map(|(name, copies)| (name, false, *copies));
        let mut subscribers: Vec<_> = present
            .chain(left)
            .map(|(own, is_present, copies)| SubscriberStatus {
                name: own.clone(),
                queue: queue_of(&local.declaration, own).name,
                is_present,
                copies,
            })
            .collect();
        subscribers.sort_by(|one, other| one.name.cmp(&other.name));
        ChannelStatus {
            name: name.clone(),
            sent: local.sent,
            unobserved: local.unobserved,
            subscribers,
        }
    }

    /// How many read for a subscriber.
    fn readers(&self, name: &str) -> usize {
        let local = self.local.lock();
        local.present.get(name).map_or(0, |(_, readers)| *readers)
    }

    fn sessions(&self) -> Vec<Arc<Session>> {
        let local = self.local.lock();
        let sessions = local.present.values();
        sessions.map(|(session, _)| Arc::clone(session)).collect()
    }
}

/// A channel, for the engine.
pub(super) struct Handle {
    pub(super) channel: Arc<Channel>,
    pub(super) inner: Arc<Inner>,
}

impl Handle {
    /// The connection that sends to this channel.
    fn writer(&self) -> Result<Arc<Writer>, StoreFault> {
        let mut local = self.channel.local.lock();
        if let Some(writer) = &local.writer {
            return Ok(Arc::clone(writer));
        }
        let inner = &self.inner;
        let writer = Writer::open(inner.settings.sender(&inner.session)?)?;
        local.writer = Some(Arc::clone(&writer));
        Ok(writer)
    }
}

impl Connector for Handle {
    /// Nobody knows here what was sent before: all of it is sent.
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let (channel, settings) = (&self.channel, &self.inner.settings);
        let (source, retain) = {
            let declaration = &channel.local.lock().declaration;
            (settings.source(&declaration.name), declaration.retained)
        };
        let packed = messages
            .iter()
            .map(|message| Packed::new(message, &source, settings.is_structured));
        let packed = packed.collect::<Result<Vec<_>, _>>()?;
        let way = Way {
            topic: &channel.topic,
            retain,
        };
        let writer = self.writer()?;
        let sessions = channel.sessions();
        let ids: Vec<Id> = messages.iter().map(|message| message.id).collect();
        for session in &sessions {
            session.await_all(&ids);
        }
        let unobserved = writer.send(way, packed).inspect_err(|_| {
            for session in &sessions {
                session.await_no_more(&ids);
            }
        })?;
        failpoint!("before_confirm");
        let mut local = channel.local.lock();
        local.sent += messages.len() as u64;
        local.unobserved += unobserved as u64;
        Ok(Sent {
            written: messages.len(),
            known: 0,
        })
    }

    /// As many as the slowest subscriber of this program has room for.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let mut local = self.channel.local.lock();
        local.writers.add(waker);
        let capacity = local.declaration.capacity;
        drop(local);
        self.inner.writer.line.client()?;
        let sessions = self.channel.sessions();
        let rooms = sessions.iter();
        let rooms = rooms.map(|session| capacity.saturating_sub(session.waiting()));
        Ok(rooms.min().unwrap_or(usize::MAX))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let name = consumer.name.clone();
        let (channel, inner) = (&self.channel, &self.inner);
        // Not with `local`: whoever listens at a line may want that while we wait.
        let _one = channel.entering.lock();
        let (declaration, present) = {
            let local = channel.local.lock();
            let present = local.present.get(&name);
            let present = present.map(|(session, _)| Arc::clone(session));
            (local.declaration.clone(), present)
        };
        let queue = queue_of(&declaration, &name).name;
        let own = format!("{}{queue}", inner.settings.prefix);
        let session = match present {
            Some(session) => session,
            None => {
                let options = inner.settings.keeper(&own, Some(inner.settings.kept))?;
                let line = inner.settings.line(options, REQUESTS);
                let places = (channel.topic.clone(), inner.claim(&own));
                Session::open(line, places, declaration, inner)?
            }
        };
        let number = session.join(&consumer);
        let mut local = channel.local.lock();
        let present = local.present.entry(name.clone());
        present.or_insert_with(|| (Arc::clone(&session), 0)).1 += 1;
        local.left.remove(&name);
        drop(local);
        Ok(Arc::new(Subscriber {
            channel: Arc::clone(channel),
            inner: Arc::clone(inner),
            session,
            number,
            name,
            own,
            has_left: AtomicBool::new(false),
        }))
    }
}

/// Somebody who has subscribed.
struct Subscriber {
    channel: Arc<Channel>,
    inner: Arc<Inner>,
    session: Arc<Session>,
    number: u64,
    name: String,
    /// What its session is called at the broker.
    own: String,
    has_left: AtomicBool,
}

impl Subscription for Subscriber {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let found = self.session.receive(self.number, most, into)?;
        if found == Found::Some {
            self.channel.call_writers();
        }
        Ok(found)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.session.settle(ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        self.session.requeue(ticket, rest);
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.session.set_aside(&self.inner)?;
        self.session.confirm_all();
        self.session.line.fence()
    }

    /// It gets no more messages, and nobody waits for it, unless somebody else reads for it.
    fn stop(&self) {
        if self.channel.readers(&self.name) == 1
            && let Err(fault) = self.session.stop()
        {
            tracing::debug!("`{}` gets messages for a while yet: {fault}", self.name);
        }
        self.channel.call_writers();
    }

    fn close(&self) {
        if self.has_left.swap(true, Ordering::AcqRel) {
            return;
        }
        self.session.leave(self.number);
        let _one = self.channel.entering.lock();
        let mut local = self.channel.local.lock();
        let Some((_, readers)) = local.present.get_mut(&self.name) else {
            return;
        };
        *readers -= 1;
        if *readers > 0 {
            return;
        }
        local.present.remove(&self.name);
        drop(local);
        if !self.session.line.is_closed() {
            self.end();
        }
        self.channel.call_writers();
    }
}

impl Subscriber {
    /// The last reader has left: the broker forgets the session, unless there is something to do.
    fn end(&self) {
        let ended = self.session.stop();
        let ended = ended.and_then(|()| self.session.line.fence());
        let copies = self.session.unsettled() as u64;
        self.session.line.close();
        if copies > 0 {
            let mut local = self.channel.local.lock();
            local.left.insert(self.name.clone(), copies);
            return;
        }
        let ended = ended.and_then(|()| self.inner.forget(&self.own));
        if let Err(fault) = ended {
            tracing::debug!("`{}` is remembered as a subscriber: {fault}", self.name);
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}
