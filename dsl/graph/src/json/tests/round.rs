//! For graphs nobody thought of: what is written as JSON reads back as the same graph.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::super::{JsonOptions, from_json, to_json, to_json_text};
use crate::model::{
    Attribute, Connection, End, Export, Graph, Group, Initial, Origin, PortRef, Process, Property,
};
use crate::source::FileId;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z_][A-Za-z0-9_-]{0,5}",
        1 => "core/[A-Z][a-z]{1,3}",
        1 => prop_oneof![Just("__proto__"), Just("constructor"), Just("7")].prop_map(String::from),
        1 => "\\PC{1,4}",
    ]
}

/// Values without floats that stand for whole numbers: JSON as JavaScript writes it has but one
/// kind of number.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "\\PC{0,6}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000..1_000_i32).prop_map(|half| Value::from(f64::from(half) + 0.5)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let fields = vec(("[a-z]{0,3}", inner.clone()), 0..3);
        prop_oneof![
            vec(inner, 0..3).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Pairs of different keys that do not look like numbers, whose order JavaScript changes.
fn pairs() -> impl Strategy<Value = Vec<(String, Value)>> {
    let key = prop_oneof![Just(String::from("x")), "m[a-z]{0,3}"];
    let pairs = vec((key, value()), 0..3);
    pairs.prop_map(|pairs| {
        pairs
            .into_iter()
            .collect::<Map<_, _>>()
            .into_iter()
            .collect()
    })
}

fn port() -> impl Strategy<Value = PortRef> {
    (name(), option::of(0..50_u32)).prop_map(|(name, index)| PortRef {
        name,
        index,
        ..PortRef::default()
    })
}

fn end() -> impl Strategy<Value = End> {
    (name(), port()).prop_map(|(process, port)| End {
        process,
        port,
        ..End::default()
    })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let words = [
        ("capacity", "5"),
        ("full", "divert"),
        ("divert", "Outer/Inner.PORT[1]"),
        ("kind", "queue"),
        ("delay", "1.5s"),
        ("name", "a name"),
        ("retries", "007"),
    ];
    let chosen = proptest::sample::subsequence(Vec::from(words), 0..4);
    let attribute = |(key, value): (&str, &str)| Attribute {
        key: String::from(key),
        value: String::from(value),
        span: crate::Span::default(),
    };
    chosen.prop_map(move |chosen| chosen.into_iter().map(attribute).collect())
}

fn connection() -> impl Strategy<Value = Connection> {
    let initial = value().prop_map(|value| {
        Origin::Initial(Initial {
            value,
            ..Initial::default()
        })
    });
    let from = prop_oneof![3 => end().prop_map(Origin::Port), 1 => initial];
    (from, end(), attributes(), pairs()).prop_map(|(from, to, attributes, metadata)| Connection {
        from,
        to,
        attributes,
        metadata,
        metadata_spans: Vec::new(),
        span: crate::Span::default(),
    })
}

fn process() -> impl Strategy<Value = Process> {
    let parts = (name(), option::of("[a-z/]{1,6}"), pairs(), any::<bool>());
    parts.prop_map(|(name, component, metadata, trace)| Process {
        name,
        component,
        metadata,
        trace,
        ..Process::default()
    })
}

fn export() -> impl Strategy<Value = Export> {
    let parts = (name(), name(), port(), pairs());
    parts.prop_map(|(public, process, port, metadata)| Export {
        public,
        process,
        port,
        metadata,
        ..Export::default()
    })
}

fn group() -> impl Strategy<Value = Group> {
    (name(), vec(name(), 0..3), pairs()).prop_map(|(name, members, metadata)| Group {
        name,
        members,
        metadata,
    })
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    let property = |(key, value)| Property {
        key,
        value,
        span: crate::Span::default(),
    };
    pairs().prop_map(move |pairs| pairs.into_iter().map(property).collect())
}

/// Names once each, and none that JavaScript would move to the front.
fn distinct<T>(mut list: Vec<T>, name: fn(&T) -> &String) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    list.retain(|one| name(one).parse::<u32>().is_err() && seen.insert(name(one).clone()));
    list
}

prop_compose! {
    fn graph()(
        inports in vec(export(), 0..3),
        outports in vec(export(), 0..3),
        groups in vec(group(), 0..3),
        processes in vec(process(), 0..5),
        connections in vec(connection(), 0..6),
        properties in properties(),
        case_sensitive in any::<bool>(),
    ) -> Graph {
        Graph {
            name: String::new(),
            case_sensitive,
            properties,
            inports: distinct(inports, |export| &export.public),
            outports: distinct(outports, |export| &export.public),
            groups,
            processes: distinct(processes, |process| &process.name),
            connections,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(graph in graph()) {
        let text = to_json_text(&graph, JsonOptions::default());
        let (read, diagnostics) = from_json(&text, FileId(0));
        prop_assert_eq!(&diagnostics, &[]);
        prop_assert_eq!(read.without_places(), graph.without_places(), "{}", text);
    }

    #[test]
    fn writing_again_changes_nothing(graph in graph()) {
        for lowercase_ports in [false, true] {
            let options = JsonOptions { lowercase_ports };
            let once = to_json(&graph, options);
            let (read, _) = from_json(&once.to_string(), FileId(0));
            prop_assert_eq!(to_json(&read, options), once);
        }
    }

    #[test]
    fn no_json_is_too_odd(text in "[\\[\\]{}\":, a-z0-9.eE+-]{0,60}") {
        let _ = from_json(&text, FileId(0));
    }
}
