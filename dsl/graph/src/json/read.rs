//! Reading graph JSON.

use serde_json::Value;

use crate::attributes;
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::model::{
    Attribute, Connection, End, Export, Graph, Group, Initial, Origin, PortRef, Process, Property,
};
use crate::source::{FileId, Span};

use super::TRACE;
use super::tree::{Entry, Reader};

/// Reads graph JSON; what is wrong is reported and left out.
#[must_use]
pub fn from_json(text: &str, file: FileId) -> (Graph, Vec<Diagnostic>) {
    let mut reader = Reader::new(text, file);
    let mut graph = Graph::default();
    if let Some(top) = reader.top() {
        for entry in reader.object(top, "a graph") {
            section(&mut reader, &mut graph, &entry);
        }
    }
    if let Some(Value::String(name)) = graph.property("name") {
        graph.name = name.clone();
    }
    (graph, reader.found)
}

const SECTIONS: &[&str] = &[
    "caseSensitive",
    "properties",
    "inports",
    "outports",
    "groups",
    "processes",
    "connections",
];

fn section<'a>(reader: &mut Reader<'a>, graph: &mut Graph, entry: &Entry<'a>) {
    let value = entry.value;
    match &*entry.key {
        "caseSensitive" => {
            graph.case_sensitive = reader.truth(value, "caseSensitive").unwrap_or_default();
        }
        "properties" => graph.properties = properties(reader, value),
        "inports" => graph.inports = exports(reader, value, "inports"),
        "outports" => graph.outports = exports(reader, value, "outports"),
        "groups" => {
            let items = reader.list(value, "groups");
            graph.groups = items.into_iter().map(|item| group(reader, item)).collect();
        }
        "processes" => graph.processes = processes(reader, value),
        "connections" => {
            let items = reader.list(value, "connections");
            let arrows = items
                .into_iter()
                .filter_map(|item| connection(reader, item));
            graph.connections = arrows.collect();
        }
        _ => reader.unknown(entry, "a graph", SECTIONS),
    }
}

fn properties<'a>(reader: &mut Reader<'a>, value: &'a str) -> Vec<Property> {
    let entries = reader.object(value, "properties");
    let property = |entry: Entry<'a>| Property {
        value: reader.value(entry.value),
        key: entry.key.into_owned(),
        span: entry.span,
    };
    entries.into_iter().map(property).collect()
}

fn metadata<'a>(reader: &mut Reader<'a>, value: &'a str) -> Vec<(String, Value)> {
    let entries = reader.object(value, "metadata");
    entries
        .into_iter()
        .map(|entry| (entry.key.into_owned(), reader.value(entry.value)))
        .collect()
}

fn exports<'a>(reader: &mut Reader<'a>, value: &'a str, what: &str) -> Vec<Export> {
    let entries = reader.object(value, what);
    entries
        .into_iter()
        .filter_map(|entry| export(reader, entry))
        .collect()
}

fn export<'a>(reader: &mut Reader<'a>, entry: Entry<'a>) -> Option<Export> {
    let what = "an exported port";
    let mut metadata_found = Vec::new();
    let mut parts = Parts::default();
    for part in reader.object(entry.value, what) {
        match &*part.key {
            "metadata" => metadata_found = metadata(reader, part.value),
            _ => parts.take(reader, &part, what),
        }
    }
    let end = parts.end(reader, entry.value, what)?;
    Some(Export {
        public: entry.key.into_owned(),
        process: end.process,
        port: end.port,
        metadata: metadata_found,
        span: entry.span,
    })
}

fn group<'a>(reader: &mut Reader<'a>, value: &'a str) -> Group {
    let mut group = Group::default();
    for entry in reader.object(value, "a group") {
        match &*entry.key {
            "name" => {
                let name = reader.text(entry.value, "a group's name");
                group.name = name.unwrap_or_default();
            }
            "nodes" => {
                let nodes = reader.list(entry.value, "a group's nodes");
                let names = nodes
                    .into_iter()
                    .filter_map(|node| reader.text(node, "a node"));
                group.members = names.collect();
            }
            "metadata" => group.metadata = metadata(reader, entry.value),
            _ => reader.unknown(&entry, "a group", &["name", "nodes", "metadata"]),
        }
    }
    group
}

fn processes<'a>(reader: &mut Reader<'a>, value: &'a str) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    let mut first = std::collections::HashMap::new();
    for entry in reader.object(value, "processes") {
        let process = process(reader, &entry);
        if let Some(earlier) = first.insert(process.name.clone(), entry.span) {
            let found = diagnostics::clashing_name::at(&process.name, earlier, entry.span);
            reader.found.push(found);
            continue;
        }
        processes.push(process);
    }
    processes
}

fn process<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Process {
    let name = entry.key.clone().into_owned();
    let mut process = Process {
        name,
        span: entry.span,
        ..Process::default()
    };
    for part in reader.object(entry.value, "a process") {
        match &*part.key {
            "component" => {
                process.component = reader.text(part.value, "a component");
                process.component_span = Some(reader.span(part.value));
            }
            "metadata" => process.metadata = metadata(reader, part.value),
            _ => reader.unknown(&part, "a process", &["component", "metadata"]),
        }
    }
    let traced = |(key, value): &(String, Value)| key == TRACE && *value == Value::Bool(true);
    process.trace = process.metadata.iter().any(traced);
    process.metadata.retain(|entry| !traced(entry));
    process
}

fn connection<'a>(reader: &mut Reader<'a>, value: &'a str) -> Option<Connection> {
    let what = "a connection";
    let mut from = None;
    let mut to = None;
    let mut attributes = Vec::new();
    let mut others = Vec::new();
    let mut places = Vec::new();
    let entries = reader.object(value, what);
    check_ends(reader, value, &entries);
    for entry in entries {
        match &*entry.key {
            "src" => from = end(reader, entry.value, "a source").map(Origin::Port),
            "data" => from = Some(initial(reader, entry.value)),
            "tgt" => to = end(reader, entry.value, "a target"),
            "metadata" => (attributes, others, places) = arrow_metadata(reader, entry.value),
            _ => reader.unknown(&entry, what, &["src", "data", "tgt", "metadata"]),
        }
    }
    let (from, to) = from.zip(to)?;
    let span = reader.span(value);
    Some(Connection {
        from,
        to,
        attributes,
        metadata: others,
        metadata_spans: places,
        span,
    })
}

/// Reports a connection that has not both ends; what is wrong with an end is reported there.
fn check_ends<'a>(reader: &mut Reader<'a>, value: &'a str, entries: &[Entry<'a>]) {
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    if !(has("src") || has("data")) || !has("tgt") {
        reader.lacks(value, "a connection", "`src` or `data`, and `tgt`");
    }
}

fn initial<'a>(reader: &mut Reader<'a>, value: &'a str) -> Origin {
    Origin::Initial(Initial {
        value: reader.value(value),
        span: reader.span(value),
    })
}

/// Attributes, and what else there is in the metadata of a connection.
fn arrow_metadata<'a>(
    reader: &mut Reader<'a>,
    value: &'a str,
) -> (Vec<Attribute>, Vec<(String, Value)>, Vec<Span>) {
    let mut attributes = Vec::new();
    let mut others = Vec::new();
    let mut places = Vec::new();
    for entry in reader.object(value, "metadata") {
        let value = reader.value(entry.value);
        let key = entry.key.into_owned();
        match attribute(&key, &value, entry.span) {
            Some(attribute) => attributes.push(attribute),
            None => {
                others.push((key, value));
                places.push(entry.span);
            }
        }
    }
    (attributes, others, places)
}

fn attribute(key: &str, value: &Value, span: Span) -> Option<Attribute> {
    attributes::find(key)?;
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(Attribute {
        key: String::from(key),
        value,
        span,
    })
}

fn end<'a>(reader: &mut Reader<'a>, value: &'a str, what: &str) -> Option<End> {
    let mut parts = Parts::default();
    for entry in reader.object(value, what) {
        parts.take(reader, &entry, what);
    }
    parts.end(reader, value, what)
}

/// The parts of an end, as far as they have been read.
#[derive(Default)]
struct Parts {
    process: Option<(String, Span)>,
    port: Option<(String, Span)>,
    index: Option<u32>,
}

impl Parts {
    fn take<'a>(&mut self, reader: &mut Reader<'a>, entry: &Entry<'a>, what: &str) {
        let span = reader.span(entry.value);
        match &*entry.key {
            "process" => {
                self.process = reader
                    .text(entry.value, "a process")
                    .map(|name| (name, span));
            }
            "port" => self.port = reader.text(entry.value, "a port").map(|name| (name, span)),
            "index" => self.index = reader.index(entry.value, "an index"),
            _ => reader.unknown(entry, what, &["process", "port", "index"]),
        }
    }

    fn end<'a>(self, reader: &mut Reader<'a>, value: &'a str, what: &str) -> Option<End> {
        let complete = self.process.zip(self.port);
        if complete.is_none() {
            reader.lacks(value, what, "`process` and `port`");
        }
        let ((process, span), (name, port)) = complete?;
        let port = PortRef {
            name,
            index: self.index,
            span: port,
            implied: false,
        };
        Some(End {
            process,
            span,
            port,
        })
    }
}
