//! Records that are a value of a Rust type, and become JSON only when somebody reads them as such.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{HEADED, Kind, Packet, TREE, Tail};
use crate::headers::Headers;

/// A record that has not been written down, or has been for a reader who wanted it so.
struct Unwritten<T> {
    value: T,
    written: OnceLock<Json>,
}

impl<T: Serialize + Any + Send + Sync> Tail for Unwritten<T> {
    fn body(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }

    fn record(&self) -> Option<&Json> {
        let write = || serde_json::to_value(&self.value).unwrap_or_default();
        Some(self.written.get_or_init(write))
    }

    fn headers(&self) -> Option<&Arc<Headers>> {
        None
    }

    fn bare(&self) -> Option<Arc<dyn Tail>> {
        None
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Packet {
    /// A record that is a value of a serde type. It is written as JSON when somebody reads it as that,
    /// once; a value that cannot be written reads as null.
    ///
    /// ```
    /// # use paperflow_core::Packet;
    /// let packet = Packet::typed([1, 2]);
    /// assert_eq!(packet.as_record(), Some(&serde_json::json!([1, 2])));
    /// assert_eq!(packet.into_typed::<[i32; 2]>(), Ok([1, 2]));
    /// ```
    #[must_use]
    pub fn typed<T: Serialize + Any + Send + Sync>(value: T) -> Self {
        let written = OnceLock::new();
        Self::tailed(Kind::Record, 0, Arc::new(Unwritten { value, written }))
    }

    /// A record as a value of a serde type: the value itself if it is one of this type that nobody else
    /// has, else read from JSON.
    ///
    /// # Errors
    /// The packet, when it is no record or does not read as such.
    pub fn into_typed<T>(mut self) -> Result<T, Self>
    where
        T: Serialize + DeserializeOwned + Any + Send + Sync,
    {
        if self.kind() != Kind::Record || self.flags & TREE != 0 {
            return self.read_record();
        }
        let headers = self.headers().cloned();
        let tail = self.tail.take();
        let bare = if self.flags & HEADED == 0 {
            tail
        } else {
            tail.and_then(|tail| tail.bare())
        };
        let Some(bare) = bare else { return Err(self) };
        let Ok(unwritten) = Arc::clone(&bare).into_any().downcast::<Unwritten<T>>() else {
            return self.with_tail(bare, headers).read_record();
        };
        drop(bare);
        match Arc::try_unwrap(unwritten) {
            Ok(unwritten) => Ok(unwritten.value),
            Err(shared) => self.with_tail(shared, headers).read_record(),
        }
    }

    fn with_tail(self, bare: Arc<dyn Tail>, headers: Option<Arc<Headers>>) -> Self {
        let packet = Self {
            flags: self.flags & !HEADED,
            tail: Some(bare),
            ..self
        };
        match headers {
            Some(headers) => packet.with_headers(headers),
            None => packet,
        }
    }

    fn read_record<T: DeserializeOwned>(self) -> Result<T, Self> {
        let read = self
            .as_record()
            .and_then(|record| T::deserialize(record).ok());
        read.ok_or(self)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order {
        number: u32,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Numbered {
        number: u32,
    }

    fn order() -> Order {
        Order {
            number: 7,
            note: None,
        }
    }

    #[test]
    fn a_typed_record_is_a_record_for_everybody_else() {
        let packet = Packet::typed(order());
        assert_eq!(packet, Packet::record(json!({"number": 7, "note": null})));
        assert_eq!(packet.to_string(), r#"{"number":7,"note":null}"#);
        assert_eq!(packet.into_typed(), Ok(Numbered { number: 7 }));
    }

    #[test]
    fn a_shared_one_is_read_and_stays_what_it_is() {
        let packet = Packet::typed(order());
        let copy = packet.clone();
        assert_eq!(packet.into_typed(), Ok(order()));
        assert_eq!(copy.into_typed(), Ok(order()));
    }

    #[test]
    fn headers_stay_with_a_packet_that_reads_otherwise() {
        let packet = Packet::typed(order()).with_header("tenant", "one");
        let packet = packet.into_typed::<Vec<u8>>().unwrap_err();
        assert_eq!(
            packet.as_record(),
            Some(&json!({"number": 7, "note": null}))
        );
        let header = packet.headers().and_then(|headers| headers.get("tenant"));
        assert_eq!(header, Some("one"));
        assert_eq!(packet.into_typed(), Ok(order()));
    }
}
