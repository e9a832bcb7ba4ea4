//! What is known about a packet beside its payload.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settle::Trail;

/// Header names with a meaning of their own; users may add others.
pub mod names {
    /// Identity of the packet.
    pub const ID: &str = "id";
    /// The conversation it belongs to.
    pub const CORRELATION_ID: &str = "correlation-id";
    /// The packet that caused it.
    pub const CAUSATION_ID: &str = "causation-id";
    /// Where an answer is expected.
    pub const REPLY_TO: &str = "reply-to";
    /// Message type.
    pub const TYPE: &str = "type";
    /// What the body is, if its kind does not say so: a media type, such as `application/avro`.
    pub const CONTENT_TYPE: &str = "content-type";
    /// Version of the type.
    pub const VERSION: &str = "version";
    /// When it was made.
    pub const TIME: &str = "time";
    /// When it loses its use.
    pub const DEADLINE: &str = "deadline";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
    /// Delivery attempt, from 1.
    pub const ATTEMPT: &str = "attempt";
    /// A whole number; a full link that sheds packets sheds those of the least priority first.
    pub const PRIORITY: &str = "priority";
    /// Why it left by an ERROR port.
    pub const ERROR: &str = "error";
}

/// Headers a new packet takes over from the one being handled when it is made.
const LINEAGE: [&str; 3] = [
    names::CORRELATION_ID,
    names::CAUSATION_ID,
    names::TRACEPARENT,
];

/// A small ordered map from name to text.
#[derive(Clone, Default)]
pub struct Headers {
    entries: Vec<(Box<str>, Box<str>)>,
    /// Where the packet comes from; kept by the engine, and seen by no component.
    trail: Trail,
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for Headers {}

impl Headers {
    /// The value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| &**value)
    }

    /// Sets a header, replacing its former value.
    pub fn set(&mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(key, _)| *key == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those that are written down when the packet is.
    #[must_use]
    pub fn written(&self) -> Self {
        self.clone().with_trail(Trail::default())
    }

    /// Where the packet comes from.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// The same headers, of a packet that comes from elsewhere.
    #[must_use]
    pub fn with_trail(mut self, trail: Trail) -> Self {
        self.trail = trail;
        self
    }

    /// Names and values in the order set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (&**name, &**value))
    }

    /// What a packet made while handling one with these headers inherits: correlation, trace, and
    /// the handled packet's id as its cause. `None` when there is nothing to inherit.
    #[must_use]
    pub fn lineage(&self) -> Option<Arc<Self>> {
        let mut heir = Self::default();
        for name in LINEAGE {
            if let Some(value) = self.get(name) {
                heir.set(name, value);
            }
        }
        if let Some(id) = self.get(names::ID) {
            heir.set(names::CAUSATION_ID, id);
        }
        (!heir.entries.is_empty()).then(|| Arc::new(heir))
    }
}

/// As an object, in the order set.
impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    headers.set(name, value);
                }
                Ok(headers)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
