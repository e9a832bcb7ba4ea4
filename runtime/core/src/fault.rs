//! What goes wrong in a component.

use std::error::Error;
use std::fmt;

use crate::connector::{Disposition, StoreFault, StoreFaultKind};
use crate::packet::Packet;

/// Why a component gave up, on one packet or altogether.
///
/// Any `std` error turns into one with `?`. The engine adds which process it was and where that
/// process is drawn.
#[derive(Debug)]
pub struct Fault {
    message: String,
    packet: Option<Packet>,
    element: Option<usize>,
    cause: Cause,
    disposition: Disposition,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Failed,
    Closed,
    Store(StoreFaultKind),
}

impl Fault {
    /// A failure, told in one sentence: lower case, no full stop.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            packet: None,
            element: None,
            cause: Cause::Failed,
            disposition: Disposition::Retry,
        }
    }

    /// The packet that could not be handled goes with the fault: to the ERROR port, or to the policy.
    #[must_use]
    pub fn with(mut self, packet: Packet) -> Self {
        self.packet = Some(packet);
        self
    }

    /// Says at which in-port element of the process it happened.
    #[must_use]
    pub const fn at(mut self, element: usize) -> Self {
        self.element = Some(element);
        self
    }

    /// Another try would fail like this one: a packet from a connector is set aside at once.
    #[must_use]
    pub const fn rejected(mut self) -> Self {
        self.disposition = Disposition::Reject;
        self
    }

    /// The packet is not what it should be: one from a connector is set aside at once, apart from those
    /// that failed.
    #[must_use]
    pub const fn invalid(mut self) -> Self {
        self.disposition = Disposition::Invalid;
        self
    }

    /// What is to be done with a packet from a connector that led to this.
    #[must_use]
    pub const fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// The in-port element where it happened, if there was one.
    #[must_use]
    pub const fn element(&self) -> Option<usize> {
        self.element
    }

    /// What happened.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Takes the packet out.
    pub fn take_packet(&mut self) -> Option<Packet> {
        self.packet.take()
    }

    /// Whether a store has not done what it was asked, and whether that is worth another try: no packet is
    /// to blame for it.
    #[must_use]
    pub const fn of_store(&self) -> Option<StoreFaultKind> {
        match self.cause {
            Cause::Store(kind) => Some(kind),
            Cause::Failed | Cause::Closed => None,
        }
    }

    /// Whether this is the quiet end of a process whose receiver left, not a failure.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.cause == Cause::Closed
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Error + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        let any: &(dyn Error + 'static) = &error;
        let store = any.downcast_ref().map(StoreFault::kind);
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            message.push_str(": ");
            message.push_str(&inner.to_string());
            source = inner.source();
        }
        let failed = Self::new(message);
        match store {
            Some(kind) => Self {
                cause: Cause::Store(kind),
                disposition: Disposition::Release,
                ..failed
            },
            None => failed,
        }
    }
}

/// A packet that came back because its receiver has left.
///
/// `?` turns it into the quiet end of the process, which is what most components want.
#[derive(Debug)]
pub struct Closed(pub Packet);

impl From<Closed> for Fault {
    fn from(_: Closed) -> Self {
        let message = String::from("the receiver has left");
        Self {
            message,
            packet: None,
            element: None,
            cause: Cause::Closed,
            disposition: Disposition::Release,
        }
    }
}
