//! Records that failed are copied, with every byte, to where copies rest or to where those go that are given
//! up. A copy is confirmed before its record counts as finished.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paperflow_core::connector::{Disposition, OnError, StoreFault, StoreFaultKind};
use paperflow_core::failpoint;
use paperflow_core::message::Id;

use super::Inner;
use super::press::Sheet;
use super::reading::Reading;
use super::topic::topic;
use super::wire::{self, Raw};
use crate::broker::aside;
use crate::clock::{millis, utc_of};
use crate::names;
use crate::stream::group::{Copy, Now, To};

/// How long a record rests that could not be copied.
const REFUSED: Duration = Duration::from_secs(1);

impl Reading {
    /// Copies what is to be copied. Whoever calls it is the only one.
    pub(super) fn copy(&self, inner: &Inner) -> Result<(), StoreFault> {
        let copies = self.copies_here();
        if copies.is_empty() {
            return Ok(());
        }
        let mut found = self.originals(inner, &copies)?;
        let mut sheets = Vec::with_capacity(copies.len());
        let mut written = Vec::with_capacity(copies.len());
        let mut topics = Vec::with_capacity(copies.len());
        for (copy, id) in &copies {
            let place = (copy.flight.partition, copy.flight.offset);
            // What is kept no more cannot be copied, and is finished.
            let Some(raw) = found.remove(&place) else {
                self.was_copied(copy, None);
                continue;
            };
            topics.push(self.target(inner, copy)?);
            written.push(copy);
            sheets.push(self.said(inner, (copy, *id), raw));
        }
        let sheets: Vec<Sheet<'_>> = sheets
            .into_iter()
            .zip(&topics)
            .map(|(raw, (topic, partition))| Sheet {
                topic,
                partition: *partition,
                raw,
            })
            .collect();
        if written.iter().any(|copy| copy.to == To::Invalid) {
            failpoint!("before_invalid_copy");
        }
        let (confirmed, result) = inner.press.print(&inner.line, &sheets);
        inner.call_readers_of(&topics);
        let is_set_aside = |copy: &&Copy| !matches!(copy.to, To::Delay(_));
        if result.is_ok() && written.iter().copied().any(|copy| is_set_aside(&copy)) {
            failpoint!("after_dead_letter");
        } else if result.is_ok() {
            failpoint!("after_retry");
        }
        for (copy, is_confirmed) in written.into_iter().zip(confirmed) {
            match &result {
                _ if is_confirmed => self.was_copied(copy, None),
                Err(fault) if fault.kind() != StoreFaultKind::Unavailable => {
                    tracing::warn!(
                        "a record of `{}` cannot be copied: {fault}",
                        self.stream.name
                    );
                    self.was_copied(copy, Some(inner.line.clock.elapsed() + REFUSED));
                }
                _ => {}
            }
        }
        result
    }

    /// What is to be copied of the partitions that it has.
    fn copies_here(&self) -> Vec<(Copy, Id)> {
        let state = self.state.lock();
        let is_here = |copy: &Copy| state.shelves.contains_key(&copy.flight.partition);
        let copies = state.copies.iter().filter(|(copy, _)| is_here(copy));
        copies.cloned().collect()
    }

    /// The records themselves, by partition and offset.
    fn originals(
        &self,
        inner: &Inner,
        copies: &[(Copy, Id)],
    ) -> Result<BTreeMap<(usize, u64), Raw<'static>>, StoreFault> {
        let mut wanted: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        for (copy, _) in copies {
            let own = wanted.entry(copy.flight.partition).or_default();
            own.insert(copy.flight.offset);
        }
        let mut found = BTreeMap::new();
        for (at, offsets) in wanted {
            let part = {
                let state = self.state.lock();
                let shelf = state.shelves.get(&at);
                shelf.map(|shelf| (shelf.topic.clone(), shelf.partition))
            };
            // A partition that is in other hands is copied by those.
            let Some((topic, partition)) = part else {
                continue;
            };
            let part = (topic.as_str(), partition);
            let raws = inner.browser.pick(&inner.line, part, &offsets)?;
            found.extend(raws.into_iter().map(|(offset, raw)| ((at, offset), raw)));
        }
        Ok(found)
    }

    fn was_copied(&self, copy: &Copy, refused: Option<Duration>) {
        let mut state = self.state.lock();
        let before = state.copies.len();
        state
            .copies
            .retain(|(own, _)| own.flight.ticket != copy.flight.ticket);
        // Else its partition has gone meanwhile.
        if state.copies.len() < before {
            state.group.copied(copy, refused);
            state.is_dirty = true;
        }
        drop(state);
        self.stream.local.lock().readers.call_one(self.number);
    }

    /// The topic and the partition that a copy goes to.
    fn target(&self, inner: &Inner, copy: &Copy) -> Result<(String, i32), StoreFault> {
        let name = {
            let local = self.stream.local.lock();
            let declaration = &local.declaration;
            match (copy.to, &declaration.on_error) {
                (To::Delay(_), OnError::Copy(via)) => via.clone(),
                (To::Invalid, _) => declaration.invalid_name(),
                _ => declaration.dead_letter_name(),
            }
        };
        let topic = topic(&inner.line.settings.prefix, &name)?;
        let partitions = i32::try_from(inner.partitions_of(&topic)?).unwrap_or(i32::MAX);
        // Those of one partition stay in one.
        Ok((topic, self.partition_of(copy) % partitions.max(1)))
    }

    fn partition_of(&self, copy: &Copy) -> i32 {
        let state = self.state.lock();
        let shelf = state.shelves.get(&copy.flight.partition);
        shelf.map_or(0, |shelf| shelf.partition)
    }

    /// A record as it is copied, with what is known about why.
    fn said<'a>(&self, inner: &Inner, (copy, id): (&Copy, Id), mut raw: Raw<'a>) -> Raw<'a> {
        let now = Now::of(&*inner.line.clock);
        let known = copy.failed.filter(|failed| failed.times > 0);
        let first = known.map_or(now.wall, |failed| failed.first);
        let before = raw.said(wire::FIRST).map(str::to_owned);
        let first = before.unwrap_or_else(|| millis(first).to_string());
        raw.forget();
        if let To::Delay(rest) = copy.to {
            raw.say(wire::STREAM, self.stream.name.clone());
            raw.say(wire::ONLY, self.group.clone());
            raw.say(wire::ATTEMPT, (copy.flight.attempt + 1).to_string());
            raw.say(wire::DUE, millis(now.wall + rest).to_string());
            raw.say(wire::FIRST, first);
            return raw;
        }
        let disposition = match copy.to {
            To::Invalid => Disposition::Invalid,
            To::Rejected => Disposition::Reject,
            To::Dead | To::Delay(_) => Disposition::Retry,
        };
        let of = (id, copy.flight.attempt);
        let why = aside::why(disposition, copy.failure.as_ref(), &self.stream.name, of);
        why.into_iter()
            .for_each(|(name, value)| raw.say(name, value));
        raw.say(names::FIRST, utc_of(first.parse().unwrap_or_default()));
        raw.say(names::LAST, utc_of(millis(now.wall)));
        raw.say(names::PARTITION, self.partition_of(copy).to_string());
        raw.say(names::OFFSET, copy.flight.offset.to_string());
        raw.say(names::GROUP, self.group.clone());
        raw
    }
}
