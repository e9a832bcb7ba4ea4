//! How names and values are spelled: escapes, quotes, and back.

use std::borrow::Cow;

use paperflow_graph::Span;

use crate::lexer::starts_word;

/// The text a span covers.
pub(crate) fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize)
        .unwrap_or_default()
}

/// A name without its backslashes.
pub(crate) fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return String::from(raw);
    }
    let mut name = String::with_capacity(raw.len());
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next()),
            _ => name.push(letter),
        }
    }
    name
}

/// Text between quotes inside brackets, without the quotes and backslashes.
pub(crate) fn unquote(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut letters = raw
        .get(1..raw.len().saturating_sub(1))
        .unwrap_or_default()
        .chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(control)),
            _ => value.push(letter),
        }
    }
    value
}

/// The character an escape stands for: line ends and tabs have names, all else is itself.
fn control(letter: char) -> char {
    match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}

/// Text in double quotes, to stand inside brackets.
pub(crate) fn quote(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        match letter {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '"' | '\\' => text.extend(['\\', letter]),
            _ => text.push(letter),
        }
    }
    text.push('"');
    text
}

/// A process name with the backslashes it needs.
pub(crate) fn process(name: &str) -> Cow<'_, str> {
    if matches!(name, "true" | "false" | "null") {
        return Cow::Owned(format!("\\{name}"));
    }
    escape(name, |letter| letter == '-')
}

/// A port name with the backslashes it needs.
pub(crate) fn port(name: &str) -> Cow<'_, str> {
    match name.strip_prefix('*') {
        Some(rest) => Cow::Owned(format!("*{}", escape_rest(rest, |letter| letter == '.'))),
        None => inner(name),
    }
}

/// A port name as it stands in an export line, where a star is a character like others.
pub(crate) fn inner(name: &str) -> Cow<'_, str> {
    escape(name, |letter| letter == '.')
}

/// A name with a backslash before all that is not a letter, digit, `_` or `allowed`.
fn escape(name: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let mut letters = name.chars();
    let Some(first) = letters.next() else {
        return Cow::Borrowed(name);
    };
    if starts_word(first) && letters.all(|letter| is_plain(letter) || allowed(letter)) {
        return Cow::Borrowed(name);
    }
    let start = if starts_word(first) { "" } else { "\\" };
    let rest = escape_rest(&name[first.len_utf8()..], allowed);
    Cow::Owned(format!("{start}{first}{rest}"))
}

fn escape_rest(name: &str, allowed: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        if !is_plain(letter) && !allowed(letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

/// A letter, digit or `_`, in any script.
pub(crate) fn is_plain(letter: char) -> bool {
    starts_word(letter) || letter.is_numeric()
}

/// The first character of a raw name that needs a backslash and has none.
pub(crate) fn unescaped(raw: &str, allowed: char) -> Option<char> {
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if !is_plain(letter) && letter != allowed {
            return Some(letter);
        }
    }
    None
}

/// Where an escaped name has its first dot without a backslash.
pub(crate) fn first_dot(raw: &str) -> Option<usize> {
    let mut escaped = false;
    raw.char_indices().find_map(|(at, letter)| {
        let dot = letter == '.' && !escaped;
        escaped = letter == '\\' && !escaped;
        dot.then_some(at)
    })
}
