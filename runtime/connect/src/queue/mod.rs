//! Queues: tasks, each leased to one consumer, and gone once it is done.
//!
//! What is in the file is the truth; [`Live`] is what this process knows of it: which messages are ready,
//! resting or leased. Leases are not written: only one process has the store, so that all of them are
//! void when it ends. What was handed out is counted before that: a first delivery by the mark of the
//! queue, up to which everything has been delivered, any other in the message's own row.

pub(crate) mod aside;
pub(crate) mod live;
pub(crate) mod log;
mod reader;
mod receive;
pub(crate) mod record;
mod send;
mod settle;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, Declaration, Sent, StoreFault, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;
use rusqlite::params;

use crate::clock::{Clock, millis, moment};
use crate::embedded;
use crate::fault::unsupported;
use crate::queue::live::{Amount, Counts, Entry, Live};
pub(crate) use crate::queue::reader::Reader;
pub(crate) use crate::queue::send::put;
pub(crate) use crate::queue::settle::delete;
use crate::seen::Seen;
use crate::writer::{Keeper, Orders, Safe, Tx};

/// What queues can do here: everything.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    settles_each: true,
    requeues: true,
    delays: true,
    dead_letters: true,
    renews: true,
    orders: true,
    replays: false,
    knows_ids: true,
    transactions: true,
};

/// Bits of a message's number that count within its queue.
const COUNTING: u32 = 40;

/// A queue of this store.
pub(crate) struct Queue {
    pub(crate) number: i64,
    pub(crate) name: String,
    orders: Orders,
    clock: Arc<dyn Clock>,
    seen: Seen,
    pub(crate) live: Mutex<Live>,
}

/// A queue of this declaration, for whoever uses it.
pub(crate) fn connect(
    keeper: &Arc<Keeper>,
    declaration: &Declaration,
) -> Result<Arc<dyn Connector>, StoreFault> {
    let own = &declaration.name;
    for other in [declaration.dead_letter_name(), declaration.invalid_name()] {
        if *own == other {
            return Err(unsupported(format!(
                "`{own}` cannot be the queue for its own messages that failed"
            )));
        }
    }
    let asked = declaration.clone();
    let queue = keeper.orders.call(Safe::FromPowerCut, move |tx| {
        let queue = open(tx, &asked)?;
        queue.live.lock().declaration = asked;
        tx.opened.use_now(queue.number);
        Ok(queue)
    })?;
    let keeper = Arc::clone(keeper);
    Ok(Arc::new(Handle { queue, keeper }))
}

/// A queue that others put messages into: that of the name, or a new one.
pub(crate) fn aside(tx: &mut Tx<'_>, name: &str) -> Result<Arc<Queue>, StoreFault> {
    if let Some(queue) = tx.opened.queues.get(name) {
        return Ok(Arc::clone(queue));
    }
    let sql = "SELECT declaration FROM connectors WHERE name = ? AND kind = 'queue'";
    let known: Option<String> = tx.row(sql, [name], |row| row.get(0))?;
    let known = known.and_then(|text| serde_json::from_str(&text).ok());
    let usual = || Declaration::new(name, ConnectorKind::Queue);
    open(tx, &known.unwrap_or_else(usual))
}

/// The queue of a declaration, which is made if it is not there; the last declaration counts.
pub(crate) fn of(tx: &mut Tx<'_>, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
    let queue = open(tx, declaration)?;
    queue.live.lock().declaration = declaration.clone();
    Ok(queue)
}

/// Forgets a queue that nobody uses and that has no messages; false when it has some.
pub(crate) fn drop_empty(tx: &mut Tx<'_>, queue: &Arc<Queue>) -> Result<bool, StoreFault> {
    let (first, end) = queue.range();
    let sql = "SELECT 1 FROM messages WHERE seq >= ? AND seq < ? LIMIT 1";
    if tx.row(sql, [first, end], |_| Ok(()))?.is_some() {
        return Ok(false);
    }
    tx.execute("DELETE FROM connectors WHERE number = ?", [queue.number])?;
    tx.execute("DELETE FROM log WHERE slot >= ? AND slot < ?", [first, end])?;
    tx.opened.seen.remove(&queue.number);
    let was_open = tx.opened.queues.remove(&queue.name);
    // A refused job leaves the file as it was, and the queue is opened anew when it is wanted.
    drop(was_open);
    Ok(true)
}

fn open(tx: &mut Tx<'_>, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
    if let Some(queue) = tx.opened.queues.get(&declaration.name) {
        return Ok(Arc::clone(queue));
    }
    let number = embedded::number(tx, declaration)?;
    let live = load(tx, number, declaration)?;
    let queue = Arc::new(Queue {
        number,
        name: declaration.name.clone(),
        orders: tx.opened.orders.clone(),
        clock: Arc::clone(&tx.opened.clock),
        seen: Seen::of(tx, number)?,
        live: Mutex::new(live),
    });
    let name = declaration.name.clone();
    tx.opened.queues.insert(name, Arc::clone(&queue));
    Ok(queue)
}

/// What the file knows of a queue.
fn load(tx: &Tx<'_>, number: i64, declaration: &Declaration) -> Result<Live, StoreFault> {
    let first = number << COUNTING;
    let end = (number + 1) << COUNTING;
    let sql = "SELECT mark, logged, sent, delivered, done, retried, dead, invalid, \
               discarded, duplicates FROM connectors WHERE number = ?";
    let known = tx.row(sql, [number], |row| {
        let counts = Counts::read(row, 2)?;
        Ok((row.get(0)?, row.get(1)?, counts))
    })?;
    let (mark, logged, counts) = known.unwrap_or_default();
    let sql = "SELECT coalesce(max(seq), 0) FROM messages WHERE seq >= ? AND seq < ?";
    let last: Option<i64> = tx.row(sql, [first, end], |row| row.get(0))?;
    let last = last.unwrap_or_default().max(mark).max(first);
    let mut live = Live::new(declaration.clone(), first, last, mark);
    live.logged = logged;
    live.counts = counts;
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM messages \
               WHERE seq >= ? AND seq < ? AND due IS NULL";
    let beyond = tx.row(sql, [first, end], |row| {
        Ok(Amount {
            messages: row.get(0)?,
            bytes: row.get(1)?,
        })
    })?;
    live.beyond = beyond.unwrap_or_default();
    live.waiting = live.beyond;
    rest(tx, &mut live, (first, end))?;
    Ok(live)
}

/// Messages that rest, by what is left of their rest: none rests longer than it had to at first, however
/// the clock was set since.
fn rest(tx: &Tx<'_>, live: &mut Live, range: (i64, i64)) -> Result<(), StoreFault> {
    let now = tx.opened.clock.elapsed();
    let wall = tx.opened.clock.wall();
    let longest = live
        .declaration
        .delay
        .most
        .mul_f64(1.0 + live.declaration.delay.jitter);
    let sql = "SELECT seq, due, id, bytes, sent, attempts, failed FROM messages \
               WHERE seq >= ? AND seq < ? AND due IS NOT NULL";
    tx.rows(sql, params![range.0, range.1], |row| {
        let seq = row.get(0)?;
        let due = moment(row.get(1)?).saturating_sub(wall).min(longest);
        let entry = Entry {
            attempts: row.get::<_, Option<u32>>(5)?.unwrap_or(1),
            has_own: true,
            ..Entry::read(row, 2)?
        };
        live.stray.insert(seq);
        live.waiting.add(entry.bytes);
        live.resting.insert((now + due, seq), entry);
        Ok(true)
    })
}

impl Queue {
    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        millis(self.clock.wall())
    }

    /// See [`Clock::elapsed`].
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The numbers that its messages may have; the second is none of them.
    pub(crate) const fn range(&self) -> (i64, i64) {
        (self.number << COUNTING, (self.number + 1) << COUNTING)
    }
}

/// A queue, for the engine.
struct Handle {
    queue: Arc<Queue>,
    keeper: Arc<Keeper>,
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        send::send(&self.queue, messages)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        Ok(self.queue.live.lock().room(waker))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (queue, keeper) = (Arc::clone(&self.queue), Arc::clone(&self.keeper));
        Ok(Arc::new(Reader::new(queue, keeper, consumer)))
    }
}
