//! How long records are kept.
//!
//! Records go from the front of a partition, the oldest of the stream first, a few in one transaction, so
//! that nobody waits long; the file uses their room again. Whoever has not read them by then has missed
//! them, and its group counts how many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::{Retain, StoreFault};

use super::Stream;
use super::log::{self, Shelf};
use crate::writer::Tx;

/// Most records that go in one transaction.
const MOST: usize = 500;
/// When it is tried again after it could not be written.
const REFUSED: Duration = Duration::from_secs(1);
/// Records above a bound that are left until there are so many, or one in so many, so that not every
/// write is followed by a removal.
const SLACK: u64 = 64;

impl Stream {
    /// Removes what is kept no longer once this job is safe, and goes on as long as there is something.
    pub(super) fn trim_later(self: &Arc<Self>, tx: &mut Tx<'_>) {
        let live = self.live.lock();
        let retain = live.declaration.retain;
        let is_untimed = retain.age.is_some() && !live.is_trim_timed;
        if live.is_trimming || !(is_untimed || is_due(retain, &live.shelves)) {
            return;
        }
        drop(live);
        let stream = Arc::clone(self);
        tx.then(move |_| stream.trim_now());
    }

    /// Removes some, unless that is ordered already.
    fn trim_now(self: &Arc<Self>) {
        if std::mem::replace(&mut self.live.lock().is_trimming, true) {
            return;
        }
        let stream = Arc::clone(self);
        self.orders.later(move |tx| stream.trim(tx));
    }

    /// Looks again when so much time has gone by, unless that is arranged already.
    fn trim_at(self: &Arc<Self>, at: Duration) {
        let mut live = self.live.lock();
        if std::mem::replace(&mut live.is_trim_timed, true) {
            return;
        }
        drop(live);
        let stream = Arc::clone(self);
        self.orders.at(at, move |tx| {
            stream.live.lock().is_trim_timed = false;
            stream.trim(tx)
        });
    }

    fn trim(self: &Arc<Self>, tx: &mut Tx<'_>) -> Result<(), StoreFault> {
        let retain = {
            let mut live = self.live.lock();
            // What is written after this job, perhaps in its transaction, asks for another one.
            live.is_trimming = false;
            live.declaration.retain
        };
        let now = self.now();
        let trimmed = self.change(tx, |tx, shelves| trim(tx, shelves, retain, now.wall));
        let next = trimmed.as_ref().ok().copied();
        let stream = Arc::clone(self);
        tx.then(move |is_safe| match next.filter(|_| is_safe) {
            None => stream.trim_at(now.elapsed + REFUSED),
            Some(Next::Now) => stream.trim_now(),
            Some(Next::At(moment)) => stream.trim_at(now.elapsed_at(moment)),
            Some(Next::WithMore) => {}
        });
        trimmed.map(|_| ())
    }
}

/// When there may be something to remove again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// There is.
    Now,
    /// When a record will be too old.
    At(Moment),
    /// When more is written.
    WithMore,
}

/// Whether there is so much more than is to be kept that it is worth a removal.
fn is_due(retain: Retain, shelves: &[Shelf]) -> bool {
    let is_due =
        |bound: Option<u64>, is: u64| bound.is_some_and(|most| is > most + SLACK.min(most / SLACK));
    is_due(retain.messages, records(shelves)) || is_due(retain.bytes, bytes(shelves))
}

fn records(shelves: &[Shelf]) -> u64 {
    shelves.iter().map(|shelf| shelf.records).sum()
}

fn bytes(shelves: &[Shelf]) -> u64 {
    shelves.iter().map(|shelf| shelf.bytes).sum()
}

/// Removes the oldest records that are kept no longer, at most some.
fn trim(
    tx: &mut Tx<'_>,
    shelves: &mut [Shelf],
    retain: Retain,
    now: Moment,
) -> Result<Next, StoreFault> {
    let mut oldest = BinaryHeap::new();
    for (at, shelf) in shelves.iter().enumerate() {
        let first = log::first(tx, shelf.number, 0)?;
        oldest.extend(first.map(|first| Reverse((first.at, at, first.offset))));
    }
    let is_too_much = |shelves: &[Shelf]| {
        retain.messages.is_some_and(|most| records(shelves) > most)
            || retain.bytes.is_some_and(|most| bytes(shelves) > most)
    };
    for _ in 0..MOST {
        let Some(Reverse((written, at, offset))) = oldest.pop() else {
            return Ok(Next::WithMore);
        };
        let end = retain.age.map(|age| written + age);
        if end.is_none_or(|end| end > now) && !is_too_much(shelves) {
            return Ok(end.map_or(Next::WithMore, Next::At));
        }
        log::remove(tx, &mut shelves[at], offset)?;
        let first = log::first(tx, shelves[at].number, offset + 1)?;
        oldest.extend(first.map(|first| Reverse((first.at, at, first.offset))));
    }
    Ok(Next::Now)
}
