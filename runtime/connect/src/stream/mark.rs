//! How far one group has come in one partition.
//!
//! Records are delivered in order and settled in any order. What may be committed is the *mark*: the end of
//! the finished records that have no unfinished one before them. A record that failed, or was given
//! back, stops the mark and turns the reading back: nothing behind it is delivered before it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paperflow_core::Moment;

/// The position of a record in its partition; the first is 0.
pub(crate) type Offset = u64;

/// What to deliver next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This record, or the first that is kept behind it.
    Record(Offset),
    /// A record that failed rests until then, and all behind it wait.
    Rest(Duration),
    /// Everything that was written has been delivered.
    Nothing,
}

/// A record that has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failed {
    /// How often.
    pub(crate) times: u32,
    /// Until when it rests, by time that only goes on.
    pub(crate) until: Duration,
    /// When it failed first, by the wall.
    pub(crate) first: Moment,
}

/// The reading of a partition by a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The first record that was never delivered.
    next: Offset,
    /// Delivered and not settled, each with the ticket of its delivery.
    flying: BTreeMap<Offset, u64>,
    /// Delivered, and to be delivered again.
    again: BTreeSet<Offset>,
    failed: BTreeMap<Offset, Failed>,
}

impl Reading {
    /// Begins at a committed mark, knowing what has failed before.
    pub(crate) fn at(mark: Offset, failed: impl IntoIterator<Item = (Offset, Failed)>) -> Self {
        let failed = failed.into_iter().filter(|(offset, _)| *offset >= mark);
        Self {
            next: mark,
            failed: failed.collect(),
            ..Self::default()
        }
    }

    /// Everything before this is finished.
    pub(crate) fn mark(&self) -> Offset {
        let flying = self.flying.keys().next().copied();
        let again = self.again.first().copied();
        let open = [flying, again].into_iter().flatten().min();
        open.unwrap_or(self.next)
    }

    /// What to deliver, when the partition ends before `end`.
    pub(crate) fn next(&self, now: Duration, end: Offset) -> Next {
        let offset = match self.again.first() {
            Some(offset) => *offset,
            None if self.next < end => self.next,
            None => return Next::Nothing,
        };
        match self.failed.get(&offset) {
            Some(failed) if failed.until > now => Next::Rest(failed.until),
            _ => Next::Record(offset),
        }
    }

    /// What was asked for by [`next`](Self::next) is delivered: the record itself, or, when those from
    /// there to `offset` are kept no more, that one. Gives the number of this delivery, from 1.
    pub(crate) fn deliver(&mut self, offset: Offset, ticket: u64) -> u32 {
        self.pass(offset);
        self.again.remove(&offset);
        self.next = self.next.max(offset + 1);
        self.flying.insert(offset, ticket);
        self.attempt(offset)
    }

    /// Which delivery of a record the next one is, from 1.
    pub(crate) fn attempt(&self, offset: Offset) -> u32 {
        let failures = self.failed.get(&offset).map_or(0, |failed| failed.times);
        failures.saturating_add(1)
    }

    /// Records before this are kept no more, or are in somebody's hands. Gives how many of them were never
    /// delivered.
    pub(crate) fn pass(&mut self, first: Offset) -> u64 {
        self.again = self.again.split_off(&first);
        let flying = &self.flying;
        self.failed
            .retain(|offset, _| *offset >= first || flying.contains_key(offset));
        let passed = first.saturating_sub(self.next);
        self.next = self.next.max(first);
        passed
    }

    /// A record is finished. Whether that ticket is its present delivery.
    pub(crate) fn finish(&mut self, offset: Offset, ticket: u64) -> bool {
        let is_present = self.land(offset, ticket);
        if is_present {
            self.failed.remove(&offset);
        }
        is_present
    }

    /// A record is given back. Whether that ticket is its present delivery.
    pub(crate) fn release(&mut self, offset: Offset, ticket: u64) -> bool {
        let is_present = self.land(offset, ticket);
        if is_present {
            self.again.insert(offset);
        }
        is_present
    }

    /// A record failed, and rests until then; nothing when that ticket is not its present delivery.
    pub(crate) fn fail(
        &mut self,
        offset: Offset,
        ticket: u64,
        now: Moment,
        until: Duration,
    ) -> Option<Failed> {
        if !self.release(offset, ticket) {
            return None;
        }
        let failed = self.failed.entry(offset).or_default();
        if failed.times == 0 {
            failed.first = now;
        }
        failed.times = failed.times.saturating_add(1);
        failed.until = until;
        Some(*failed)
    }

    /// A record is given back, and rests until then; that counts as no failure.
    pub(crate) fn rest(&mut self, offset: Offset, ticket: u64, until: Duration) {
        if self.release(offset, ticket) {
            self.failed.entry(offset).or_default().until = until;
        }
    }

    /// What is known of a record that has failed.
    pub(crate) fn failed(&self, offset: Offset) -> Option<Failed> {
        self.failed.get(&offset).copied()
    }

    fn land(&mut self, offset: Offset, ticket: u64) -> bool {
        let is_present = self.flying.get(&offset) == Some(&ticket);
        if is_present {
            self.flying.remove(&offset);
        }
        is_present
    }

    /// The end of what has been delivered.
    pub(crate) fn reached(&self) -> Offset {
        self.next
    }

    /// Records before an end that are to be delivered, or to be delivered again.
    pub(crate) fn unread(&self, end: Offset) -> u64 {
        end.saturating_sub(self.next) + self.again.len() as u64
    }

    /// All records that have failed and are not finished.
    pub(crate) fn all_failed(&self) -> impl Iterator<Item = Offset> {
        self.failed.keys().copied()
    }

    /// Delivered and not settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.flying.len()
    }

    /// Goes on from another record; what is not settled yet has no say any more.
    pub(crate) fn seek(&mut self, offset: Offset) {
        *self = Self::at(offset, []);
    }
}

#[cfg(test)]
mod tests;
