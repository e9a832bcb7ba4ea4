use paperflow_core::{Fault, Out, Packet, Param, Parameter, Record, Text, component};
use serde_json::Value as Json;

use crate::param::Field;

/// Writes the fields of a record into a text.
///
/// `{name}` in the template stands for a field, `{customer.name}` for one further inside; `{{` and
/// `}}` are plain braces. Texts are written as they are, nothing as an empty text, all else as JSON. A
/// record without one of the fields is a fault.
#[component("text/template", work = compute)]
#[example(
    pattern = "{name} owes {sum.due} {{!}}",
    input = [{"name": "Ada", "sum": {"due": -3}}],
    out = ["Ada owes -3 {!}"]
)]
pub(crate) fn template(
    /// Records.
    input: Record,
    /// The text with its gaps.
    #[port("TEMPLATE")]
    pattern: &Param<Pattern>,
    /// One text per record.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    out.put(pattern.fill(&input)?);
    Ok(())
}

/// A template, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(char),
    Gap(Field),
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let doubled = rest.starts_with("{{") || rest.starts_with("}}");
            let (piece, used) = match first {
                '{' | '}' if doubled => (Piece::Plain(first), 2),
                '{' => {
                    let end = rest.find('}')?;
                    (
                        Piece::Gap(Field::read(&Packet::text(&rest[1..end])).ok()?),
                        end + 1,
                    )
                }
                '}' => return None,
                plain => (Piece::Plain(plain), plain.len_utf8()),
            };
            pieces.push(piece);
            rest = &rest[used..];
        }
        Some(Self(pieces))
    }

    fn fill(&self, record: &Json) -> Result<String, Fault> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => text.push(*plain),
                Piece::Gap(field) => match field.get(record)? {
                    Json::Null => {}
                    Json::String(value) => text.push_str(value),
                    value => text.push_str(&value.to_string()),
                },
            }
        }
        Ok(text)
    }
}

impl Parameter for Pattern {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        Self::parse(&packet.to_string()).ok_or_else(|| {
            Fault::new(format!(
                "expected a text with gaps such as {{name}}, got {packet:?}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn doubled_braces_are_plain() {
        let filled = Pattern::parse("{{{a}}} ü")
            .unwrap()
            .fill(&json!({"a": "x"}));
        assert_eq!(filled.unwrap(), "{x} ü");
    }

    #[test]
    fn a_missing_field_is_named() {
        let fault = Pattern::parse("{a.b}")
            .unwrap()
            .fill(&json!({"a": 1}))
            .unwrap_err();
        assert_eq!(fault.message(), "the record has no field a.b");
    }

    #[test]
    fn single_braces_are_refused() {
        for text in ["{a", "a}", "{}", "{ }"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }
}
