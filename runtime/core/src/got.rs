//! Received values that keep their packet's identity.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::headers::Headers;
use crate::packet::Packet;
use crate::slot;
use crate::turn::Turn;
use crate::value::{IntoPort, Value};

/// A received value, with the packet's identity.
///
/// It is the process's property: sending it forwards the packet, dropping it ends the packet.
pub struct Got<T> {
    value: Option<T>,
    packets: u32,
    headers: Option<Arc<Headers>>,
}

impl<T> Got<T> {
    pub(crate) const fn new(value: T, packets: u32, headers: Option<Arc<Headers>>) -> Self {
        Self {
            value: Some(value),
            packets,
            headers,
        }
    }

    /// The headers of the packet, if it has any.
    #[must_use]
    pub fn headers(&self) -> Option<&Headers> {
        self.headers.as_deref()
    }

    /// The value itself; the packet it came in ends here.
    ///
    /// # Panics
    /// Never: the value leaves only here or in a send, and both consume it.
    #[must_use]
    pub fn into_inner(mut self) -> T {
        match self.value.take() {
            Some(value) => {
                ended(self.packets);
                value
            }
            None => unreachable!("a received value is taken once"),
        }
    }
}

impl<T> Deref for Got<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a received value is there until it is consumed"),
        }
    }
}

impl<T> DerefMut for Got<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a received value is there until it is consumed"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Got<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> Drop for Got<T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            ended(self.packets);
        }
    }
}

impl<T: Value> IntoPort<T> for Got<T> {
    fn into_port(self) -> Packet {
        self.parcel().0
    }

    fn parcel(mut self) -> (Packet, bool) {
        let packet = self.value.take().map_or_else(Packet::null, T::into_packet);
        match self.headers.take() {
            Some(headers) if packet.headers().is_none() => (packet.with_headers(headers), true),
            _ => (packet, true),
        }
    }
}

/// Packets dropped outside a turn stay owned and are reported as leaked.
fn ended(packets: u32) {
    for _ in 0..packets {
        slot::try_with(Turn::dropped);
    }
}
