//! Messages as AMQP has them: properties, a table of headers, and a body.
//!
//! In binary mode each attribute is the header `cloudEvents_NAME`, as AMQP 1.0 has them, and the property
//! `content_type` says what the body is; in structured mode it is `application/cloudevents+json`, and the
//! body is the document. Both are read, also with `cloudEvents:` before the names. Other headers are
//! headers, and so are the properties `correlation_id`, `reply_to` and `type` of those who know no
//! CloudEvents. What the server or this store has to say of a message stands in headers that begin with
//! `x-`, and is none of the message's.

use std::borrow::Cow;
use std::fmt::Display;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use paperflow_core::connector::StoreFault;
use paperflow_core::headers::names;
use paperflow_core::message::{Message, Unreadable};

use super::line::short;
use crate::broker::envelope::{self, Envelope, STRUCTURED, Texts};
use crate::clock::millis;

envelope::prefix!("cloudEvents_");
const OTHER_PREFIX: &str = "cloudEvents:";
const CONTENT: &str = "datacontenttype";
/// Written to the disk.
const PERSISTENT: u8 = 2;

/// How often it had been delivered when it was written here.
pub(super) const ATTEMPTS: &str = "x-paperflow-attempts";
/// When it failed first, in milliseconds since 1970.
pub(super) const FIRST: &str = "x-paperflow-first";
/// When a record was written, in milliseconds since 1970.
pub(super) const AT: &str = "x-paperflow-at";
/// The only group that a record is for.
pub(super) const ONLY: &str = "x-paperflow-only";
/// How often a server has had it back.
const COUNTED: [&str; 2] = ["x-delivery-count", "x-acquired-count"];
/// What a server has to say begins so, and `x-death` is the whole name.
const SERVERS: [&str; 6] = [
    "x-death",
    "x-first-death-",
    "x-last-death-",
    "x-delivery-count",
    "x-acquired-count",
    "x-stream-offset",
];
const OURS: &str = "x-paperflow-";

/// Something that is sent, or has come, as it is on the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Parcel {
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

impl Parcel {
    /// A message, as `source` writes it.
    pub(super) fn pack(
        message: &Message,
        source: &str,
        is_structured: bool,
    ) -> Result<Self, StoreFault> {
        let envelope = Envelope::pack(message, source)?;
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_message_id(short(&message.id.to_string())?);
        if is_structured {
            properties = properties.with_content_type(short(STRUCTURED)?);
            let body = envelope.to_json();
            return Ok(Self { properties, body });
        }
        let mut headers = FieldTable::default();
        for (name, value) in envelope.attributes {
            if name == CONTENT {
                properties = properties.with_content_type(short(&value)?);
            } else {
                let name = short(&prefixed(&name))?;
                headers.insert(name, AMQPValue::LongString(value.into_owned().into()));
            }
        }
        Ok(Self {
            properties: properties.with_headers(headers),
            body: envelope.body.into_owned(),
        })
    }

    /// The message; `place` says where it lay, and names one that has no identity.
    pub(super) fn message(&self, place: impl Display) -> Result<Message, Unreadable> {
        let (mut attributes, mut beside) = (Vec::with_capacity(8), Vec::new());
        for (name, value) in self.headers() {
            let Some(value) = text(value) else {
                continue;
            };
            let attribute = name
                .strip_prefix(PREFIX)
                .or_else(|| name.strip_prefix(OTHER_PREFIX));
            match attribute {
                Some(attribute) => attributes.push((attribute.into(), value)),
                None if is_said_of_it(name) => {}
                None => beside.push((name.into(), value)),
            }
        }
        let content = self.properties.content_type().as_ref();
        let content = content.map(|content| content.as_str());
        let is_structured =
            content.is_some_and(|content| content.starts_with("application/cloudevents"));
        if is_structured {
            return Envelope::from_json(&self.body)?.unpack(beside, place);
        }
        let is_event = !attributes.is_empty();
        attributes.extend(content.map(|content| (CONTENT.into(), content.into())));
        if !is_event {
            beside.extend(self.known());
        }
        let body = self.body.as_slice().into();
        Envelope { attributes, body }.unpack(beside, place)
    }

    /// What its sender calls it, if it does.
    pub(super) fn id(&self) -> Option<&str> {
        self.properties.message_id().as_ref().map(|id| id.as_str())
    }

    /// Properties that mean what a header of ours does.
    fn known(&self) -> Texts<'_> {
        let of = &self.properties;
        let known = [
            (names::CORRELATION_ID, of.correlation_id()),
            (names::REPLY_TO, of.reply_to()),
            (names::TYPE, of.kind()),
        ];
        let given = known
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value.as_ref()?.as_str().into())));
        given.collect()
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &AMQPValue)> {
        let table = self.properties.headers().as_ref();
        let all = table.into_iter().flat_map(|table| table.inner());
        all.map(|(name, value)| (name.as_str(), value))
    }

    fn header(&self, name: &str) -> Option<&AMQPValue> {
        let table = self.properties.headers().as_ref()?;
        table.inner().get(name)
    }

    /// A number that this store or the server has written on it.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        text(self.header(name)?)?.parse().ok()
    }

    /// A text that this store has written on it.
    pub(super) fn note(&self, name: &str) -> Option<String> {
        text(self.header(name)?).map(Cow::into_owned)
    }

    /// How often the server has given it to somebody before.
    pub(super) fn attempts_by_server(&self) -> u64 {
        let by_server = COUNTED.iter().filter_map(|name| self.number(name));
        by_server.max().unwrap_or(0)
    }

    /// How often it had been delivered before.
    pub(super) fn attempts(&self) -> u32 {
        let all = self.attempts_by_server() + self.number(ATTEMPTS).unwrap_or(0);
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// The same, bit for bit, with something written on it; what was said of it on its way is left out.
    pub(super) fn copy(&self, notes: impl IntoIterator<Item = (String, AMQPValue)>) -> Self {
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        let all: Vec<String> = self.headers().map(|(name, _)| name.to_owned()).collect();
        let mut kept = FieldTable::default();
        for name in all.iter().filter(|name| !is_said_of_it(name)) {
            if let Some(value) = headers.inner().get(name.as_str()) {
                kept.insert(name.as_str().into(), value.clone());
            }
        }
        headers = kept;
        for (name, value) in notes {
            headers.insert(name.into(), value);
        }
        let mut properties = self.properties.clone().with_headers(headers);
        properties = properties.with_delivery_mode(PERSISTENT);
        Self {
            properties,
            body: self.body.clone(),
        }
    }

    /// It is given back to where it came from after so long.
    pub(super) fn resting(mut self, rest: std::time::Duration) -> Result<Self, StoreFault> {
        let rest = rest.as_millis().to_string();
        self.properties = self.properties.with_expiration(short(&rest)?);
        Ok(self)
    }

    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

/// Something that is written on a parcel.
pub(super) fn number(name: &str, value: i64) -> (String, AMQPValue) {
    (name.to_owned(), AMQPValue::LongLongInt(value))
}

/// Something that is written on a parcel.
pub(super) fn written(name: &str, value: &str) -> (String, AMQPValue) {
    (name.to_owned(), AMQPValue::LongString(value.into()))
}

/// When it is now, as it is written on a parcel.
pub(super) fn at(moment: paperflow_core::Moment) -> (String, AMQPValue) {
    number(AT, millis(moment))
}

/// Whether a header is not its sender's.
fn is_said_of_it(name: &str) -> bool {
    name.starts_with(OURS)
        || SERVERS.iter().any(|own| match own.ends_with('-') {
            true => name.starts_with(own),
            false => name == *own,
        })
}

/// A value as a text, if it can be one.
fn text(value: &AMQPValue) -> Option<Cow<'_, str>> {
    Some(Cow::Owned(match value {
        AMQPValue::LongString(text) => return Some(String::from_utf8_lossy(text.as_bytes())),
        AMQPValue::ShortString(text) => return Some(text.as_str().into()),
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::ShortShortInt(value) => value.to_string(),
        AMQPValue::ShortShortUInt(value) => value.to_string(),
        AMQPValue::ShortInt(value) => value.to_string(),
        AMQPValue::ShortUInt(value) => value.to_string(),
        AMQPValue::LongInt(value) => value.to_string(),
        AMQPValue::LongUInt(value) => value.to_string(),
        AMQPValue::LongLongInt(value) => value.to_string(),
        AMQPValue::Timestamp(value) => value.to_string(),
        AMQPValue::Float(value) => value.to_string(),
        AMQPValue::Double(value) => value.to_string(),
        _ => return None,
    }))
}
