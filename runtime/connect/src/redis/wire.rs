//! Messages as entries of a Redis stream, and what scripts answer.
//!
//! In binary mode each attribute is a field `ce_NAME`, and the body is the field `data`; in structured mode
//! the field `content-type` says so, and `data` is the document. Other fields are headers.

use std::borrow::Cow;
use std::fmt::Display;

use ::redis::Value;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Message, Unreadable};

use crate::broker::envelope::{self, Envelope, STRUCTURED, bytes_of};
use crate::fault::damaged;

const DATA: &str = "data";
const CONTENT: &str = "content-type";
envelope::prefix!("ce_");
/// What is said of a record, and not by its sender.
const OURS: &str = "pf_";

/// The fields of a message: names and values in turn.
pub(super) fn fields<'a>(
    message: &'a Message,
    source: &'a str,
    is_structured: bool,
) -> Result<Vec<Cow<'a, [u8]>>, StoreFault> {
    let envelope = Envelope::pack(message, source)?;
    let given = |text: &'static str| Cow::Borrowed(text.as_bytes());
    if is_structured {
        let document = envelope.to_json().into();
        // The scripts look for the identity, and not into documents.
        let fields = [given(CONTENT), given(STRUCTURED), given(DATA), document];
        return Ok(fields.into());
    }
    let mut fields = Vec::with_capacity(2 * envelope.attributes.len() + 2);
    for (name, value) in envelope.attributes {
        fields.extend([bytes_of(prefixed(&name)), bytes_of(value)]);
    }
    fields.extend([given(DATA), envelope.body]);
    Ok(fields)
}

/// Writes a field behind others into a text that a script takes apart (`cmsgpack.unpack`): a text of MessagePack,
/// whose first byte tells how its length is written.
pub(super) fn pack(field: &[u8], text: &mut Vec<u8>) {
    let length = field.len().to_be_bytes();
    match field.len() {
        short @ 0..32 => text.push(0xa0 | short as u8),
        32..0x1_0000 => {
            text.push(0xda);
            text.extend_from_slice(&length[length.len() - 2..]);
        }
        _ => {
            text.push(0xdb);
            text.extend_from_slice(&length[length.len() - 4..]);
        }
    }
    text.extend_from_slice(field);
}

/// The message in an entry.
pub(super) fn message(fields: &[Value], place: impl Display) -> Result<Message, Unreadable> {
    let mut attributes = Vec::with_capacity(fields.len() / 2);
    let (mut beside, mut body, mut is_structured) = (Vec::new(), <&[u8]>::default(), false);
    for pair in fields.chunks_exact(2) {
        let (name, value) = (bytes(&pair[0]), bytes(&pair[1]));
        let (text, is) = (String::from_utf8_lossy, |own: &str| name == own.as_bytes());
        match name.strip_prefix(PREFIX.as_bytes()) {
            Some(attribute) => attributes.push((text(attribute), text(value))),
            None if is(DATA) => body = value,
            None if is(CONTENT) && value.starts_with(b"application/cloudevents") => {
                is_structured = true;
            }
            None if is(CONTENT) => attributes.push(("datacontenttype".into(), text(value))),
            None if name.starts_with(OURS.as_bytes()) => {}
            None => beside.push((text(name), text(value))),
        }
    }
    let envelope = match is_structured {
        true => Envelope::from_json(body)?,
        false => Envelope {
            attributes,
            body: body.into(),
        },
    };
    envelope.unpack(beside, place)
}

/// A field of an entry, if it has it.
pub(super) fn field<'a>(fields: &'a [Value], name: &str) -> Option<&'a Value> {
    let mut pairs = fields.chunks_exact(2);
    let pair = pairs.find(|pair| bytes(&pair[0]) == name.as_bytes())?;
    pair.last()
}

/// The payload of an entry.
pub(super) fn payload(fields: &[Value]) -> usize {
    field(fields, DATA).map_or(0, |data| bytes(data).len())
}

/// A list.
pub(super) fn list(value: &Value) -> Result<&[Value], StoreFault> {
    match value {
        Value::Array(list) => Ok(list),
        Value::Nil => Ok(&[]),
        other => Err(damaged(format!("a server answered {other:?}, and no list"))),
    }
}

/// A number.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => lossy(other).parse().ok(),
    }
}

/// A text.
pub(super) fn lossy(value: &Value) -> String {
    match value {
        Value::SimpleString(text) => text.clone(),
        Value::Okay => String::from("OK"),
        other => String::from_utf8_lossy(bytes(other)).into_owned(),
    }
}

fn bytes(value: &Value) -> &[u8] {
    match value {
        Value::BulkString(bytes) => bytes,
        _ => &[],
    }
}

/// The item of a list.
pub(super) fn item(list: &[Value], at: usize) -> &Value {
    list.get(at).unwrap_or(&Value::Nil)
}

#[cfg(test)]
mod tests {
    use super::pack;

    #[test]
    fn a_packed_field_begins_with_its_length() {
        for (length, begin) in [
            (0, &[0xa0][..]),
            (31, &[0xbf]),
            (32, &[0xda, 0, 32]),
            (0xffff, &[0xda, 0xff, 0xff]),
            (0x1_0000, &[0xdb, 0, 1, 0, 0]),
        ] {
            let (field, mut text) = (vec![7; length], vec![1]);
            pack(&field, &mut text);
            assert_eq!(text, [&[1], begin, &field].concat(), "{length}");
        }
    }
}
