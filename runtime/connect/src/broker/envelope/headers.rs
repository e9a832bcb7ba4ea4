//! Headers as attributes.

use std::borrow::Cow;

use paperflow_core::Headers;
use paperflow_core::headers::names;
use serde::{Deserialize, Serialize};

use super::{Envelope, KIND, UNTYPED};

/// All headers in their order, when that is not to be seen from the attributes.
const HEADERS: &str = "paperflowheaders";

/// Headers that have another name as an attribute.
const NAMES: [(&str, &str); 4] = [
    (names::CORRELATION_ID, "correlationid"),
    (names::CAUSATION_ID, "causationid"),
    (names::REPLY_TO, "replyto"),
    (names::DEADLINE, "expirytime"),
];

/// Attributes that are not headers of the same name.
const RESERVED: [&str; 9] = [
    "specversion",
    "id",
    "source",
    "datacontenttype",
    "data",
    "correlationid",
    "causationid",
    "replyto",
    "expirytime",
];

/// A header in the list of all: its name, if its value is an attribute, or both.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Listed<'a> {
    Named(Cow<'a, str>),
    Whole(Cow<'a, str>, Cow<'a, str>),
}

/// Writes headers as attributes.
pub(super) fn write<'a>(headers: &'a Headers, envelope: &mut Envelope<'a>) {
    let mut listed = Vec::new();
    let (mut last, mut is_plain) = ("", true);
    for (name, value) in headers.iter() {
        let Some(attribute) = attribute(name, value) else {
            listed.push(Listed::Whole(name.into(), value.into()));
            is_plain = false;
            continue;
        };
        envelope.add(attribute, value);
        listed.push(Listed::Named(name.into()));
        is_plain &= last < attribute;
        last = attribute;
    }
    if !is_plain && let Ok(list) = serde_json::to_string(&listed) {
        // JSON may hold these as they are, an attribute may not.
        let list = escaped(&list);
        envelope.add(HEADERS, list);
    }
    if headers.get(names::TYPE).is_some() && envelope.get("type").is_none() {
        envelope.add("type", UNTYPED);
    }
}

/// JSON without control signs.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for one in json.chars() {
        match one.is_control() {
            true => text.push_str(&format!("\\u{:04x}", u32::from(one))),
            false => text.push(one),
        }
    }
    text
}

/// The attribute that can carry a header.
fn attribute<'a>(name: &'a str, value: &str) -> Option<&'a str> {
    let has_no_control = !value.is_empty() && !value.chars().any(char::is_control);
    let is_time = !matches!(name, names::TIME | names::DEADLINE) || is_timestamp(value);
    let is_ambiguous = name == names::TYPE && value == UNTYPED;
    if !has_no_control || !is_time || is_ambiguous {
        return None;
    }
    let known = NAMES.iter().find(|(header, _)| *header == name);
    if let Some((_, attribute)) = known {
        return Some(attribute);
    }
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_free = !RESERVED.contains(&name) && !name.starts_with("paperflow");
    (is_name && is_free && (1..=20).contains(&name.len())).then_some(name)
}

/// Headers from attributes.
pub(super) fn read(mut envelope: Envelope<'_>, is_own: bool) -> Headers {
    let mut headers = Headers::default();
    if is_own {
        envelope.take("specversion");
        envelope.take("id");
        envelope.take("source");
        if envelope.get("type") == Some(UNTYPED) {
            envelope.take("type");
        }
    }
    let list = envelope.take(HEADERS);
    let listed: Option<Vec<Listed<'_>>> = list.and_then(|list| serde_json::from_str(&list).ok());
    for listed in listed.unwrap_or_default() {
        match listed {
            Listed::Whole(name, value) => headers.set(name, value),
            Listed::Named(name) => {
                if let Some(value) = envelope.take(attribute_of(&name)) {
                    headers.set(name, value);
                }
            }
        }
    }
    // Not every carrier keeps the order of attributes.
    envelope.attributes.sort();
    for (name, value) in envelope.attributes {
        if name != "specversion" && name != KIND {
            headers.set(header_of(name), value);
        }
    }
    headers
}

fn attribute_of(header: &str) -> &str {
    let known = NAMES.iter().find(|(own, _)| *own == header);
    known.map_or(header, |(_, attribute)| attribute)
}

fn header_of(attribute: Cow<'_, str>) -> Cow<'_, str> {
    let known = NAMES.iter().find(|(_, own)| *own == attribute);
    known.map_or(attribute, |(header, _)| Cow::Borrowed(header))
}

/// Whether it is a time as RFC 3339 writes it: `2026-01-31T08:00:00.5Z`.
fn is_timestamp(text: &str) -> bool {
    let (date, rest) = text.split_at_checked(19).unwrap_or((text, ""));
    let fits = date.bytes().zip(b"0000-00-00T00:00:00").all(|(one, like)| {
        one == *like && !like.is_ascii_digit() || one.is_ascii_digit() && like.is_ascii_digit()
    });
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| {
        fraction.trim_start_matches(|one: char| one.is_ascii_digit())
    });
    let is_zone = |zone: &str| {
        zone.len() == 6 && matches!(zone.as_bytes()[0], b'+' | b'-') && zone.as_bytes()[3] == b':'
    };
    date.len() == 19 && fits && (rest == "Z" || is_zone(rest))
}
