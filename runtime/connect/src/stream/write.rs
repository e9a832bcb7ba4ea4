//! Records are written.

use std::sync::Arc;
use std::task::Waker;

use paperflow_core::connector::{Sent, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Message;
use rusqlite::params;

use super::log::{self, Shelf};
use super::mark::Offset;
use super::{Live, Stream};
use crate::queue::record::Record;
use crate::writer::{Safe, Tx};

impl Stream {
    /// Writes messages, each at the end of its partition, and returns when they are safe.
    pub(super) fn send(self: &Arc<Self>, messages: &[Message]) -> Result<Sent, StoreFault> {
        let records = messages.iter().map(Record::new);
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let stream = Arc::clone(self);
        let job = move |tx: &mut Tx<'_>| stream.write(tx, &records);
        self.orders.call(Safe::FromPowerCut, job)
    }

    fn write(self: &Arc<Self>, tx: &mut Tx<'_>, records: &[Record]) -> Result<Sent, StoreFault> {
        let now = self.clock.wall();
        let key = self.live.lock().key.clone();
        let ids = records.iter().map(|record| record.message.id);
        let are_new = self.seen.admit(tx, ids)?;
        let mut sent = Sent::default();
        self.change(tx, |tx, shelves| {
            let partitions = u32::try_from(shelves.len()).unwrap_or(u32::MAX);
            for (record, is_new) in records.iter().zip(are_new) {
                if !is_new {
                    sent.known += 1;
                    continue;
                }
                let partition = key.partition(&record.message, partitions);
                log::append(tx, &mut shelves[partition as usize], record, now)?;
                sent.written += 1;
            }
            Ok(())
        })?;
        let sql =
            "UPDATE connectors SET sent = sent + ?, duplicates = duplicates + ? WHERE number = ?";
        tx.execute(sql, params![sent.written, sent.known, self.number])?;
        self.trim_later(tx);
        tx.then(|is_safe| {
            if is_safe {
                failpoint!("before_confirm");
            }
        });
        Ok(sent)
    }

    /// Changes the partitions: what the change says of them is written, and readers see it when it is
    /// safe.
    pub(super) fn change<T>(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        change: impl FnOnce(&mut Tx<'_>, &mut [Shelf]) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let before = self.live.lock().shelves.clone();
        let mut shelves = before.clone();
        let changed = change(tx, &mut shelves)?;
        for (shelf, _) in shelves.iter().zip(&before).filter(|(new, old)| new != old) {
            log::save_shelf(tx, shelf)?;
        }
        let ends: Vec<Offset> = shelves.iter().map(|shelf| shelf.next).collect();
        let has_grown = shelves
            .iter()
            .zip(&before)
            .any(|(new, old)| new.next > old.next);
        self.live.lock().shelves = shelves;
        let stream = Arc::clone(self);
        tx.then(move |is_safe| {
            if !is_safe {
                stream.live.lock().shelves = before;
            } else if has_grown {
                stream.live.lock().extend(&ends);
                stream.call_readers();
            }
        });
        Ok(changed)
    }

    pub(super) fn call_readers(&self) {
        let teams = self.teams.lock();
        let teams = teams.values();
        teams.for_each(|team| team.group.lock().call());
    }

    /// How many more messages may be sent: without a `lag` as many as one likes, with one as many as the
    /// slowest group that is there has received of it.
    pub(super) fn room(&self, waker: &Waker) -> usize {
        let (lag, ends) = {
            let mut live = self.live.lock();
            let Some(lag) = live.declaration.lag else {
                return usize::MAX;
            };
            // Before one looks, so that nothing is missed.
            if !live.writers.iter().any(|other| other.will_wake(waker)) {
                live.writers.push(waker.clone());
            }
            (lag as u64, live.ends.clone())
        };
        let slowest = self.slowest(&ends);
        usize::try_from(lag.saturating_sub(slowest)).unwrap_or(usize::MAX)
    }

    /// How far the slowest group that is there lags behind.
    fn slowest(&self, ends: &[Offset]) -> u64 {
        let teams = self.teams.lock();
        let lags = teams.values().filter_map(|team| {
            let group = team.group.lock();
            group.is_read().then(|| group.lag(ends))
        });
        lags.max().unwrap_or_default()
    }

    /// Tells those who wait for room to look again.
    pub(super) fn call_writers(&self) {
        let writers = std::mem::take(&mut self.live.lock().writers);
        writers.into_iter().for_each(Waker::wake);
    }
}

impl Live {
    fn extend(&mut self, ends: &[Offset]) {
        for (end, safe) in ends.iter().zip(&mut self.ends) {
            *safe = (*safe).max(*end);
        }
    }
}
