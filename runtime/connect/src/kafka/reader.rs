//! A consumer of a stream, for the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use paperflow_core::connector::{
    Consumer, Delivery, Found, Outlook, Settlement, StoreFault, Subscription,
};

use super::Inner;
use super::line::Part;
use super::member;
use super::reading::{Lack, Reading};
use super::stream::{Parts, Stream};
use crate::broker::patience::{PATIENCE, insist};
use crate::fault::not_locked;
use crate::stream::group::Now;
use crate::stream::mark::Offset;

/// How long one waits for records that are known to be there.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How long one waits until one looks whether a broker is still there.
const GLANCE: Duration = Duration::from_millis(100);

/// See [`Subscription`].
pub(super) struct Reader {
    reading: Arc<Reading>,
    /// The store stays open as long as somebody reads.
    inner: Arc<Inner>,
    /// Ends when it has left the group.
    has_left: Receiver<()>,
}

/// What the brokers say of partitions that others have, or nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// What is left in each, by number.
    left: Vec<(usize, u64)>,
    /// There is something in one that nobody has.
    is_moving: bool,
}

impl Seen {
    fn elsewhere(&self) -> usize {
        let left = self.left.iter().map(|(_, left)| left).sum::<u64>();
        usize::try_from(left).unwrap_or(usize::MAX)
    }
}

/// What the brokers say.
struct Look {
    /// The ends of all partitions, by number.
    ends: BTreeMap<usize, Offset>,
    seen: Seen,
}

impl Reading {
    /// Asks the brokers where partitions end, and what is left for others.
    fn look(&self, inner: &Inner) -> Result<Look, StoreFault> {
        let parts = self.stream.parts();
        let all = parts.all();
        let ends = inner.line.ends(&all)?;
        let ends = all.iter().map(|part| parts.number(*part)).zip(ends);
        let ends: BTreeMap<usize, Offset> = ends.collect();
        let mut left = Vec::new();
        let mut others = Vec::new();
        {
            let state = self.state.lock();
            for part in &all {
                let at = parts.number(*part);
                if !state.shelves.contains_key(&at) {
                    others.push(*part);
                }
            }
            for report in state.group.reports() {
                let at = report.partition;
                let end = ends.get(&at).copied().unwrap_or_default();
                if state.leaving.contains(&at) {
                    left.push((at, end.saturating_sub(report.reached) + report.again));
                }
            }
        }
        let unowned = self.left_for_others(inner, (&parts, &others, &ends), &mut left)?;
        left.retain(|(_, left)| *left > 0);
        left.sort_unstable();
        let is_moving = !unowned.is_empty() && {
            let roll = inner.line.roll(&self.stream.group_id(&self.group))?;
            let here = self.stream.readings_of(&self.group);
            // Nobody has it, or somebody here who has not taken it yet.
            let moves = |part: &Part<'_>| {
                let owner = roll.owner(*part);
                owner.is_none_or(|owner| here.iter().any(|reading| reading.client == owner))
            };
            !roll.is_stable || unowned.iter().any(moves)
        };
        Ok(Look {
            ends,
            seen: Seen { left, is_moving },
        })
    }

    /// What is left in partitions of others; gives those that nobody has in this process, and have something.
    fn left_for_others<'a>(
        &self,
        inner: &Inner,
        (parts, others, ends): (&Parts, &[Part<'a>], &BTreeMap<usize, Offset>),
        left: &mut Vec<(usize, u64)>,
    ) -> Result<Vec<Part<'a>>, StoreFault> {
        let mut unowned = Vec::new();
        if others.is_empty() {
            return Ok(unowned);
        }
        let committed = inner.line.committed(&*self.consumer()?, others)?;
        let starts = match committed.iter().all(Option::is_some) {
            true => vec![0; others.len()],
            false => inner.line.starts(others)?,
        };
        let here = self.stream.readings_of(&self.group);
        for ((part, mark), start) in others.iter().zip(committed).zip(starts) {
            let at = parts.number(*part);
            let end = ends.get(&at).copied().unwrap_or_default();
            let own = end.saturating_sub(mark.map_or(start, |(mark, _)| mark));
            left.push((at, own));
            let is_here = || here.iter().any(|other| other.keeps(at));
            if own > 0 && !is_here() {
                unowned.push(*part);
            }
        }
        Ok(unowned)
    }

    /// Whether others have got on since it found nothing.
    pub(super) fn has_news(&self, inner: &Inner) -> Result<bool, StoreFault> {
        let Some(before) = self.state.lock().seen.clone() else {
            return Ok(false);
        };
        Ok(self.look(inner)?.seen != before)
    }
}

impl Reader {
    pub(super) fn new(
        stream: Arc<Stream>,
        inner: Arc<Inner>,
        consumer: Consumer,
    ) -> Result<Self, StoreFault> {
        let (reading, has_left) = member::join(stream, &inner, consumer)?;
        Ok(Self {
            reading,
            inner,
            has_left,
        })
    }

    fn outlook(&self, lack: &Lack, seen: &Seen) -> Outlook {
        let now = Now::of(&*self.inner.line.clock);
        let due = [lack.prospect.due, lack.back].into_iter().flatten().min();
        let outlook = Outlook {
            due: due.map(|due| now.wall_at(due)),
            unsettled: lack.prospect.unsettled,
            elsewhere: seen.elsewhere(),
            is_moving: seen.is_moving || lack.prospect.is_copying || !lack.awaited.is_empty(),
        };
        let mut state = self.reading.state.lock();
        let is_watched = outlook.elsewhere > 0 || seen.is_moving;
        state.seen = is_watched.then(|| seen.clone());
        outlook
    }

    fn try_receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let (reading, inner) = (&self.reading, &self.inner);
        let end = Instant::now() + ARRIVAL;
        let before = into.len();
        let mut look: Option<Look> = None;
        loop {
            let mut handed = Vec::new();
            let ends = look.as_ref().map(|look| &look.ends);
            let lack = reading.hand_out(inner, (most.max(1), ends), &mut handed)?;
            let deliveries = handed.into_iter();
            into.extend(deliveries.filter_map(|handed| reading.delivery(inner, handed)));
            if into.len() > before {
                return Ok(Found::Some);
            }
            match (&look, lack) {
                (_, None) => {}
                // What others have settled here counts.
                (None, _) => {
                    reading.stream.report(inner)?;
                    look = Some(reading.look(inner)?);
                }
                (Some(look), Some(lack)) => {
                    if inner.line.health.is_away() {
                        return Err(inner.line.health.away());
                    }
                    let now = Instant::now();
                    if lack.awaited.is_empty() || now >= end {
                        return Ok(Found::Empty(self.outlook(&lack, &look.seen)));
                    }
                    // They are on their way.
                    let _ = reading.rung.recv_timeout(GLANCE.min(end - now));
                }
            }
        }
    }
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let reading = &self.reading;
        // First, so that what comes meanwhile is heard of.
        reading
            .stream
            .local
            .lock()
            .readers
            .set_waiting(reading.number, true);
        let (has_left, has_joined) = {
            let state = reading.state.lock();
            (state.has_left || state.has_retired, state.has_joined)
        };
        if has_left {
            return Ok(Found::Empty(Outlook::default()));
        }
        if !has_joined {
            if self.inner.line.health.is_away() {
                return Err(self.inner.line.health.away());
            }
            // It is called when it has its partitions.
            return Ok(Found::Empty(Outlook {
                is_moving: true,
                ..Outlook::default()
            }));
        }
        let found = self.try_receive(most, into)?;
        if found == Found::Some {
            let mut local = reading.stream.local.lock();
            local.readers.set_waiting(reading.number, false);
            local.writers.call();
        }
        Ok(found)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.reading.settle(&self.inner, ticket, settlement);
    }

    fn requeue(&self, _: u64, _: Duration) -> Result<(), StoreFault> {
        Err(not_locked(&self.reading.stream.name))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        insist(&self.reading.name, PATIENCE, || {
            self.reading.report(&self.inner)
        })
    }

    fn stop(&self) {
        let mut state = self.reading.state.lock();
        state.has_retired = true;
        let own: Vec<usize> = state.shelves.keys().copied().collect();
        own.into_iter().for_each(|at| state.leaves(at));
        drop(state);
        self.reading.stream.call_all();
    }

    fn close(&self) {
        let reading = &self.reading;
        if std::mem::replace(&mut reading.state.lock().has_left, true) {
            return;
        }
        if self
            .has_left
            .recv_timeout(2 * self.inner.line.settings.answer)
            .is_err()
        {
            tracing::warn!("`{}` has not left its group yet", reading.name);
        }
        let mut local = reading.stream.local.lock();
        local.readers.remove(reading.number);
        local.readers.call();
        local.writers.call();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
