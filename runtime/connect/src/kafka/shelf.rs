//! The records of a partition, as they come from its broker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::StoreFault;
use rdkafka::Message as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::ears::Ears;
use super::line::Line;
use super::wire::{Read, raw_offset, read};
use crate::stream::group::Page;
use crate::stream::mark::Offset;

/// How many records are taken at a time.
const PAGE: usize = 512;

/// A partition that this consumer has. The client fetches ahead, within bounds of its own.
pub(super) struct Shelf {
    pub(super) topic: String,
    pub(super) partition: i32,
    queue: PartitionQueue<Ears>,
    /// Behind the last record that was taken.
    reached: Offset,
    /// The next record that the client gives, or one behind it.
    next: Offset,
    /// A record that rests, and all behind it wait.
    resting: Option<Read>,
}

/// What a shelf has.
pub(super) enum Taken {
    Page(Page),
    /// The next record rests until then, by the wall.
    Rests(Moment),
    Nothing,
}

impl Shelf {
    pub(super) fn new(
        (topic, partition): (String, i32),
        queue: PartitionQueue<Ears>,
        from: Offset,
    ) -> Self {
        Self {
            topic,
            partition,
            queue,
            reached: from,
            next: from,
            resting: None,
        }
    }

    /// Takes records from an offset on, as far as they have come.
    pub(super) fn take(
        &mut self,
        (consumer, line): (&Arc<BaseConsumer<Ears>>, &Line),
        (from, now): (Offset, Moment),
        stream: &str,
    ) -> Result<Taken, StoreFault> {
        if from != self.reached {
            self.seek((consumer, line), from)?;
        }
        let mut records = VecDeque::new();
        while records.len() < PAGE {
            let Some(read) = self.resting.take().or_else(|| self.pop(stream)) else {
                break;
            };
            if let Some(due) = read.due.filter(|due| *due > now) {
                self.resting = Some(read);
                if records.is_empty() {
                    return Ok(Taken::Rests(due));
                }
                break;
            }
            self.reached = read.record.offset + 1;
            records.push_back(read.record);
        }
        if records.is_empty() {
            return Ok(Taken::Nothing);
        }
        Ok(Taken::Page(Page {
            from,
            end: self.reached,
            records,
        }))
    }

    /// The next record that has come.
    fn pop(&mut self, stream: &str) -> Option<Read> {
        loop {
            match self.queue.poll(Duration::ZERO)? {
                Ok(record) => {
                    let offset = record.offset().unsigned_abs();
                    if offset >= self.next {
                        let read = read(&record, stream);
                        self.next = offset + 1;
                        return Some(read);
                    }
                }
                Err(error) => {
                    tracing::debug!("`{}`, partition {}: {error}", self.topic, self.partition);
                }
            }
        }
    }

    /// Goes back to what is to be read again.
    fn seek(
        &mut self,
        (consumer, line): (&Arc<BaseConsumer<Ears>>, &Line),
        to: Offset,
    ) -> Result<(), StoreFault> {
        let sought = consumer.seek(
            &self.topic,
            self.partition,
            raw_offset(to),
            line.settings.answer,
        );
        sought.map_err(|error| line.health.fault(&error))?;
        self.resting = None;
        (self.reached, self.next) = (to, to);
        Ok(())
    }
}
