//! Rows of the mission about what arcs are for: which messages belong where, and what is guaranteed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use paperflow::graph::capabilities::{EMBEDDED, KINDS};
use paperflow::graph::guarantee::Guarantee;
use paperflow::graph::plan;
use paperflow::graph::{Component, Diagnostic, Port};
use paperflow::{Loaded, describe, load_text, standard};
use paperflow_core::connector::{ConnectorKind, Store};

#[allow(dead_code, reason = "other tests use the rest of it")]
mod command;

use command::Folder;

/// The standard catalogue, and components of conversations that are not there yet: a plain one, and one
/// with a table.
fn catalogue() -> paperflow::graph::Catalogue {
    let mut catalogue = describe(&standard());
    let port = |name: &str| Port {
        name: name.into(),
        ..Port::default()
    };
    let component = |name: &str, tables: &[&str]| Component {
        name: name.into(),
        inputs: vec![port("IN")],
        outputs: vec![port("OUT")],
        plain: tables.is_empty(),
        one_by_one: true,
        tables: tables.iter().map(|table| String::from(*table)).collect(),
        ..Component::default()
    };
    let own = [
        component("own/handle", &[]),
        component("own/fold", &["STATE"]),
        component("own/if-later", &["VERSIONS"]),
    ];
    for component in own {
        catalogue
            .components
            .insert(component.name.clone(), component);
    }
    catalogue
}

fn loaded(text: &str) -> Loaded {
    load_text(Path::new("arcs.fbp"), String::from(text), &catalogue())
}

/// `error: message` of each problem.
fn told(text: &str) -> Vec<String> {
    let shown = |found: &Diagnostic| format!("{:?}: {}", found.severity, found.message);
    loaded(text).diagnostics.iter().map(shown).collect()
}

fn arc(terms: &str, reader: &str) -> Vec<String> {
    told(&format!(
        "Make(flow/kick) OUT ->({terms}) IN Take({reader})"
    ))
}

#[test]
fn t13_a_delay_on_a_stream_is_an_error_that_names_the_three_legal_strategies() {
    let found = loaded("Make(flow/kick) OUT ->(stream, delay=5s) IN Take(own/handle)");
    assert!(found.has_errors());
    let report = found.report();
    for strategy in ["on-error=skip", "on-error=retry", "on-error=copy"] {
        assert!(report.contains(strategy), "{report}");
    }
    let legal = "stream, delay=5s, retries=2, on-error=copy, copy-to=later";
    assert_eq!(arc(legal, "own/handle"), [""; 0]);
}

#[test]
fn t14_a_series_over_a_queue_is_warned_of_and_over_a_stream_is_fine() {
    let expected = ["Warning: series of events over a queue"];
    assert_eq!(arc("queue, shape=series", "own/fold"), expected);
    assert_eq!(arc("stream, shape=series", "own/fold"), [""; 0]);
    let expected = ["Warning: messaging over a stream"];
    assert_eq!(arc("stream, intent=command", "own/fold"), expected);
    for kind in ["queue", "stream", "pubsub"] {
        assert_eq!(arc(&format!("{kind}, shape=discrete"), "own/fold"), [""; 0]);
    }
}

#[test]
fn t14_the_capabilities_that_are_printed_are_both_tables() {
    let folder = Folder::new("capabilities");
    let shown = folder.shows(&["capabilities"]);
    let lines: Vec<_> = shown
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "What belongs where queue stream pubsub",
        "messaging yes no no",
        "discrete events yes yes yes",
        "series of events no yes no",
        "ordering sometimes yes sometimes",
        "replay no yes no",
        "delayed requeue yes no sometimes",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {shown}"
        );
    }
}

#[test]
fn c14_an_intent_must_have_one_receiver() {
    for intent in ["command", "query", "value"] {
        let expected = ["Warning: intent must have one receiver"];
        assert_eq!(
            arc(&format!("pubsub, intent={intent}"), "own/handle"),
            expected
        );
        assert_eq!(
            arc(&format!("queue, intent={intent}"), "own/handle"),
            [""; 0]
        );
    }
}

#[test]
fn c15_an_event_has_any_number_of_receivers_and_the_name_of_a_fact() {
    let event = "pubsub, intent=event, name=store-changed";
    assert_eq!(arc(event, "own/handle"), [""; 0]);
    let several = format!(
        "Shop(flow/kick) OUT ->({event}) IN A(own/handle)\nShop OUT ->({event}) IN B(own/handle)"
    );
    assert_eq!(told(&several), [""; 0]);
    let expected = ["Warning: the event `change-store` is not named as a fact"];
    let event = "pubsub, intent=event, name=change-store";
    assert_eq!(arc(event, "own/handle"), expected);
    assert_eq!(
        arc("pubsub, intent=event", "own/handle"),
        [""; 0],
        "OUT says nothing"
    );
}

#[test]
fn c16_a_series_needs_somebody_who_remembers() {
    let expected = ["Warning: a series of events goes to `Take`, which remembers nothing"];
    assert_eq!(arc("stream, shape=series", "own/handle"), expected);
    assert_eq!(
        arc("shape=series", "own/handle"),
        expected,
        "over memory, too"
    );
    assert_eq!(arc("stream, shape=series", "own/fold"), [""; 0]);
    assert_eq!(arc("stream, shape=discrete", "own/handle"), [""; 0]);
}

#[test]
fn c05_subscribers_are_added_without_a_change_to_the_provider() {
    let text = "Shop(flow/kick) OUT ->(pubsub) IN A(own/handle)\nShop OUT ->(pubsub) IN B(own/handle)\n\
                Shop OUT ->(pubsub) IN C(own/handle)\nShop OUT ->(pubsub) IN D(own/handle)";
    assert_eq!(told(text), [""; 0]);
    let plan = loaded(text).plan;
    let connectors = plan.links.iter().filter_map(|link| link.connector.as_ref());
    let names: Vec<_> = connectors
        .map(|connector| (connector.kind, connector.name.as_str()))
        .collect();
    assert_eq!(names, [(plan::ConnectorKind::Pubsub, "arcs.Shop.OUT"); 4]);
}

#[test]
fn d02_events_of_one_entity_share_an_ordered_channel() {
    let added = "entity=basket, datatype=item-added";
    let removed = "entity=basket, datatype=item-removed";
    let scattered = format!(
        "A(flow/kick) OUT ->(stream, {added}) IN Fold(own/fold)\nB(flow/kick) OUT ->(stream, {removed}) IN Fold"
    );
    let expected = ["Error: `item-added` and `item-removed` of one `basket` on separate channels"];
    assert_eq!(told(&scattered), expected);
    let together = format!(
        "A(flow/kick) OUT ->(stream, name=baskets, key=basketId, partitions=3, {added}) IN Fold(own/fold)\n\
         B(flow/kick) OUT ->(stream, name=baskets, {removed}) IN Fold"
    );
    assert_eq!(told(&together), [""; 0]);
    let keyless = together.replace("key=basketId, ", "");
    let expected = "Error: events of one `basket` on several partitions without a key";
    assert_eq!(told(&keyless), [expected; 2]);
}

#[test]
fn d06_domain_events_are_neither_left_out_nor_passed_over_nor_shed() {
    let graph = "Shop(flow/kick) OUT ->(stream, entity=basket) IN Store(own/if-later)\n\
                 Stock(flow/kick) OUT ->(stream, entity=stock, on-error=skip) IN Fold(own/fold)\n\
                 Till(flow/kick) OUT ->(10, full=drop-oldest, entity=bill) IN Sum(own/fold)";
    let codes: Vec<_> = loaded(graph)
        .diagnostics
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(codes, ["P0515", "P0516", "P0517"], "three distinct errors");
    let right = "stream, entity=basket, key=id, on-error=retry";
    assert_eq!(arc(right, "own/fold"), [""; 0]);
}

const LABELLED: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue) IN Mark(text/affix) OUT -> IN Show(console/write)
";

#[test]
fn m04_each_path_is_labelled_with_its_guarantee() {
    let folder = Folder::new("guarantee");
    folder.write("in.txt", "one\ntwo\n");
    folder.write("kept.fbp", LABELLED);
    folder.write("memory.fbp", &LABELLED.replace("->(queue)", "->"));
    let explained = folder.shows(&["explain kept.fbp"]);
    for expected in [
        "queue `kept.Mark.IN`, at-least-once",
        "Read to Show: at-least-once",
        "weakest at Show: ",
    ] {
        assert!(explained.contains(expected), "{explained}");
    }
    let required = folder.shows(&["check memory.fbp --require at-least-once"]);
    assert!(required.ends_with("[3]\n"), "{required}");
    assert!(
        required.contains("Read.OUT -> Mark.IN: it is memory"),
        "{required}"
    );
    assert!(
        required.contains("make it a queue or a stream"),
        "{required}"
    );
    let fine = folder.shows(&["check kept.fbp --require at-least-once"]);
    assert!(fine.ends_with("[0]\n"), "{fine}");
    let ran = folder.shows(&["run memory.fbp --require once-only"]);
    assert!(ran.ends_with("[3]\n"), "{ran}");
}

#[test]
fn m04_the_guarantees_are_in_order() {
    assert!(Guarantee::AtMostOnce < Guarantee::AtLeastOnce);
    assert!(Guarantee::AtLeastOnce < Guarantee::OnceOnly);
}

#[test]
fn a_wiring_file_beside_the_graph_is_used_and_another_goes_before_it() {
    let folder = Folder::new("wired");
    folder.write("in.txt", "one\n");
    folder.write("words.fbp", &LABELLED.replace("->(queue)", "->"));
    folder.write(
        "paperflow.toml",
        "[arc.\"Read.OUT -> Mark.IN\"]\nkind = \"queue\"\nretries = 5\n",
    );
    folder.write(
        "memory.toml",
        "[arc.\"Read.OUT -> Mark.IN\"]\nkind = \"memory\"\n",
    );
    let drawn = folder.shows(&["graph words.fbp --to dot"]);
    assert!(
        drawn.contains("OUT -> IN (queue, at-least-once)"),
        "{drawn}"
    );
    let drawn = folder.shows(&["graph words.fbp --to dot --wiring memory.toml"]);
    assert!(drawn.contains("label=\"OUT -> IN\""), "{drawn}");
    let missing = folder.shows(&["check words.fbp --wiring none.toml"]);
    assert!(missing.ends_with("[2]\n"), "{missing}");
}

#[test]
fn a_store_of_the_wiring_file_keeps_what_names_it() {
    let folder = Folder::new("stores");
    folder.write("in.txt", "one\n");
    folder.write(
        "words.fbp",
        &LABELLED.replace("->(queue)", "->(queue, via=disk)"),
    );
    folder.write("paperflow.toml", "[store.disk]\nurl = \"sqlite:kept\"\n");
    let ran = folder.shows(&["run words.fbp"]);
    assert!(ran.contains("\none\n") && ran.ends_with("[0]\n"), "{ran}");
    assert!(folder.path("kept").is_dir() && !folder.path(".paperflow").exists());
    folder.write(
        "paperflow.toml",
        "[store.disk]\nurl = \"amqp://${NO_SUCH_VARIABLE}\"\n",
    );
    let ran = folder.shows(&["run words.fbp"]);
    assert!(
        ran.contains("the variable NO_SUCH_VARIABLE is not set"),
        "{ran}"
    );
    folder.write("paperflow.toml", "[store.disk]\nurl = \"amqp://here\"\n");
    let ran = folder.shows(&["run words.fbp"]);
    assert!(ran.contains("which this build cannot reach"), "{ran}");
}

#[test]
fn the_table_of_stores_says_what_the_embedded_one_says_itself() {
    let folder = Folder::new("embedded");
    let store = paperflow_connect::Embedded::open(folder.path("data")).unwrap();
    for (kind, column) in ConnectorKind::ALL.into_iter().zip(KINDS) {
        assert_eq!(kind.word(), column.word());
        let (real, told) = (store.capabilities(kind), EMBEDDED.with(column));
        let (real, told) = (real.unwrap(), told.unwrap());
        let real = (
            real.delays,
            real.replays,
            real.orders,
            real.knows_ids,
            real.transactions,
        );
        let told = (
            told.delays,
            told.replays,
            told.orders,
            told.knows_ids,
            told.transactions,
        );
        assert_eq!(real, told, "{kind}");
    }
}
