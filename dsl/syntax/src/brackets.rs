//! What round brackets hold: a component with node metadata, or an arrow's attributes.

use std::borrow::Cow;
use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::take_till;
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, opt, recognize};
use nom::sequence::pair;
use nom::{IResult, Parser};
use paperflow_graph::attributes::KINDS;
use paperflow_graph::places::Places;
use serde_json::{Deserializer, Value};

use crate::lexer::quoted;
use crate::spelling::{is_plain, unquote};

/// Why brackets cannot be read, and which bytes of them are to blame.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: Range<usize>,
    pub(crate) reason: String,
}

/// `(component:metadata)`.
#[derive(Debug, Default)]
pub(crate) struct Body<'a> {
    /// The component, unless left out.
    pub(crate) component: Option<Cow<'a, str>>,
    /// Its bytes.
    pub(crate) at: Range<usize>,
    /// The metadata, if a colon came.
    pub(crate) metadata: Option<Vec<(String, Value)>>,
}

/// An item of a list in brackets.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Range<usize>,
    pub(crate) key: String,
    pub(crate) value: Entered,
}

/// What an item gives.
#[derive(Debug, PartialEq)]
pub(crate) enum Entered {
    /// No key: `word`.
    Bare(String),
    /// `key=word`
    Plain(String),
    /// `key="text"`
    Quoted(String),
    /// `key:=json`
    Json(Value),
}

/// Whether brackets after an arrow are attributes: their first item is a number, a kind of
/// connector, or has a key. All else is an anonymous process, as upstream has it.
pub(crate) fn is_attributes(group: &str) -> bool {
    let inner = inside(group);
    let first = inner.split(',').next().unwrap_or_default().trim();
    if is_number(first) || KINDS.contains(&first) {
        return true;
    }
    match raw_quoted(inner.trim_start()) {
        Ok((after, _)) => after.starts_with(":="),
        Err(_) => first.find('=').is_some_and(|at| !first[..at].contains(':')),
    }
}

fn is_number(text: &str) -> bool {
    let fraction = opt(pair(char('.'), digit1));
    let parsed: IResult<&str, &str> =
        all_consuming(recognize((opt(char('-')), digit1, fraction))).parse(text);
    parsed.is_ok()
}

/// What stands between the brackets.
pub(crate) fn inside(group: &str) -> &str {
    group
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
        .unwrap_or_default()
}

/// Reads `(component:key=value,...)`.
pub(crate) fn body(group: &str) -> Result<Body<'_>, Problem> {
    let inner = inside(group);
    let (after, raw) = component_text(inner);
    let trimmed = raw.trim();
    let start = 1 + raw.len() - raw.trim_start().len();
    let at = start..start + trimmed.len();
    let component = component(trimmed, &at)?;
    let metadata = match after.strip_prefix(':') {
        Some("") => return Err(problem(at.end..at.end + 1, "nothing follows the colon")),
        Some(list) => Some(metadata(entries(list, group.len() - 1 - list.len())?)),
        None if !after.trim().is_empty() => {
            return Err(problem(
                at.end..group.len() - 1,
                "a colon must follow the component",
            ));
        }
        None => None,
    };
    Ok(Body {
        component,
        at,
        metadata,
    })
}

fn component_text(inner: &str) -> (&str, &str) {
    let plain = take_till::<_, _, nom::error::Error<&str>>(|letter| letter == ':');
    alt((raw_quoted, plain)).parse(inner).unwrap_or(("", inner))
}

fn component<'a>(text: &'a str, at: &Range<usize>) -> Result<Option<Cow<'a, str>>, Problem> {
    if text.starts_with(['"', '\'']) {
        return Ok(Some(Cow::Owned(unquote(text))));
    }
    match text
        .char_indices()
        .find(|(_, letter)| !in_component(*letter))
    {
        Some((bad, letter)) => {
            let at = at.start + bad..at.start + bad + letter.len_utf8();
            Err(problem(
                at,
                &format!("`{letter}` needs quotes around the component"),
            ))
        }
        None => Ok((!text.is_empty()).then_some(Cow::Borrowed(text))),
    }
}

/// Whether a character may stand in a component's name without quotes.
pub(crate) fn in_component(letter: char) -> bool {
    is_plain(letter) || matches!(letter, '/' | '-' | '.' | '@')
}

/// Reads a list whose first byte is byte `base` of its brackets.
pub(crate) fn entries(list: &str, base: usize) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    let mut left = list;
    loop {
        let at = base + list.len() - left.len();
        let (after, entry) = entry(left, at)?;
        entries.push(entry);
        match after.strip_prefix(',') {
            Some(more) => left = more,
            None if after.is_empty() => return Ok(entries),
            None => {
                let at = base + list.len() - after.len();
                return Err(problem(at..at + after.len(), "a comma is missing"));
            }
        }
    }
}

fn entry(text: &str, base: usize) -> Result<(&str, Entry), Problem> {
    let start = text.trim_start();
    let base = base + text.len() - start.len();
    let (after, key) = key(start);
    let (after, value) = match (after.strip_prefix(":="), after.strip_prefix('=')) {
        (Some(json), _) => {
            let at = base + start.len() - json.len();
            let (after, value) = json_value(json, at)?;
            (after, Entered::Json(value))
        }
        (None, Some(value)) => text_value(value),
        (None, None) => (after, Entered::Bare(key.clone())),
    };
    let after = after.trim_start();
    let length = start[..start.len() - after.len()].trim_end().len();
    Ok((
        after,
        Entry {
            at: base..base + length,
            key,
            value,
        },
    ))
}

fn key(text: &str) -> (&str, String) {
    if let Ok((after, raw)) = raw_quoted(text) {
        return (after.trim_start(), unquote(raw));
    }
    let end = text.find([',', '=']).unwrap_or(text.len());
    let end = if text[..end].ends_with(':') && text[end..].starts_with('=') {
        end - 1
    } else {
        end
    };
    (&text[end..], String::from(text[..end].trim()))
}

fn text_value(text: &str) -> (&str, Entered) {
    if let Ok((after, raw)) = raw_quoted(text.trim_start()) {
        return (after, Entered::Quoted(unquote(raw)));
    }
    let (value, after) = text.split_at(text.find(',').unwrap_or(text.len()));
    let value = value.split('=').next().unwrap_or_default();
    (after, Entered::Plain(String::from(value.trim())))
}

fn json_value(text: &str, base: usize) -> Result<(&str, Value), Problem> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let (value, end) = match values.next() {
        Some(Ok(value)) => (value, values.byte_offset()),
        _ => scalar(text).ok_or_else(|| {
            problem(
                base..base + text.len(),
                "what follows `:=` is not a JSON value",
            )
        })?,
    };
    Ok((&text[end..], value))
}

/// A number or keyword, which a comma may follow.
fn scalar(text: &str) -> Option<(Value, usize)> {
    let end = text.find(',').unwrap_or(text.len());
    serde_json::from_str(&text[..end])
        .ok()
        .map(|value| (value, end))
}

/// Node metadata, as upstream reads it: a bare word is `routes`, `x` and `y` are numbers, a later
/// value takes the place of an earlier one.
fn metadata(entries: Vec<Entry>) -> Vec<(String, Value)> {
    let mut metadata: Vec<(String, Value)> = Vec::with_capacity(entries.len());
    let mut places = Places::default();
    for entry in entries {
        let (key, value) = match entry.value {
            Entered::Bare(word) => (String::from("routes"), Value::from(word)),
            Entered::Plain(text) => {
                let value = plain_value(&entry.key, text);
                (entry.key, value)
            }
            Entered::Quoted(text) => (entry.key, Value::from(text)),
            Entered::Json(value) => (entry.key, value),
        };
        let end = metadata.len();
        let at = places.enter(&key.as_str(), end, |at| metadata[at].0.as_str());
        if at == end {
            metadata.push((key, value));
        } else {
            metadata[at].1 = value;
        }
    }
    metadata
}

/// The value of an unquoted `key=text`.
pub(crate) fn plain_value(key: &str, text: String) -> Value {
    if matches!(key, "x" | "y") {
        coordinate(&text)
    } else {
        Value::from(text)
    }
}

/// A number at the start of the text, as JavaScript's `parseFloat` finds it; null without one.
fn coordinate(text: &str) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match nom::number::complete::recognize_float::<_, nom::error::Error<&str>>.parse(text) {
        Ok((_, number)) => match number.parse::<f64>() {
            Ok(float) if float.fract() == 0.0 && float.abs() < EXACT => Value::from(float as i64),
            Ok(float) => Value::from(float),
            Err(_) => Value::Null,
        },
        Err(_) => Value::Null,
    }
}

fn raw_quoted(text: &str) -> IResult<&str, &str> {
    alt((quoted('"'), quoted('\''))).parse(text)
}

fn problem(at: Range<usize>, reason: &str) -> Problem {
    Problem {
        at,
        reason: String::from(reason),
    }
}
