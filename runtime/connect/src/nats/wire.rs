//! Messages on the wire, as CloudEvents: in binary mode each attribute is a header `ce-NAME`, in structured
//! mode the payload is the document, and `Content-Type` says so. Other headers stand beside.

use std::borrow::Cow;
use std::fmt::Display;

use async_nats::{HeaderMap, HeaderName, HeaderValue};
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Message, Unreadable};

use crate::broker::address::decoded;
use crate::broker::envelope::{self, Envelope, STRUCTURED};

envelope::prefix!("ce-");
const CONTENT: &str = "content-type";
/// What says why a message was set aside begins with this.
const WHY: &str = "failure-";
/// What is said of a record, and not by its sender, begins with this, and what the server is told with that.
const OURS: [&str; 2] = ["pf-", "nats-"];

/// The number of the delivery with which a record begins that came back.
pub(super) const ATTEMPT: &str = "pf-attempt";
/// The only group that is to have a record that came back.
pub(super) const ONLY: &str = "pf-only";

/// A message, as headers and a payload.
pub(super) fn written(
    message: &Message,
    source: &str,
    is_structured: bool,
) -> Result<(HeaderMap, Vec<u8>), StoreFault> {
    let envelope = Envelope::pack(message, source)?;
    let mut headers = HeaderMap::new();
    if is_structured {
        put(&mut headers, "Content-Type", STRUCTURED);
        return Ok((headers, envelope.to_json()));
    }
    for (name, value) in envelope.attributes {
        match prefixed(&name) {
            Cow::Borrowed(name) => headers.insert(HeaderName::from_static(name), encoded(value)),
            Cow::Owned(name) => headers.insert(name, encoded(value)),
        }
    }
    Ok((headers, envelope.body.into_owned()))
}

/// Sets a header whose value may have any signs; its name is one of ours.
pub(super) fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    headers.insert(name, encoded(value.into()));
}

/// The message in headers and a payload; `place` says where it lay.
pub(super) fn message(
    headers: Option<&HeaderMap>,
    payload: &[u8],
    place: impl Display,
) -> Result<Message, Unreadable> {
    let (mut attributes, mut beside) = (Vec::with_capacity(8), Vec::new());
    let (mut content, mut is_structured) = (None, false);
    for (name, value) in pairs(headers) {
        let (own, value) = (name.as_ref() as &str, value.as_str());
        let name = lower(own);
        match own.get(PREFIX.len()..).filter(|_| name.starts_with(PREFIX)) {
            Some(attribute) => attributes.push((lower(attribute), decoded(value))),
            None if name == CONTENT && value.starts_with("application/cloudevents") => {
                is_structured = true;
            }
            None if name == CONTENT => content = Some(value),
            None if OURS.iter().any(|ours| name.starts_with(ours)) => {}
            None if name.starts_with(WHY) => beside.push((name, decoded(value))),
            None => beside.push((own.into(), value.into())),
        }
    }
    let is_typed = attributes.iter().any(|(name, _)| name == "datacontenttype");
    if let Some(content) = content.filter(|_| !is_typed) {
        attributes.push(("datacontenttype".into(), content.into()));
    }
    // The client does not keep the order of headers.
    beside.sort();
    let envelope = match is_structured {
        true => Envelope::from_json(payload)?,
        false => Envelope {
            attributes,
            body: payload.into(),
        },
    };
    envelope.unpack(beside, place)
}

/// A name in small letters.
fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

fn pairs(headers: Option<&HeaderMap>) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    let headers = headers.into_iter().flat_map(HeaderMap::iter);
    headers.filter_map(|(name, values)| Some((name, values.last()?)))
}

/// A header of ours.
pub(super) fn ours(headers: Option<&HeaderMap>, name: &str) -> Option<String> {
    let value = headers?.get(name)?;
    Some(decoded(value.as_str()).into_owned())
}

/// Headers without those that were put there by us or for the server; what says why it failed goes too if
/// it came back.
pub(super) fn bare(headers: &HeaderMap, came_back: bool) -> HeaderMap {
    let kept = pairs(Some(headers)).filter(|(name, _)| {
        let lower = lower((*name).as_ref());
        let is_ours = OURS.iter().any(|ours| lower.starts_with(ours));
        !(is_ours || came_back && lower.starts_with(WHY))
    });
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A value without signs that a header cannot have, as HTTP writes it: `%` and two hexadecimal digits for
/// each byte of those.
fn encoded(value: Cow<'_, str>) -> String {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'"' && byte != b'%';
    if value.bytes().all(is_plain) {
        return value.into_owned();
    }
    let mut text = String::with_capacity(value.len() + 8);
    for byte in value.bytes() {
        match is_plain(byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_only_signs_that_a_header_can_have() {
        assert_eq!(encoded("plain/1".into()), "plain/1");
        assert_eq!(encoded("a \"ü\"%\n".into()), "a%20%22%C3%BC%22%25%0A");
        assert_eq!(decoded(&encoded("a \"ü\"%\n".into())), "a \"ü\"%\n");
    }
}
