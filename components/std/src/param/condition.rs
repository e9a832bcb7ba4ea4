use std::cmp::Ordering;

use paperflow_core::{Fault, Packet, Parameter};
use serde_json::Value as Json;

use super::expected;
use crate::datum::Datum;

/// A test of one value, such as `>= 10`, `= red`, `contains x` or `exists`.
///
/// A text is compared with the text that is written, by code point; a number, a truth value or
/// nothing with what the text reads as. Values of kinds that cannot be compared are only `!=`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    test: Test,
    text: String,
    value: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
    StartsWith,
    EndsWith,
    Exists,
    Missing,
}

/// As written; where one is the start of another the longer one stands first.
const WORDS: [(&str, Test); 12] = [
    ("==", Test::Equal),
    ("!=", Test::NotEqual),
    ("<=", Test::AtMost),
    (">=", Test::AtLeast),
    ("=", Test::Equal),
    ("<", Test::Less),
    (">", Test::More),
    ("contains ", Test::Contains),
    ("starts-with ", Test::StartsWith),
    ("ends-with ", Test::EndsWith),
    ("exists", Test::Exists),
    ("missing", Test::Missing),
];

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let split =
            |(word, test): &(&str, Test)| text.strip_prefix(word).map(|rest| (*test, rest.trim()));
        let (test, rest) = WORDS.iter().find_map(split)?;
        let is_complete = match test {
            Test::Exists | Test::Missing => rest.is_empty(),
            Test::Equal | Test::NotEqual => true,
            _ => !rest.is_empty(),
        };
        if !is_complete {
            return None;
        }
        let value: Json = serde_json::from_str(rest).unwrap_or_else(|_| rest.into());
        let text = value.as_str().unwrap_or(rest).to_owned();
        Some(Self { test, text, value })
    }

    /// Whether a value passes; none when there is no such field. Then only `missing` is true.
    pub(crate) fn holds(&self, datum: Option<Datum<'_>>) -> bool {
        let Some(datum) = datum else {
            return self.test == Test::Missing;
        };
        match (self.test, datum) {
            (Test::Exists, _) => true,
            (Test::Missing, _) => false,
            (Test::Contains, Datum::Text(text)) => text.contains(&self.text),
            (Test::StartsWith, Datum::Text(text)) => text.starts_with(&self.text),
            (Test::EndsWith, Datum::Text(text)) => text.ends_with(&self.text),
            (_, Datum::Text(_)) => self.compares(datum, Datum::Text(&self.text)),
            _ => self.compares(datum, Datum::from(&self.value)),
        }
    }

    fn compares(&self, datum: Datum<'_>, value: Datum<'_>) -> bool {
        if !datum.is_like(value) {
            return self.test == Test::NotEqual;
        }
        let order = datum.compare(value);
        match self.test {
            Test::Equal => order == Ordering::Equal,
            Test::NotEqual => order != Ordering::Equal,
            Test::Less => order == Ordering::Less,
            Test::AtMost => order != Ordering::Greater,
            Test::More => order == Ordering::Greater,
            Test::AtLeast => order != Ordering::Less,
            _ => false,
        }
    }
}

impl Parameter for Condition {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match Self::parse(&packet.to_string()) {
            Some(condition) => Ok(condition),
            None => expected(
                "a test: one of = != < <= > >= contains starts-with ends-with and a value, or exists or missing",
                packet,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(test: &str, packet: Packet) -> bool {
        Condition::parse(test)
            .unwrap()
            .holds(Some(Datum::from(&packet)))
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(holds(">= 10", Packet::int(10)));
        assert!(holds("< -1.5", Packet::int(-2)));
        assert!(!holds("> 10", Packet::float(9.5)));
        assert!(!holds("> x", Packet::int(9)));
        assert!(holds("!= x", Packet::int(9)));
    }

    #[test]
    fn texts_are_compared_as_written() {
        assert!(holds("= 5", Packet::text("5")));
        assert!(holds("= \" x\"", Packet::text(" x")));
        assert!(holds("=", Packet::text("")));
        assert!(holds("contains ü", Packet::text("grün")));
        assert!(holds("starts-with gr", Packet::text("grün")));
        assert!(!holds("ends-with x", Packet::text("grün")));
    }

    #[test]
    fn a_missing_field_passes_only_missing() {
        let holds = |test: &str| Condition::parse(test).unwrap().holds(None);
        assert!(holds("missing"));
        assert!(!holds("exists"));
        assert!(!holds("!= 1"));
    }

    #[test]
    fn what_is_no_test_is_refused() {
        for text in ["", "10", "about 10", ">", "contains", "exists 3"] {
            assert_eq!(Condition::parse(text), None, "{text}");
        }
    }
}
