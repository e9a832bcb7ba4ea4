//! Records are written: many at a time, each confirmed by all replicas that are in step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use paperflow_core::connector::StoreFault;
use parking_lot::{Condvar, Mutex};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::health::Ear;
use super::line::Line;
use super::wire::Raw;
use crate::clock::millis;
use crate::fault::unavailable;

/// How long a record may be on its way until it is given up.
const UNDERWAY: Duration = Duration::from_secs(10);
/// How much longer one waits for the client to say so.
const GRACE: Duration = Duration::from_secs(5);
/// How long one waits for a place in the client's own queue before one looks again.
const FULL: Duration = Duration::from_millis(20);

/// A record, and where it is to go.
pub(super) struct Sheet<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) raw: Raw<'a>,
}

/// Writes records.
pub(super) struct Press {
    config: ClientConfig,
    ear: Ear,
    producer: Mutex<Arc<ThreadedProducer<Clerk>>>,
}

/// What is known of records that are on their way together.
struct Batch {
    state: Mutex<State>,
    is_over: Condvar,
}

struct State {
    left: usize,
    /// Of each record, whether it was confirmed.
    confirmed: Vec<bool>,
    /// Why the first of those failed that failed.
    failure: Option<KafkaError>,
}

impl Batch {
    fn told(&self, at: usize, failure: Option<KafkaError>) {
        let mut state = self.state.lock();
        state.left -= 1;
        state.confirmed[at] = failure.is_none();
        state.failure = state.failure.take().or(failure);
        if state.left == 0 {
            self.is_over.notify_all();
        }
    }
}

/// A record's place in its batch.
struct Slip {
    batch: Arc<Batch>,
    at: usize,
}

/// Hears what became of records.
struct Clerk(Ear);

impl ClientContext for Clerk {
    fn log(&self, level: RDKafkaLogLevel, what: &str, message: &str) {
        self.0.log(level, what, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Clerk {
    type DeliveryOpaque = Box<Slip>;

    fn delivery(&self, result: &DeliveryResult<'_>, slip: Box<Slip>) {
        let failure = result.as_ref().err().map(|(error, _)| error.clone());
        slip.batch.told(slip.at, failure);
    }
}

impl Press {
    pub(super) fn new(line: &Line) -> Result<Self, StoreFault> {
        let mut config = line.config();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", UNDERWAY.as_millis().to_string())
            .set("linger.ms", "0.2")
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", "65536");
        let ear = Ear(Arc::clone(&line.health));
        let producer = made(&config, &ear)?;
        Ok(Self {
            config,
            ear,
            producer: Mutex::new(Arc::new(producer)),
        })
    }

    /// A client; a new one when the one before can do nothing more.
    fn producer(&self) -> Result<Arc<ThreadedProducer<Clerk>>, StoreFault> {
        let mut producer = self.producer.lock();
        if let Some((_, reason)) = producer.client().fatal_error() {
            tracing::warn!("records are written by a new client, since: {reason}");
            *producer = Arc::new(made(&self.config, &self.ear)?);
        }
        Ok(Arc::clone(&producer))
    }

    /// The next records are written by a new client, if this one can write none while others have answers.
    fn renew(&self, failed: &Arc<ThreadedProducer<Clerk>>) {
        let mut producer = self.producer.lock();
        if self.ear.0.is_away() || !Arc::ptr_eq(&producer, failed) {
            return;
        }
        match made(&self.config, &self.ear) {
            Ok(new) => *producer = Arc::new(new),
            Err(fault) => tracing::debug!("{fault}"),
        }
    }

    /// Writes records, in order, and waits until it is known what became of each: whether it was confirmed,
    /// and why not all were.
    pub(super) fn print(
        &self,
        line: &Line,
        sheets: &[Sheet<'_>],
    ) -> (Vec<bool>, Result<(), StoreFault>) {
        let none = vec![false; sheets.len()];
        if sheets.is_empty() {
            return (none, Ok(()));
        }
        if line.is_cut() {
            return (none, Err(unavailable("the store is closed")));
        }
        if line.health.is_away() {
            return (none, Err(line.health.away()));
        }
        let producer = match self.producer() {
            Ok(producer) => producer,
            Err(fault) => return (none, Err(fault)),
        };
        let batch = Arc::new(Batch {
            state: Mutex::new(State {
                left: sheets.len(),
                confirmed: none,
                failure: None,
            }),
            is_over: Condvar::new(),
        });
        let late = Instant::now() + UNDERWAY;
        let end = late + GRACE;
        let at = millis(line.clock.wall());
        for (place, sheet) in sheets.iter().enumerate() {
            if let Err(error) = put(&producer, &batch, (place, sheet), (at, end)) {
                // Those behind it are not tried, so that none overtakes it.
                (place..sheets.len()).for_each(|place| batch.told(place, Some(error.clone())));
                break;
            }
        }
        let mut state = batch.state.lock();
        while state.left > 0 && !batch.is_over.wait_until(&mut state, end).timed_out() {}
        let result = match &state.failure {
            Some(error) => Err(self.ear.0.fault(error)),
            None if state.left > 0 => Err(unavailable("no broker has confirmed in time")),
            None => Ok(()),
        };
        if result.is_err() && !state.confirmed.contains(&true) && Instant::now() >= late {
            self.renew(&producer);
        }
        (state.confirmed.clone(), result)
    }
}

fn made(config: &ClientConfig, ear: &Ear) -> Result<ThreadedProducer<Clerk>, StoreFault> {
    let made = config.create_with_context(Clerk(ear.clone()));
    made.map_err(|error| ear.0.fault(&error))
}

/// Puts a record into the client's queue; waits for room there.
fn put(
    producer: &ThreadedProducer<Clerk>,
    batch: &Arc<Batch>,
    (at, sheet): (usize, &Sheet<'_>),
    (time, end): (i64, Instant),
) -> Result<(), KafkaError> {
    let mut slip = Box::new(Slip {
        batch: Arc::clone(batch),
        at,
    });
    loop {
        let mut record = BaseRecord::with_opaque_to(sheet.topic, slip)
            .partition(sheet.partition)
            .timestamp(time)
            .headers(sheet.raw.owned_headers());
        record.key = sheet.raw.key.as_deref();
        record.payload = sheet.raw.value.as_deref();
        let Err((error, record)) = producer.send(record) else {
            return Ok(());
        };
        slip = record.delivery_opaque;
        match error.rdkafka_error_code() {
            _ if Instant::now() >= end => return Err(error),
            Some(RDKafkaErrorCode::QueueFull) => {
                let mut state = batch.state.lock();
                batch.is_over.wait_for(&mut state, FULL);
            }
            // A partition that is new.
            Some(RDKafkaErrorCode::UnknownPartition) => {
                let left = end.saturating_duration_since(Instant::now());
                producer.client().fetch_metadata(Some(sheet.topic), left)?;
            }
            _ => return Err(error),
        }
    }
}
