//! What the client of a member hears: of its brokers, of its group, and of what it has committed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Message as _, TopicPartitionList};

use super::health::Ear;
use super::line::Line;
use super::wire::raw_offset;

/// How long it may take to fetch a record again.
const SEEK: Duration = Duration::from_millis(250);

/// What a group tells a member.
pub(super) enum Change {
    Given(Vec<(String, i32)>),
    Taken(Vec<(String, i32)>),
}

/// Hears what the client says, and what the group does.
pub(super) struct Ears {
    ear: Ear,
    pub(super) changes: Mutex<VecDeque<Change>>,
    pub(super) is_closing: AtomicBool,
}

impl Ears {
    pub(super) fn new(ear: Ear) -> Self {
        Self {
            ear,
            changes: Mutex::default(),
            is_closing: AtomicBool::new(false),
        }
    }
}

impl ClientContext for Ears {
    fn log(&self, level: RDKafkaLogLevel, what: &str, message: &str) {
        self.ear.log(level, what, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }
}

impl ConsumerContext for Ears {
    /// The group waits until the change is carried out, which the thread of the member does.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        change: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let is_given = change == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.is_closing.load(Ordering::Acquire) {
            let done = match is_given {
                true => consumer.incremental_assign(list),
                false => consumer.incremental_unassign(list),
            };
            if let Err(error) = done {
                tracing::debug!("a member that leaves: {error}");
            }
            return;
        }
        let parts = list.elements();
        let parts = parts
            .iter()
            .map(|part| (part.topic().to_owned(), part.partition()));
        let parts = parts.collect();
        self.changes.lock().push_back(match is_given {
            true => Change::Given(parts),
            false => Change::Taken(parts),
        });
    }
}

/// Gives the client time to hear of its group and its brokers.
pub(super) fn hear(client: &BaseConsumer<Ears>, line: &Line, wait: Duration) {
    // The client looks after its group when it is asked something, and else only once in a while.
    if let Err(error) = client.assignment() {
        tracing::debug!("{error}");
    }
    match client.poll(wait) {
        None => {}
        Some(Err(error)) => {
            let fault = line.health.fault(&error);
            tracing::debug!("{fault}");
        }
        // Records come by the queues of their partitions, so this one is fetched again.
        Some(Ok(stray)) => {
            let place = raw_offset(stray.offset().unsigned_abs());
            let sought = client.seek(stray.topic(), stray.partition(), place, SEEK);
            if let Err(error) = sought {
                tracing::debug!("a stray record: {error}");
            }
        }
    }
}

/// Commits, and asks whether it was. The client has a call that commits and waits, but it waits for ever when
/// the request was under way while the last broker went.
pub(super) fn commit(
    client: &BaseConsumer<Ears>,
    line: &Line,
    list: &TopicPartitionList,
) -> Result<(), StoreFault> {
    line.ask(|wait| {
        client.commit(list, CommitMode::Async)?;
        // Over the same connection, so it is answered after that.
        let committed = client.committed_offsets(list.clone(), wait)?;
        let is_so = |own: &TopicPartitionListElem<'_>| {
            let found = committed.find_partition(own.topic(), own.partition());
            found.is_some_and(|found| {
                found.offset() == own.offset() && found.metadata() == own.metadata()
            })
        };
        match list.elements().iter().all(is_so) {
            true => Ok(()),
            false => Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::InProgress)),
        }
    })
}
