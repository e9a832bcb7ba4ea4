//! Messages as entries of a Redis stream, and what scripts answer.
//!
//! In binary mode each attribute is a field `ce_NAME`, and the body is the field `data`; in structured mode
//! the field `content-type` says so, and `data` is the document. Other fields are headers.

use ::redis::Value;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Message, Unreadable};

use crate::broker::envelope::{Envelope, STRUCTURED};
use crate::fault::damaged;

const DATA: &str = "data";
const CONTENT: &str = "content-type";
const PREFIX: &str = "ce_";
/// What is said of a record, and not by its sender.
const OURS: &str = "pf_";

/// The fields of a message: names and values in turn.
pub(super) fn fields(
    message: &Message,
    source: &str,
    is_structured: bool,
) -> Result<Vec<Vec<u8>>, StoreFault> {
    let envelope = Envelope::pack(message, source)?;
    if is_structured {
        let document = envelope.to_json();
        // The scripts look for the identity, and not into documents.
        let fields = [CONTENT.into(), STRUCTURED.into(), DATA.into(), document];
        return Ok(fields.into());
    }
    let mut fields = Vec::with_capacity(2 * envelope.attributes.len() + 2);
    for (name, value) in envelope.attributes {
        fields.extend([format!("{PREFIX}{name}").into_bytes(), value.into_bytes()]);
    }
    fields.extend([DATA.into(), envelope.body]);
    Ok(fields)
}

/// The message in an entry.
pub(super) fn message(fields: &[Value], place: &str) -> Result<Message, Unreadable> {
    let (mut attributes, mut beside) = (Vec::new(), Vec::new());
    let (mut body, mut is_structured) = (Vec::new(), false);
    for pair in fields.chunks_exact(2) {
        let (name, value) = (lossy(&pair[0]), bytes(&pair[1]));
        let text = || String::from_utf8_lossy(value).into_owned();
        match name.strip_prefix(PREFIX) {
            Some(attribute) => attributes.push((attribute.to_owned(), text())),
            None if name == DATA => body = value.to_vec(),
            None if name == CONTENT && value.starts_with(b"application/cloudevents") => {
                is_structured = true;
            }
            None if name == CONTENT => attributes.push((String::from("datacontenttype"), text())),
            None if name.starts_with(OURS) => {}
            None => beside.push((name, text())),
        }
    }
    let envelope = match is_structured {
        true => Envelope::from_json(&body)?,
        false => Envelope { attributes, body },
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
