//! Components for numbers.

mod bench;

use bench::{check, rig, stream, texts, through};

#[test]
fn arithmetic_keeps_whole_numbers_whole() {
    through(
        rig("number/add").set("VALUE", "-5"),
        "( 3 2.5 )",
        "( -2 -2.5 )",
    );
    through(
        rig("number/multiply").set("VALUE", "-3"),
        "-2 0.5 0",
        "6 -1.5 0",
    );
    through(
        rig("number/divide").set("VALUE", "-2"),
        "4 5 -1.0",
        "-2 -2.5 0.5",
    );
    through(
        rig("number/remainder").set("VALUE", "-3"),
        "-7 7.5",
        "2 1.5",
    );
}

#[test]
fn too_large_a_result_is_a_fault() {
    let largest = i64::MAX.to_string();
    rig("number/add")
        .set("VALUE", "1")
        .feed("IN", stream(&largest))
        .expect_fault("too large for a whole number");
    rig("number/multiply")
        .set("VALUE", "-2")
        .feed("IN", stream(&largest))
        .expect_fault("too large");
    let smallest = i64::MIN.to_string();
    rig("number/divide")
        .set("VALUE", "1")
        .feed("IN", stream(&smallest))
        .expect("OUT", [i64::MIN]);
}

#[test]
fn the_smallest_number_divided_by_minus_one_has_a_fraction() {
    let smallest = i64::MIN.to_string();
    let rig = rig("number/divide")
        .set("VALUE", "-1")
        .feed("IN", stream(&smallest));
    rig.expect("OUT", [9_223_372_036_854_775_808.0_f64]);
}

#[test]
fn nothing_is_divided_by_zero() {
    for name in ["number/divide", "number/remainder"] {
        rig(name)
            .set("VALUE", "0.0")
            .feed("IN", stream("1"))
            .expect_fault("parameter VALUE: expected a number other than 0");
    }
}

#[test]
fn a_value_that_is_no_number_is_named() {
    rig("number/add")
        .set("VALUE", "two")
        .feed("IN", stream("1"))
        .expect_fault("parameter VALUE: expected a number such as 3 or -2.5");
}

#[test]
fn texts_are_no_numbers() {
    rig("number/add")
        .set("VALUE", "2")
        .feed("IN", texts(&["1"]))
        .expect_fault("expected int or float, got text");
    rig("number/sum")
        .feed("IN", texts(&["1"]))
        .expect_fault("expected int or float, got text 1");
}

#[test]
fn compare_has_three_ways_and_brackets_go_all() {
    let rig = rig("number/compare")
        .set("VALUE", "-1")
        .feed("IN", stream("( -2 -1.0 -1 0 )"));
    check(
        &rig,
        &[
            ("LESS", stream("( -2 )")),
            ("EQUAL", stream("( -1.0 -1 )")),
            ("MORE", stream("( 0 )")),
        ],
    );
}

#[test]
fn sums_are_exact_for_whole_numbers() {
    through(
        rig("number/sum"),
        "9007199254740993 1 ( -1 )",
        "9007199254740993",
    );
    through(rig("number/sum"), "1 0.5", "1.5");
    through(rig("number/sum"), "", "0");
}

#[test]
fn the_first_of_equals_is_the_extreme() {
    through(rig("number/min"), "3 -1 -1.0 ( 2 )", "-1");
    through(rig("number/max"), "3.0 3 ( 2 )", "3.0");
    through(rig("number/max"), "", "");
}

#[test]
fn parse_reads_what_is_a_number() {
    let rig = || rig("number/parse");
    check(
        &rig().feed("IN", texts(&[" 007 ", "-2.50"])),
        &[("OUT", stream("7 -2.5"))],
    );
    rig()
        .feed("IN", texts(&["1,5"]))
        .expect_fault("expected a number, got \"1,5\"");
    check(
        &rig().feed("IN", texts(&["x", "1"])),
        &[("OUT", stream("1")), ("ERROR", texts(&["x"]))],
    );
}

#[test]
fn format_rounds_to_decimals() {
    let rig = |decimals: &str| {
        rig("number/format")
            .set("DECIMALS", decimals)
            .feed("IN", stream("-1 2.567 ( 0.0 )"))
    };
    check(
        &rig("0"),
        &[(
            "OUT",
            [texts(&["-1", "3"]), stream("("), texts(&["0"]), stream(")")].concat(),
        )],
    );
    check(
        &rig("2"),
        &[(
            "OUT",
            [
                texts(&["-1.00", "2.57"]),
                stream("("),
                texts(&["0.00"]),
                stream(")"),
            ]
            .concat(),
        )],
    );
    rig("101").expect_fault("parameter DECIMALS: expected at most 100, got 101");
}
