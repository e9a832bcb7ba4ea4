//! Components that look something up.

mod bench;

use bench::{check, network, received, records, rig, run_every_way, stream, texts};
use paperflow_core::Packet;
use paperflow_engine::Verdict;
use paperflow_engine::rig::Rig;
use serde_json::json;

/// The fault of a component of which only these ports are connected.
fn fault(rig: &Rig, ports: &[&str]) -> String {
    let (scheduler, capacity) = bench::DRIVERS[0];
    match rig.run(ports, scheduler, capacity).outcome.verdict {
        Verdict::Failed(fault) => fault.message,
        other => panic!("expected a fault, got {other:?}"),
    }
}

#[test]
fn ask_adds_the_fields_of_the_answer() {
    let given = json!([{"no": 1, "dish": {"id": "M"}}, {"no": 2, "dish": {"id": 5}}]);
    let rows = json!([{"name": "Margherita"}, {"no": 3}]);
    let expected = json!([
        {"no": 1, "dish": {"id": "M"}, "name": "Margherita"},
        {"no": 3, "dish": {"id": 5}}
    ]);
    check(
        &rig("lookup/ask")
            .set("FIELD", "dish.id")
            .feed("IN", records(given))
            .feed("RESULT", records(rows)),
        &[("OUT", records(expected)), ("LOOKUP", stream("M 5"))],
    );
}

#[test]
fn ask_drops_what_was_answered_twice() {
    let about = |what: serde_json::Value, whom: &str| {
        let packet = Packet::record(what);
        packet.with_header("correlation-id", whom)
    };
    let given = vec![
        about(json!({"id": 1}), "one"),
        about(json!({"id": 2}), "two"),
    ];
    let rows = vec![
        about(json!({"x": "a"}), "one"),
        about(json!({"x": "a"}), "one"),
        about(json!({"x": "b"}), "two"),
    ];
    let expected = json!([{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]);
    check(
        &rig("lookup/ask").feed("IN", given).feed("RESULT", rows),
        &[("OUT", records(expected)), ("LOOKUP", stream("1 2"))],
    );
}

#[test]
fn ask_sends_brackets_along_and_asks_nothing_for_them() {
    let mut given = stream("( )");
    given.insert(1, Packet::record(json!({"id": 1})));
    let mut expected = stream("( )");
    expected.insert(1, Packet::record(json!({"id": 1, "x": 2})));
    check(
        &rig("lookup/ask")
            .feed("IN", given)
            .feed("RESULT", records(json!([{"x": 2}]))),
        &[("OUT", expected), ("LOOKUP", stream("1"))],
    );
}

#[test]
fn ask_faults_on_what_cannot_be_answered() {
    let told = |given, rows| {
        let rig = rig("lookup/ask")
            .feed("IN", records(given))
            .feed("RESULT", records(rows));
        fault(&rig, &["OUT", "LOOKUP"])
    };
    let of_one = |rows| told(json!([{"id": 1}]), rows);
    assert_eq!(of_one(json!([null])), "there is no row for 1");
    let gone = "nobody answers any more, and 1 was asked for";
    assert_eq!(of_one(json!([])), gone);
    assert_eq!(of_one(json!([5])), "expected record, got int 5");
    let without = told(json!([{"x": 1}]), json!([]));
    assert_eq!(without, "the record has no field id");
}

#[test]
fn remote_knows_rows_as_records_arrays_and_text() {
    let rows = [
        Packet::record(json!({"id": 1, "x": "a"})),
        Packet::record(json!([{"id": 2}, {"id": 1, "x": "b"}])),
        Packet::text(r#"[{"id": "three"}]"#),
    ];
    check(
        &rig("lookup/remote")
            .feed("ROWS", rows)
            .feed("IN", stream("1 ( 2 ) three 3")),
        &[(
            "OUT",
            vec![
                Packet::record(json!({"id": 1, "x": "b"})),
                Packet::open(),
                Packet::record(json!({"id": 2})),
                Packet::close(),
                Packet::record(json!({"id": "three"})),
                Packet::null(),
            ],
        )],
    );
}

#[test]
fn rows_that_are_none_are_faults() {
    for component in ["lookup/remote", "lookup/table"] {
        let fed = |row: &str| {
            rig(component)
                .feed("ROWS", texts(&[row]))
                .feed("IN", records(json!([{"id": 1}])))
        };
        fed("{\"x\": 1}").expect_fault("the record has no field id");
        fed("}").expect_fault("expected rows as JSON: expected value at line 1 column 1");
    }
}

#[test]
fn table_has_keys_of_its_own() {
    let given = json!([{"no": 1, "dish": 7}, {"no": 2, "dish": 8}, {"no": 3, "dish": 7}]);
    let expected = json!([
        {"no": 1, "dish": 7, "id": 7, "name": "M"},
        {"no": 3, "dish": 7, "id": 7, "name": "M"}
    ]);
    check(
        &rig("lookup/table")
            .set("FIELD", "dish")
            .set("KEY", "id")
            .feed("ROWS", records(json!([{"id": 7, "name": "M"}])))
            .feed("IN", records(given)),
        &[
            ("OUT", records(expected)),
            ("MISSING", records(json!([{"no": 2, "dish": 8}]))),
            ("STALENESS", stream("0 0")),
        ],
    );
}

#[test]
fn table_without_a_row_faults_when_nobody_wants_to_know() {
    let rig = rig("lookup/table")
        .feed("IN", records(json!([{"id": 1}])))
        .feed("ROWS", records(json!([{"id": 2}])));
    assert_eq!(fault(&rig, &["OUT"]), "there is no row for 1");
}

/// A table whose rows come an hour late, or never end.
fn held(rows: &str, missing: bool) -> paperflow_graph::plan::Plan {
    let mut arrows = vec![
        ("Items.OUT", "Words.IN"),
        ("Words.OUT", "Open.IN"),
        ("Open.OUT", "Table.IN"),
        ("Rows.OUT", "Late.IN"),
        ("Late.OUT", "Table.ROWS"),
        ("Table.OUT", "Found.IN"),
    ];
    if missing {
        arrows.push(("Table.MISSING", "Missing.IN"));
    }
    network(
        &[
            ("Items", "flow/inject"),
            ("Words", "text/words"),
            ("Open", "record/from-text"),
            ("Rows", "flow/inject"),
            ("Late", "flow/delay"),
            ("Table", "lookup/table"),
            ("Found", "flow/drop"),
            ("Missing", "flow/drop"),
        ],
        &[
            (r#"{"id":1} {"id":2} {"id":1}"#, "Items.CONST"),
            (rows, "Rows.CONST"),
            ("1h", "Late.INTERVAL"),
        ],
        &arrows,
    )
}

#[test]
fn table_holds_items_until_their_row_comes() {
    let all = held(r#"[{"id":1},{"id":2}]"#, false);
    run_every_way(&all, |outcome| assert_eq!(received(outcome, "Found"), 3));
    let one = held(r#"{"id":1}"#, true);
    run_every_way(&one, |outcome| {
        let there = (received(outcome, "Found"), received(outcome, "Missing"));
        assert_eq!(there, (2, 1));
    });
}
