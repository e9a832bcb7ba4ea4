//! What has become of deliveries.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::{Disposition, Failure, Settlement, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::hash_of_key;
use rusqlite::params;

use crate::clock::millis;
use crate::queue::Queue;
use crate::queue::aside::{Aside, Reason, shortened};
use crate::queue::live::{Counts, Entry, Lease, Live};
use crate::queue::log::Line;
use crate::writer::Tx;

/// What is to be written about a message that was settled.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    seq: i64,
    what: What,
    line: Line,
}

#[derive(Clone, Debug)]
enum What {
    Gone {
        was_done: bool,
    },
    /// It stays, and may rest.
    Kept {
        attempts: u32,
        failed: Option<i64>,
        due: Option<i64>,
    },
    Aside(Box<Aside>),
}

impl Change {
    fn is_aside(&self) -> bool {
        matches!(self.what, What::Aside(_))
    }

    /// It rests before its next delivery.
    fn is_retry(&self) -> bool {
        matches!(self.what, What::Kept { due: Some(_), .. })
    }
}

impl What {
    /// What the log says.
    fn word(&self) -> &'static str {
        match self {
            Self::Gone { was_done: true } => "discarded",
            Self::Gone { was_done: false } => "done",
            Self::Kept { due: None, .. } => "released",
            Self::Kept { .. } => "retry",
            Self::Aside(aside) if aside.reason == Reason::Invalid => "invalid",
            Self::Aside(_) => "dead",
        }
    }
}

/// Settles a delivery; who has no lease any more is not heard. Who says that it is done, and tells a
/// failure, says that it had been done before.
pub(crate) fn settle(queue: &Arc<Queue>, consumer: u64, ticket: u64, settlement: Settlement) {
    let now = queue.clock.elapsed();
    let mut live = queue.live.lock();
    live.expire(now);
    let is_own = |lease: &Lease| lease.consumer == consumer;
    if !live.leased.get(&ticket).is_some_and(is_own) {
        tracing::debug!("a late settlement in `{}` is not heard", queue.name);
        return;
    }
    let Some(lease) = live.end_lease(ticket) else {
        return;
    };
    let listener = live.listeners.get(&consumer);
    let consumer = listener.map_or_else(|| "".into(), |listener| Arc::clone(&listener.name));
    let change = decide(queue, &mut live, lease, settlement, (now, consumer));
    live.leaving += usize::from(change.is_aside());
    live.changes.push(change);
    live.call_listeners();
    if !live.is_ordered {
        live.is_ordered = true;
        drop(live);
        write_later(queue, None);
    }
}

/// What becomes of a message, in memory at once and in the file later.
fn decide(
    queue: &Queue,
    live: &mut Live,
    lease: Lease,
    settlement: Settlement,
    (now, consumer): (Duration, Arc<str>),
) -> Change {
    let wall = queue.clock.wall();
    let at = millis(wall);
    let Lease {
        seq, entry, since, ..
    } = lease;
    let (bytes, attempt, id) = (entry.bytes, entry.attempts, entry.id);
    let micros = now.saturating_sub(since).as_micros();
    let age = at.saturating_sub(entry.sent).max(0);
    let failure = settlement.failure;
    let error = failure.as_ref().map(|failure| shortened(&failure.message));
    let is_last = attempt > live.declaration.retries;
    let what = match settlement.disposition {
        Disposition::Done => What::Gone {
            was_done: failure.is_some(),
        },
        Disposition::Reject => aside(&entry, Reason::Rejected, failure),
        Disposition::Invalid => aside(&entry, Reason::Invalid, failure),
        Disposition::Retry if is_last => aside(&entry, Reason::Delivery, failure),
        Disposition::Release => release(live, seq, entry),
        Disposition::Retry => rest(live, seq, entry, (now, wall)),
    };
    let line = Line {
        at,
        id,
        attempt,
        bytes,
        micros: i64::try_from(micros).unwrap_or(i64::MAX),
        age,
        consumer,
        status: what.word(),
        error,
    };
    Change { seq, what, line }
}

fn aside(entry: &Entry, reason: Reason, failure: Option<Failure>) -> What {
    What::Aside(Box::new(Aside {
        reason,
        failure: failure.unwrap_or_default(),
        attempts: entry.attempts,
        first: entry.failed,
        origin: None,
    }))
}

/// It is ready again; that delivery does not count.
fn release(live: &mut Live, seq: i64, mut entry: Entry) -> What {
    entry.attempts -= 1;
    entry.has_own = true;
    let (attempts, failed) = (entry.attempts, entry.failed);
    live.waiting.add(entry.bytes);
    live.ready.insert(seq, entry);
    What::Kept {
        attempts,
        failed,
        due: None,
    }
}

/// It rests before its next delivery.
fn rest(live: &mut Live, seq: i64, mut entry: Entry, (now, wall): (Duration, Moment)) -> What {
    let rest = live.declaration.delay;
    let rest = rest.after(entry.attempts, chance(&entry));
    let due = wall + rest;
    entry.failed = entry.failed.or(Some(millis(wall)));
    entry.has_own = true;
    let (attempts, failed) = (entry.attempts, entry.failed);
    live.waiting.add(entry.bytes);
    live.resting.insert((now + rest, seq), entry);
    What::Kept {
        attempts,
        failed,
        due: Some(millis(due)),
    }
}

/// A number from 0 to 1 that follows from the message and the attempt.
fn chance(entry: &Entry) -> f64 {
    let hash = hash_of_key(&format!("{} {}", entry.id, entry.attempts));
    // 32 bits are enough chance.
    f64::from((hash >> 32) as u32) / f64::from(u32::MAX)
}

/// Writes what was settled soon, or when so much time has gone by.
pub(crate) fn write_later(queue: &Arc<Queue>, at: Option<Duration>) {
    let own = Arc::clone(queue);
    let job = move |tx: &mut Tx<'_>| own.write_changes(tx);
    match at {
        Some(at) => queue.orders.at(at, job),
        None => queue.orders.later(job),
    }
}

impl Queue {
    /// Writes what was settled. If it is refused it is tried again later, less and less often.
    pub(crate) fn write_changes(self: &Arc<Self>, tx: &mut Tx<'_>) -> Result<(), StoreFault> {
        let changes = {
            let mut live = self.live.lock();
            live.is_ordered = false;
            // As many are likely to come again.
            let next = Vec::with_capacity(live.changes.len());
            std::mem::replace(&mut live.changes, next)
        };
        if changes.is_empty() {
            return Ok(());
        }
        failpoint!("settle_lost");
        let changes = Arc::new(changes);
        let (queue, again) = (Arc::clone(self), Arc::clone(&changes));
        tx.then(move |is_safe| queue.was_written(is_safe, again));
        self.write(tx, &changes)
    }

    fn was_written(self: &Arc<Self>, is_safe: bool, changes: Arc<Vec<Change>>) {
        if is_safe && changes.iter().any(Change::is_retry) {
            failpoint!("after_retry");
        }
        let mut live = self.live.lock();
        if is_safe {
            live.refused = 0;
            let gone = changes.iter().filter(|change| change.is_aside()).count();
            if gone > 0 {
                live.leaving = live.leaving.saturating_sub(gone);
                live.call_listeners();
            }
            return;
        }
        let mut changes = Arc::unwrap_or_clone(changes);
        changes.append(&mut live.changes);
        live.changes = changes;
        live.is_ordered = true;
        live.refused = (live.refused + 1).min(8);
        let rest = Duration::from_millis(5 << live.refused);
        drop(live);
        write_later(self, Some(self.clock.elapsed() + rest));
    }

    fn write(self: &Arc<Self>, tx: &mut Tx<'_>, changes: &[Change]) -> Result<(), StoreFault> {
        let mut counts = Counts::default();
        let mut gone = Vec::with_capacity(changes.len());
        for change in changes {
            match &change.what {
                What::Gone { was_done } => {
                    counts.done += u64::from(!was_done);
                    counts.discarded += u64::from(*was_done);
                    gone.push(change.seq);
                }
                What::Kept {
                    attempts,
                    failed,
                    due,
                } => {
                    counts.retried += u64::from(due.is_some());
                    let sql = "UPDATE messages SET attempts = ?, failed = ?, due = ? WHERE seq = ?";
                    tx.execute(sql, params![attempts, failed, due, change.seq])?;
                }
                What::Aside(aside) => {
                    match aside.reason {
                        Reason::Invalid => counts.invalid += 1,
                        Reason::Delivery | Reason::Rejected => counts.dead += 1,
                    }
                    self.put_aside(tx, change.seq, aside)?;
                }
            }
        }
        delete(tx, gone)?;
        self.log(tx, changes.iter().map(|change| &change.line))?;
        self.count(tx, counts)
    }
}

/// Deletes messages, those whose numbers follow each other at once.
pub(crate) fn delete(tx: &Tx<'_>, mut gone: Vec<i64>) -> Result<(), StoreFault> {
    gone.sort_unstable();
    for run in gone.chunk_by(|one, next| *next == one + 1) {
        if let [first, ..] = run {
            let last = first + (run.len() as i64) - 1;
            tx.execute(
                "DELETE FROM messages WHERE seq BETWEEN ? AND ?",
                [*first, last],
            )?;
        }
    }
    Ok(())
}
