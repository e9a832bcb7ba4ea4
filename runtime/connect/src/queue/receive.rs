//! Messages are handed out.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{Delivery, Failure, Recall, StoreFault};
use paperflow_core::message::Message;
use rusqlite::params;

use crate::queue::aside::{Aside, Reason};
use crate::queue::live::{Counts, Entry, Lease, Live};
use crate::queue::{Queue, record};
use crate::writer::Tx;

/// Messages that are read from the file at a time.
const FILL: u64 = 256;
/// Bytes of them after which no more are read, or handed out at a time.
const FILL_BYTES: u64 = 4 << 20;

/// A message that leaves the ready ones.
struct Taken {
    seq: i64,
    entry: Entry,
    message: Box<Message>,
}

/// Leases up to `most` messages to a consumer; they are counted as delivered when this is committed.
pub(crate) fn take(
    queue: &Arc<Queue>,
    tx: &mut Tx<'_>,
    consumer: u64,
    most: usize,
) -> Result<Vec<Delivery>, StoreFault> {
    queue.write_changes(tx)?;
    fill(queue, tx, most)?;
    let entries = pop(queue, tx, most);
    let mut taken = Vec::with_capacity(entries.len());
    let mut mark = None;
    for (seq, mut entry) in entries {
        let Some(message) = readable(queue, tx, seq, &mut entry)? else {
            continue;
        };
        entry.attempts += 1;
        if entry.has_own || entry.attempts > 1 {
            entry.has_own = true;
            let sql = "UPDATE messages SET attempts = ?, due = NULL WHERE seq = ?";
            tx.execute(sql, params![entry.attempts, seq])?;
        } else {
            mark = Some(seq);
        }
        taken.push(Taken {
            seq,
            entry,
            message,
        });
    }
    if let Some(mark) = mark {
        let sql = "UPDATE connectors SET mark = ? WHERE number = ?";
        tx.execute(sql, [mark, queue.number])?;
    }
    let counts = Counts {
        delivered: taken.len() as u64,
        ..Counts::default()
    };
    queue.count(tx, counts)?;
    Ok(lease(queue, tx, consumer, taken))
}

/// Takes ready messages out, and puts them back if the job is refused.
fn pop(queue: &Arc<Queue>, tx: &mut Tx<'_>, most: usize) -> Vec<(i64, Entry)> {
    let mut live = queue.live.lock();
    let (mut entries, mut bytes) = (Vec::with_capacity(most.min(live.ready.len())), 0);
    live.rise(queue.clock.elapsed());
    while entries.len() < most && bytes < FILL_BYTES {
        let Some((seq, entry)) = live.ready.pop_first() else {
            break;
        };
        live.waiting.remove(entry.bytes);
        bytes += entry.bytes;
        if entry.message.is_some() {
            live.held = live.held.saturating_sub(entry.bytes);
        }
        entries.push((seq, entry));
    }
    let bare = |(seq, entry): &(i64, Entry)| {
        let entry = Entry {
            message: None,
            ..*entry
        };
        (*seq, entry)
    };
    let before: Vec<_> = entries.iter().map(bare).collect();
    let queue = Arc::clone(queue);
    tx.then(move |is_safe| {
        let mut live = queue.live.lock();
        if is_safe {
            live.call_writers();
            return;
        }
        for (seq, entry) in before {
            live.waiting.add(entry.bytes);
            live.ready.insert(seq, entry);
        }
    });
    entries
}

/// The message, unless it is set aside: it was delivered too often already, or cannot be read.
fn readable(
    queue: &Arc<Queue>,
    tx: &mut Tx<'_>,
    seq: i64,
    entry: &mut Entry,
) -> Result<Option<Box<Message>>, StoreFault> {
    let most = queue.live.lock().declaration.retries.saturating_add(1);
    let aside = |reason, message| Aside {
        reason,
        failure: Failure {
            message,
            ..Failure::default()
        },
        attempts: entry.attempts,
        first: entry.failed,
        origin: None,
    };
    if entry.attempts >= most {
        let message = format!(
            "it was delivered {} times and never settled: its consumers died, or took too long",
            entry.attempts
        );
        queue.put_aside(tx, seq, &aside(Reason::Delivery, message))?;
        return Ok(None);
    }
    if let Some(message) = entry.message.take() {
        return Ok(Some(message));
    }
    let sql = format!("SELECT {} FROM messages WHERE seq = ?", record::COLUMNS);
    match tx.row(&sql, [seq], |row| record::read(row, 0))? {
        Some(Ok(message)) => Ok(Some(Box::new(message))),
        Some(Err(reason)) => {
            queue.put_aside(tx, seq, &aside(Reason::Invalid, reason))?;
            Ok(None)
        }
        None => {
            tracing::warn!("a message of `{}` is gone from its file", queue.name);
            Ok(None)
        }
    }
}

/// Reads the next messages if there are fewer in memory.
fn fill(queue: &Arc<Queue>, tx: &Tx<'_>, most: usize) -> Result<(), StoreFault> {
    let (loaded, safe, mark) = {
        let live = queue.live.lock();
        if live.ready.len() >= most || live.beyond.messages == 0 {
            return Ok(());
        }
        (live.loaded, live.safe, live.mark)
    };
    let sql = format!(
        "SELECT seq, id, bytes, sent, attempts, failed, {} FROM messages \
         WHERE seq > ? AND seq <= ? AND due IS NULL ORDER BY seq",
        record::COLUMNS
    );
    let (mut messages, mut bytes) = (0, 0);
    let mut live = queue.live.lock();
    tx.rows(&sql, [loaded, safe], |row| {
        let seq: i64 = row.get(0)?;
        live.loaded = seq;
        if live.stray.remove(&seq) {
            return Ok(true);
        }
        let mut entry = Entry::read(row, 1)?;
        if !entry.has_own && seq <= mark {
            entry.attempts = 1;
        }
        entry.message = record::read(row, 6)?.ok().map(Box::new);
        messages += 1;
        bytes += entry.bytes;
        live.beyond.remove(entry.bytes);
        live.held += entry.message.as_ref().map_or(0, |_| entry.bytes);
        live.ready.insert(seq, entry);
        Ok(messages < FILL && bytes < FILL_BYTES)
    })
}

fn lease(queue: &Arc<Queue>, tx: &mut Tx<'_>, consumer: u64, taken: Vec<Taken>) -> Vec<Delivery> {
    let now = queue.clock.elapsed();
    let mut live = queue.live.lock();
    let mut deliveries = Vec::with_capacity(taken.len());
    let mark = live.mark;
    for taken in taken {
        let ticket = live.number();
        let Taken {
            seq,
            entry,
            message,
        } = taken;
        if !entry.has_own {
            live.mark = live.mark.max(seq);
        }
        deliveries.push(Delivery {
            ticket,
            message: *message,
            attempt: entry.attempts,
            recall: Recall::default(),
        });
        let lease = Lease {
            seq,
            entry,
            consumer,
            since: now,
        };
        live.leased.insert(ticket, lease);
    }
    if let Some(listener) = live.listeners.get_mut(&consumer) {
        listener.leased += deliveries.len();
    }
    if !deliveries.is_empty() {
        renew(queue, &mut live, now);
    }
    drop(live);
    let tickets: Vec<u64> = deliveries.iter().map(|delivery| delivery.ticket).collect();
    let back = Arc::clone(queue);
    tx.then(move |is_safe| {
        let mut live = back.live.lock();
        if !is_safe {
            live.mark = mark;
            for ticket in tickets {
                live.end_lease(ticket);
            }
        } else if !live.listeners.contains_key(&consumer) {
            // It left while its messages were on their way.
            live.give_back(Some(consumer));
            live.call_listeners();
        }
    });
    deliveries
}

/// Leases are good from now on, and will be renewed as long as this process runs.
fn renew(queue: &Arc<Queue>, live: &mut Live, now: Duration) {
    if live.is_renewing {
        return;
    }
    live.is_renewing = true;
    live.renewed = now;
    renew_later(queue, live, now);
}

fn renew_later(queue: &Arc<Queue>, live: &Live, now: Duration) {
    let queue_then = Arc::clone(queue);
    let at = now + live.declaration.lease / 3;
    queue.orders.at(at, move |_| {
        let queue = queue_then;
        let now = queue.clock.elapsed();
        let mut live = queue.live.lock();
        live.expire(now);
        live.is_renewing = !live.leased.is_empty();
        if live.is_renewing {
            live.renewed = now;
            renew_later(&queue, &live, now);
        }
        Ok(())
    });
}

impl Live {
    /// If this process did not run for longer than a lease, others may be at work with what its
    /// consumers held: their leases are void, and their tickets good for nothing.
    pub(crate) fn expire(&mut self, now: Duration) {
        let is_over = now.saturating_sub(self.renewed) > self.declaration.lease;
        if is_over && self.is_renewing && !self.leased.is_empty() {
            self.give_back(None);
            self.call_listeners();
        }
    }
}
