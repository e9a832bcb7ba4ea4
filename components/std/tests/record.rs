//! Components for records.

mod bench;

use bench::{check, records, rig, stream, texts};
use paperflow_core::Packet;
use paperflow_engine::Verdict;
use serde_json::json;

fn out(rig: paperflow_engine::rig::Rig, given: serde_json::Value, expected: serde_json::Value) {
    check(
        &rig.feed("IN", records(given)),
        &[("OUT", records(expected))],
    );
}

#[test]
fn get_sends_plain_values_plain() {
    let given = json!([{"a": {"b": "x"}}, {"a": {"b": -2}}, {"a": {"b": [1]}}, {"a": {"b": null}}]);
    out(
        rig("record/get").set("FIELD", "a.b"),
        given,
        json!(["x", -2, [1], null]),
    );
}

#[test]
fn get_of_a_missing_field_is_a_fault_or_goes_to_missing() {
    let rig = || {
        rig("record/get")
            .set("FIELD", "a.b")
            .feed("IN", records(json!([{"a": 1}])))
    };
    let verdict = rig().run(&["OUT"], bench::DRIVERS[0].0, 1).outcome.verdict;
    let Verdict::Failed(fault) = verdict else {
        panic!("expected a fault, got {verdict:?}")
    };
    assert_eq!(fault.message, "the record has no field a.b");
    check(
        &rig(),
        &[("OUT", stream("")), ("MISSING", records(json!([{"a": 1}])))],
    );
}

#[test]
fn values_that_get_sends_are_new_packets() {
    let rig = rig("record/get")
        .set("FIELD", "a")
        .feed("IN", records(json!([{"a": 1}])));
    let totals = rig
        .run(&["OUT"], bench::DRIVERS[0].0, 1)
        .outcome
        .statistics
        .totals;
    assert_eq!(
        (totals.created, totals.iip_delivered, totals.dropped),
        (2, 1, 3)
    );
}

#[test]
fn set_replaces_and_makes_fields() {
    let given = json!([{"a": {"b": 1}}, {}]);
    out(
        rig("record/set").set("FIELD", "a.b").set("VALUE", "Ö"),
        given,
        json!([{"a": {"b": "Ö"}}, {"a": {"b": "Ö"}}]),
    );
}

#[test]
fn set_inside_a_plain_value_is_a_fault() {
    let rig = rig("record/set")
        .set("FIELD", "a.b")
        .set("VALUE", "1")
        .feed("IN", records(json!([{"a": 5}])));
    rig.expect_fault("there is no place for the field a.b");
}

#[test]
fn select_and_remove_are_each_others_rest() {
    let given = json!([{"a": 1, "b": {"c": 2, "d": 3}}]);
    out(
        rig("record/select").set("FIELDS", "b.c, z"),
        given.clone(),
        json!([{"b": {"c": 2}}]),
    );
    out(
        rig("record/remove").set("FIELDS", "b.c, z"),
        given,
        json!([{"a": 1, "b": {"d": 3}}]),
    );
}

#[test]
fn an_empty_field_name_is_refused() {
    let given = || records(json!([{}]));
    rig("record/get")
        .set("FIELD", "a..b")
        .feed("IN", given())
        .expect_fault("parameter FIELD: expected a field such as");
    rig("record/select")
        .set("FIELDS", "")
        .feed("IN", given())
        .expect_fault("parameter FIELDS: expected fields such as");
}

#[test]
fn split_compares_texts_as_texts_and_numbers_by_value() {
    let given = json!([{"v": 9}, {"v": 10.5}, {"v": "9"}, {"w": 1}]);
    let rig = rig("record/split")
        .set("FIELD", "v")
        .set("TEST", ">= 10")
        .feed("IN", records(given));
    let (acc, rej) = (
        json!([{"v": 10.5}, {"v": "9"}]),
        json!([{"v": 9}, {"w": 1}]),
    );
    check(&rig, &[("ACC", records(acc)), ("REJ", records(rej))]);
}

#[test]
fn split_finds_missing_fields() {
    let rig = rig("record/split")
        .set("FIELD", "v")
        .set("TEST", "missing")
        .feed("IN", records(json!([{"v": null}, {}])));
    check(
        &rig,
        &[
            ("ACC", records(json!([{}]))),
            ("REJ", records(json!([{"v": null}]))),
        ],
    );
}

#[test]
fn switch_sends_brackets_everywhere_and_the_unknown_to_rest() {
    let given = [
        stream("("),
        records(json!([{"k": "b"}, {"k": "z"}, {}])),
        stream(")"),
    ]
    .concat();
    let rig = rig("record/switch")
        .set("FIELD", "k")
        .set("VALUES", "a, b")
        .feed("IN", given);
    let with = |inner| [stream("("), records(inner), stream(")")].concat();
    check(
        &rig,
        &[
            ("OUT[0]", with(json!([]))),
            ("OUT[1]", with(json!([{"k": "b"}]))),
            ("REST", with(json!([{"k": "z"}, {}]))),
        ],
    );
}

#[test]
fn switch_sends_to_rest_what_leads_nowhere() {
    let rig = rig("record/switch")
        .set("FIELD", "k")
        .set("VALUES", "a, b")
        .feed("IN", records(json!([{"k": "a"}])));
    check(
        &rig,
        &[
            ("OUT[1]", stream("")),
            ("REST", records(json!([{"k": "a"}]))),
        ],
    );
}

#[test]
fn json_goes_to_text_and_back() {
    let lines = texts(&[r#"{"b":1,"a":[null,"ü"]}"#, "-5", "\"x\""]);
    let values = vec![
        Packet::record(json!({"b": 1, "a": [null, "ü"]})),
        Packet::int(-5),
        Packet::text("x"),
    ];
    check(
        &rig("record/from-text").feed("IN", lines.clone()),
        &[("OUT", values.clone())],
    );
    check(&rig("record/to-text").feed("IN", values), &[("OUT", lines)]);
}

#[test]
fn what_is_no_json_is_a_fault() {
    rig("record/from-text")
        .feed("IN", texts(&["{"]))
        .expect_fault("expected JSON");
}

#[test]
fn merge_lets_the_higher_element_win() {
    let rig = rig("record/merge")
        .feed("IN[0]", records(json!([{"a": 1, "b": 1}, {"a": 2}])))
        .feed("IN[4]", records(json!([{"b": -1}])));
    check(&rig, &[("OUT", records(json!([{"a": 1, "b": -1}])))]);
}

#[test]
fn merge_refuses_arrays_and_brackets() {
    rig("record/merge")
        .feed("IN[0]", records(json!([[1]])))
        .expect_fault("expected a record with fields, got [1]");
    rig("record/merge")
        .feed("IN[0]", stream("( )"))
        .expect_fault("open bracket");
}

#[test]
fn texts_are_no_records() {
    rig("record/get")
        .set("FIELD", "a")
        .feed("IN", stream("x"))
        .expect_fault("expected record, got text x");
}
