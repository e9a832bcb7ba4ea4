//! Graphs, subnets and components for tests, each from a line or two of text.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::catalogue::{Catalogue, Component, Kinds, Port, Reads, Sends};
use crate::diagnostic::Diagnostic;
use crate::model::{Attribute, Connection, End, Export, Graph, Initial, Origin, PortRef, Process};
use crate::plan::Plan;
use crate::source::{FileId, Span};
use crate::{Checked, Expanded, Resolve, examine, expand};

/// Reads a graph, one statement to a line, blanks between all words:
/// `'5' -> COUNT A(gen)`, `A OUT[1] ->(capacity=5,kind=queue) IN B(pass)`, `INPORT= A IN X`. A process may have
/// metadata, `A(pass:instances=2)`.
pub(crate) fn graph(file: u32, text: &str) -> Graph {
    let mut graph = Graph::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = words(FileId(file), at, line);
        statement(&mut graph, &words);
        at += line.len();
    }
    graph
}

type Word<'a> = (&'a str, Span);

fn words(file: FileId, at: usize, line: &str) -> Vec<Word<'_>> {
    let start = |word: &str| word.as_ptr().addr() - line.as_ptr().addr() + at;
    let span = |word: &str| Span::new(file, start(word) as u32, (start(word) + word.len()) as u32);
    line.split_whitespace()
        .map(|word| (word, span(word)))
        .collect()
}

fn statement(graph: &mut Graph, words: &[Word<'_>]) {
    let arrow = words.iter().position(|(word, _)| word.starts_with("->"));
    match (words, arrow) {
        ([], _) => {}
        (
            [
                (key @ ("INPORT=" | "OUTPORT="), span),
                process,
                port,
                (public, end),
            ],
            _,
        ) => {
            let export = Export {
                public: String::from(*public),
                process: String::from(process.0),
                port: port_of(*port),
                metadata: Vec::new(),
                span: span.to(*end),
            };
            let list = if *key == "INPORT=" {
                &mut graph.inports
            } else {
                &mut graph.outports
            };
            list.push(export);
        }
        ([process], None) => {
            mention(graph, *process);
        }
        (_, Some(at)) => connect(graph, &words[..at], words[at], &words[at + 1..]),
        _ => panic!("a test graph has the statement {words:?}"),
    }
}

fn connect(graph: &mut Graph, from: &[Word<'_>], arrow: Word<'_>, to: &[Word<'_>]) {
    let from = match from {
        [(text, span)] => {
            let value = match text.strip_prefix('\'') {
                Some(rest) => Value::from(rest.trim_end_matches('\'')),
                None => text.parse().unwrap(),
            };
            Origin::Initial(Initial { value, span: *span })
        }
        [process, port] => Origin::Port(end(graph, *process, *port)),
        _ => panic!("a test arrow starts from {from:?}"),
    };
    let to = end(graph, to[1], to[0]);
    let inside = arrow.0.trim_start_matches("->").trim_matches(['(', ')']);
    let attributes = inside.split(',').filter_map(|pair| pair.split_once('='));
    let attribute = |(key, value)| Attribute {
        key: String::from(key),
        value: String::from(value),
        span: arrow.1,
    };
    let attributes = attributes.map(attribute).collect();
    graph.connections.push(Connection {
        from,
        to,
        attributes,
        metadata: Vec::new(),
        metadata_spans: Vec::new(),
        span: arrow.1,
    });
}

fn end(graph: &mut Graph, process: Word<'_>, port: Word<'_>) -> End {
    End {
        process: mention(graph, process),
        span: process.1,
        port: port_of(port),
    }
}

fn port_of((text, span): Word<'_>) -> PortRef {
    let (name, index) = match text.split_once('[') {
        Some((name, index)) => (name, Some(index.trim_end_matches(']').parse().unwrap())),
        None => (text, None),
    };
    PortRef {
        name: String::from(name),
        index,
        span,
        implied: false,
    }
}

/// Adds the process when its component is given; `A()` gives none.
fn mention(graph: &mut Graph, (text, span): Word<'_>) -> String {
    let Some((name, component)) = text.split_once('(') else {
        return String::from(text);
    };
    let component = component.trim_end_matches(')');
    let (component, pairs) = component.split_once(':').unwrap_or((component, ""));
    let pairs = pairs.split(',').filter_map(|pair| pair.split_once('='));
    let metadata = pairs.map(|(key, value)| (String::from(key), Value::from(value)));
    let metadata = metadata.collect();
    let known = graph
        .processes
        .iter_mut()
        .find(|process| process.name == name);
    match known {
        Some(process) => {
            process.redefined.push(process.span);
            process.component = Some(String::from(component));
        }
        None => graph.processes.push(Process {
            name: String::from(name),
            component: Some(String::from(component)).filter(|name| !name.is_empty()),
            span,
            component_span: Some(span),
            metadata,
            ..Process::default()
        }),
    }
    String::from(name)
}

/// The components of the tests. A port is `NAME`, then `!` if required, `[]` or `[n]` if it has
/// elements, `:kind` for what it carries, `=kind` for a parameter that parses it, `~` if nothing
/// leaves there before the end.
pub(crate) fn catalogue() -> Catalogue {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "gen",
            &["COUNT!=int", "WAIT=duration", "LOUD=bool", "RATE=float"],
            &["OUT!"],
        ),
        ("pass", &["IN!"], &["OUT!"]),
        ("merge", &["IN![]"], &["OUT!"]),
        ("copy", &["IN!"], &["OUT![]"]),
        ("drop", &["IN!"], &[]),
        ("collate", &["IN![]"], &["OUT!"]),
        ("match", &["LEFT!", "RIGHT!"], &["OUT!"]),
        ("concat", &["IN![]"], &["OUT!"]),
        ("table-first", &["ROWS!", "IN!"], &["OUT!"]),
        ("deal", &["IN!"], &["OUT![]"]),
        ("splitter", &["IN!"], &["OUT![]"]),
        ("filter", &["IN!"], &["ACC!", "REJ"]),
        ("sort", &["IN!"], &["OUT!~"]),
        ("sum", &["IN!"], &["OUT", "SUM!~"]),
        ("shop/counter", &["IN!", "STEP=int"], &["OUT", "ERROR"]),
        ("flow/balance", &["IN!"], &["OUT![]"]),
        ("words", &["LINE!:text"], &["WORD!:text"]),
        ("count", &["IN!"], &["OUT", "COUNT!:int"]),
        ("split", &["IN!"], &["OUT![2]"]),
        ("lone", &["IN"], &["OUT"]),
        ("loop", &["IN!", "BACK"], &["OUT!", "AGAIN"]),
        ("subnet/in-ss", &["IN", "NAME=text"], &["OUT!"]),
        ("subnet/out-ss", &["IN!", "NAME=text"], &["OUT"]),
    ];
    let component = |(name, inputs, outputs): &(&str, &[&str], &[&str])| Component {
        name: String::from(*name),
        inputs: inputs.iter().map(|text| declared(text)).collect(),
        outputs: outputs.iter().map(|text| declared(text)).collect(),
        reads: reads(name),
        sends: sends(name),
        ..Component::default()
    };
    let components = table
        .iter()
        .map(component)
        .map(|found| (found.name.clone(), found));
    let aliases = [
        ("Passthru", "pass"),
        ("SubInSS", "subnet/in-ss"),
        ("SubOutSS", "subnet/out-ss"),
    ];
    let aliases = aliases.map(|(alias, name)| (String::from(alias), String::from(name)));
    Catalogue {
        components: components.collect(),
        aliases: BTreeMap::from(aliases),
    }
}

fn reads(name: &str) -> Reads {
    match name {
        "collate" | "match" => Reads::InStep,
        "concat" | "table-first" => Reads::ToEnd,
        _ => Reads::Freely,
    }
}

fn sends(name: &str) -> Sends {
    match name {
        "deal" => Sends::InStep,
        "splitter" => Sends::ToEnd,
        "filter" => Sends::ByChoice,
        _ => Sends::Freely,
    }
}

fn declared(text: &str) -> Port {
    let end = text.find(['!', '[', ':', '=', '~']).unwrap_or(text.len());
    let after = |sign: char| text.split_once(sign).map(|(_, rest)| String::from(rest));
    let size = text
        .split_once('[')
        .and_then(|(_, rest)| rest.trim_end_matches(['~', ']']).parse().ok());
    Port {
        name: String::from(&text[..end]),
        kinds: Kinds(after(':').into_iter().collect()),
        array: text.contains('['),
        size,
        required: text.contains('!'),
        param: text.contains('='),
        at_end: text.ends_with('~'),
        parses: after('='),
        ..Port::default()
    }
}

/// Subnets by name, each a file of its own.
pub(crate) struct Subnets(BTreeMap<&'static str, Arc<Graph>>);

impl Subnets {
    pub(crate) fn new(files: &[(&'static str, &str)]) -> Self {
        let parsed = files.iter().enumerate();
        let entry = |(at, (name, text)): (usize, &(&'static str, &str))| {
            (*name, Arc::new(graph(at as u32 + 1, text)))
        };
        Self(parsed.map(entry).collect())
    }
}

impl Resolve for Subnets {
    fn subnet(&mut self, name: &str, _from: FileId) -> Option<Arc<Graph>> {
        self.0.get(name).cloned()
    }

    fn names(&mut self, _from: FileId) -> Vec<String> {
        self.0.keys().map(|name| String::from(*name)).collect()
    }
}

/// The top graph, opened.
pub(crate) fn expanded(text: &str, files: &[(&'static str, &str)]) -> Expanded {
    expand(&graph(0, text), &catalogue(), &mut Subnets::new(files))
}

/// The plan of a graph that has nothing wrong.
pub(crate) fn plan(text: &str, files: &[(&'static str, &str)]) -> Plan {
    let Checked { plan, diagnostics } = checked(text, files);
    assert_eq!(diagnostics, []);
    plan
}

pub(crate) fn checked(text: &str, files: &[(&'static str, &str)]) -> Checked {
    examine(&graph(0, text), &catalogue(), &mut Subnets::new(files))
}

/// What is wrong, as `CODE place message`, where the place is the text of its span.
pub(crate) fn problems(text: &str, files: &[(&'static str, &str)]) -> Vec<String> {
    let texts: Vec<_> = std::iter::once(text)
        .chain(files.iter().map(|(_, text)| *text))
        .collect();
    let shown = |found: &Diagnostic| {
        let place = &texts[found.span.file.0 as usize];
        let place = &place[found.span.start as usize..found.span.end as usize];
        format!("{} {place}: {}", found.code, found.message)
    };
    checked(text, files).diagnostics.iter().map(shown).collect()
}

/// `A.OUT[0]+B.OUT => C.IN (5)` for each link; a writer that diverts has a `~`.
pub(crate) fn links(plan: &Plan) -> Vec<String> {
    let name = |end: &crate::plan::End| {
        let index = end
            .index
            .map(|index| format!("[{index}]"))
            .unwrap_or_default();
        format!(
            "{}.{}{index}",
            plan.processes[end.process].address, end.port
        )
    };
    let shown = |link: &crate::plan::Link| {
        let from = link.from.iter().map(|writer| name(&writer.end));
        let diverted = link.diverted.iter();
        let diverted = diverted.map(|writer| format!("~{}", name(&writer.end)));
        let from: Vec<_> = from.chain(diverted).collect();
        let terms = link
            .capacity
            .map(|capacity| format!(" ({capacity})"))
            .unwrap_or_default();
        format!("{} => {}{terms}", from.join("+"), name(&link.to))
    };
    plan.links.iter().map(shown).collect()
}
