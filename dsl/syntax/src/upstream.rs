//! The text npm `fbp` 1.8.0 prints for a graph, byte for byte, losses included.

use std::collections::{HashMap, HashSet};

use paperflow_graph::{Connection, End, Export, Graph, Origin, Process};
use serde_json::Value;

use crate::lexer::is_key;

/// Writes a graph as upstream's serializer does, for tools that compare its bytes. (Its command adds
/// one line end.)
///
/// What that text loses (indexes, node metadata, processes without arrows, the component of the
/// second process of one component) is lost here, too; [`print`](crate::print()) loses nothing.
/// Where upstream crashes, at a process without a label among its metadata, its own name stands.
#[must_use]
pub fn print_upstream(graph: &Graph) -> String {
    let by_name = graph
        .processes
        .iter()
        .map(|process| (process.name.as_str(), process))
        .collect();
    let mut printer = Upstream {
        graph,
        by_name,
        named: HashSet::new(),
    };
    let mut text = properties(graph);
    let (inports, outports) = (&graph.inports, &graph.outports);
    text.extend(last_of_each(inports, public).map(|export| printer.export("INPORT", export)));
    text.extend(last_of_each(outports, public).map(|export| printer.export("OUTPORT", export)));
    text.push('\n');
    text.extend(
        graph
            .connections
            .iter()
            .map(|connection| printer.connection(connection)),
    );
    text
}

struct Upstream<'a> {
    graph: &'a Graph,
    by_name: HashMap<&'a str, &'a Process>,
    /// Components that have been printed.
    named: HashSet<&'a str>,
}

impl<'a> Upstream<'a> {
    fn export(&self, keyword: &str, export: &Export) -> String {
        let process = self.name(&export.process);
        let (port, public) = (self.cased(&export.port.name), self.cased(&export.public));
        format!("{keyword}={process}.{port}:{public}\n")
    }

    fn connection(&mut self, connection: &'a Connection) -> String {
        let from = match &connection.from {
            Origin::Initial(initial) => format!("\"{}\"", as_text(&initial.value)),
            Origin::Port(end) => format!("{} {}", self.end(end), self.cased(&end.port.name)),
        };
        let to = &connection.to;
        let port = self.cased(&to.port.name);
        format!("{from} -> {port} {}\n", self.end(to))
    }

    /// The process, with its component when no process of that component came before.
    fn end(&mut self, end: &'a End) -> String {
        let name = self.name(&end.process);
        let Some(process) = self.by_name.get(end.process.as_str()) else {
            return name;
        };
        let component = process.component.as_deref().unwrap_or("undefined");
        if self.named.insert(component) {
            format!("{name}({component})")
        } else {
            name
        }
    }

    /// The last part of the label, or of the name without one.
    fn name(&self, name: &str) -> String {
        let process = self.by_name.get(name);
        let label = process.and_then(|process| {
            let mut pairs = process.metadata.iter();
            pairs.find(|(key, _)| key == "label")?.1.as_str()
        });
        let whole = label.unwrap_or(name);
        String::from(whole.rsplit('/').next().unwrap_or(whole))
    }

    fn cased(&self, name: &str) -> String {
        if self.graph.case_sensitive {
            String::from(name)
        } else {
            name.to_uppercase()
        }
    }
}

fn properties(graph: &Graph) -> String {
    let runtime = graph
        .property("environment")
        .and_then(|value| value.get("type"));
    let runtime = runtime.filter(|runtime| is_true(runtime)).map(as_text);
    let mut text = runtime
        .map(|runtime| format!("# @runtime {runtime}\n"))
        .unwrap_or_default();
    for property in last_of_each(&graph.properties, |property| &property.key) {
        let value = property.value.as_str().filter(|value| is_plain_text(value));
        if let Some(value) = value.filter(|_| is_plain_key(&property.key)) {
            text.push_str(&format!("# @{} {value}\n", property.key));
        }
    }
    text
}

fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(is_key)
}

fn is_plain_text(value: &str) -> bool {
    let plain = |letter: char| is_key(letter) || letter == '.' || is_blank(letter);
    !value.is_empty() && value.chars().all(plain)
}

/// JavaScript's `\s`.
fn is_blank(letter: char) -> bool {
    letter == '\u{feff}' || (letter.is_whitespace() && letter != '\u{85}')
}

fn public(export: &Export) -> &str {
    &export.public
}

/// The last of each name, in the order a JavaScript object lists its keys: array indexes by value,
/// then the others as they first came.
fn last_of_each<'a, T>(all: &'a [T], name: fn(&'a T) -> &'a str) -> impl Iterator<Item = &'a T> {
    let mut found: Vec<&T> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for item in all {
        match places.get(name(item)) {
            Some(at) => found[*at] = item,
            None => {
                places.insert(name(item), found.len());
                found.push(item);
            }
        }
    }
    found.sort_by_key(|item| array_index(name(item)).unwrap_or(u32::MAX));
    found.into_iter()
}

fn array_index(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index.to_string() == name && index < u32::MAX).then_some(index)
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

/// What JavaScript makes of a value beside a text.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map(number_text).unwrap_or_default(),
        Value::Object(_) => String::from("[object Object]"),
        Value::Array(items) => items.iter().map(item_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn item_text(value: &Value) -> String {
    if value.is_null() {
        String::new()
    } else {
        as_text(value)
    }
}

/// A number as JavaScript writes it (ECMA-262, Number::toString).
fn number_text(number: f64) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let point = exponent + 1;
    let text = match point {
        _ if !(-5..=21).contains(&point) => exponential(&digits, exponent),
        _ if point <= 0 => format!("0.{}{digits}", zeros(-point)),
        _ if point >= count => format!("{digits}{}", zeros(point - count)),
        _ => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
            format!("{whole}.{fraction}")
        }
    };
    format!("{sign}{text}")
}

fn exponential(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e{exponent:+}")
}
