//! Writing graph JSON.

use serde_json::{Map, Number, Value, json};

use crate::model::{Connection, Export, Graph, Group, Origin, PortRef, Process};

use super::TRACE;

/// How to write graph JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// Write port names in small letters and say that case does not count.
    pub lowercase_ports: bool,
}

/// The graph as JSON, keys in the order of the reference parser.
#[must_use]
pub fn to_json(graph: &Graph, options: JsonOptions) -> Value {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(String::from(key), value);
    put("inports", exports(&graph.inports, options));
    put("outports", exports(&graph.outports, options));
    put("groups", graph.groups.iter().map(group).collect());
    put("processes", processes(&graph.processes));
    let connections = graph.connections.iter();
    put(
        "connections",
        connections
            .map(|arrow| connection(arrow, options))
            .collect(),
    );
    if !graph.properties.is_empty() {
        let properties = graph.properties.iter();
        put(
            "properties",
            object(properties.map(|found| (found.key.clone(), &found.value))),
        );
    }
    put(
        "caseSensitive",
        Value::Bool(graph.case_sensitive && !options.lowercase_ports),
    );
    Value::Object(json)
}

/// The graph as JSON text, two blanks to a level, without a last line break.
#[must_use]
pub fn to_json_text(graph: &Graph, options: JsonOptions) -> String {
    format!("{:#}", to_json(graph, options))
}

fn exports(exports: &[Export], options: JsonOptions) -> Value {
    let entry = |export: &Export| (cased(&export.public, options), exported(export, options));
    Value::Object(exports.iter().map(entry).collect())
}

fn exported(export: &Export, options: JsonOptions) -> Value {
    let mut json = end(&export.process, &export.port, options);
    add_metadata(&mut json, &export.metadata);
    Value::Object(json)
}

fn group(group: &Group) -> Value {
    let mut json = Map::new();
    json.insert(String::from("name"), json!(group.name));
    json.insert(String::from("nodes"), json!(group.members));
    add_metadata(&mut json, &group.metadata);
    Value::Object(json)
}

fn processes(processes: &[Process]) -> Value {
    Value::Object(
        processes
            .iter()
            .map(|found| (found.name.clone(), process(found)))
            .collect(),
    )
}

fn process(process: &Process) -> Value {
    let mut json = Map::new();
    if let Some(component) = &process.component {
        json.insert(String::from("component"), json!(component));
    }
    let trace = process
        .trace
        .then(|| (String::from(TRACE), Value::Bool(true)));
    let metadata: Vec<_> = process.metadata.iter().cloned().chain(trace).collect();
    add_metadata(&mut json, &metadata);
    Value::Object(json)
}

fn connection(arrow: &Connection, options: JsonOptions) -> Value {
    let mut json = Map::new();
    let (key, from) = match &arrow.from {
        Origin::Port(from) => (
            "src",
            Value::Object(end(&from.process, &from.port, options)),
        ),
        Origin::Initial(initial) => ("data", plain(&initial.value)),
    };
    json.insert(String::from(key), from);
    let to = end(&arrow.to.process, &arrow.to.port, options);
    json.insert(String::from("tgt"), Value::Object(to));
    let attributes = arrow.attributes.iter();
    let attributes = attributes.map(|found| (found.key.clone(), attribute(&found.value)));
    let metadata: Vec<_> = attributes.chain(arrow.metadata.iter().cloned()).collect();
    add_metadata(&mut json, &metadata);
    Value::Object(json)
}

/// A whole number as such, anything else as text.
fn attribute(text: &str) -> Value {
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => json!(number),
        _ => json!(text),
    }
}

fn end(process: &str, port: &PortRef, options: JsonOptions) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert(String::from("process"), json!(process));
    json.insert(String::from("port"), json!(cased(&port.name, options)));
    if let Some(index) = port.index {
        json.insert(String::from("index"), json!(index));
    }
    json
}

fn add_metadata(json: &mut Map<String, Value>, metadata: &[(String, Value)]) {
    if !metadata.is_empty() {
        let entries = metadata.iter().map(|(key, value)| (key.clone(), value));
        json.insert(String::from("metadata"), object(entries));
    }
}

fn cased(name: &str, options: JsonOptions) -> String {
    if options.lowercase_ports {
        name.to_lowercase()
    } else {
        String::from(name)
    }
}

/// An object in the key order of JavaScript: whole numbers first, then as they come.
fn object<'a>(entries: impl Iterator<Item = (String, &'a Value)>) -> Value {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(key, _)| place(key).unwrap_or(u64::MAX));
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key, plain(value)))
            .collect(),
    )
}

/// The place of a key that JavaScript takes for an array index.
fn place(key: &str) -> Option<u64> {
    let number = key
        .parse::<u32>()
        .ok()
        .filter(|number| *number < u32::MAX)?;
    (number.to_string() == key).then_some(u64::from(number))
}

/// A value as JavaScript writes it, which has one kind of number: `1.0` is `1`.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(number).unwrap_or_else(|| number.clone())),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(entries) => object(entries.iter().map(|(key, value)| (key.clone(), value))),
        other => other.clone(),
    }
}

/// The whole number that a float stands for, as far as floats count exactly.
fn whole(number: &Number) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    let exact = float.fract() == 0.0 && float.abs() <= EXACT;
    exact.then(|| Number::from_i128(float as i128))?
}
