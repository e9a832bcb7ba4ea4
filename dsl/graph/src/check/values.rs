//! Payload kinds along arrows, and initial packets as values of parameters.

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::kinds_differ::Sided;
use crate::expand::Side;
use crate::plan::{End, Initial, Writer};

use super::View;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    for link in &view.plan.links {
        for writer in link.writers() {
            found.extend(unfit(view, writer, &link.to));
        }
    }
    found.extend(
        view.plan
            .initials
            .iter()
            .filter_map(|initial| unreadable(view, initial)),
    );
    let initials = view.plan.initials.iter();
    found.extend(initials.filter_map(|initial| misplaced(view, initial)));
}

/// An initial packet whose kind is certain and is none that its port takes.
fn misplaced(view: &View<'_>, initial: &Initial) -> Option<Diagnostic> {
    let port = view
        .port(Side::In, &initial.to)
        .filter(|port| !port.param)?;
    let kind = kind(&initial.value);
    let takes = &port.kinds;
    let fits = takes.0.is_empty() || takes.0.iter().any(|taken| taken == kind);
    let name = view.name(&initial.to);
    (!fits).then(|| diagnostics::initial_kind::at(&name, kind, &takes.to_string(), initial.span))
}

/// The kind of the packet that a value makes.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_i64().is_some() => "int",
        Value::Number(_) => "float",
        Value::String(_) => "text",
        Value::Array(_) | Value::Object(_) => "record",
    }
}

fn unfit(view: &View<'_>, writer: &Writer, to: &End) -> Option<Diagnostic> {
    let from = &writer.end;
    let sent = &view.port(Side::Out, from)?.kinds;
    let taken = &view.port(Side::In, to)?.kinds;
    if sent.meets(taken) {
        return None;
    }
    let (out, into) = (view.name(from), view.name(to));
    let from = Sided {
        port: &out,
        kinds: sent,
        span: from.span,
    };
    let to = Sided {
        port: &into,
        kinds: taken,
        span: writer.into,
    };
    Some(diagnostics::kinds_differ::at(&from, &to))
}

/// How the text of a parameter is read; what is not listed is left to the component.
struct Reader {
    kind: &'static str,
    called: &'static str,
    example: &'static str,
    reads: fn(&str) -> bool,
}

/// Each reader refuses only what no component could read as its kind.
const READERS: &[Reader] = &[
    Reader {
        kind: "int",
        called: "a whole number",
        example: "100",
        reads: is_int,
    },
    Reader {
        kind: "float",
        called: "a number",
        example: "0.5",
        reads: is_float,
    },
    Reader {
        kind: "bool",
        called: "a truth value",
        example: "true",
        reads: is_bool,
    },
    Reader {
        kind: "duration",
        called: "a duration",
        example: "5s",
        reads: is_duration,
    },
];

fn unreadable(view: &View<'_>, initial: &Initial) -> Option<Diagnostic> {
    let port = view.port(Side::In, &initial.to).filter(|port| port.param)?;
    let kind = port.parses.as_deref()?;
    let reader = READERS.iter().find(|reader| reader.kind == kind)?;
    let text = text(&initial.value)?;
    if (reader.reads)(text.trim()) {
        return None;
    }
    let name = view.name(&initial.to);
    let Reader {
        called, example, ..
    } = reader;
    Some(diagnostics::unreadable_value::at(
        &name,
        &text,
        called,
        example,
        initial.span,
    ))
}

/// The text a parameter would read; lists and records are left to the component.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Digits, with a sign and separators if need be; `5.0` from JSON is whole too.
fn is_int(text: &str) -> bool {
    let digits = text
        .strip_prefix(['+', '-'])
        .unwrap_or(text)
        .replace('_', "");
    let whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    whole(&digits)
        || digits
            .parse::<f64>()
            .is_ok_and(|number| number.fract() == 0.0)
}

fn is_float(text: &str) -> bool {
    text.replace('_', "").parse::<f64>().is_ok()
}

fn is_bool(text: &str) -> bool {
    let words = [
        "true", "false", "yes", "no", "on", "off", "1", "0", "t", "f", "y", "n",
    ];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A number and letters, or several of these.
fn is_duration(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let known = |letter: char| letter.is_alphanumeric() || " ._".contains(letter);
    starts && text.chars().all(known)
}
