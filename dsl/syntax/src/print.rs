//! From a graph to text, with nothing lost.

use std::collections::HashMap;
use std::fmt::Write;

use paperflow_graph::attributes::{KINDS, find};
use paperflow_graph::{
    Attribute, Connection, End, Export, Graph, Origin, PortRef, Process, Property,
};
use serde_json::Value;

use crate::brackets::{in_component, plain_value};
use crate::lexer::{is_key, is_line_end};
use crate::note::{is_ours, write_group, write_name, write_property};
use crate::spelling::{self, is_plain, quote};

/// Writes a graph as text that reads back as the same graph.
///
/// A component stands at the first mention of its process that keeps the order of processes; those
/// that no arrow mentions in time get a line of their own. Groups, properties that are not plain text
/// and the network's name are kept as annotations `# @paperflow-...`; a caller to whom the name is
/// only the name of the file clears it first. Empty names have no spelling.
#[must_use]
pub fn print(graph: &Graph) -> String {
    let mut printer = Printer::new(graph);
    printer.head();
    for connection in &graph.connections {
        printer.connection(connection);
    }
    printer.declare_up_to(graph.processes.len());
    printer.text
}

struct Printer<'a> {
    graph: &'a Graph,
    order: HashMap<&'a str, usize>,
    /// Processes before this one have their component in the text.
    declared: usize,
    default_in: String,
    default_out: String,
    text: String,
}

impl<'a> Printer<'a> {
    fn new(graph: &'a Graph) -> Self {
        let names = graph.processes.iter().enumerate();
        let order = names
            .map(|(at, process)| (process.name.as_str(), at))
            .collect();
        let cased = |name: &str| {
            if graph.case_sensitive {
                String::from(name)
            } else {
                name.to_lowercase()
            }
        };
        let (default_in, default_out) = (cased("IN"), cased("OUT"));
        Self {
            graph,
            order,
            declared: 0,
            default_in,
            default_out,
            text: String::new(),
        }
    }

    fn head(&mut self) {
        if !self.graph.name.is_empty() {
            self.text.push_str(&write_name(&self.graph.name));
        }
        self.text.extend(self.graph.properties.iter().map(property));
        self.text.extend(self.graph.groups.iter().map(write_group));
        self.exports("INPORT", &self.graph.inports);
        self.exports("OUTPORT", &self.graph.outports);
        let rest = !self.graph.connections.is_empty() || !self.graph.processes.is_empty();
        if !self.text.is_empty() && rest {
            self.text.push('\n');
        }
    }

    fn exports(&mut self, keyword: &str, exports: &[Export]) {
        for export in exports {
            let (process, public) = (
                spelling::process(&export.process),
                spelling::inner(&export.public),
            );
            let port = spelling::inner(&export.port.name);
            let index = index(&export.port);
            let metadata = match metadata(&export.metadata) {
                list if list.is_empty() => list,
                list => format!("(:{list})"),
            };
            let line = format!("{keyword}={process}.{port}{index}:{public}{metadata}\n");
            self.text.push_str(&line);
        }
    }

    fn connection(&mut self, connection: &Connection) {
        self.declare_up_to(self.lone_before(connection));
        self.defaults(connection);
        let from = match &connection.from {
            Origin::Initial(initial) => initial.value.to_string(),
            Origin::Port(end) => {
                let process = self.mention(&end.process);
                spaced([process, port(&end.port, &self.default_out)])
            }
        };
        let process = self.mention(&connection.to.process);
        let to = spaced([port(&connection.to.port, &self.default_in), process]);
        let line = format!("{from} ->{} {to}\n", attributes(connection));
        self.text.push_str(&line);
    }

    /// Up to which process lines of their own must come first, so that this connection may declare
    /// those it mentions and the order stays.
    fn lone_before(&self, connection: &Connection) -> usize {
        let new = |end: &End| {
            self.order
                .get(end.process.as_str())
                .copied()
                .filter(|at| *at >= self.declared)
        };
        let from = match &connection.from {
            Origin::Port(end) => new(end),
            Origin::Initial(_) => None,
        };
        match (from, new(&connection.to)) {
            (Some(from), Some(to)) if to > from + 1 => to,
            (Some(from), _) => from,
            (None, Some(to)) => to,
            (None, None) => self.declared,
        }
    }

    /// Sets the default port that the connection leaves out, where it is another than before.
    fn defaults(&mut self, connection: &Connection) {
        if let Origin::Port(End { port, .. }) = &connection.from
            && port.implied
            && port.name != self.default_out
        {
            self.default_out = port.name.clone();
            let line = format!("DEFAULT_OUTPORT={}\n", spelling::inner(&port.name));
            self.text.push_str(&line);
        }
        let port = &connection.to.port;
        if port.implied && port.name != self.default_in {
            self.default_in = port.name.clone();
            let line = format!("DEFAULT_INPORT={}\n", spelling::inner(&port.name));
            self.text.push_str(&line);
        }
    }

    /// The name of a process, with its component if it is the next one to be declared.
    fn mention(&mut self, name: &str) -> String {
        match self.graph.processes.get(self.declared) {
            Some(next) if next.name == name => {
                self.declared += 1;
                process(next)
            }
            _ => spelling::process(name).into_owned(),
        }
    }

    fn declare_up_to(&mut self, end: usize) {
        for next in self
            .graph
            .processes
            .get(self.declared..end)
            .unwrap_or_default()
        {
            self.text.push_str(&process(next));
            self.text.push('\n');
            self.declared += 1;
        }
    }
}

fn spaced(words: [String; 2]) -> String {
    let [one, two] = words;
    if one.is_empty() || two.is_empty() {
        one + &two
    } else {
        format!("{one} {two}")
    }
}

fn property(property: &Property) -> String {
    if let Value::Object(fields) = &property.value
        && property.key == "environment"
        && fields.len() == 1
        && let Some(Value::String(runtime)) = fields.get("type")
        && is_annotation("environment", runtime)
    {
        return format!("# @runtime {runtime}\n");
    }
    match &property.value {
        Value::String(value)
            if is_annotation(&property.key, value) && property.key != "runtime" =>
        {
            format!("# @{} {value}\n", property.key)
        }
        value => write_property(&property.key, value),
    }
}

/// Whether an annotation can hold this key and value as they are.
fn is_annotation(key: &str, value: &str) -> bool {
    let blank = |letter: char| letter == ' ' || letter == '\t';
    let plain_key = !key.is_empty() && key.chars().all(is_key) && !is_ours(key);
    let one_line = !value.contains(is_line_end);
    plain_key && one_line && !value.is_empty() && !value.starts_with(blank)
}

/// `name(component:metadata)`, with the `?` of a traced process.
fn process(process: &Process) -> String {
    let mut text = format!("{}(", spelling::process(&process.name));
    if let Some(component) = &process.component {
        text.push_str(&self::component(component));
    }
    let metadata = metadata(&process.metadata);
    if !metadata.is_empty() {
        let _ = write!(text, ":{metadata}");
    }
    text.push(')');
    if process.trace {
        text.push('?');
    }
    text
}

fn component(name: &str) -> String {
    if name.chars().all(in_component) {
        String::from(name)
    } else {
        quote(name)
    }
}

/// `key=value` pairs; a value that is no plain text as JSON.
fn metadata(pairs: &[(String, Value)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| pair(key, value));
    pairs.collect::<Vec<_>>().join(",")
}

fn pair(key: &str, value: &Value) -> String {
    let name = if is_metadata_key(key) {
        String::from(key)
    } else {
        quote(key)
    };
    match value {
        Value::String(text) if plain_value(key, text.clone()) == *value => {
            format!("{name}={}", plain_or_quoted(text))
        }
        Value::Number(number) if plain_value(key, number.to_string()) == *value => {
            format!("{name}={number}")
        }
        Value::String(text) => format!("{name}={}", quote(text)),
        value => format!("{name}:={value}"),
    }
}

fn is_metadata_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| is_plain(letter) || letter == '/')
}

fn plain_or_quoted(text: &str) -> String {
    let plain = |letter: char| is_plain(letter) || matches!(letter, '/' | '-' | '.' | '_' | '+');
    if text.chars().all(plain) {
        String::from(text)
    } else {
        quote(text)
    }
}

fn port(port: &PortRef, default: &str) -> String {
    if port.implied && port.name == default {
        return String::new();
    }
    format!("{}{}", spelling::port(&port.name), index(port))
}

fn index(port: &PortRef) -> String {
    port.index
        .map(|index| format!("[{index}]"))
        .unwrap_or_default()
}

/// `(capacity=30, full=drop-oldest)`, or nothing.
fn attributes(connection: &Connection) -> String {
    let written = connection
        .attributes
        .iter()
        .enumerate()
        .map(|(at, item)| attribute(item, at));
    let free = connection.metadata.iter();
    let free = free.map(|(key, value)| format!("{}:={value}", quote(key)));
    let items: Vec<String> = written.chain(free).collect();
    if items.is_empty() {
        String::new()
    } else {
        format!("({})", items.join(", "))
    }
}

fn attribute(attribute: &Attribute, at: usize) -> String {
    let Attribute { key, value, .. } = attribute;
    match key.as_str() {
        "kind" if KINDS.contains(&value.as_str()) => value.clone(),
        "capacity" if at == 0 && find(key).is_some_and(|spec| spec.form.fits(value)) => {
            value.clone()
        }
        _ => format!("{key}={}", plain_or_quoted(value)),
    }
}
