//! Streams: topics, each with a group of consumers for every group of the stream.
//!
//! | what | where |
//! |---|---|
//! | the records of a stream | the topic of its name, with as many partitions |
//! | how far a group is | the offsets of the consumer group `TOPIC/GROUP`, with a note each ([`note`](super::note)) |
//! | copies that rest (`on-error=copy`) | the topic that the declaration names, read by the same group |
//! | what is set aside | the topics `NAME.dead` and `NAME.invalid`, or what the declaration names |

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::task::Waker;

use paperflow_core::connector::{Connector, Consumer, Declaration, Sent, StoreFault, Subscription};
use paperflow_core::failpoint;
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;

use super::line::Part;
use super::press::Sheet;
use super::reader::Reader;
use super::reading::Reading;
use super::wire::Raw;
use super::{Inner, note};
use crate::broker::waiting::{Readers, Writers};
use crate::stream::group::Rules;
use crate::stream::mark::Offset;
use crate::stream::ring::{Key, partition_of};

/// Ids of sends that failed in part are known, at most so many.
const CONFIRMED: usize = 100_000;

/// A stream, as this process uses it.
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) local: Mutex<Local>,
}

/// What this process knows of a stream.
pub(super) struct Local {
    pub(super) declaration: Declaration,
    key: Key,
    /// How many the topic has.
    pub(super) partitions: usize,
    /// Where copies rest.
    via: Option<Arc<Stream>>,
    pub(super) readers: Readers<Weak<Reading>>,
    pub(super) writers: Writers,
    given: u64,
    /// What was confirmed of sends that failed: it is not written again when they are repeated.
    confirmed: HashSet<Id>,
}

/// The partitions that a group of a stream reads: those of its topic, and behind them those where copies rest.
pub(super) struct Parts {
    pub(super) topic: String,
    pub(super) own: usize,
    pub(super) via: Option<(String, usize)>,
}

impl Parts {
    /// All of them, each at the place of its number.
    pub(super) fn all(&self) -> Vec<Part<'_>> {
        let via = self
            .via
            .iter()
            .flat_map(|(topic, count)| numbered(topic, *count));
        numbered(&self.topic, self.own).chain(via).collect()
    }

    /// Those of the topic.
    pub(super) fn own(&self) -> Vec<Part<'_>> {
        numbered(&self.topic, self.own).collect()
    }

    /// The number of a partition: however many there come to be, each keeps its own.
    pub(super) fn number(&self, (topic, partition): Part<'_>) -> usize {
        let at = usize::try_from(partition).unwrap_or_default();
        if topic == self.topic {
            own_number(at)
        } else {
            2 * at + 1
        }
    }
}

/// The number of a partition of the topic itself.
pub(super) const fn own_number(at: usize) -> usize {
    2 * at
}

fn numbered(topic: &str, count: usize) -> impl Iterator<Item = Part<'_>> {
    (0..i32::try_from(count).unwrap_or(i32::MAX)).map(move |at| (topic, at))
}

impl Stream {
    pub(super) fn new(topic: String, declaration: Declaration) -> Self {
        Self {
            name: declaration.name.clone(),
            topic,
            local: Mutex::new(Local {
                key: Key::None,
                declaration,
                partitions: 0,
                via: None,
                readers: Readers::default(),
                writers: Writers::default(),
                given: 0,
                confirmed: HashSet::new(),
            }),
        }
    }

    pub(super) fn declare(
        &self,
        declaration: &Declaration,
        partitions: usize,
        via: Option<Arc<Self>>,
    ) {
        let mut local = self.local.lock();
        local.key = Key::of(declaration.key.as_deref());
        local.declaration = declaration.clone();
        local.partitions = partitions;
        local.via = via;
    }

    /// The partitions that its groups read.
    pub(super) fn parts(&self) -> Parts {
        let local = self.local.lock();
        let (own, via) = (local.partitions, local.via.clone());
        drop(local);
        Parts {
            topic: self.topic.clone(),
            own,
            via: via.map(|via| (via.topic.clone(), via.local.lock().partitions)),
        }
    }

    /// The consumer group of a group.
    pub(super) fn group_id(&self, group: &str) -> String {
        format!("{}/{group}", self.topic)
    }

    pub(super) fn rules(&self) -> Rules {
        Rules::of(&self.local.lock().declaration)
    }

    /// A number for a new reader.
    pub(super) fn number(&self) -> u64 {
        let mut local = self.local.lock();
        local.given += 1;
        local.given
    }

    pub(super) fn seat(&self, number: u64, reading: Weak<Reading>, waker: Waker) {
        self.local.lock().readers.add(number, waker, reading);
    }

    /// The readers of this process.
    pub(super) fn readings(&self) -> Vec<Arc<Reading>> {
        let local = self.local.lock();
        local.readers.seats().filter_map(Weak::upgrade).collect()
    }

    /// Those of a group.
    pub(super) fn readings_of(&self, group: &str) -> Vec<Arc<Reading>> {
        let mut readings = self.readings();
        readings.retain(|reading| reading.group == group);
        readings
    }

    /// Commits how far all readers of this process are, and what is to be copied.
    pub(super) fn report(&self, inner: &Inner) -> Result<(), StoreFault> {
        let readings = self.readings();
        readings
            .iter()
            .try_for_each(|reading| reading.report(inner))
    }

    pub(super) fn call_all(&self) {
        let mut local = self.local.lock();
        local.readers.call();
        local.writers.call();
    }
}

/// A stream, for the engine.
pub(super) struct Handle {
    pub(super) stream: Arc<Stream>,
    pub(super) inner: Arc<Inner>,
}

impl Handle {
    /// Messages that were not confirmed before, as they are written.
    fn sheets<'a>(
        &'a self,
        messages: &'a [Message],
        source: &'a str,
    ) -> Result<Vec<(Id, Sheet<'a>)>, StoreFault> {
        let settings = &self.inner.line.settings;
        let mut local = self.stream.local.lock();
        let partitions = u32::try_from(local.partitions).unwrap_or(u32::MAX);
        let mut sheets = Vec::with_capacity(messages.len());
        for message in messages {
            if !local.confirmed.is_empty() && local.confirmed.remove(&message.id) {
                continue;
            }
            let key = local.key.value(message);
            let partition = partition_of(key.as_deref(), message, partitions);
            let sheet = Sheet {
                topic: &self.stream.topic,
                partition: i32::try_from(partition).unwrap_or_default(),
                raw: Raw::of(message, key, (source, settings.is_structured))?,
            };
            sheets.push((message.id, sheet));
        }
        Ok(sheets)
    }

    /// How many records a group has still to receive; those in its hands do not count, here or elsewhere.
    fn lag(&self, group: &str, (parts, ends): (&[Part<'_>], &[Offset])) -> Result<u64, StoreFault> {
        let clerk = self.inner.line.clerk(&self.stream.group_id(group))?;
        let committed = self.inner.line.committed(&clerk, parts)?;
        let mut readings = self.stream.readings_of(group);
        readings.retain(|reading| !reading.is_gone());
        let lags = committed.into_iter().zip(ends).enumerate();
        let lags = lags.map(|(at, (committed, end))| {
            let here = readings
                .iter()
                .find_map(|reading| reading.unread(own_number(at), *end));
            here.unwrap_or_else(|| {
                let reached = committed.map_or(0, |(mark, note)| mark + note::held(&note));
                end.saturating_sub(reached)
            })
        });
        Ok(lags.sum())
    }

    /// The groups that somebody reads for, here or elsewhere.
    fn live_groups(&self) -> Result<Vec<String>, StoreFault> {
        let beginning = self.stream.group_id("");
        let rolls = self.inner.line.groups(&beginning)?.into_iter();
        let elsewhere = rolls.filter(|roll| !roll.members.is_empty());
        let mut groups: Vec<String> = elsewhere
            .filter_map(|roll| roll.name.strip_prefix(&beginning).map(str::to_owned))
            .collect();
        let here = self.stream.readings().into_iter();
        let here = here.filter(|reading| !reading.is_gone());
        groups.extend(here.map(|reading| reading.group.clone()));
        groups.sort();
        groups.dedup();
        Ok(groups)
    }
}

impl Connector for Handle {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let source = self.inner.line.settings.source(&self.stream.name);
        let sheets = self.sheets(messages, &source)?.into_iter();
        let (ids, sheets): (Vec<Id>, Vec<Sheet<'_>>) = sheets.unzip();
        let known = messages.len() - ids.len();
        let (confirmed, result) = self.inner.press.print(&self.inner.line, &sheets);
        // Before the sender goes on: whoever is to receive it is not idle from now on.
        self.stream.local.lock().readers.call();
        if let Err(fault) = result {
            // What was known or is confirmed now is not written again when all of it is sent again.
            let mut local = self.stream.local.lock();
            let refused = ids.iter().zip(&confirmed).filter(|(_, done)| !**done);
            let refused: HashSet<Id> = refused.map(|(id, _)| *id).collect();
            let done = messages.iter().map(|message| message.id);
            let done = done.filter(|id| !refused.contains(id));
            if local.confirmed.len() > CONFIRMED {
                local.confirmed.clear();
            }
            local.confirmed.extend(done);
            return Err(fault);
        }
        failpoint!("before_confirm");
        Ok(Sent {
            written: ids.len(),
            known,
        })
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        let lag = {
            let mut local = self.stream.local.lock();
            let Some(lag) = local.declaration.lag else {
                return Ok(usize::MAX);
            };
            // Before one looks, so that nothing is missed.
            local.writers.add(waker);
            lag as u64
        };
        let parts = self.stream.parts();
        let own = parts.own();
        let ends = self.inner.line.ends(&own)?;
        let mut slowest = 0;
        for group in self.live_groups()? {
            slowest = slowest.max(self.lag(&group, (&own, &ends))?);
        }
        Ok(usize::try_from(lag.saturating_sub(slowest)).unwrap_or(usize::MAX))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        self.stream.report(&self.inner)?;
        let parts = self.stream.parts();
        let all = parts.all();
        let clerk = self.inner.line.clerk(&self.stream.group_id(group))?;
        // How far it is first: what is written meanwhile counts as not done.
        let committed = self.inner.line.committed(&clerk, &all)?;
        let (starts, ends) = (self.inner.line.starts(&all)?, self.inner.line.ends(&all)?);
        let marks = committed.into_iter().zip(starts);
        let marks = marks.map(|(mark, start)| mark.map_or(start, |(mark, _)| mark.max(start)));
        let left = marks.zip(ends).map(|(mark, end)| end.saturating_sub(mark));
        Ok(Some(left.sum()))
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let (stream, inner) = (Arc::clone(&self.stream), Arc::clone(&self.inner));
        Ok(Arc::new(Reader::new(stream, inner, consumer)?))
    }
}
