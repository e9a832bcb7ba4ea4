//! What is reported only because a statement could not be read.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use paperflow_graph::{Diagnostic, FileId, Severity, Sources, Span};

/// Diagnostics of something that is absent; it may stand in what could not be read.
const ABSENCES: [&str; 7] = [
    "P0202", "P0205", "P0209", "P0301", "P0309", "P0310", "P0311",
];

/// A graph without processes.
const EMPTY: &str = "P0212";

/// A diagnostic of the text alone begins like this.
const TEXT: &str = "P01";

/// Leaves out what is absent in the graph but named in a line that could not be read: mending that
/// line mends it, too, or a second look shows it.
pub(super) fn leave_out(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    let unread = unread_lines(diagnostics, sources);
    let files: HashSet<FileId> = unread.iter().map(|lines| lines.file).collect();
    let words = unread.iter().flat_map(|lines| {
        let words = text(*lines, sources).split(|letter| !is_part_of_name(letter));
        words.map(|word| (lines.file, word))
    });
    let words: HashSet<(FileId, &str)> = words.collect();
    let may_be_unread = |found: &Diagnostic| match found.code {
        EMPTY => files.contains(&found.span.file),
        code if ABSENCES.contains(&code) => {
            words.contains(&(found.span.file, text(found.span, sources).trim_matches('"')))
        }
        _ => false,
    };
    diagnostics.retain(|found| !may_be_unread(found));
}

/// The lines with an error of the text, each once.
fn unread_lines(diagnostics: &[Diagnostic], sources: &Sources) -> BTreeSet<Span> {
    let errors = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let broken = errors.filter(|found| found.code.starts_with(TEXT));
    broken.map(|found| lines(found.span, sources)).collect()
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || "_-\\/".contains(letter)
}

/// The whole lines that a span touches.
fn lines(span: Span, sources: &Sources) -> Span {
    let Some(file) = sources.get(span.file) else {
        return span;
    };
    let Range { start, end } = bytes(span, &file.text);
    let first = file.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let last = file.text[end..]
        .find('\n')
        .map_or(file.text.len(), |at| end + at);
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(span.file, offset(first), offset(last))
}

fn text(span: Span, sources: &Sources) -> &str {
    sources
        .get(span.file)
        .map_or("", |file| &file.text[bytes(span, &file.text)])
}

/// The part of a text that a span covers, moved out to where characters begin and end.
fn bytes(span: Span, text: &str) -> Range<usize> {
    let (mut start, mut end) = (
        (span.start as usize).min(text.len()),
        (span.end as usize).min(text.len()),
    );
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_graph() {
        let known = paperflow_graph::diagnostics::EXPLANATIONS;
        for code in ABSENCES.iter().chain([&EMPTY]) {
            assert!(known.iter().any(|(other, ..)| other == code), "{code}");
        }
    }
}
