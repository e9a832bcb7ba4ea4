//! Messages on the wire: CloudEvents 1.0, so that others can read what is written here, and be read.
//!
//! An [`Envelope`] is a list of attributes and a body, whatever carries it. A broker writes it in *binary
//! mode*, where each attribute has a place of its own (a header, a field) under a prefix that is the
//! custom there, or in *structured mode*, as one JSON document. Nothing here knows a broker.
//!
//! | of a message | attribute |
//! |---|---|
//! | its identity | `id`, 32 hexadecimal digits |
//! | who writes it | `source` |
//! | header `type` | `type`; without one `paperflow.packet` |
//! | header `time`, if it is a time | `time` |
//! | header `deadline`, if it is a time | `expirytime` |
//! | headers `correlation-id`, `causation-id`, `reply-to` | `correlationid`, `causationid`, `replyto` |
//! | a header whose name is an attribute's: letters and digits | the same |
//! | any other header, and those whose order matters | `paperflowheaders`, a JSON list of them all |
//! | the kind of the packet, or `group` | `paperflowkind`, and `datacontenttype` |
//! | header `content-type`, if the kind can be that | `datacontenttype` |
//!
//! What others have written has no `paperflowkind`: its body is what its `datacontenttype` says, or text if
//! it can be that, and bytes if not.

mod headers;
mod json;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Display;

use paperflow_core::connector::StoreFault;
use paperflow_core::headers::names;
use paperflow_core::message::{Id, Message, Part, Unreadable};
use paperflow_core::{Headers, Kind};
use serde_json::Value as Json;

use crate::fault::damaged;

/// The content type of a message in structured mode.
pub(crate) const STRUCTURED: &str = "application/cloudevents+json";

const KIND: &str = "paperflowkind";
const CONTENT: &str = "datacontenttype";
const UNTYPED: &str = "paperflow.packet";

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
const GROUP: &str = "application/vnd.paperflow.group+json";

/// Names and what they stand for. Most of what goes over a wire lies elsewhere already, and is not copied.
pub(crate) type Texts<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// A message on its way: attributes by their plain names, and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) attributes: Texts<'a>,
    pub(crate) body: Cow<'a, [u8]>,
}

/// Tells what the names of attributes begin with at a broker: `PREFIX`, and `prefixed`, which makes such a name
/// of a plain one. Those that every message has are there already.
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "nats",
    feature = "redis"
))]
macro_rules! prefix {
    ($prefix:literal) => {
        const PREFIX: &str = $prefix;

        fn prefixed(name: &str) -> std::borrow::Cow<'static, str> {
            std::borrow::Cow::Borrowed(match name {
                "specversion" => concat!($prefix, "specversion"),
                "id" => concat!($prefix, "id"),
                "source" => concat!($prefix, "source"),
                "type" => concat!($prefix, "type"),
                "datacontenttype" => concat!($prefix, "datacontenttype"),
                "paperflowkind" => concat!($prefix, "paperflowkind"),
                "correlationid" => concat!($prefix, "correlationid"),
                "causationid" => concat!($prefix, "causationid"),
                "traceparent" => concat!($prefix, "traceparent"),
                name => return std::borrow::Cow::Owned(format!("{PREFIX}{name}")),
            })
        }
    };
}
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "nats",
    feature = "redis"
))]
pub(crate) use prefix;

/// A text as bytes.
#[cfg(any(feature = "kafka", feature = "redis"))]
pub(crate) fn bytes_of(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

impl<'a> Envelope<'a> {
    /// A message, as `source` writes it.
    ///
    /// # Errors
    /// Never for a message that the engine made.
    pub(crate) fn pack(message: &'a Message, source: &'a str) -> Result<Self, StoreFault> {
        let kind = message.kind_word();
        let body = message
            .body()
            .map_err(|error| damaged(format!("a group cannot be written: {error}")))?;
        let mut envelope = Self {
            attributes: Vec::with_capacity(8),
            body,
        };
        envelope.add("specversion", "1.0");
        envelope.add("id", message.id.to_string());
        envelope.add("source", source);
        if message.headers.get(names::TYPE).is_none() {
            envelope.add("type", UNTYPED);
        }
        let said = message.headers.get(names::CONTENT_TYPE);
        let said = said.filter(|said| is_content_of(kind, said));
        if let Some(content) = said.or(content(kind, &envelope.body)) {
            envelope.add(CONTENT, content);
        }
        envelope.add(KIND, kind);
        headers::write(&message.headers, &mut envelope);
        Ok(envelope)
    }

    /// The message. Headers that stood beside the attributes come last; `place` says where it lay, and
    /// names a message that has no identity.
    ///
    /// # Errors
    /// It says that it is one of ours, and is not.
    pub(crate) fn unpack(
        mut self,
        beside: Texts<'_>,
        place: impl Display,
    ) -> Result<Message, Unreadable> {
        let id = self.identity(place);
        let (mut headers, parts) = match self.take(KIND) {
            Some(kind) => {
                self.take(CONTENT);
                let body = std::mem::take(&mut self.body).into_owned();
                (headers::read(self, true), Message::parts_of(&kind, body)?)
            }
            None => {
                let content = self.take(CONTENT);
                let part = part(
                    content.as_deref(),
                    std::mem::take(&mut self.body).into_owned(),
                );
                let usual = self::content(part.kind.word(), &part.body);
                let mut headers = headers::read(self, false);
                // What the kind does not say stays known, also to whoever it is sent on to.
                if let Some(content) = content.filter(|content| usual != Some(&**content)) {
                    headers.set(names::CONTENT_TYPE, content);
                }
                (headers, vec![part])
            }
        };
        for (name, value) in beside {
            headers.set(name, value);
        }
        Ok(Message { id, headers, parts })
    }

    /// Our own identities as they are; with those of others, their source counts too.
    fn identity(&self, place: impl Display) -> Id {
        match (self.get("id"), self.get(KIND)) {
            (Some(id), Some(_)) => id.parse().unwrap_or_else(|_| Id::of(id)),
            (Some(id), None) => {
                let source = self.get("source").unwrap_or_default();
                Id::of(&format!("{source}\n{id}"))
            }
            (None, _) => Id::of(&place.to_string()),
        }
    }

    /// An attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let (_, value) = attributes.find(|(own, _)| own == name)?;
        Some(value)
    }

    fn take(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let at = self.attributes.iter().position(|(own, _)| own == name)?;
        Some(self.attributes.remove(at).1)
    }

    fn add(&mut self, name: &'a str, value: impl Into<Cow<'a, str>>) {
        self.attributes.push((Cow::Borrowed(name), value.into()));
    }
}

/// The content type of a body of ours; none when there is no body.
fn content(kind: &str, body: &[u8]) -> Option<&'static str> {
    match kind {
        "group" => Some(GROUP),
        "text" => Some(TEXT),
        "bytes" => Some(BYTES),
        // JSON has no such numbers.
        "float" if serde_json::from_slice::<Json>(body).is_err() => Some(TEXT),
        "bool" | "int" | "float" | "record" => Some(JSON),
        _ => None,
    }
}

/// Whether a body of this kind can be what a content type says.
fn is_content_of(kind: &str, content: &str) -> bool {
    let can_be_written = !content.is_empty() && !content.chars().any(char::is_control);
    can_be_written
        && match kind {
            "bytes" => true,
            "text" => !is_json(content),
            "bool" | "int" | "float" | "record" => is_json(content),
            _ => false,
        }
}

/// Whether a content type is JSON.
fn is_json(content: &str) -> bool {
    let kind = content.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(JSON) || kind.to_ascii_lowercase().ends_with("+json")
}

/// What others have sent, by what they say it is.
fn part(content: Option<&str>, body: Vec<u8>) -> Part {
    let is_text = content.is_none_or(|content| content.to_ascii_lowercase().starts_with("text/"));
    let (kind, body) = match content {
        Some(content) if is_json(content) => json_part(body),
        _ if is_text && std::str::from_utf8(&body).is_ok() => (Kind::Text, body),
        _ => (Kind::Bytes, body),
    };
    Part {
        kind,
        body,
        headers: Headers::default(),
    }
}

/// JSON, as the kind of packet that it is; what cannot be read stays as it is, to be set aside.
fn json_part(body: Vec<u8>) -> (Kind, Vec<u8>) {
    match serde_json::from_slice(&body) {
        Ok(Json::Null) => (Kind::Null, Vec::new()),
        Ok(Json::Bool(value)) => (Kind::Bool, value.to_string().into()),
        Ok(Json::String(text)) => (Kind::Text, text.into()),
        Ok(Json::Number(number)) if number.is_i64() => (Kind::Int, number.to_string().into()),
        Ok(Json::Number(number)) if number.is_f64() => (Kind::Float, number.to_string().into()),
        _ => (Kind::Record, body),
    }
}
