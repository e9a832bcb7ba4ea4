//! Components that make, use and remove groups.

mod bench;

use bench::{check, records, rig, stream, through};
use paperflow_core::Packet;
use serde_json::json;

#[test]
fn enclose_puts_a_group_around_groups() {
    through(rig("EncloseBrackets"), "1 ( 2 )", "( 1 ( 2 ) )");
    through(rig("EncloseBrackets"), "", "");
}

#[test]
fn every_counts_groups_as_one() {
    through(
        rig("group/every").set("SIZE", "2"),
        "1 2 3 4",
        "( 1 2 ) ( 3 4 )",
    );
    through(
        rig("group/every").set("SIZE", "2"),
        "( 1 2 ) ( ) 3",
        "( ( 1 2 ) ( ) ) ( 3 )",
    );
    through(rig("group/every").set("SIZE", "1"), "", "");
}

#[test]
fn every_refuses_size_0() {
    rig("group/every")
        .set("SIZE", "0")
        .feed("IN", stream("1"))
        .expect_fault("parameter SIZE: expected a whole number, 1 or more");
}

#[test]
fn by_ends_a_group_at_a_bracket() {
    through(
        rig("group/by"),
        "a a ( a b ) b",
        "( a a ) ( ( a ) ( b ) ) ( b )",
    );
    through(rig("group/by"), "", "");
}

#[test]
fn by_field_groups_neighbours_only() {
    let given = records(json!([{"k": 1}, {"k": 1}, {"k": -2}, {"k": 1}]));
    let record = |k: i64| vec![Packet::record(json!({"k": k}))];
    let expected = [
        stream("("),
        record(1),
        record(1),
        stream(") ("),
        record(-2),
        stream(") ("),
        record(1),
        stream(")"),
    ];
    check(
        &rig("group/by").set("FIELD", "k").feed("IN", given),
        &[("OUT", expected.concat())],
    );
}

#[test]
fn by_a_missing_field_is_a_fault() {
    rig("group/by")
        .set("FIELD", "k")
        .feed("IN", records(json!([{"x": 1}])))
        .expect_fault("the record has no field k");
}

#[test]
fn ungroup_undoes_every_level() {
    through(rig("RemoveBrackets"), "( 1 ( 2 ( ) ) ) 3", "1 2 3");
}

#[test]
fn count_and_sum_have_one_number_per_group() {
    through(rig("group/count"), "( 1 ( 2 ) ) ( ) ( 3 )", "2 0 1");
    through(rig("group/sum"), "( 1 ( -2.5 ) ) ( ) ( 3 )", "-1.5 0 3");
    through(rig("group/count"), "", "");
}

#[test]
fn sum_adds_up_a_field() {
    let given = [
        stream("("),
        records(json!([{"p": 599}, {"p": 240}, {"p": 199}])),
        stream(")"),
    ]
    .concat();
    check(
        &rig("group/sum").set("FIELD", "p").feed("IN", given),
        &[("OUT", stream("1038"))],
    );
}

#[test]
fn sum_refuses_a_field_that_is_no_number() {
    let given = [stream("("), records(json!([{"p": "x"}])), stream(")")].concat();
    rig("group/sum")
        .set("FIELD", "p")
        .feed("IN", given)
        .expect_fault("expected int or float, got text x");
}

#[test]
fn brackets_that_do_not_match_are_faults() {
    for name in ["group/count", "group/sum"] {
        rig(name)
            .feed("IN", stream("1"))
            .expect_fault("got a packet outside any group");
        rig(name)
            .feed("IN", stream(")"))
            .expect_fault("got a close bracket without its open bracket");
        rig(name)
            .feed("IN", stream("( 1"))
            .expect_fault("the stream ends inside a group");
    }
}
