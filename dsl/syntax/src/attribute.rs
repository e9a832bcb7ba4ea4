//! The attributes on an arrow, read and compared with the table of those there are.

use paperflow_graph::attributes::{ATTRIBUTES, find};
use paperflow_graph::similar::suggest;
use paperflow_graph::{Attribute, Diagnostic, Span};
use serde_json::Value;

use crate::brackets::{Entered, Entry, entries, inside};
use crate::diagnostics::{bad_attribute_value, bad_component, unknown_attribute};
use crate::spelling::slice;

/// The attributes of an arrow, as read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) metadata: Vec<(String, Value)>,
    /// Where each piece of it is written.
    pub(crate) metadata_spans: Vec<Span>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads the attributes in the brackets at `span`.
pub(crate) fn read(text: &str, span: Span) -> Read {
    let group = slice(text, span);
    let mut read = Read::default();
    match entries(inside(group), 1) {
        Ok(entries) => entries.into_iter().for_each(|entry| read.add(entry, span)),
        Err(problem) => {
            read.diagnostics
                .push(bad_component(part(span, &problem.at), &problem.reason));
        }
    }
    read
}

impl Read {
    fn add(&mut self, entry: Entry, group: Span) {
        let span = part(group, &entry.at);
        let (key, value) = match entry.value {
            Entered::Json(value) => {
                self.metadata_spans.push(span);
                return self.metadata.push((entry.key, value));
            }
            Entered::Bare(word) => (String::from(bare_key(&word)), word),
            Entered::Plain(text) | Entered::Quoted(text) => (entry.key, text),
        };
        match find(&key) {
            Some(spec) if spec.form.fits(&value) => {
                self.attributes.push(Attribute { key, value, span });
            }
            Some(spec) => self
                .diagnostics
                .push(bad_attribute_value(span, spec, &value)),
            None => {
                let names = ATTRIBUTES.iter().map(|spec| spec.name);
                let near = suggest(&key, names);
                self.diagnostics
                    .push(unknown_attribute(span, &key, near.as_deref()));
            }
        }
    }
}

/// The key a bare word stands for: a number is a capacity, anything else a kind.
fn bare_key(word: &str) -> &'static str {
    if word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') {
        "capacity"
    } else {
        "kind"
    }
}

/// A part of a bracket, as a span.
pub(crate) fn part(group: Span, at: &std::ops::Range<usize>) -> Span {
    let narrow = |at: usize| {
        u32::try_from(at)
            .unwrap_or(u32::MAX)
            .saturating_add(group.start)
    };
    Span::new(group.file, narrow(at.start), narrow(at.end))
}
