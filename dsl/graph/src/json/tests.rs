//! Reading, writing, and both in turn.

mod round;

use std::fs;
use std::path::Path;

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

/// What npm `fbp` 1.8.0 printed from the texts in `tests/fixtures`: the name of the text, the JSON
/// with `--case-sensitive`, and without.
fn fixtures() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|found| found == "fbp"));
    let read = |path: &Path, end: &str| fs::read_to_string(path.with_extension(end)).unwrap();
    let fixture = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (name, read(path, "json"), read(path, "lower.json"))
    };
    texts.map(|path| fixture(&path)).collect()
}

#[test]
fn json_is_written_byte_by_byte_as_upstream_prints_it() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 12);
    let as_is = JsonOptions::default();
    let small = JsonOptions {
        lowercase_ports: true,
    };
    for (name, cased, lower) in fixtures {
        for (text, options, expected) in [
            (&cased, as_is, &cased),
            (&cased, small, &lower),
            (&lower, as_is, &lower),
        ] {
            let (graph, diagnostics) = read(text);
            assert_eq!(diagnostics, [], "{name}");
            assert_eq!(to_json_text(&graph, options) + "\n", *expected, "{name}");
        }
    }
}

/// Numbers that look random and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn no_mutilated_json_is_too_much() {
    let rich = to_json_text(&rich(), JsonOptions::default());
    let scraps = [
        "{", "}", "[", "]", ",", ":", "\"", "null", "-1", "\\u0041", "é", " ", "\"A\"",
    ];
    let mut chance = Chance(7);
    for _ in 0..2_000 {
        let mut letters: Vec<char> = rich.chars().collect();
        for _ in 0..=chance.below(3) {
            let start = chance.below(letters.len());
            let end = letters.len().min(start + chance.below(8));
            let scrap = scraps[chance.below(scraps.len())];
            letters.splice(start..end, scrap.chars());
        }
        let text: String = letters.into_iter().collect();
        let (graph, diagnostics) = read(&text);
        let reads = serde_json::from_str::<Value>(&text).is_ok();
        assert!(reads || !diagnostics.is_empty(), "{text}");
        let known = crate::samples::catalogue();
        crate::examine(&graph, &known, &mut crate::NoSubnets);
    }
}
