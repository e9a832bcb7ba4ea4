//! Whether any broker is there, as clients tell it, and what their errors mean.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use paperflow_core::connector::{StoreFault, StoreFaultKind};
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::broker::presence::Presence;
use crate::fault::{unavailable, unsupported};

/// Whether any broker is there.
pub(super) struct Health {
    pub(super) presence: Presence,
    is_away: AtomicBool,
    /// A client has lost one of them; whether others are there is looked at soon.
    is_doubtful: AtomicBool,
    /// Why a broker that is there was not spoken to, since one has answered last: clients tell that apart from
    /// what was asked, which then has no answer.
    refusal: Mutex<Option<String>>,
    /// One has answered.
    has_answered: AtomicBool,
}

impl Health {
    pub(super) fn new(presence: Presence) -> Self {
        Self {
            presence,
            is_away: AtomicBool::new(false),
            is_doubtful: AtomicBool::new(false),
            refusal: Mutex::default(),
            has_answered: AtomicBool::new(false),
        }
    }

    /// Whether somebody has doubted it since that was asked last.
    pub(super) fn is_doubted(&self) -> bool {
        self.is_doubtful.swap(false, Ordering::AcqRel)
    }

    /// A client has lost all of them, or has waited for an answer since then in vain. That others say so too
    /// does not put off the next try.
    pub(super) fn lost(&self, asked: Instant, why: &dyn Display) {
        if !self.is_away.swap(true, Ordering::AcqRel) {
            self.presence.missed(asked, why);
        }
    }

    /// They were tried, and none has answered.
    pub(super) fn tried(&self, why: &dyn Display) {
        self.presence.note(Some(why));
        self.is_away.store(true, Ordering::Release);
    }

    /// One has answered.
    pub(super) fn heard(&self) {
        self.presence.note(None);
        *self.refusal.lock() = None;
        self.has_answered.store(true, Ordering::Release);
        self.is_away.store(false, Ordering::Release);
    }

    fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::Release);
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Acquire)
    }

    /// A broker and a client do not trust each other, or one does not know the other.
    fn refused(&self, refusal: String) {
        *self.refusal.lock() = Some(refusal);
    }

    /// That there is none.
    pub(super) fn away(&self) -> StoreFault {
        self.refusal().unwrap_or_else(|| self.silent())
    }

    fn refusal(&self) -> Option<StoreFault> {
        let refusal = self.refusal.lock().clone()?;
        let message = format!("`{}` {refusal}", self.presence.address());
        // A broker that was cut off while it greeted us looks the same as one that does not trust us.
        Some(match self.has_answered.load(Ordering::Acquire) {
            true => unavailable(message),
            false => unsupported(message),
        })
    }

    fn silent(&self) -> StoreFault {
        unavailable(format!(
            "no broker of `{}` answers",
            self.presence.address()
        ))
    }

    /// What a client says, as a fault.
    pub(super) fn fault(&self, error: &KafkaError) -> StoreFault {
        self.fault_since(Instant::now(), error)
    }

    /// What a client says that was asked then.
    pub(super) fn fault_since(&self, asked: Instant, error: &KafkaError) -> StoreFault {
        use RDKafkaErrorCode::{AllBrokersDown, OperationTimedOut};
        let code = error.rdkafka_error_code();
        match code {
            Some(AllBrokersDown | OperationTimedOut) => self.lost(asked, error),
            Some(code) if kind(code) == StoreFaultKind::Unavailable => self.doubt(),
            _ => {}
        }
        if let Some(refusal) = self.refusal() {
            return refusal;
        }
        let address = self.presence.address();
        let message = format!("the brokers of `{address}` did not do it: {error}");
        StoreFault::new(code.map_or(StoreFaultKind::Unavailable, kind), message)
    }
}

/// Whether it is worth another try.
fn kind(code: RDKafkaErrorCode) -> StoreFaultKind {
    use RDKafkaErrorCode as Code;
    match code {
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::MessageSizeTooLarge
        | Code::InvalidConfig
        | Code::InvalidReplicationFactor
        | Code::InvalidPartitions
        | Code::PolicyViolation
        | Code::InconsistentGroupProtocol => StoreFaultKind::Unsupported,
        _ => StoreFaultKind::Unavailable,
    }
}

/// Whether the brokers have yet to agree on who is responsible, as they do for a moment after a topic or a group
/// was made and when one of them has gone: those of the [errors that Kafka calls retriable] which say that.
///
/// [errors that Kafka calls retriable]: https://kafka.apache.org/protocol.html#protocol_error_codes
pub(super) fn is_settling(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::FencedLeaderEpoch
            | Code::LeaderNotAvailable
            | Code::ListenerNotFound
            | Code::NotController
            | Code::NotCoordinator
            | Code::NotEnoughReplicas
            | Code::NotLeaderForPartition
            | Code::OffsetNotAvailable
            | Code::ReplicaNotAvailable
            | Code::UnknownLeaderEpoch
            | Code::UnknownPartition
            | Code::UnknownTopicOrPartition
            | Code::UnstableOffsetCommit
    )
}

/// Hears what a client says of itself.
#[derive(Clone)]
pub(super) struct Ear(pub(super) Arc<Health>);

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, what: &str, message: &str) {
        tracing::debug!("{level:?} {what}: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{AllBrokersDown, Authentication, SSL};
        match error.rdkafka_error_code() {
            Some(AllBrokersDown) => self.0.lost(Instant::now(), &reason),
            Some(Authentication) => self.0.refused(format!("refuses us: {reason}")),
            Some(SSL) => self.0.refused(format!("is not trusted: {reason}")),
            _ => self.0.doubt(),
        }
        tracing::debug!("{error}: {reason}");
    }
}

impl ConsumerContext for Ear {}
