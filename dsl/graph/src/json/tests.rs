//! Reading, writing, and both in turn.

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::model::{Attribute, Connection, Graph, Group, Origin, Process, Property};
use crate::samples::graph;
use crate::source::{FileId, Span};

use super::{JsonOptions, from_json, lossless_text, to_json, to_json_lossless, to_json_text};

fn read(text: &str) -> (Graph, Vec<Diagnostic>) {
    from_json(text, FileId(0))
}

/// Everything the model can hold.
fn rich() -> Graph {
    let mut graph = graph(
        0,
        "
        A(gen)
        B(area/name)
        'text' -> COUNT A
        [1,{\"x\":null}] -> OPT[3] B
        A OUT[1] ->(capacity=30,full=drop-oldest,delay=5s) in[2] B
        INPORT= A IN[1] LINES
        OUTPORT= B ERR Errors",
    );
    graph.case_sensitive = true;
    graph.name = String::from("rich");
    graph.properties = [
        ("name", json!("rich")),
        ("environment", json!({"type": "x"})),
    ]
    .map(|(key, value)| Property {
        key: String::from(key),
        value,
        span: Span::default(),
    })
    .into();
    graph.processes[0].trace = true;
    let place = |key: &str, value: Value| (String::from(key), value);
    graph.processes[0].metadata = vec![place("x", json!(-1.5)), place("host", json!("a b"))];
    graph.processes.push(Process {
        name: String::from("C d/e\"f"),
        ..Process::default()
    });
    graph.connections[2].metadata = vec![place("route", json!(3)), place("key", json!({}))];
    graph.inports[0].metadata = vec![place("x", json!(5))];
    graph.groups = vec![Group {
        name: String::from("both"),
        members: vec![String::from("A"), String::from("B")],
        metadata: vec![place("description", json!("two"))],
    }];
    graph
}

#[test]
fn what_was_written_is_read_back() {
    for graph in [Graph::default(), rich()] {
        let text = to_json_text(&graph, JsonOptions::default());
        let (again, diagnostics) = read(&text);
        assert_eq!(diagnostics, []);
        assert_eq!(again.without_places(), graph.without_places(), "{text}");
        assert_eq!(to_json_text(&again, JsonOptions::default()), text);
    }
}

#[test]
fn attributes_live_in_the_metadata_of_the_connection() {
    let json = to_json(&rich(), JsonOptions::default());
    let expected = json!({
        "capacity": 30, "full": "drop-oldest", "delay": "5s", "route": 3, "key": {},
    });
    assert_eq!(json["connections"][2]["metadata"], expected);
}

#[test]
fn an_attribute_that_only_looks_like_a_number_stays_a_text() {
    let mut graph = graph(0, "A(gen)\nB(drop)\nA OUT -> IN B");
    for value in ["007", "1.5", "+3", "18446744073709551616", ""] {
        let span = Span::default();
        let attribute = Attribute {
            key: String::from("name"),
            value: String::from(value),
            span,
        };
        graph.connections[0].attributes = vec![attribute];
        let json = to_json_text(&graph, JsonOptions::default());
        let Connection { attributes, .. } = read(&json).0.connections.remove(0);
        assert_eq!(attributes[0].value, value);
    }
}

#[test]
fn small_letters_are_for_ports_only() {
    let graph = graph(0, "A(Gen)\nINPORT= A COUNT Many\nA OUT -> IN B");
    let json = to_json(
        &graph,
        JsonOptions {
            lowercase_ports: true,
        },
    );
    assert_eq!(
        json["inports"],
        json!({ "many": { "process": "A", "port": "count" } })
    );
    assert_eq!(json["processes"], json!({ "A": { "component": "Gen" } }));
    assert_eq!(
        json["connections"][0]["src"],
        json!({ "process": "A", "port": "out" })
    );
    assert_eq!(json["caseSensitive"], json!(false));
}

#[test]
fn every_part_knows_its_place() {
    let text = "\u{feff}{\"processes\": {\"A\": {\"component\": \"gen\"}},\n\
                \"connections\": [{\"data\": 5, \"tgt\": {\"process\": \"A\", \"port\": \"IN\"}}]}";
    let (graph, diagnostics) = read(text);
    assert_eq!(diagnostics, []);
    let at = |span: Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(graph.processes[0].span), "\"A\"");
    assert_eq!(graph.processes[0].component_span.map(at), Some("\"gen\""));
    let Connection { from, to, .. } = &graph.connections[0];
    assert_eq!((at(to.span), at(to.port.span)), ("\"A\"", "\"IN\""));
    let Origin::Initial(initial) = from else {
        panic!("an initial packet")
    };
    assert_eq!(at(initial.span), "5");
}

#[test]
fn text_that_is_no_json_is_reported_where_it_ends() {
    let text = "{\n  \"processes\": {,}\n}";
    let (graph, found) = read(text);
    assert_eq!(graph, Graph::default());
    assert_eq!(
        (found.len(), found[0].code, found[0].span.start),
        (1, "P0191", 18)
    );
    assert_eq!(read("").1[0].code, "P0191");
    assert_eq!(read("\u{feff}{").1[0].span.start, 3);
}

#[test]
fn wrong_shapes_and_unknown_keys_are_all_reported() {
    let rows: &[(&str, &[&str])] = &[
        ("[]", &["P0192 a graph must be an object"]),
        ("{\"proceses\": {}}", &["P0193 a graph has no `proceses`"]),
        (
            "{\"processes\": []}",
            &["P0192 processes must be an object"],
        ),
        (
            "{\"processes\": {\"A\": 5}}",
            &["P0192 a process must be an object"],
        ),
        (
            "{\"processes\": {\"A\": {\"component\": 5}}}",
            &["P0192 a component must be a text"],
        ),
        (
            "{\"processes\": {\"A\": {}, \"A\": {}}}",
            &["P0211 two processes have the address `A`"],
        ),
        (
            "{\"connections\": {}}",
            &["P0192 connections must be a list"],
        ),
        (
            "{\"connections\": [{}]}",
            &["P0192 a connection needs `src` or `data`, and `tgt`"],
        ),
        (
            "{\"connections\": [{\"data\": 1, \"tgt\": {\"process\": \"A\", \"port\": \"B\", \
             \"index\": -1, \"node\": 2}}]}",
            &[
                "P0192 an index must be a whole number from 0",
                "P0193 a target has no `node`",
            ],
        ),
        (
            "{\"connections\": [{\"data\": 1, \"tgt\": {\"process\": \"A\"}}]}",
            &["P0192 a target needs `process` and `port`"],
        ),
        (
            "{\"inports\": {\"X\": {}}}",
            &["P0192 an exported port needs `process` and `port`"],
        ),
        (
            "{\"groups\": [{\"name\": 1}]}",
            &["P0192 a group's name must be a text"],
        ),
        (
            "{\"caseSensitive\": 1}",
            &["P0192 caseSensitive must be true or false"],
        ),
    ];
    for (text, expected) in rows {
        let shown = |found: &Diagnostic| format!("{} {}", found.code, found.message);
        let found: Vec<_> = read(text).1.iter().map(shown).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!(
        "{{\"properties\": {{\"x\": {}1{}}}}}",
        "[".repeat(9_999),
        "]".repeat(9_999)
    );
    assert_eq!(read(&deep).1.len(), 1);
}

#[test]
fn a_text_is_given_back_while_it_means_the_same() {
    let text = "A(gen)\n'5' -> COUNT A\nA OUT -> IN B(drop)";
    let parse = |text: &str| graph(0, text);
    let json = to_json_lossless(&parse(text), text);
    assert_eq!(json["properties"]["paperflow"]["text"], json!(text));
    let (mut again, diagnostics) = read(&json.to_string());
    assert_eq!(diagnostics, []);
    assert_eq!(lossless_text(&again, parse).as_deref(), Some(text));
    assert_eq!(
        to_json_lossless(&again, text),
        json,
        "the text is held once"
    );
    again.processes[1].component = Some(String::from("pass"));
    assert_eq!(
        lossless_text(&again, parse),
        None,
        "a component was changed"
    );
    assert_eq!(
        lossless_text(&Graph::default(), parse),
        None,
        "there is no text"
    );
}
