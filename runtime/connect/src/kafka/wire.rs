//! Messages as records of Kafka.
//!
//! In binary mode each attribute is a header `ce_NAME`, its content type the header `content-type`, and the
//! value is the body; in structured mode the header `content-type` says so, and the value is the document.
//! The key of a record is the value of the stream's key. Headers that begin with `pf_` are said of a record
//! that was copied, and not by its sender; all others are headers.

use std::borrow::Cow;

use paperflow_core::Moment;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Message, Unreadable};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use crate::broker::envelope::{self, Envelope, STRUCTURED, bytes_of};
use crate::clock::moment;
use crate::stream::log::Record;
use crate::stream::mark::Offset;

const CONTENT: &str = "content-type";
const TYPE: &str = "datacontenttype";
envelope::prefix!("ce_");
/// What is said of a record that was copied, and not by its sender.
pub(super) const OURS: &str = "pf_";
/// The stream that the record was copied from.
pub(super) const STREAM: &str = "pf_stream";
/// The one group that is to read it.
pub(super) const ONLY: &str = "pf_only";
/// Which delivery the next one is.
pub(super) const ATTEMPT: &str = "pf_attempt";
/// Until when it rests, in milliseconds since 1970.
pub(super) const DUE: &str = "pf_due";
/// When it failed first, in milliseconds since 1970.
pub(super) const FIRST: &str = "pf_first";

/// A header: its name, and its value if it has one.
type Said<'a> = (Cow<'a, str>, Option<Cow<'a, [u8]>>);

/// A record as it is written: every byte counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw<'a> {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Cow<'a, [u8]>>,
    pub(super) headers: Vec<Said<'a>>,
}

impl<'a> Raw<'a> {
    /// A message, as `source` writes it.
    pub(super) fn of(
        message: &'a Message,
        key: Option<String>,
        (source, is_structured): (&'a str, bool),
    ) -> Result<Self, StoreFault> {
        let envelope = Envelope::pack(message, source)?;
        let key = key.map(String::into_bytes);
        if is_structured {
            let content = Cow::Borrowed(STRUCTURED.as_bytes());
            return Ok(Self {
                key,
                headers: vec![(CONTENT.into(), Some(content))],
                value: Some(envelope.to_json().into()),
            });
        }
        let attributes = envelope.attributes.into_iter();
        let headers = attributes.map(|(name, value)| {
            let name = match &*name {
                TYPE => CONTENT.into(),
                name => prefixed(name),
            };
            (name, Some(bytes_of(value)))
        });
        let headers: Vec<_> = headers.collect();
        // What has no content has no value.
        let has_content = headers.iter().any(|(name, _)| name == CONTENT);
        Ok(Self {
            key,
            headers,
            value: (has_content || !envelope.body.is_empty()).then_some(envelope.body),
        })
    }

    /// A record as it was read.
    pub(super) fn read(record: &impl rdkafka::Message) -> Raw<'static> {
        let headers = record
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter());
        let headers = headers.map(|header| {
            let value = header.value.map(|value| value.to_vec().into());
            (header.key.to_owned().into(), value)
        });
        Raw {
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(|value| value.to_vec().into()),
            headers: headers.collect(),
        }
    }

    /// Says something of it, in the place of what was said under that name.
    pub(super) fn say(&mut self, name: &str, value: String) {
        self.headers.retain(|(own, _)| own != name);
        self.headers
            .push((name.to_owned().into(), Some(value.into_bytes().into())));
    }

    /// What is said under a name.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }

    /// Nothing is said any more of its being copied.
    pub(super) fn forget(&mut self) {
        self.headers.retain(|(name, _)| !name.starts_with(OURS));
    }

    /// Its headers, for the client.
    pub(super) fn owned_headers(&self) -> OwnedHeaders {
        let headers = OwnedHeaders::new_with_capacity(self.headers.len());
        self.headers.iter().fold(headers, |headers, (key, value)| {
            let value = value.as_deref();
            headers.insert(Header { key, value })
        })
    }
}

/// A record that was read, and until when it rests, by the wall.
pub(super) struct Read {
    pub(super) record: Record,
    pub(super) due: Option<Moment>,
}

/// A record, as a consumer of a stream has it.
pub(super) fn read(record: &impl rdkafka::Message, stream: &str) -> Read {
    let (mut attributes, mut beside) = (Vec::with_capacity(8), Vec::new());
    let (mut is_structured, mut attempt, mut due) = (false, 1, None);
    let (mut only, mut from) = (None, None);
    let headers = record.headers();
    let headers = headers.iter().flat_map(|headers| headers.iter());
    for header in headers {
        let value = header.value.unwrap_or_default();
        let text = || String::from_utf8_lossy(value);
        match header.key.strip_prefix(PREFIX) {
            Some(attribute) => attributes.push((attribute.into(), text())),
            None if header.key == CONTENT && value.starts_with(b"application/cloudevents") => {
                is_structured = true;
            }
            None if header.key == CONTENT => attributes.push((TYPE.into(), text())),
            None if header.key == ONLY => only = Some(text().into_owned()),
            None if header.key == STREAM => from = Some(text().into_owned()),
            None if header.key == ATTEMPT => attempt = text().parse().unwrap_or(1),
            None if header.key == DUE => due = text().parse().ok().map(moment),
            None if header.key.starts_with(OURS) => {}
            None => beside.push((header.key.into(), text())),
        }
    }
    let body = record.payload().unwrap_or_default();
    let offset = record.offset().unsigned_abs();
    let envelope = match is_structured {
        true => Envelope::from_json(body),
        false => Ok(Envelope {
            attributes,
            body: body.into(),
        }),
    };
    let place = format_args!("{stream} {} {offset}", record.partition());
    let message = envelope.and_then(|envelope| envelope.unpack(beside, place));
    Read {
        record: Record {
            offset,
            at: moment(record.timestamp().to_millis().unwrap_or_default()),
            attempt,
            only_for: whom(only, from, stream),
            bytes: body.len() as u64,
            message: message.map_err(|unreadable: Unreadable| unreadable.to_string()),
        },
        due,
    }
}

/// The group that is to read a copy; that of another stream is nobody here.
fn whom(only: Option<String>, from: Option<String>, stream: &str) -> Option<String> {
    match from {
        Some(from) if from != stream => Some(format!("{from}\n{}", only.unwrap_or_default())),
        _ => only,
    }
}

/// An offset, as Kafka has it.
pub(super) fn raw_offset(offset: Offset) -> rdkafka::Offset {
    rdkafka::Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX))
}
