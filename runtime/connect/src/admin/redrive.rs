//! Messages that are removed, or sent again.

use std::collections::HashSet;
use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;
use rusqlite::params;

use crate::fault::unsupported;
use crate::names;
use crate::queue::live::Entry;
use crate::queue::{self, Queue};
use crate::stream::{self, Stream};
use crate::writer::Tx;

/// A message that is not in anybody's hands.
struct Free {
    seq: i64,
    id: Id,
    bytes: u64,
    /// Why it was set aside, and where.
    cause: Headers,
}

/// Messages of a queue that are in nobody's hands; of these identities, or all.
fn free(tx: &Tx<'_>, queue: &Queue, ids: &[Id]) -> Result<Vec<Free>, StoreFault> {
    let leased: HashSet<i64> = {
        let live = queue.live.lock();
        live.leased.values().map(|lease| lease.seq).collect()
    };
    let wanted: HashSet<Id> = ids.iter().copied().collect();
    let (first, end) = queue.range();
    let mut free = Vec::new();
    let sql = "SELECT seq, id, bytes, cause FROM messages WHERE seq >= ? AND seq < ? ORDER BY seq";
    tx.rows(sql, [first, end], |row| {
        let (seq, id) = (row.get(0)?, Id::from_bytes(row.get(1)?));
        if leased.contains(&seq) || !(wanted.is_empty() || wanted.contains(&id)) {
            return Ok(true);
        }
        let cause: Option<String> = row.get(3)?;
        let cause = cause.and_then(|text| serde_json::from_str(&text).ok());
        free.push(Free {
            seq,
            id,
            bytes: row.get(2)?,
            cause: cause.unwrap_or_default(),
        });
        Ok(true)
    })?;
    Ok(free)
}

/// Removes all messages that are in nobody's hands.
pub(super) fn purge(tx: &mut Tx<'_>, queue: &Arc<Queue>) -> Result<u64, StoreFault> {
    let free = free(tx, queue, &[])?;
    queue::delete(tx, free.iter().map(|message| message.seq).collect())?;
    let removed = free.len() as u64;
    forget(tx, queue, free);
    Ok(removed)
}

/// Sends messages again that were set aside: with the same identity, body and headers, as if they had
/// never been delivered.
pub(super) fn redrive(
    tx: &mut Tx<'_>,
    queue: &Arc<Queue>,
    ids: &[Id],
    to: Option<&str>,
) -> Result<u64, StoreFault> {
    if let Some(name) = to {
        let sql = "SELECT 1 FROM connectors WHERE name = ? AND kind IN ('queue', 'stream')";
        if tx.row(sql, [name], |_| Ok(()))?.is_none() {
            return Err(unsupported(format!("there is no queue or stream `{name}`")));
        }
    }
    let free = free(tx, queue, ids)?;
    let is_free = |id: &&Id| free.iter().any(|message| message.id == **id);
    if let Some(id) = ids.iter().find(|id| !is_free(id)) {
        return Err(unsupported(format!(
            "message {id} is not in `{}`, or is in somebody's hands",
            queue.name
        )));
    }
    for message in &free {
        let origin = message.cause.get(names::CONNECTOR);
        let Some(name) = to.or(origin) else {
            return Err(unsupported(format!(
                "message {} of `{}` does not say where it came from: say where it is to go",
                message.id, queue.name
            )));
        };
        if name == queue.name {
            return Err(unsupported(format!("the messages are in `{name}` already")));
        }
        match stream::find(tx, name)? {
            Some(stream) => add_again(tx, message, &stream, to.is_some())?,
            None => send_again(tx, message, name)?,
        }
    }
    let sent = free.len() as u64;
    forget(tx, queue, free);
    Ok(sent)
}

/// What was copied from a stream is read again at the end of its partition, by the group in which it failed;
/// what is sent to another stream, by all.
fn add_again(
    tx: &mut Tx<'_>,
    message: &Free,
    stream: &Arc<Stream>,
    is_another: bool,
) -> Result<(), StoreFault> {
    let partition = message.cause.get(names::PARTITION);
    let partition = partition.and_then(|text| text.parse().ok()).unwrap_or(0);
    let group = message.cause.get(names::GROUP).filter(|_| !is_another);
    stream.take_message(tx, message.seq, partition, group)?;
    tx.execute("DELETE FROM messages WHERE seq = ?", [message.seq])?;
    Ok(())
}

fn send_again(tx: &mut Tx<'_>, message: &Free, name: &str) -> Result<(), StoreFault> {
    let target = queue::aside(tx, name)?;
    let (to, now) = (target.next_number(), target.now());
    let sql = "INSERT INTO messages (seq, id, kind, bytes, sent, checksum, headers, body) \
               SELECT ?, id, kind, bytes, ?, checksum, headers, body FROM messages WHERE seq = ?";
    tx.execute(sql, params![to, now, message.seq])?;
    tx.execute("DELETE FROM messages WHERE seq = ?", [message.seq])?;
    let entry = Entry::new(message.id, message.bytes, now);
    tx.then(move |is_safe| {
        if is_safe {
            let mut live = target.live.lock();
            live.arrive(to, entry);
            live.call_listeners();
        }
    });
    Ok(())
}

/// Messages are no longer in the queue, once that is safe.
fn forget(tx: &mut Tx<'_>, queue: &Arc<Queue>, gone: Vec<Free>) {
    let queue = Arc::clone(queue);
    tx.then(move |is_safe| {
        if is_safe {
            let mut live = queue.live.lock();
            live.forget(gone.iter().map(|message| (message.seq, message.bytes)));
            live.call_writers();
            live.call_listeners();
        }
    });
}
