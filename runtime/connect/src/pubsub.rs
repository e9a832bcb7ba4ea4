//! Publish-subscribe channels: a copy of each message for each subscriber that is there.
//!
//! A subscriber has a queue of its own for its copies, so that each is leased, retried and set aside like any
//! task. Its subscription lives as long as it is there, or has copies that are not done: one whose run
//! was killed finds them again when it comes back, and one that has left with nothing to do is forgotten.
//! Who is away gets no new copies and keeps nobody waiting. A message for nobody is no error; it is
//! counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, Declaration, Delivery, Found, Sent,
    Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::embedded;
use crate::queue::record::Record;
use crate::queue::{self, Queue, Reader};
use crate::seen::Seen;
use crate::writer::{Keeper, Orders, Safe, Tx};

/// What channels can do here.
pub(crate) const CAPABILITIES: Capabilities = queue::CAPABILITIES;

/// A channel of this store.
pub(crate) struct Channel {
    number: i64,
    orders: Orders,
    seen: Seen,
    live: Mutex<Live>,
}

/// What this process knows of a channel.
struct Live {
    declaration: Declaration,
    /// Those who are there, by name.
    present: BTreeMap<String, Present>,
}

/// A subscriber that is there.
struct Present {
    queue: Arc<Queue>,
    readers: usize,
}

/// A channel, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// Messages ever sent.
    pub sent: u64,
    /// Messages for which nobody was there.
    pub unobserved: u64,
    /// Those who are there, or have copies left.
    pub subscribers: Vec<SubscriberStatus>,
}

/// A subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberStatus {
    /// Its name.
    pub name: String,
    /// The queue of its copies.
    pub queue: String,
    /// Whether it is there.
    pub is_present: bool,
    /// Copies that are not done.
    pub copies: u64,
}

/// A channel of this declaration, for whoever uses it.
pub(crate) fn connect(
    keeper: &Arc<Keeper>,
    declaration: &Declaration,
) -> Result<Arc<dyn Connector>, StoreFault> {
    let asked = declaration.clone();
    let channel = keeper.orders.call(Safe::FromPowerCut, move |tx| {
        let channel = open(tx, &asked)?;
        tx.opened.use_now(channel.number);
        channel.live.lock().declaration = asked;
        Ok(channel)
    })?;
    let keeper = Arc::clone(keeper);
    Ok(Arc::new(Handle { channel, keeper }))
}

fn open(tx: &mut Tx<'_>, declaration: &Declaration) -> Result<Arc<Channel>, StoreFault> {
    let number = embedded::number(tx, declaration)?;
    if let Some(channel) = tx.opened.channels.get(&declaration.name) {
        return Ok(Arc::clone(channel));
    }
    tx.execute("INSERT OR IGNORE INTO channels VALUES (?, 0)", [number])?;
    let channel = Arc::new(Channel {
        number,
        orders: tx.opened.orders.clone(),
        seen: Seen::of(tx, number)?,
        live: Mutex::new(Live {
            declaration: declaration.clone(),
            present: BTreeMap::new(),
        }),
    });
    let name = declaration.name.clone();
    tx.opened.channels.insert(name, Arc::clone(&channel));
    Ok(channel)
}

/// How the channels are doing.
pub(crate) fn list(tx: &mut Tx<'_>) -> Result<Vec<ChannelStatus>, StoreFault> {
    let mut channels = Vec::new();
    let sql = "SELECT c.name, c.sent, h.unobserved FROM connectors c \
               JOIN channels h ON h.number = c.number ORDER BY c.name";
    tx.rows(sql, [], |row| {
        channels.push(ChannelStatus {
            name: row.get(0)?,
            sent: row.get(1)?,
            unobserved: row.get(2)?,
            subscribers: Vec::new(),
        });
        Ok(true)
    })?;
    for channel in &mut channels {
        let sql = "SELECT s.name, q.name, (SELECT count(*) FROM messages m \
                   WHERE m.seq >= q.number << 40 AND m.seq < (q.number + 1) << 40) \
                   FROM subscribers s JOIN connectors q ON q.number = s.queue \
                   JOIN connectors c ON c.number = s.channel WHERE c.name = ? ORDER BY s.name";
        let open = tx.opened.channels.get(&channel.name).map(Arc::clone);
        tx.rows(sql, [&channel.name], |row| {
            let name: String = row.get(0)?;
            let is_there = |open: &Arc<Channel>| open.live.lock().present.contains_key(&name);
            channel.subscribers.push(SubscriberStatus {
                is_present: open.as_ref().is_some_and(is_there),
                queue: row.get(1)?,
                copies: row.get(2)?,
                name,
            });
            Ok(true)
        })?;
    }
    Ok(channels)
}

impl Channel {
    fn queues(&self) -> Vec<Arc<Queue>> {
        let live = self.live.lock();
        let queues = live.present.values();
        queues.map(|present| Arc::clone(&present.queue)).collect()
    }

    /// Writes a copy of each message for each subscriber that is there.
    fn write(&self, tx: &mut Tx<'_>, records: Vec<Record>) -> Result<Sent, StoreFault> {
        let ids = records.iter().map(|record| record.message.id);
        let are_new = self.seen.admit(tx, ids)?;
        let count = records.len();
        let new = records.into_iter().zip(are_new);
        let new: Vec<Record> = new
            .filter_map(|(record, is_new)| is_new.then_some(record))
            .collect();
        let sent = Sent {
            written: new.len(),
            known: count - new.len(),
        };
        let sql =
            "UPDATE connectors SET sent = sent + ?, duplicates = duplicates + ? WHERE number = ?";
        tx.execute(sql, params![sent.written, sent.known, self.number])?;
        let queues = self.queues();
        if queues.is_empty() {
            let sql = "UPDATE channels SET unobserved = unobserved + ? WHERE number = ?";
            tx.execute(sql, params![sent.written, self.number])?;
        }
        if let Some(last) = new.last() {
            self.retain(tx, last)?;
        }
        for queue in &queues {
            queue::put(queue, tx, new.clone())?;
        }
        Ok(sent)
    }

    /// Keeps the last message for those who come later, if that is wanted.
    fn retain(&self, tx: &Tx<'_>, last: &Record) -> Result<(), StoreFault> {
        if !self.live.lock().declaration.retained {
            return Ok(());
        }
        let sql = "INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?, ?, ?, ?)";
        let (id, kind) = (last.message.id.to_bytes(), last.message.kind_word());
        let (bytes, headers, body) = (last.bytes(), &last.headers, last.body());
        tx.execute(
            sql,
            params![self.number, id, kind, bytes, last.checksum, headers, body],
        )?;
        Ok(())
    }

    /// Somebody comes, perhaps again; a new one gets the last message first, if it is kept.
    fn enter(self: &Arc<Self>, tx: &mut Tx<'_>, name: &str) -> Result<Arc<Queue>, StoreFault> {
        let wanted = queue_of(&self.live.lock().declaration, name);
        let queue = queue::of(tx, &wanted)?;
        let sql = "INSERT OR IGNORE INTO subscribers VALUES (?, ?, ?)";
        if tx.execute(sql, params![self.number, name, queue.number])? > 0 {
            let from = "retained WHERE channel";
            queue::aside::copy(tx, &wanted.name, from, self.number, None)?;
        }
        let mut live = self.live.lock();
        let present = live
            .present
            .entry(name.to_owned())
            .or_insert_with(|| Present {
                queue: Arc::clone(&queue),
                readers: 0,
            });
        present.readers += 1;
        drop(live);
        let (channel, name) = (Arc::clone(self), name.to_owned());
        tx.then(move |is_safe| {
            if !is_safe {
                channel.leave(&name);
            }
        });
        Ok(queue)
    }

    fn leave(&self, name: &str) {
        let mut live = self.live.lock();
        if let Some(present) = live.present.get_mut(name) {
            present.readers -= 1;
            if present.readers == 0 {
                live.present.remove(name);
            }
        }
    }

    /// Forgets a subscriber that has left with nothing to do.
    fn forget(&self, tx: &mut Tx<'_>, name: &str) -> Result<(), StoreFault> {
        if self.live.lock().present.contains_key(name) {
            return Ok(());
        }
        let wanted = queue_of(&self.live.lock().declaration, name);
        let queue = queue::of(tx, &wanted)?;
        queue.write_changes(tx)?;
        if !queue::drop_empty(tx, &queue)? {
            return Ok(());
        }
        let sql = "DELETE FROM subscribers WHERE channel = ? AND name = ?";
        tx.execute(sql, params![self.number, name])?;
        Ok(())
    }
}

/// What a subscriber's queue is to be like.
pub(crate) fn queue_of(channel: &Declaration, subscriber: &str) -> Declaration {
    let name = match subscriber.starts_with(&channel.name) {
        true => subscriber.to_owned(),
        false => format!("{}/{subscriber}", channel.name),
    };
    Declaration {
        name,
        kind: ConnectorKind::Queue,
        dead_letter: Some(channel.dead_letter_name()),
        invalid: Some(channel.invalid_name()),
        ..channel.clone()
    }
}

/// A channel, for the engine.
struct Handle {
    channel: Arc<Channel>,
    keeper: Arc<Keeper>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let records = messages.iter().map(Record::new);
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let channel = Arc::clone(&self.channel);
        let job = move |tx: &mut Tx<'_>| channel.write(tx, records);
        self.keeper.orders.call(Safe::FromPowerCut, job)
    }

    /// As many as the slowest subscriber that is there has room for.
    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let queues = self.channel.queues();
        let rooms = queues.iter().map(|queue| queue.live.lock().room(waker));
        Ok(rooms.min().unwrap_or(usize::MAX))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (channel, name) = (Arc::clone(&self.channel), consumer.name.clone());
        let job = move |tx: &mut Tx<'_>| channel.enter(tx, &name);
        let queue = self.keeper.orders.call(Safe::FromPowerCut, job)?;
        let name = consumer.name.clone();
        Ok(Arc::new(Subscriber {
            channel: Arc::clone(&self.channel),
            copies: Reader::new(queue, Arc::clone(&self.keeper), consumer),
            name,
            has_left: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }))
    }
}

/// Somebody who has subscribed.
struct Subscriber {
    channel: Arc<Channel>,
    copies: Reader,
    name: String,
    has_left: AtomicBool,
    is_closed: AtomicBool,
}

impl Subscription for Subscriber {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        self.copies.receive(most, into)
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
        if !self.has_left.swap(true, Ordering::AcqRel) {
            self.channel.leave(&self.name);
        }
    }

    fn close(&self) {
        self.copies.close();
        self.stop();
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let (channel, name) = (Arc::clone(&self.channel), self.name.clone());
        self.channel
            .orders
            .later(move |tx| channel.forget(tx, &name));
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.close();
    }
}
