//! Received values that keep their packet's identity.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::connector::{Disposition, Failure};
use crate::headers::Headers;
use crate::packet::Packet;
use crate::settle::Trail;
use crate::slot;
use crate::turn::Turn;
use crate::value::{IntoPort, Value};

/// A received value, with the packet's identity.
///
/// It is the process's property: sending it forwards the packet, dropping it ends the packet.
pub struct Got<T> {
    value: T,
    packets: Packets,
}

/// The packets that a value came in; they end when this is dropped.
struct Packets {
    count: usize,
    headers: Option<Arc<Headers>>,
}

impl Packets {
    /// They do not end here.
    #[inline]
    fn leave(&mut self) -> (usize, Option<Arc<Headers>>) {
        (std::mem::take(&mut self.count), self.headers.take())
    }
}

impl Drop for Packets {
    #[inline]
    fn drop(&mut self) {
        if self.count > 0 {
            ended(self.count, self.headers.as_deref());
        }
    }
}

impl<T> Got<T> {
    #[inline]
    pub(crate) const fn new(value: T, count: usize, headers: Option<Arc<Headers>>) -> Self {
        Self {
            value,
            packets: Packets { count, headers },
        }
    }

    /// The headers of the packet, if it has any.
    #[must_use]
    pub fn headers(&self) -> Option<&Headers> {
        self.packets.headers.as_deref()
    }

    /// Sets a header of the packet, which leaves with it when it is sent.
    pub fn set_header(&mut self, name: &str, value: &str) {
        Arc::make_mut(self.packets.headers.get_or_insert_default()).set(name, value);
    }

    /// The value itself; the packet it came in ends here.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Whether a store waits to hear what becomes of it. So whoever writes what it has received in batches holds
    /// such a packet until it is written.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        let headers = self.packets.headers.as_ref();
        headers.is_some_and(|headers| !headers.trail().tokens.is_empty())
    }

    /// This packet cannot be handled yet: the store that it came from delivers it again after its delay,
    /// or sets it aside when its tries are used up. The packet ends here and the process goes on.
    ///
    /// What the process has written to its tables stays written, and a packet that it has sent leaves.
    /// The reason is one sentence, lower case, without a full stop, as in a [`Fault`](crate::Fault).
    ///
    /// # Errors
    /// The packet as it is, when it came from no store: there is nobody to deliver it again.
    pub fn retry_later(self, reason: impl Into<String>) -> Result<(), Self> {
        self.settle(Disposition::Retry, reason.into())
    }

    /// Another try would fail like this one: the store sets the packet aside. Else as
    /// [`retry_later`](Self::retry_later).
    ///
    /// # Errors
    /// The packet as it is, when it came from no store.
    pub fn reject(self, reason: impl Into<String>) -> Result<(), Self> {
        self.settle(Disposition::Reject, reason.into())
    }

    /// The packet is not what it should be: the store sets it aside, apart from those that failed. Else
    /// as [`retry_later`](Self::retry_later).
    ///
    /// # Errors
    /// The packet as it is, when it came from no store.
    pub fn invalid(self, reason: impl Into<String>) -> Result<(), Self> {
        self.settle(Disposition::Invalid, reason.into())
    }

    fn settle(mut self, disposition: Disposition, reason: String) -> Result<(), Self> {
        let is_from_store = |headers: &mut Arc<Headers>| !headers.trail().tokens.is_empty();
        // Without its headers it ends as a packet that nobody will hear of again.
        match self.packets.headers.take_if(is_from_store) {
            Some(headers) => {
                tell(headers.trail(), disposition, reason);
                Ok(())
            }
            None => Err(self),
        }
    }
}

/// Says of deliveries what has become of them in this process.
fn tell(trail: &Trail, disposition: Disposition, message: String) {
    let mut failure = Failure {
        message,
        ..Failure::default()
    };
    slot::try_with(|turn| turn.part_with(trail, &mut failure));
    trail.tokens.worsen(disposition, Some(&failure));
}

/// A packet that owns packets: what is attached to it travels and ends with it.
impl Got<Packet> {
    /// A packet that this process makes and keeps, as if it had been received: to attach others to it.
    #[must_use]
    pub fn made(value: impl IntoPort<Packet>) -> Self {
        let (packet, forwarded) = value.parcel();
        if forwarded {
            return Self::of(packet);
        }
        slot::try_with(Turn::adopt);
        // A copy of a received packet is not that packet.
        Self::of(match packet.trail() {
            Some(Trail {
                id: Some(_),
                tokens,
            }) => {
                let tokens = tokens.clone();
                packet.with_trail(Trail { id: None, tokens })
            }
            _ => packet,
        })
    }

    /// A packet that the process has, with what it owns.
    fn of(packet: Packet) -> Self {
        let (weight, headers) = (packet.weight(), packet.headers().cloned());
        Self::new(packet, weight, headers)
    }

    /// The same packet with another payload: it keeps its headers and what tells it from others, also when work is
    /// done again after a crash. What was attached to it ends here, and what is attached to the payload is left out.
    #[must_use]
    pub fn with_payload(mut self, payload: &Packet) -> Self {
        let attached = self.packets.count.saturating_sub(1);
        if attached > 0 {
            self.packets.count -= attached;
            ended(attached, None);
        }
        // A copy has nothing attached.
        self.value = payload.clone();
        self
    }

    /// Attaches a received packet, or a new one, to the end of a chain.
    pub fn attach(&mut self, chain: &str, value: impl IntoPort<Packet>) {
        let member = Self::made(value);
        let Self {
            value: packet,
            mut packets,
        } = member;
        self.packets.count += packets.leave().0;
        self.value.attach(chain, packet);
    }

    /// Takes the first packet of a chain off.
    pub fn detach(&mut self, chain: &str) -> Option<Self> {
        let packet = self.value.detach(chain)?;
        self.packets.count -= packet.weight();
        Some(Self::of(packet))
    }
}

impl<T> Deref for Got<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Got<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Got<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: Value> IntoPort<T> for Got<T> {
    #[inline]
    fn into_port(self) -> Packet {
        self.parcel().0
    }

    #[inline]
    fn parcel(self) -> (Packet, bool) {
        let Self { value, mut packets } = self;
        let (_, headers) = packets.leave();
        // Nothing is left in it; to find that out again would cost as much as to look at a port.
        std::mem::forget(packets);
        let packet = value.into_packet();
        match headers {
            Some(headers) => (with_headers(packet, headers), true),
            None => (packet, true),
        }
    }
}

#[inline(never)]
fn with_headers(packet: Packet, headers: Arc<Headers>) -> Packet {
    let are_its_own = packet
        .headers()
        .is_some_and(|own| Arc::ptr_eq(own, &headers));
    if are_its_own {
        packet
    } else {
        packet.with_headers(headers)
    }
}

/// Packets dropped outside a turn stay owned and are reported as leaked.
#[inline]
fn ended(packets: usize, headers: Option<&Headers>) {
    let is_in_turn = slot::try_with(|turn| turn.dropped_all(packets)).is_some();
    if let Some(headers) = headers {
        let_go(headers.trail(), is_in_turn);
    }
}

/// What packets that ended outside a turn follow from is to be delivered again.
#[inline(never)]
fn let_go(trail: &Trail, is_in_turn: bool) {
    if is_in_turn {
        slot::try_with(|turn| turn.hold(trail));
    } else {
        trail.tokens.worsen(Disposition::Retry, None);
    }
}
