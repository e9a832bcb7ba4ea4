//! Diagnostics as people read them, and as programs do.

use std::collections::BTreeMap;
use std::fmt::Write;

use paperflow_graph::{Diagnostic, FileId, Severity, Sources, Span};
use serde_json::{Value as Json, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::out::Paint;

/// Of a longer line only the part around the mark is shown.
const WIDEST: usize = 160;
/// How much of a long line stands before the mark.
const BEFORE: usize = 60;

/// All of them, each followed by an empty line.
pub(super) fn all(diagnostics: &[Diagnostic], sources: &Sources, paint: Paint) -> String {
    diagnostics
        .iter()
        .map(|found| one(found, sources, paint) + "\n")
        .collect()
}

/// One of them: what is wrong, where, the lines in question with carets, the way out.
pub(super) fn one(found: &Diagnostic, sources: &Sources, paint: Paint) -> String {
    let snippets = snippets(found, sources);
    let lines = snippets.iter().flat_map(|snippet| snippet.lines.keys());
    let gutter = lines.max().map_or(1, |line| line.to_string().len());
    let mut text = headline(found, paint);
    for (at, snippet) in snippets.iter().enumerate() {
        let arrow = paint.rule(if at == 0 { "-->" } else { ":::" });
        let _ = writeln!(text, "{:gutter$}{arrow} {}", "", snippet.place);
        snippet.write(&mut text, gutter, paint);
    }
    if let Some(help) = &found.help {
        // Further lines stand under the first.
        let help = help.replace('\n', "\n      ");
        let _ = writeln!(text, "{} {help}", paint.help("help:"));
    }
    text
}

fn headline(found: &Diagnostic, paint: Paint) -> String {
    let code = found.code;
    let word = match found.severity {
        Severity::Error => paint.error(&format!("error[{code}]")),
        Severity::Warning => paint.warning(&format!("warning[{code}]")),
    };
    format!("{word}{}\n", paint.strong(&format!(": {}", found.message)))
}

/// The marked lines of one file.
struct Snippet {
    place: String,
    /// By line, from 1: its text and its marks.
    lines: BTreeMap<usize, (String, Vec<Mark>)>,
}

/// A mark under a line.
struct Mark {
    /// Bytes of the line.
    start: usize,
    end: usize,
    text: String,
    is_primary: bool,
}

/// The primary file first, then the others in order.
fn snippets(found: &Diagnostic, sources: &Sources) -> Vec<Snippet> {
    let mut marks = vec![(found.span, found.note.as_str(), true)];
    marks.extend(
        found
            .labels
            .iter()
            .map(|label| (label.span, label.text.as_str(), false)),
    );
    let mut files: Vec<FileId> = Vec::new();
    for (span, ..) in &marks {
        if !files.contains(&span.file) {
            files.push(span.file);
        }
    }
    let snippet = |file: FileId| {
        let mut here = marks
            .iter()
            .filter(|(span, ..)| span.file == file)
            .peekable();
        let place = here
            .peek()
            .map(|(span, ..)| sources.locate(*span))
            .unwrap_or_default();
        let mut lines = BTreeMap::new();
        for (span, text, is_primary) in here {
            add_mark(&mut lines, sources, *span, text, *is_primary);
        }
        Snippet { place, lines }
    };
    files.into_iter().map(snippet).collect()
}

fn add_mark(
    lines: &mut BTreeMap<usize, (String, Vec<Mark>)>,
    sources: &Sources,
    span: Span,
    text: &str,
    is_primary: bool,
) {
    let Some(file) = sources.get(span.file) else {
        return;
    };
    let (start, end) = (within(&file.text, span.start), within(&file.text, span.end));
    let number = file.text[..start].matches('\n').count() + 1;
    let first = file.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &file.text[first..];
    let line = rest
        .split('\n')
        .next()
        .unwrap_or_default()
        .trim_end_matches('\r');
    let (from, to) = (
        (start - first).min(line.len()),
        (end.max(start) - first).min(line.len()),
    );
    let entry = lines
        .entry(number)
        .or_insert_with(|| (String::from(line), Vec::new()));
    entry.1.push(Mark {
        start: from,
        end: to,
        text: String::from(text),
        is_primary,
    });
}

/// A place in the text, moved back to where a character begins.
fn within(text: &str, at: u32) -> usize {
    let mut at = (at as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Snippet {
    fn write(&self, text: &mut String, gutter: usize, paint: Paint) {
        let bar = paint.rule("|");
        let _ = writeln!(text, "{:gutter$} {bar}", "");
        let mut before = None;
        for (number, (line, marks)) in &self.lines {
            if before.is_some_and(|before| before + 1 < *number) {
                text.push_str("...\n");
            }
            before = Some(*number);
            let (from, shown) = window(line, marks);
            let number = paint.rule(&format!("{number:>gutter$}"));
            let line_shown = format!("{number} {bar} {shown}");
            let _ = writeln!(text, "{}", line_shown.trim_end());
            for mark in marks {
                let _ = writeln!(
                    text,
                    "{:gutter$} {bar} {}",
                    "",
                    under(line, from, mark, paint)
                );
            }
        }
        let _ = writeln!(text, "{:gutter$} {bar}", "");
    }
}

/// Where the shown part of a line begins, and the part. Cuts are shown as `...`.
fn window(line: &str, marks: &[Mark]) -> (usize, String) {
    let text = plain(line);
    if text.width() <= WIDEST {
        return (0, text);
    }
    let marked = marks.iter().map(|mark| mark.start).min().unwrap_or(0);
    let from = within(
        line,
        u32::try_from(marked.saturating_sub(BEFORE)).unwrap_or(u32::MAX),
    );
    let mut shown = String::new();
    for letter in line[from..].chars() {
        if shown.width() + 3 >= WIDEST {
            shown.push_str("...");
            break;
        }
        shown.push(visible(letter));
    }
    if from == 0 {
        return (0, shown);
    }
    (from, format!("...{shown}"))
}

/// The carets under a mark, with its words.
fn under(line: &str, from: usize, mark: &Mark, paint: Paint) -> String {
    let cut = if from == 0 { 0 } else { 3 };
    let before = plain(line.get(from..mark.start).unwrap_or_default()).width() + cut;
    let before = before.min(WIDEST);
    let width = plain(&line[mark.start..mark.end]).width().clamp(1, WIDEST);
    let (sign, paint_mark): (_, fn(Paint, &str) -> String) = if mark.is_primary {
        ("^", Paint::error)
    } else {
        ("-", Paint::rule)
    };
    let blank = if mark.text.is_empty() { "" } else { " " };
    let carets = format!("{}{blank}{}", sign.repeat(width), mark.text);
    format!("{:before$}{}", "", paint_mark(paint, &carets))
}

/// A text in which every character has a width of its own: a tab is a blank.
fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

fn visible(letter: char) -> char {
    match letter {
        '\t' => ' ',
        _ if letter.width().is_none() => char::REPLACEMENT_CHARACTER,
        _ => letter,
    }
}

/// One of them for a program.
pub(super) fn json(found: &Diagnostic, sources: &Sources) -> Json {
    let labels = found
        .labels
        .iter()
        .map(|label| with(place(label.span, sources), "text", json!(label.text)));
    let fix = found
        .fix
        .as_ref()
        .map(|fix| with(place(fix.span, sources), "text", json!(fix.text)));
    json!({
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "place": place(found.span, sources),
        "note": found.note,
        "labels": labels.collect::<Vec<_>>(),
        "help": found.help,
        "fix": fix,
    })
}

fn with(mut object: Json, key: &str, value: Json) -> Json {
    object[key] = value;
    object
}

fn place(span: Span, sources: &Sources) -> Json {
    let end = sources.place(Span::new(span.file, span.end, span.end));
    let start = sources.place(span);
    json!({
        "file": sources.get(span.file).map(|file| file.path.display().to_string()),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "start": span.start,
        "end": span.end,
    })
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, word: &str) -> String {
    let ending = if number == 1 {
        ""
    } else if word.ends_with('s') {
        "es"
    } else {
        "s"
    };
    format!("{number} {word}{ending}")
}

/// `2 errors and 1 warning`; `None` when there is neither.
pub(super) fn tally<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Option<String> {
    let (mut errors, mut warnings) = (0, 0);
    for found in diagnostics {
        match found.severity {
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
        }
    }
    match (errors, warnings) {
        (0, 0) => None,
        (_, 0) => Some(count(errors, "error")),
        (0, _) => Some(count(warnings, "warning")),
        _ => Some(format!(
            "{} and {}",
            count(errors, "error"),
            count(warnings, "warning")
        )),
    }
}
