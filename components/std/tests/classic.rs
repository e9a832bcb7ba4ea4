//! What the classic family ships, under the names it has there.

mod bench;

use bench::{check, network, received, records, rig, run_every_way, stream, texts, through};
use paperflow_core::Packet;
use paperflow_engine::rig::Rig;
use serde_json::json;

// ---- texts ----

#[test]
fn match_selects_by_regular_expression_and_sends_brackets_both_ways() {
    let rig = rig("Match")
        .set("TEST", "^[gr]")
        .feed("IN", stream("( grün rot ( blau ) )"));
    let acc = ("ACC", stream("( grün rot ( ) )"));
    check(&rig, &[acc.clone(), ("REJ", stream("( ( blau ) )"))]);
    check(&rig, &[acc]);
}

#[test]
fn a_bad_pattern_is_a_fault_before_any_packet() {
    for (name, port) in [
        ("Match", "TEST"),
        ("Submatch", "TEST"),
        ("ReplaceRegExp", "FIND"),
    ] {
        rig(name).set(port, "ab(c").feed("IN", stream("x")).expect_fault(&format!(
            "parameter {port}: expected a regular expression, got \"ab(c\": unclosed group at character 3"
        ));
    }
}

#[test]
fn match_sends_what_is_no_text_to_error() {
    let rig = rig("Match").set("TEST", "a").feed("IN", stream("a 5 b"));
    check(
        &rig,
        &[
            ("ACC", stream("a")),
            ("REJ", stream("b")),
            ("ERROR", stream("5")),
        ],
    );
}

#[test]
fn selector_split_and_filter_select() {
    let selector = rig("Selector").set("TEST", "a").feed("IN", stream("ab ba"));
    check(&selector, &[("ACC", stream("ab")), ("REJ", stream("ba"))]);
    for name in ["Split", "Filter"] {
        let rig = rig(name).set("TEST", "> 2").feed("IN", stream("1 3"));
        check(&rig, &[("ACC", stream("3")), ("REJ", stream("1"))]);
    }
}

#[test]
fn replace_reg_exp_puts_groups_in_place() {
    let rig = |repl: &str| {
        rig("ReplaceRegExp")
            .set("FIND", "(a+)(?<b>b)")
            .set("REPL", repl)
    };
    through(rig("[$b$1]"), "aab ( ab x )", "[baa] ( [ba] x )");
    through(rig("${1}1$$"), "ab", "a1$");
    through(rig(""), "ab aabc", "'' c");
}

#[test]
fn submatch_takes_the_first_match_of_a_text() {
    let rig = rig("Submatch")
        .set("TEST", "([0-9]+)-(?<to>[0-9]+)?")
        .feed("IN", texts(&["from 1-2 or 3-4", "5-", "none"]));
    let found = json!([{"0": "1-2", "1": "1", "to": "2"}, {"0": "5-", "1": "5", "to": null}]);
    check(&rig, &[("OUT", records(found)), ("REJ", texts(&["none"]))]);
}

#[test]
fn obscure_hides_all_but_blanks() {
    through(rig("Obscure").set("OBS", "#"), "a_bä ( '' )", "#_## ( '' )");
    through(rig("Obscure").set("OBS", "#").set("EXC", ""), "a_b", "###");
    rig("Obscure")
        .set("OBS", "##")
        .feed("IN", stream("a"))
        .expect_fault("parameter OBS: expected one character, got \"##\"");
}

#[test]
fn field_limits_counts_characters_and_grows() {
    let rig = rig("FieldLimits")
        .set("SEP", ";")
        .feed("IN", stream("ä;bb ( a;b;ccc )"));
    check(
        &rig,
        &[
            ("OUT", stream("ä;bb ( a;b;ccc )")),
            ("LIMITS", texts(&["1;2;3"])),
        ],
    );
    check(&rig, &[("LIMITS", texts(&["1;2;3"]))]);
}

#[test]
fn pad_fields_pads_to_what_limits_says() {
    let rig = |limits: &str| {
        rig("PadFields")
            .feed("IN", texts(&["ü,x,y", "long"]))
            .feed("LIMITS", stream(limits))
    };
    check(&rig("2,2"), &[("OUT", texts(&["ü ,x ,y", "long"]))]);
    check(&rig(""), &[("OUT", texts(&["ü,x,y", "long"]))]);
    rig("2,x").expect_fault("LIMITS: expected lengths with \",\" between, got \"2,x\"");
    rig("1").set("SEP", "").expect_fault("parameter SEP");
}

#[test]
fn fields_are_padded_to_their_own_limits() {
    let plan = network(
        &[
            ("G", "GenerateTestData"),
            ("A", "Affix"),
            ("L", "FieldLimits"),
            ("Hold", "Balloon"),
            ("P", "PadFields"),
            ("M", "Match"),
            ("Padded", "Discard"),
            ("Other", "Discard"),
        ],
        &[
            ("100", "G.COUNT"),
            (",x", "A.POST"),
            ("100", "Hold.SIZE"),
            ("^[0-9]{6}abcd,x$", "M.TEST"),
        ],
        &[
            ("G.OUT", "A.IN"),
            ("A.OUT", "L.IN"),
            ("L.OUT", "Hold.IN"),
            ("Hold.OUT", "P.IN"),
            ("L.LIMITS", "P.LIMITS"),
            ("P.OUT", "M.IN"),
            ("M.ACC", "Padded.IN"),
            ("M.REJ", "Other.IN"),
        ],
    );
    run_every_way(&plan, |outcome| {
        assert_eq!(received(outcome, "Padded"), 100);
        assert_eq!(received(outcome, "Other"), 0);
    });
}

#[test]
fn word_counts_are_in_order_of_first_appearance() {
    let rig = rig("GenerateWordCounts").feed("IN", stream("b a b ( a ) b"));
    let expected = [
        texts(&["b, 2", "a, 1"]),
        stream("("),
        texts(&["a, 1"]),
        stream(")"),
        texts(&["b, 1"]),
    ];
    check(&rig, &[("OUT", expected.concat())]);
    through(self::rig("GenerateWordCounts"), "", "");
}

// ---- values ----

#[test]
fn assign_overwrites_anything_or_a_field() {
    through(rig("Assign").set("VALUE", "7"), "a ( 1 )", "7 ( 7 )");
    let field = |record| {
        rig("Assign")
            .set("FIELD", "a.b")
            .set("VALUE", "x")
            .feed("IN", records(record))
    };
    check(
        &field(json!([{}, {"a": {"b": 1, "c": 2}}])),
        &[(
            "OUT",
            records(json!([{"a": {"b": "x"}}, {"a": {"b": "x", "c": 2}}])),
        )],
    );
    field(json!([{"a": 1}])).expect_fault("there is no place for the field a.b");
}

#[test]
fn arrays_and_streams_turn_into_each_other() {
    let grouped = stream("( 1 ( a ) ) ( ) 2 3 ( 4 )");
    let arrays = records(json!([[1, ["a"]], [], [2, 3], [4]]));
    check(
        &rig("ToArray").feed("IN", grouped),
        &[("OUT", arrays.clone())],
    );
    check(
        &rig("FromArray").feed("IN", arrays),
        &[(
            "OUT",
            [stream("1"), records(json!([["a"]])), stream("2 3 4")].concat(),
        )],
    );
}

#[test]
fn to_array_refuses_brackets_that_do_not_match() {
    let rig = |input: &str| rig("ToArray").feed("IN", stream(input));
    rig("1 )").expect_fault("got a close bracket without its open bracket");
    rig("( 1").expect_fault("the stream ends inside a group");
}

#[test]
fn from_array_refuses_what_is_no_array() {
    rig("FromArray")
        .feed("IN", records(json!([{"a": 1}])))
        .expect_fault("expected an array, got {\"a\":1}");
}

#[test]
fn marshal_writes_json_and_passes_brackets() {
    let given = [stream("( a"), records(json!([{"b": [1]}])), stream(")")].concat();
    let written = [stream("("), texts(&["\"a\"", "{\"b\":[1]}"]), stream(")")].concat();
    check(&rig("Marshal").feed("IN", given), &[("OUT", written)]);
}

#[test]
fn scan_begins_anew_at_a_bracket() {
    through(rig("Scan"), "1 2 ( 3 4 ) 5", "1 3 ( 3 7 ) 5");
    through(
        rig("Scan").set("OPERATION", "*").set("START", "10"),
        "2 0.5",
        "20 10.0",
    );
    rig("Scan")
        .feed("IN", stream("9223372036854775807 1"))
        .expect_fault("is too large for a whole number");
    rig("Scan")
        .set("OPERATION", "mean")
        .feed("IN", stream("1"))
        .expect_fault("parameter OPERATION: expected add, subtract");
}

#[test]
fn zip_with_ends_with_the_shortest_stream() {
    let rig = |operation: &str| {
        rig("ZipWith")
            .set("OPERATION", operation)
            .feed("IN[0]", stream("8 7 6"))
            .feed("IN[4]", stream("2 0"))
    };
    check(&rig("subtract"), &[("OUT", stream("6 7"))]);
    check(&rig("min"), &[("OUT", stream("2 0"))]);
    rig("divide").expect_fault("7 cannot be divided by 0");
}

// ---- streams ----

#[test]
fn zip_takes_whole_groups_and_ends_with_the_shortest() {
    let rig = rig("Zip")
        .feed("IN[0]", stream("( 1 ( 2 ) ) 3 4"))
        .feed("IN[2]", stream("a ( b ) "))
        .feed("IN[7]", stream("x y z"));
    check(
        &rig,
        &[("OUT", stream("( ( 1 ( 2 ) ) a x ) ( 3 ( b ) y )"))],
    );
}

#[test]
fn zip_with_an_empty_stream_is_empty() {
    let rig = rig("Zip")
        .feed("IN[0]", stream("1 2"))
        .feed("IN[1]", stream(""));
    check(&rig, &[("OUT", stream(""))]);
}

#[test]
fn reverse_turns_every_group_around() {
    through(
        rig("Reverse"),
        "1 2 ( 3 ( 4 5 ) ( ) 6 ) ( )",
        "1 2 ( 6 ( ) ( 5 4 ) 3 ) ( )",
    );
    rig("Reverse")
        .feed("IN", stream("( 1"))
        .expect_fault("the stream ends inside a group");
    rig("Reverse")
        .feed("IN", stream(")"))
        .expect_fault("got a close bracket without its open bracket");
}

#[test]
fn count_every_tells_the_same_number_once() {
    let count = |input: usize| {
        rig("flow/count-every")
            .set("NUMBER", "3")
            .feed("IN", stream(&"x ".repeat(input)))
    };
    check(&count(7), &[("COUNT", stream("3 6 7"))]);
    check(&count(6), &[("COUNT", stream("3 6"))]);
    check(&count(0), &[("COUNT", stream("0"))]);
}

#[test]
fn a_timer_that_fires_once_has_milliseconds_and_a_value() {
    let fired = |rig: Rig, value: Packet| check(&rig, &[("OUT", vec![value])]);
    fired(
        rig("RunTimeout").set("TIMEOUT", "3600000"),
        Packet::text(""),
    );
    fired(
        rig("flow/after").set("INTERVAL", "2s").set("VALUE", "now"),
        Packet::text("now"),
    );
}

/// Ticks at 1 s, 2 s ... 20 s, and a switch that is turned at 4.6 s and at 9.2 s.
fn switched(open: &str) -> paperflow_graph::plan::Plan {
    network(
        &[
            ("T", "RunInterval"),
            ("Turn", "RunInterval"),
            ("S", "Switch"),
            ("D", "Discard"),
        ],
        &[
            ("1s", "T.INTERVAL"),
            ("20", "T.COUNT"),
            ("4600ms", "Turn.INTERVAL"),
            ("2", "Turn.COUNT"),
            (open, "S.OPEN"),
        ],
        &[
            ("T.OUT", "S.IN"),
            ("Turn.OUT", "S.TRIGGER"),
            ("S.OUT", "D.IN"),
        ],
    )
}

#[test]
fn a_switch_holds_back_while_it_is_closed() {
    run_every_way(&switched("false"), |outcome| {
        assert_eq!(received(outcome, "D"), 9, "closed for good at 9.2 s");
    });
    run_every_way(&switched("true"), |outcome| {
        assert_eq!(received(outcome, "D"), 20, "closed from 4.6 s to 9.2 s");
        assert_eq!(outcome.statistics.totals.lost_on_close, 0);
    });
}

#[test]
fn a_switch_does_as_it_is_told() {
    let rig = |trigger: &str| {
        rig("Switch")
            .feed("IN", stream("a ( b )"))
            .feed("TRIGGER", stream(trigger))
    };
    check(&rig(""), &[("OUT", stream(""))]);
    check(&rig("false"), &[("OUT", stream(""))]);
    check(&rig("( ) false true true"), &[("OUT", stream("a ( b )"))]);
}

/// A stream of 100 that parts, one branch waiting for all of it, and comes together again.
fn parted(size: &str) -> paperflow_graph::plan::Plan {
    network(
        &[
            ("G", "GenerateTestData"),
            ("R", "ReplString"),
            ("B", "Balloon"),
            ("C", "ConcatStreams"),
            ("D", "Discard"),
        ],
        &[("100", "G.COUNT"), (size, "B.SIZE")],
        &[
            ("G.OUT", "R.IN"),
            ("R.OUT[0]", "C.IN[0]"),
            ("R.OUT[1]", "B.IN"),
            ("B.OUT", "C.IN[1]"),
            ("C.OUT", "D.IN"),
        ],
    )
}

#[test]
fn a_balloon_has_room_for_as_much_as_it_says() {
    for capacity in [1, 2, 5] {
        for (scheduler, _) in bench::DRIVERS {
            // The links before and behind it hold their share of the 100.
            let enough = 100 - 2 * capacity;
            let outcome = bench::run(&parted(&enough.to_string()), scheduler, capacity);
            assert!(outcome.is_success(), "{capacity}: {:?}", outcome.verdict);
            assert_eq!(received(&outcome, "D"), 200);
            let outcome = bench::run(&parted(&(enough - 1).to_string()), scheduler, capacity);
            assert!(
                matches!(outcome.verdict, paperflow_engine::Verdict::Deadlock(_)),
                "{capacity}: {:?}",
                outcome.verdict
            );
        }
    }
}

#[test]
fn a_balloon_ends_when_its_reader_leaves() {
    let plan = network(
        &[
            ("G", "GenerateTestData"),
            ("B", "Balloon"),
            ("L", "CopierCloser"),
            ("D", "Discard"),
        ],
        &[("1000", "G.COUNT"), ("3", "L.NUMBER"), ("5", "B.SIZE")],
        &[("G.OUT", "B.IN"), ("B.OUT", "L.IN"), ("L.OUT", "D.IN")],
    );
    run_every_way(&plan, |outcome| assert_eq!(received(outcome, "D"), 2));
}

/// A component that gets groups of test data, and whose reader leaves at its third packet.
fn left(component: &str, input: &str, out: &str, params: &[(&str, &str)]) {
    let to = format!("X.{input}");
    let from = format!("X.{out}");
    let mut initials = vec![("200", "G.COUNT"), ("3", "L.NUMBER")];
    initials.extend(params);
    let plan = network(
        &[
            ("G", "GenSS"),
            ("X", component),
            ("L", "CopierCloser"),
            ("D", "Discard"),
        ],
        &initials,
        &[("G.OUT", &to), (&from, "L.IN"), ("L.OUT", "D.IN")],
    );
    run_every_way(&plan, |outcome| {
        assert_eq!(received(outcome, "D"), 2, "{component}");
    });
}

#[test]
fn whose_reader_leaves_ends_quietly() {
    left("Match", "IN", "ACC", &[("", "X.TEST")]);
    left("ReplaceRegExp", "IN", "OUT", &[("a", "X.FIND")]);
    left("Submatch", "IN", "OUT", &[("a", "X.TEST")]);
    left("Obscure", "IN", "OUT", &[]);
    left("GenerateWordCounts", "IN", "OUT", &[]);
    left("PadFields", "IN", "OUT", &[("12", "X.LIMITS")]);
    left("Assign", "IN", "OUT", &[("1", "X.VALUE")]);
    left("ToArray", "IN", "OUT", &[]);
    left("Reverse", "IN", "OUT", &[]);
    left("Zip", "IN[0]", "OUT", &[]);
    left(
        "Switch",
        "IN",
        "OUT",
        &[("true", "X.OPEN"), ("true", "X.TRIGGER")],
    );
}

#[test]
fn who_only_counts_goes_on_when_the_reader_of_out_leaves() {
    for (component, told) in [("flow/count-every", "COUNT"), ("FieldLimits", "LIMITS")] {
        let told = format!("X.{told}");
        let plan = network(
            &[
                ("G", "GenerateTestData"),
                ("X", component),
                ("L", "CopierCloser"),
                ("D", "Discard"),
                ("Told", "Discard"),
            ],
            &[("200", "G.COUNT"), ("3", "L.NUMBER")],
            &[
                ("G.OUT", "X.IN"),
                ("X.OUT", "L.IN"),
                ("L.OUT", "D.IN"),
                (&told, "Told.IN"),
            ],
        );
        run_every_way(&plan, |outcome| {
            assert_eq!(received(outcome, "X"), 200, "{component}");
            assert_eq!(received(outcome, "Told"), 1, "{component}");
        });
    }
}
