//! For graphs and texts nobody thought of: what is printed reads back, and style is stable.

mod support;

use paperflow_graph::{
    Attribute, Connection, End, Export, Graph, Group, Initial, Origin, PortRef, Process, Property,
    Span,
};
use paperflow_syntax::{format, print};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{bare, read};

/// Anything but nothing: names that need no backslash, and names that are all backslashes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z_][A-Za-z0-9_-]{0,5}",
        1 => "core/[A-Z][a-z]{1,4}_[a-z]{3}",
        1 => prop_oneof![Just("true"), Just("null"), Just("INPORT"), Just("_A_1")].prop_map(String::from),
        1 => "\\PC{1,5}",
        1 => "[ \\t\\n\r'\"()\\[\\]#,;:=?*.>\\\\-]{1,4}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z0-9/._-]{0,8}", 1 => "\\PC{0,8}", 1 => "[ \\t\\n\r'\"()#,=:\\\\\u{2028}]{0,6}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let fields = vec((text(), inner.clone()), 0..3);
        prop_oneof![
            vec(inner, 0..3).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn pairs() -> impl Strategy<Value = Vec<(String, Value)>> {
    let key = prop_oneof![Just(String::from("x")), Just(String::from("label")), text()];
    let found = vec((key, value()), 0..4);
    found.prop_map(|pairs| {
        pairs
            .into_iter()
            .collect::<Map<String, Value>>()
            .into_iter()
            .collect()
    })
}

fn port() -> impl Strategy<Value = PortRef> {
    let star = prop_oneof![6 => name(), 1 => Just(String::from("*"))];
    (star, option::of(any::<u32>()), any::<bool>()).prop_map(|(name, index, implied)| {
        let index = index.filter(|_| !implied);
        PortRef {
            name,
            index,
            implied,
            span: Span::default(),
        }
    })
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let words = [
        ("kind", "queue"),
        ("kind", "memory"),
        ("capacity", "7"),
        ("full", "drop-new"),
        ("delay", "5s"),
    ];
    let known = proptest::sample::select(words.to_vec());
    let known = known.prop_map(|(key, value)| (String::from(key), String::from(value)));
    let free = text().prop_filter("a value", |value| !value.is_empty());
    let free = free.prop_map(|value| (String::from("dead-letter"), value));
    prop_oneof![known, free].prop_map(|(key, value)| Attribute {
        key,
        value,
        span: Span::default(),
    })
}

fn process() -> impl Strategy<Value = Process> {
    let component = option::of(text().prop_filter("a component", |text| !text.is_empty()));
    (name(), component, pairs(), any::<bool>()).prop_map(|(name, component, metadata, trace)| {
        Process {
            name,
            component,
            metadata,
            trace,
            ..Process::default()
        }
    })
}

fn connection() -> impl Strategy<Value = Connection> {
    let end = || {
        (name(), port()).prop_map(|(process, port)| End {
            process,
            port,
            span: Span::default(),
        })
    };
    let initial = value().prop_map(|value| {
        Origin::Initial(Initial {
            value,
            span: Span::default(),
        })
    });
    let from = prop_oneof![end().prop_map(Origin::Port), initial];
    (from, end(), vec(attribute(), 0..3), pairs()).prop_map(|(from, to, attributes, metadata)| {
        Connection {
            from,
            to,
            attributes,
            metadata,
            metadata_spans: Vec::new(),
            span: Span::default(),
        }
    })
}

fn export() -> impl Strategy<Value = Export> {
    (name(), name(), port(), pairs()).prop_map(|(public, process, port, metadata)| {
        let port = PortRef {
            implied: false,
            ..port
        };
        Export {
            public,
            process,
            port,
            metadata,
            span: Span::default(),
        }
    })
}

fn property() -> impl Strategy<Value = Property> {
    let keys = prop_oneof![
        Just("runtime"),
        Just("title"),
        Just("environment"),
        Just("paperflow-group")
    ];
    let environment = prop_oneof![text().prop_map(|text| json!({ "type": text })), value()];
    (
        prop_oneof![keys.prop_map(String::from), text()],
        environment,
    )
        .prop_map(|(key, value)| Property {
            key,
            value,
            span: Span::default(),
        })
}

fn group() -> impl Strategy<Value = Group> {
    (text(), vec(name(), 0..3), pairs()).prop_map(|(name, members, metadata)| Group {
        name,
        members,
        metadata,
    })
}

/// A graph whose arrows mostly join its own processes.
fn graph() -> impl Strategy<Value = Graph> {
    let lists = (
        vec(property(), 0..3),
        vec(export(), 0..2),
        vec(export(), 0..2),
        vec(group(), 0..2),
    );
    (
        text(),
        lists,
        vec(process(), 0..5),
        vec((connection(), 0usize..9, 0usize..9), 0..6),
    )
        .prop_map(
            |(name, (properties, inports, outports, groups), mut processes, arrows)| {
                let mut seen = std::collections::HashSet::new();
                processes.retain(|process| seen.insert(process.name.clone()));
                let name_at = |at: usize| processes.get(at).map(|process| process.name.clone());
                let connections = arrows.into_iter().map(|(mut arrow, from, to)| {
                    if let (Origin::Port(end), Some(name)) = (&mut arrow.from, name_at(from)) {
                        end.process = name;
                    }
                    arrow.to.process = name_at(to).unwrap_or(arrow.to.process);
                    arrow
                });
                let connections = connections.collect();
                Graph {
                    name,
                    case_sensitive: true,
                    properties,
                    inports,
                    outports,
                    groups,
                    processes,
                    connections,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_graph_reads_back(graph in graph()) {
        let text = print(&graph);
        let mut parsed = read("t", &text);
        if graph.name.is_empty() {
            parsed.graph.name.clear();
        }
        let serious = parsed.diagnostics.iter().filter(|found| found.code < "P0200");
        prop_assert_eq!(serious.count(), 0, "{}\n{:#?}", text, parsed.diagnostics);
        prop_assert_eq!(bare(&parsed.graph), graph, "{}", text);
    }

    #[test]
    fn style_is_stable_and_keeps_the_meaning(graph in graph()) {
        let text = print(&graph);
        let once = format(&text);
        prop_assert_eq!(&format(&once.text).text, &once.text);
        if once.diagnostics.is_empty() {
            prop_assert_eq!(bare(&read("t", &once.text).graph), bare(&read("t", &text).graph), "{}", once.text);
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "[abAIN()\\[\\]'\"#@ ,;:=>?*.0\n\\\\-]{0,60}") {
        let parsed = read("t", &text);
        let once = format(&text);
        prop_assert_eq!(&format(&once.text).text, &once.text);
        if parsed.diagnostics.is_empty() {
            let again = read("t", &once.text);
            prop_assert_eq!(bare(&again.graph), bare(&parsed.graph), "{:?} {:?}", text, once.text);
            let printed = print(&parsed.graph);
            prop_assert_eq!(bare(&read("u", &printed).graph), bare(&parsed.graph), "{:?} {:?}", text, printed);
        }
    }
}
