//! JSON values that know where they were written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::source::{FileId, Span};

/// An entry of an object: its key, where that is written, and its value as text.
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) span: Span,
    pub(super) value: &'a str,
}

/// A JSON text being read, and what is wrong with it.
pub(super) struct Reader<'a> {
    text: &'a str,
    file: FileId,
    pub(super) found: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, file: FileId) -> Self {
        Self {
            text,
            file,
            found: Vec::new(),
        }
    }

    /// The text as one JSON value, or a report of where it stops being JSON.
    pub(super) fn top(&mut self) -> Option<&'a str> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Some(raw.get()),
            Err(error) => {
                let at = byte_of(text, error.line(), error.column()) + self.text.len() - text.len();
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                let span = Span::new(self.file, at, at);
                self.found.push(diagnostics::bad_json::at(&error, span));
                None
            }
        }
    }

    /// Where a part of the text is written.
    pub(super) fn span(&self, part: &str) -> Span {
        let start = part
            .as_ptr()
            .addr()
            .saturating_sub(self.text.as_ptr().addr());
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, place(start), place(start + part.len()))
    }

    /// The entries of an object, in order; none, and a report, if it is something else.
    pub(super) fn object(&mut self, value: &'a str, what: &str) -> Vec<Entry<'a>> {
        let entries = serde_json::from_str::<Entries<'a>>(value);
        let Ok(Entries(entries)) = entries else {
            self.misshapen(value, what, "an object");
            return Vec::new();
        };
        let placed = |(key, raw): (Cow<'a, str>, &'a RawValue)| {
            let value = raw.get();
            Entry {
                span: self.key_span(&key, value),
                key,
                value,
            }
        };
        entries.into_iter().map(placed).collect()
    }

    /// The items of a list; none, and a report, if it is something else.
    pub(super) fn list(&mut self, value: &'a str, what: &str) -> Vec<&'a str> {
        match serde_json::from_str::<Vec<&RawValue>>(value) {
            Ok(items) => items.into_iter().map(RawValue::get).collect(),
            Err(_) => {
                self.misshapen(value, what, "a list");
                Vec::new()
            }
        }
    }

    /// A text; a report if it is something else.
    pub(super) fn text(&mut self, value: &'a str, what: &str) -> Option<String> {
        self.typed(value, what, "a text")
    }

    /// A truth value; a report if it is something else.
    pub(super) fn truth(&mut self, value: &'a str, what: &str) -> Option<bool> {
        self.typed(value, what, "true or false")
    }

    /// An array index; a report if it is something else.
    pub(super) fn index(&mut self, value: &'a str, what: &str) -> Option<u32> {
        self.typed(value, what, "a whole number from 0")
    }

    /// Any value.
    pub(super) fn value(&mut self, value: &'a str) -> Value {
        self.typed(value, "value", "a value").unwrap_or_default()
    }

    fn typed<T: Deserialize<'a>>(&mut self, value: &'a str, what: &str, kind: &str) -> Option<T> {
        let read = serde_json::from_str(value).ok();
        if read.is_none() {
            self.misshapen(value, what, kind);
        }
        read
    }

    /// Reports an object without one of the entries it must have.
    pub(super) fn lacks(&mut self, value: &'a str, what: &str, key: &str) {
        let span = self.span(value);
        self.found
            .push(diagnostics::wrong_shape::lacks(what, key, span));
    }

    /// Reports an entry that an object of this sort does not have.
    pub(super) fn unknown(&mut self, entry: &Entry<'_>, what: &str, known: &[&str]) {
        self.found.push(diagnostics::unknown_key::at(
            &entry.key, what, known, entry.span,
        ));
    }

    fn misshapen(&mut self, value: &'a str, what: &str, kind: &str) {
        let span = self.span(value);
        self.found
            .push(diagnostics::wrong_shape::at(what, kind, span));
    }

    /// The quoted key before a value; the value itself if the key is written with escapes.
    fn key_span(&self, key: &str, value: &str) -> Span {
        let value = self.span(value);
        let before = self
            .text
            .get(..value.start as usize)
            .unwrap_or_default()
            .trim_end();
        let before = before.strip_suffix(':').unwrap_or_default().trim_end();
        let quoted = format!("\"{key}\"");
        if !before.ends_with(&quoted) {
            return value;
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(
            value.file,
            place(before.len() - quoted.len()),
            place(before.len()),
        )
    }
}

/// The byte at a line and column, both from 1, columns in bytes.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// An object with its order and repeated keys kept.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
