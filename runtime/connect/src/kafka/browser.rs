//! Records are read where they lie, whoever reads them otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, TopicPartitionList};

use super::health::Ear;
use super::line::{Line, Part};
use super::wire::{Raw, raw_offset};
use crate::fault::unavailable;
use crate::stream::mark::Offset;

/// Records that lie further apart than this are asked for one by one.
const APART: Offset = 500;

/// A client that is told what to read.
#[derive(Default)]
pub(super) struct Browser(Mutex<Option<BaseConsumer<Ear>>>);

impl Browser {
    /// Looks at the records of a partition from one offset to before another, until it has seen enough.
    pub(super) fn range(
        &self,
        line: &Line,
        part: Part<'_>,
        (from, to): (Offset, Offset),
        mut look: impl FnMut(&BorrowedMessage<'_>) -> bool,
    ) -> Result<(), StoreFault> {
        if from >= to {
            return Ok(());
        }
        let mut own = self.0.lock();
        let consumer = match own.take() {
            Some(consumer) => consumer,
            None => line.browser()?,
        };
        begin(line, &consumer, part, from)?;
        let mut next = from;
        let end = Instant::now() + line.settings.answer;
        while next < to {
            if Instant::now() >= end {
                let (topic, partition) = part;
                return Err(unavailable(format!(
                    "the record {next} of `{topic}`, partition {partition}, does not come"
                )));
            }
            let Some(Ok(record)) = consumer.poll(end - Instant::now()) else {
                continue;
            };
            let offset = record.offset().unsigned_abs();
            if (record.topic(), record.partition()) != part || offset < next {
                continue;
            }
            next = offset + 1;
            if offset >= to || !look(&record) {
                break;
            }
        }
        *own = Some(consumer);
        Ok(())
    }

    /// Some records of a partition, as they are; those that are kept no more are left out.
    pub(super) fn pick(
        &self,
        line: &Line,
        part: Part<'_>,
        offsets: &BTreeSet<Offset>,
    ) -> Result<BTreeMap<Offset, Raw<'static>>, StoreFault> {
        let starts = line.starts(&[part])?;
        let start = starts.first().copied().unwrap_or_default();
        let mut found = BTreeMap::new();
        let mut wanted = offsets.range(start..).copied().peekable();
        while let Some(first) = wanted.next() {
            let mut last = first;
            while let Some(next) = wanted.next_if(|next| next - last < APART) {
                last = next;
            }
            self.range(line, part, (first, last + 1), |record| {
                let offset = record.offset().unsigned_abs();
                if offsets.contains(&offset) {
                    found.insert(offset, Raw::read(record));
                }
                true
            })?;
        }
        Ok(found)
    }
}

fn begin(
    line: &Line,
    consumer: &BaseConsumer<Ear>,
    (topic, partition): Part<'_>,
    from: Offset,
) -> Result<(), StoreFault> {
    let mut list = TopicPartitionList::new();
    let begun = list
        .add_partition_offset(topic, partition, raw_offset(from))
        .and_then(|()| consumer.assign(&list));
    begun.map_err(|error| line.health.fault(&error))
}
