//! Sending: a batch at a time, of which all messages are on their way before the first answer has come.

use std::sync::Arc;
use std::time::Instant;

use paperflow_core::connector::StoreFault;
use parking_lot::{Condvar, Mutex};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{PubAck, PubAckReason};

use super::line::{Ear, Line};
use super::wire::Packed;
use crate::fault::{unavailable, unsupported};

/// A connection for sending.
pub(super) struct Writer {
    pub(super) line: Line,
    /// One batch at a time.
    turn: Mutex<()>,
    batch: Mutex<Batch>,
    bell: Condvar,
}

/// What is known of the batch that is on its way.
#[derive(Default)]
struct Batch {
    /// Not yet answered.
    left: usize,
    unobserved: usize,
    refused: Option<StoreFault>,
    is_lost: bool,
}

/// Where a message goes, and whether those who come later get it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) topic: &'a str,
    pub(super) retain: bool,
}

impl Writer {
    pub(super) fn open(line: Line) -> Result<Arc<Self>, StoreFault> {
        let writer = Arc::new(Self {
            line,
            turn: Mutex::default(),
            batch: Mutex::default(),
            bell: Condvar::new(),
        });
        let ear: Arc<dyn Ear> = Arc::clone(&writer) as Arc<dyn Ear>;
        writer.line.start(Arc::downgrade(&ear))?;
        Ok(writer)
    }

    /// Sends messages, and returns when the broker has all of them; says for how many nobody was there. A
    /// broker that went away meanwhile may have some of them.
    pub(super) fn send(&self, way: Way<'_>, packed: Vec<Packed>) -> Result<usize, StoreFault> {
        let _turn = self.turn.lock();
        let (client, _) = self.line.client()?;
        *self.batch.lock() = Batch {
            left: packed.len(),
            ..Batch::default()
        };
        for Packed {
            payload,
            properties,
        } in packed
        {
            let (topic, retain) = (way.topic, way.retain);
            let qos = QoS::AtLeastOnce;
            // Waits while the channel is full, and no longer than there is a connection.
            client
                .publish_with_properties(topic, qos, retain, payload, properties)
                .map_err(|_| unavailable("the connection is lost"))?;
        }
        let mut batch = self.batch.lock();
        let end = Instant::now() + self.line.answer_time();
        while batch.left > 0 && !batch.is_lost {
            if self.bell.wait_until(&mut batch, end).timed_out() {
                // Answers that come late are not to be taken for those to the next batch.
                self.line.begin_anew();
                return Err(unavailable("the broker confirms nothing"));
            }
        }
        if batch.is_lost {
            return Err(unavailable(
                "the connection was lost before all was confirmed",
            ));
        }
        batch.refused.clone().map_or(Ok(batch.unobserved), Err)
    }
}

impl Ear for Writer {
    fn confirmed(&self, ack: &PubAck) -> bool {
        let mut batch = self.batch.lock();
        batch.left = batch.left.saturating_sub(1);
        let refused = match ack.reason {
            PubAckReason::Success => None,
            PubAckReason::NoMatchingSubscribers => {
                batch.unobserved += 1;
                None
            }
            PubAckReason::NotAuthorized => Some(unsupported("we may not send there")),
            PubAckReason::TopicNameInvalid => Some(unsupported("the broker has no such topic")),
            PubAckReason::PayloadFormatInvalid => Some(unsupported("the broker refuses a payload")),
            reason => Some(unavailable(format!(
                "the broker takes nothing now: {reason:?}"
            ))),
        };
        batch.refused = batch.refused.take().or(refused);
        // All answers are waited for, so that none is taken for one to the next batch.
        if batch.left == 0 {
            self.bell.notify_all();
        }
        batch.left > 0
    }

    fn lost(&self) {
        let mut batch = self.batch.lock();
        batch.is_lost = batch.left > 0;
        self.bell.notify_all();
    }
}
