//! Messages come in.

use std::sync::Arc;

use paperflow_core::connector::{Sent, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use rusqlite::params;

use crate::fault::OrFault;
use crate::queue::Queue;
use crate::queue::live::{Counts, Entry};
use crate::queue::record::Record;
use crate::writer::{Safe, Tx};

/// Writes messages, and returns when they are safe.
pub(crate) fn send(queue: &Arc<Queue>, messages: &[Message]) -> Result<Sent, StoreFault> {
    let records = messages.iter().map(Record::new);
    let records = records.collect::<Result<Vec<_>, _>>()?;
    let to = Arc::clone(queue);
    queue
        .orders
        .call(Safe::FromPowerCut, move |tx| write(&to, tx, records))
}

fn write(queue: &Arc<Queue>, tx: &mut Tx<'_>, records: Vec<Record>) -> Result<Sent, StoreFault> {
    let ids = records.iter().map(|record| record.message.id);
    let are_new = queue.seen.admit(tx, ids)?;
    let count = records.len();
    let mut are_new = are_new.into_iter();
    let mut new = records;
    new.retain(|_| are_new.next().unwrap_or(true));
    let written = put(queue, tx, new)?;
    let sent = Sent {
        written,
        known: count - written,
    };
    let counts = Counts {
        duplicates: sent.known as u64,
        ..Counts::default()
    };
    queue.count(tx, counts)?;
    Ok(sent)
}

/// Writes messages, whether they have been sent before or not, and tells how many.
pub(crate) fn put(
    queue: &Arc<Queue>,
    tx: &mut Tx<'_>,
    records: Vec<Record>,
) -> Result<usize, StoreFault> {
    let now = queue.now();
    let mut seq = queue.live.lock().given;
    let mut arrived = Vec::with_capacity(records.len());
    let mut insert = tx.prepare(
        "INSERT INTO messages (seq, id, kind, bytes, sent, checksum, headers, body) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for record in records {
        let id = record.message.id.to_bytes();
        seq += 1;
        let bytes = record.bytes();
        let kind = record.message.kind_word();
        let (headers, body) = (&record.headers, record.body());
        let row = params![seq, id, kind, bytes, now, record.checksum, headers, body];
        insert.execute(row).or_fault()?;
        let mut entry = Entry::new(record.message.id, bytes, now);
        entry.message = Some(record.message);
        arrived.push((seq, entry));
    }
    drop(insert);
    let written = arrived.len();
    let counts = Counts {
        sent: written as u64,
        ..Counts::default()
    };
    queue.count(tx, counts)?;
    queue.live.lock().given = seq;
    let queue = Arc::clone(queue);
    tx.then(move |is_safe| {
        if is_safe {
            failpoint!("before_confirm");
            let mut live = queue.live.lock();
            for (seq, entry) in arrived {
                live.arrive(seq, entry);
            }
            live.call_listeners();
        }
    });
    Ok(written)
}

impl Queue {
    /// Adds to the counts of the queue.
    pub(crate) fn count(self: &Arc<Self>, tx: &mut Tx<'_>, more: Counts) -> Result<(), StoreFault> {
        if more == Counts::default() {
            return Ok(());
        }
        let sql = "UPDATE connectors SET sent = sent + ?, delivered = delivered + ?, \
                   done = done + ?, retried = retried + ?, dead = dead + ?, invalid = invalid + ?, \
                   discarded = discarded + ?, duplicates = duplicates + ? WHERE number = ?";
        let Counts {
            sent,
            delivered,
            done,
            retried,
            dead,
            invalid,
            discarded,
            duplicates,
        } = more;
        let number = self.number;
        tx.execute(
            sql,
            params![
                sent, delivered, done, retried, dead, invalid, discarded, duplicates, number
            ],
        )?;
        let queue = Arc::clone(self);
        tx.then(move |is_safe| {
            if is_safe {
                queue.live.lock().counts.add(&more);
            }
        });
        Ok(())
    }
}
