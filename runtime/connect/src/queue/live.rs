//! What this process knows of a queue.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{Declaration, Outlook};
use paperflow_core::message::{Id, Message};
use rusqlite::Row;

use crate::clock::Clock;
use crate::queue::settle::Change;
use crate::seen::AsIs;

/// Messages that are kept in memory to be handed over, at most: more than a queue holds by default, so that
/// they need not be read from the file again.
const HELD: usize = 16_384;
/// Bytes of them, at most.
const HELD_BYTES: u64 = 16 << 20;

/// So many messages with so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Amount {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    pub(crate) fn remove(&mut self, bytes: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// What has become of messages since the queue was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) delivered: u64,
    pub(crate) done: u64,
    pub(crate) retried: u64,
    pub(crate) dead: u64,
    pub(crate) invalid: u64,
    pub(crate) discarded: u64,
    pub(crate) duplicates: u64,
}

impl Counts {
    /// From the columns of a row, in the order of the table.
    pub(crate) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            sent: row.get(from)?,
            delivered: row.get(from + 1)?,
            done: row.get(from + 2)?,
            retried: row.get(from + 3)?,
            dead: row.get(from + 4)?,
            invalid: row.get(from + 5)?,
            discarded: row.get(from + 6)?,
            duplicates: row.get(from + 7)?,
        })
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.sent += more.sent;
        self.delivered += more.delivered;
        self.done += more.done;
        self.retried += more.retried;
        self.dead += more.dead;
        self.invalid += more.invalid;
        self.discarded += more.discarded;
        self.duplicates += more.duplicates;
    }
}

/// A message of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    /// Of payload.
    pub(crate) bytes: u64,
    /// Milliseconds since 1970.
    pub(crate) sent: i64,
    /// How often it has been handed out.
    pub(crate) attempts: u32,
    /// When it failed first.
    pub(crate) failed: Option<i64>,
    /// Its attempts are in its own row, not told by the mark.
    pub(crate) has_own: bool,
    /// The message, if it need not be read.
    pub(crate) message: Option<Box<Message>>,
}

impl Entry {
    /// One that was sent now.
    pub(crate) const fn new(id: Id, bytes: u64, sent: i64) -> Self {
        Self {
            id,
            bytes,
            sent,
            attempts: 0,
            failed: None,
            has_own: false,
            message: None,
        }
    }

    /// From the columns id, bytes, sent, attempts and failed.
    pub(crate) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        let attempts: Option<u32> = row.get(from + 3)?;
        Ok(Self {
            id: Id::from_bytes(row.get(from)?),
            bytes: row.get(from + 1)?,
            sent: row.get(from + 2)?,
            attempts: attempts.unwrap_or_default(),
            failed: row.get(from + 4)?,
            has_own: attempts.is_some(),
            message: None,
        })
    }
}

/// A message in the hands of a consumer.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) seq: i64,
    pub(crate) entry: Entry,
    pub(crate) consumer: u64,
    /// When it was handed out, see [`Clock::elapsed`].
    pub(crate) since: Duration,
}

/// Somebody who reads.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) name: Arc<str>,
    pub(crate) waker: Waker,
    /// It has been told that there is nothing.
    pub(crate) is_waiting: bool,
    pub(crate) leased: usize,
}

/// See the module above.
pub(crate) struct Live {
    pub(crate) declaration: Declaration,
    /// The last number that was given.
    pub(crate) given: i64,
    /// The last number that is safe.
    pub(crate) safe: i64,
    /// Everything up to here has been handed out at least once, or is known to have not.
    pub(crate) mark: i64,
    /// Everything up to here is known below, or gone.
    pub(crate) loaded: i64,
    /// Ready messages after that.
    pub(crate) beyond: Amount,
    /// Messages after that which are known below all the same.
    pub(crate) stray: BTreeSet<i64>,
    pub(crate) ready: BTreeMap<i64, Entry>,
    /// By the time, see [`Clock::elapsed`], and number.
    pub(crate) resting: BTreeMap<(Duration, i64), Entry>,
    pub(crate) leased: HashMap<u64, Lease, BuildHasherDefault<AsIs>>,
    /// Leases are good so long after this.
    pub(crate) renewed: Duration,
    pub(crate) is_renewing: bool,
    /// Ready and resting ones.
    pub(crate) waiting: Amount,
    /// Bytes of messages that are kept in memory.
    pub(crate) held: u64,
    /// The most bytes that a message had.
    pub(crate) largest: u64,
    pub(crate) listeners: BTreeMap<u64, Listener>,
    /// Those who wait for room.
    pub(crate) writers: Vec<Waker>,
    pub(crate) numbered: u64,
    /// Settlements that are not written.
    pub(crate) changes: Vec<Change>,
    /// Messages that are set aside, and not safe there yet.
    pub(crate) leaving: usize,
    /// They will be.
    pub(crate) is_ordered: bool,
    /// How often in a row they could not be.
    pub(crate) refused: u32,
    pub(crate) logged: i64,
    pub(crate) counts: Counts,
}

impl Live {
    pub(crate) fn new(declaration: Declaration, first: i64, last: i64, mark: i64) -> Self {
        Self {
            declaration,
            given: last,
            safe: last,
            mark: mark.max(first),
            loaded: first,
            beyond: Amount::default(),
            stray: BTreeSet::new(),
            ready: BTreeMap::new(),
            resting: BTreeMap::new(),
            leased: HashMap::default(),
            renewed: Duration::ZERO,
            is_renewing: false,
            waiting: Amount::default(),
            held: 0,
            largest: 0,
            listeners: BTreeMap::new(),
            writers: Vec::new(),
            numbered: 0,
            changes: Vec::new(),
            leaving: 0,
            is_ordered: false,
            refused: 0,
            logged: 0,
            counts: Counts::default(),
        }
    }

    /// A number that nobody has.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// How many more messages may be sent. Of their bytes it is known only how many a message has had at
    /// most; with none waiting there is room for one, however large.
    pub(crate) fn room(&mut self, waker: &Waker) -> usize {
        let Declaration {
            capacity,
            capacity_bytes,
            ..
        } = self.declaration;
        let messages = u64::try_from(capacity).unwrap_or(u64::MAX);
        let messages = messages.saturating_sub(self.waiting.messages);
        let bytes = capacity_bytes.saturating_sub(self.waiting.bytes);
        let of_bytes = match bytes {
            0 => 0,
            bytes => (bytes / self.largest.max(1)).max(1),
        };
        let is_empty = u64::from(self.waiting.messages == 0);
        let room = messages.min(of_bytes.max(is_empty));
        if room == 0 && !self.writers.iter().any(|other| other.will_wake(waker)) {
            self.writers.push(waker.clone());
        }
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// A message is safe, and ready; it is handed over from memory if few are.
    pub(crate) fn arrive(&mut self, seq: i64, entry: Entry) {
        self.safe = self.safe.max(seq);
        self.waiting.add(entry.bytes);
        self.largest = self.largest.max(entry.bytes);
        let is_next = self.beyond.messages == 0 && entry.message.is_some();
        if is_next && self.ready.len() < HELD && self.held < HELD_BYTES {
            self.held += entry.bytes;
            self.loaded = seq;
            self.ready.insert(seq, entry);
        } else {
            self.beyond.add(entry.bytes);
        }
    }

    /// Whoever rests and is due is ready.
    pub(crate) fn rise(&mut self, now: Duration) {
        while let Some(first) = self.resting.first_entry() {
            let (due, seq) = *first.key();
            if due > now {
                break;
            }
            self.ready.insert(seq, first.remove());
        }
    }

    /// Whether there is something to hand out.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() || self.beyond.messages > 0
    }

    /// What a consumer may wait for.
    pub(crate) fn outlook(&self, consumer: u64, clock: &dyn Clock) -> Outlook {
        let first = self.resting.keys().next();
        let due = first.map(|(due, _)| {
            let rest = due.saturating_sub(clock.elapsed());
            clock.wall() + rest
        });
        let listener = self.listeners.get(&consumer);
        let unsettled = listener.map_or(0, |listener| listener.leased);
        Outlook {
            due,
            unsettled,
            elsewhere: self.leased.len().saturating_sub(unsettled),
            is_moving: self.leaving > 0,
        }
    }

    /// Tells those who wait that there may be something.
    pub(crate) fn call_listeners(&mut self) {
        for listener in self.listeners.values_mut() {
            if std::mem::take(&mut listener.is_waiting) {
                listener.waker.wake_by_ref();
            }
        }
    }

    /// Tells those who wait for room that there is some.
    pub(crate) fn call_writers(&mut self) {
        let has_room = self.room(Waker::noop()) > 0;
        self.writers.retain(|waker| !waker.will_wake(Waker::noop()));
        if has_room {
            self.writers.drain(..).for_each(Waker::wake);
        }
    }

    /// Messages that are in nobody's hands are gone: their numbers, and bytes.
    pub(crate) fn forget(&mut self, gone: impl Iterator<Item = (i64, u64)>) {
        let mut gone: HashMap<i64, u64> = gone.collect();
        for (seq, bytes) in &gone {
            self.stray.remove(seq);
            self.waiting.remove(*bytes);
        }
        self.resting
            .retain(|(_, seq), _| gone.remove(seq).is_none());
        for (seq, bytes) in gone {
            if let Some(entry) = self.ready.remove(&seq) {
                let is_held = entry.message.is_some();
                self.held -= if is_held { entry.bytes } else { 0 };
            } else {
                self.beyond.remove(bytes);
            }
        }
    }

    /// Takes a lease back.
    pub(crate) fn end_lease(&mut self, ticket: u64) -> Option<Lease> {
        let lease = self.leased.remove(&ticket)?;
        if let Some(listener) = self.listeners.get_mut(&lease.consumer) {
            listener.leased -= 1;
        }
        Some(lease)
    }

    /// Gives back the leases of a consumer, or all; they were deliveries all the same.
    pub(crate) fn give_back(&mut self, consumer: Option<u64>) {
        let leases = self.leased.iter();
        let own = leases.filter(|(_, lease)| consumer.is_none_or(|own| own == lease.consumer));
        let own: Vec<u64> = own.map(|(ticket, _)| *ticket).collect();
        for ticket in own {
            if let Some(Lease { seq, entry, .. }) = self.end_lease(ticket) {
                self.waiting.add(entry.bytes);
                self.ready.insert(seq, entry);
            }
        }
    }
}
