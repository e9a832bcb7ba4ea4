//! Components that move packets.

mod bench;

use bench::{check, network, received, records, rig, run_every_way, stream, texts, through};
use paperflow_core::Packet;
use paperflow_engine::Verdict;
use serde_json::json;

#[test]
fn pass_and_copy_forward_the_packet_itself() {
    for name in ["Passthru", "Copy"] {
        let rig = rig(name).feed("IN", stream("a ( 1 )"));
        let ran = rig.run(&["OUT"], bench::DRIVERS[3].0, 64);
        assert_eq!(ran.output("OUT"), stream("a ( 1 )"));
        assert_eq!(
            ran.outcome.statistics.totals.created, 4,
            "{name} makes no packet"
        );
    }
}

#[test]
fn drop_drops_brackets_too() {
    check(&rig("Discard").feed("IN", stream("1 ( 2 )")), &[]);
}

#[test]
fn count_counts_brackets_as_packets() {
    check(
        &rig("Counter").feed("IN", stream("( c )")),
        &[("OUT", stream("( c )")), ("COUNT", stream("3"))],
    );
}

#[test]
fn count_of_an_empty_stream_is_0() {
    check(
        &rig("flow/count").feed("IN", stream("")),
        &[("COUNT", stream("0"))],
    );
}

#[test]
fn replicate_makes_new_packets_and_drops_the_original() {
    let plan = network(
        &[
            ("G", "flow/generate"),
            ("R", "flow/replicate"),
            ("D", "flow/drop"),
        ],
        &[("2000", "G.COUNT")],
        &[("G.OUT", "R.IN"), ("R.OUT[0]", "D.IN")],
    );
    run_every_way(&plan, |outcome| {
        let totals = outcome.statistics.totals;
        assert_eq!(
            (totals.created, totals.dropped, totals.sent),
            (4000, 4001, 4000)
        );
    });
}

#[test]
fn replicate_copies_brackets() {
    let rig = rig("ReplString").feed("IN", stream("( 1 )"));
    check(
        &rig,
        &[("OUT[0]", stream("( 1 )")), ("OUT[5]", stream("( 1 )"))],
    );
}

/// `OUT[0]` leads to a receiver that leaves at its third packet, `OUT[1]` to one that stays.
fn with_one_that_leaves(component: &str) -> paperflow_graph::plan::Plan {
    network(
        &[
            ("G", "flow/generate"),
            ("X", component),
            ("Leaves", "flow/close-early"),
            ("D", "flow/drop"),
            ("Stays", "flow/drop"),
        ],
        &[("100", "G.COUNT"), ("3", "Leaves.NUMBER")],
        &[
            ("G.OUT", "X.IN"),
            ("X.OUT[0]", "Leaves.IN"),
            ("Leaves.OUT", "D.IN"),
            ("X.OUT[1]", "Stays.IN"),
        ],
    )
}

#[test]
fn replicate_goes_on_when_one_receiver_leaves() {
    run_every_way(&with_one_that_leaves("flow/replicate"), |outcome| {
        assert_eq!(received(outcome, "Stays"), 100);
        assert_eq!(received(outcome, "D"), 2);
    });
}

#[test]
fn round_robin_and_balance_go_on_when_one_receiver_leaves() {
    for component in ["flow/round-robin", "flow/balance"] {
        run_every_way(&with_one_that_leaves(component), |outcome| {
            let lost = outcome.statistics.totals.lost_on_close;
            assert_eq!(
                received(outcome, "Stays") + received(outcome, "Leaves") + lost,
                100,
                "{component}"
            );
        });
    }
}

#[test]
fn what_feeds_only_leavers_ends() {
    let plan = network(
        &[
            ("G", "flow/generate"),
            ("R", "flow/replicate"),
            ("L", "flow/take"),
            ("D", "flow/drop"),
        ],
        &[("1000", "G.COUNT"), ("1", "L.NUMBER")],
        &[("G.OUT", "R.IN"), ("R.OUT[0]", "L.IN"), ("L.ACC", "D.IN")],
    );
    run_every_way(&plan, |outcome| assert_eq!(received(outcome, "D"), 1));
}

#[test]
fn merge_loses_nothing_and_keeps_the_order_of_each_stream() {
    let rig = rig("flow/merge")
        .feed("IN[0]", 0..50_i64)
        .feed("IN[1]", 100..150_i64)
        .feed("IN[2]", stream(""));
    for (scheduler, capacity) in bench::DRIVERS {
        let ran = rig.run(&["OUT"], scheduler, capacity);
        let all: Vec<i64> = ran
            .output("OUT")
            .iter()
            .filter_map(Packet::as_int)
            .collect();
        let (low, high): (Vec<i64>, Vec<i64>) = all.iter().partition(|number| **number < 100);
        assert_eq!(low, (0..50).collect::<Vec<i64>>());
        assert_eq!(high, (100..150).collect::<Vec<i64>>());
    }
}

#[test]
fn merge_groups_never_splits_a_group() {
    let rig = rig("SubstreamSensitiveMerge")
        .feed("IN[0]", stream("( a ( a ) a ) ( a )"))
        .feed("IN[1]", stream("b ( b b ) b"));
    for (scheduler, capacity) in bench::DRIVERS {
        let ran = rig.run(&["OUT"], scheduler, capacity);
        let text: String = ran.output("OUT").iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 16);
        for group in ["(a(a)a)", "(a)", "(bb)"] {
            assert!(text.contains(group), "{text}");
        }
    }
}

#[test]
fn merge_in_turn_takes_whole_groups_and_passes_over_what_has_ended() {
    let rig = rig("RRMerge")
        .feed("IN[0]", stream("( 1 ( 2 ) ) 6"))
        .feed("IN[1]", stream("3 7 8"))
        .feed("IN[2]", stream(""));
    check(&rig, &[("OUT", stream("( 1 ( 2 ) ) 3 6 7 8"))]);
}

#[test]
fn concat_takes_the_elements_by_number() {
    let rig = rig("ConcatStreams")
        .feed("IN[2]", stream("c )"))
        .feed("IN[0]", stream("( a"))
        .feed("IN[1]", stream(""));
    check(&rig, &[("OUT", stream("( a c )"))]);
}

#[test]
fn collate_brackets_every_level_of_keys() {
    let rig = rig("Collate")
        .set("CTLFIELDS", "3, 2, 5")
        .feed(
            "IN[0]",
            texts(&["1119900001m", "1119900002m", "1119800001m"][..2]),
        )
        .feed(
            "IN[1]",
            texts(&["1119900001d", "1119900001e", "2220100001d"]),
        );
    let expected = stream(
        "( ( ( 1119900001m 1119900001d 1119900001e ) ( 1119900002m ) ) ) ( ( ( 2220100001d ) ) )",
    );
    check(&rig, &[("OUT", expected)]);
}

#[test]
fn collate_of_nothing_has_no_brackets() {
    let rig = rig("Collate")
        .set("CTLFIELDS", "1")
        .feed("IN[0]", stream(""))
        .feed("IN[1]", stream(""));
    check(&rig, &[("OUT", stream(""))]);
}

#[test]
fn collate_by_fields_compares_numbers_by_value() {
    let master = records(json!([{"n": -5}, {"n": 2}, {"n": 10}]));
    let detail = records(json!([{"n": 2, "d": 1}, {"n": 10, "d": 2}]));
    let rig = rig("Collate")
        .set("CTLFIELDS", "n")
        .feed("IN[0]", master)
        .feed("IN[1]", detail);
    let json = |record| vec![Packet::json(record)];
    let expected = [
        stream("("),
        json(json!({"n": -5})),
        stream(") ("),
        json(json!({"n": 2})),
        json(json!({"n": 2, "d": 1})),
        stream(") ("),
        json(json!({"n": 10})),
        json(json!({"n": 10, "d": 2})),
        stream(")"),
    ];
    check(&rig, &[("OUT", expected.concat())]);
}

#[test]
fn collate_refuses_brackets_and_other_kinds() {
    let rig = || rig("Collate").set("CTLFIELDS", "1");
    rig()
        .feed("IN[0]", stream("( a )"))
        .expect_fault("IN[0] has a bracket");
    rig()
        .feed("IN[3]", stream("5"))
        .expect_fault("IN[3]: expected text, got int 5");
}

#[test]
fn wrong_parameters_are_named() {
    rig("Collate")
        .set("CTLFIELDS", "3, x")
        .feed("IN[0]", stream("a"))
        .expect_fault("parameter CTLFIELDS: expected lengths");
    rig("flow/take")
        .set("NUMBER", "-1")
        .feed("IN", stream("a"))
        .expect_fault("parameter NUMBER: expected a whole number, 0 or more");
    rig("flow/splitter")
        .set("SIZE", "0")
        .feed("IN", stream("a"))
        .expect_fault("parameter SIZE: expected a whole number, 1 or more");
    rig("flow/select")
        .set("TEST", "big")
        .feed("IN", stream("a"))
        .expect_fault("parameter TEST: expected a test");
    rig("flow/generate")
        .set("COUNT", "many")
        .expect_fault("parameter COUNT: expected a whole number, 0 or more");
    rig("flow/tick")
        .set("INTERVAL", "0s")
        .expect_fault("parameter INTERVAL: expected a duration of more than zero");
}

#[test]
fn round_robin_deals_groups_in_one_piece() {
    let rig = rig("RoundRobinSender").feed("IN", stream("1 ( 2 ( 3 ) ) 4 5"));
    check(
        &rig,
        &[
            ("OUT[0]", stream("1 5")),
            ("OUT[1]", stream("( 2 ( 3 ) )")),
            ("OUT[7]", stream("4")),
        ],
    );
}

#[test]
fn balance_loses_nothing_and_splits_no_group() {
    let groups = "( 1 ( 2 ) ) ( 3 ) 4 ".repeat(20);
    let rig = rig("LoadBalance").feed("IN", stream(&groups));
    for (scheduler, capacity) in bench::DRIVERS {
        let ran = rig.run(&["OUT[0]", "OUT[1]", "OUT[2]"], scheduler, capacity);
        let mut count = 0;
        for port in ["OUT[0]", "OUT[1]", "OUT[2]"] {
            let text: String = ran.output(port).iter().map(ToString::to_string).collect();
            count += ran.output(port).len();
            let rest = text
                .replace("(1(2))", "")
                .replace("(3)", "")
                .replace('4', "");
            assert_eq!(rest, "", "{port} has {text}");
        }
        assert_eq!(count, 200);
    }
}

#[test]
fn balance_gives_what_is_tied_to_the_lowest_element() {
    let rig = rig("flow/balance").feed("IN", stream("1"));
    check(&rig, &[("OUT[0]", stream("1")), ("OUT[1]", stream(""))]);
}

#[test]
fn gate_stays_shut_without_a_trigger() {
    check(
        &rig("Gate")
            .feed("IN", stream("a"))
            .feed("TRIGGER", stream("")),
        &[("OUT", stream(""))],
    );
    check(
        &rig("Gate")
            .feed("IN", stream("a ( b )"))
            .feed("TRIGGER", stream("( x")),
        &[("OUT", stream("a ( b )"))],
    );
}

#[test]
fn take_and_skip_count_groups_as_one() {
    let rig = |name: &str, number: &str| {
        rig(name)
            .set("NUMBER", number)
            .feed("IN", stream("( 1 ( 2 ) ) 3 4"))
    };
    let (first, rest) = (stream("( 1 ( 2 ) )"), stream("3 4"));
    check(
        &rig("flow/take", "1"),
        &[("ACC", first.clone()), ("REJ", rest.clone())],
    );
    check(&rig("flow/skip", "1"), &[("ACC", rest), ("REJ", first)]);
}

#[test]
fn take_nothing_and_take_too_many() {
    let rig = |number: &str| {
        rig("flow/take")
            .set("NUMBER", number)
            .feed("IN", stream("1 2"))
    };
    check(&rig("0"), &[("ACC", stream(""))]);
    check(&rig("0"), &[("ACC", stream("")), ("REJ", stream("1 2"))]);
    check(&rig("9"), &[("ACC", stream("1 2")), ("REJ", stream(""))]);
}

#[test]
fn nth_counts_from_0() {
    let rig = |number: &str| {
        rig("SelNthItem")
            .set("NUMBER", number)
            .feed("IN", stream("a b c"))
    };
    check(&rig("0"), &[("ACC", stream("a")), ("REJ", stream("b c"))]);
    check(&rig("3"), &[("ACC", stream("")), ("REJ", stream("a b c"))]);
}

#[test]
fn splitter_gives_31_to_each_and_the_rest_to_the_last() {
    let rig = rig("Splitter1").feed("IN", 1..=100_i64);
    let part = |range: std::ops::RangeInclusive<i64>| range.map(Packet::int).collect::<Vec<_>>();
    check(
        &rig,
        &[
            ("OUT[0]", part(1..=31)),
            ("OUT[1]", part(32..=62)),
            ("OUT[2]", part(63..=100)),
        ],
    );
}

#[test]
fn splitter_before_concat_does_not_deadlock() {
    let plan = network(
        &[
            ("G", "GenerateTestData"),
            ("S", "Splitter1"),
            ("P", "Passthru"),
            ("Q", "Passthru"),
            ("C", "ConcatStreams"),
            ("D", "Discard"),
        ],
        &[("1000", "G.COUNT")],
        &[
            ("G.OUT", "S.IN"),
            ("S.OUT[0]", "C.IN[0]"),
            ("S.OUT[1]", "P.IN"),
            ("P.OUT", "C.IN[1]"),
            ("S.OUT[2]", "Q.IN"),
            ("Q.OUT", "C.IN[2]"),
            ("C.OUT", "D.IN"),
        ],
    );
    run_every_way(&plan, |outcome| {
        assert_eq!(outcome.statistics.totals.sent, 3969);
    });
}

#[test]
fn kick_turns_an_initial_packet_into_a_packet() {
    let plan = network(
        &[("K", "KickWD"), ("D", "Discard")],
        &[("go", "K.SOURCE")],
        &[("K.OUT", "D.IN")],
    );
    run_every_way(&plan, |outcome| {
        let totals = outcome.statistics.totals;
        assert_eq!(
            (totals.created, totals.iip_delivered, totals.dropped),
            (0, 1, 1)
        );
    });
}

#[test]
fn kick_without_source_sends_one_blank() {
    check(&rig("Kick"), &[("OUT", stream("''"))]);
}

#[test]
fn inject_sends_its_constant() {
    check(
        &rig("Inject").set("CONST", "a b"),
        &[("OUT", texts(&["a b"]))],
    );
}

#[test]
fn delay_reads_milliseconds_at_intvl() {
    let rig = rig("Delay")
        .set("INTVL", "250")
        .feed("IN", stream("a ( b )"));
    check(&rig, &[("OUT", stream("a ( b )"))]);
}

#[test]
fn generate_counts_down() {
    check(
        &rig("GenerateTestData").set("COUNT", "2"),
        &[("OUT", texts(&["000002abcd", "000001abcd"]))],
    );
    check(
        &rig("GenerateTestData").set("COUNT", "0"),
        &[("OUT", stream(""))],
    );
}

#[test]
fn generate_groups_of_5() {
    let ran = rig("GenSS")
        .set("COUNT", "23")
        .run(&["OUT"], bench::DRIVERS[0].0, 1);
    let text: String = ran
        .output("OUT")
        .iter()
        .map(|packet| {
            if packet.is_bracket() {
                packet.to_string()
            } else {
                String::from("x")
            }
        })
        .collect();
    assert_eq!(text, "(xxxxx)(xxxxx)(xxxxx)(xxxxx)(xxx)");
    check(
        &rig("GenSS").set("COUNT", "5").set("SIZE", "5"),
        &[(
            "OUT",
            stream("( 000005abcd 000004abcd 000003abcd 000002abcd 000001abcd )"),
        )],
    );
}

#[test]
fn countdown_ends_a_loop() {
    let mut plan = network(
        &[("K", "KickWD"), ("L", "flow/countdown"), ("C", "Copy")],
        &[("10", "K.SOURCE")],
        &[("K.OUT", "L.IN"), ("L.OUT", "C.IN")],
    );
    let back = network(
        &[("K", ""), ("L", ""), ("C", "")],
        &[],
        &[("C.OUT", "L.IN")],
    )
    .links
    .remove(0);
    plan.links[0].from.extend(back.from);
    run_every_way(&plan, |outcome| {
        let totals = outcome.statistics.totals;
        assert_eq!((totals.created, totals.sent), (10, 21));
    });
}

#[test]
fn close_early_delivers_19_of_200() {
    let plan = network(
        &[
            ("G", "Generate"),
            ("L", "flow/close-early"),
            ("D", "Discard"),
        ],
        &[("200", "G.COUNT")],
        &[("G.OUT", "L.IN"), ("L.OUT", "D.IN")],
    );
    run_every_way(&plan, |outcome| assert_eq!(received(outcome, "D"), 19));
}

#[test]
fn crash_fails_at_its_packet() {
    rig("Crash")
        .set("NUMBER", "5")
        .feed("IN", 1..9_i64)
        .expect_fault("failed at packet 5");
}

#[test]
fn distinct_tells_kinds_apart_and_passes_brackets() {
    let mixed = [stream("1 a ( 1 a )"), texts(&["1"])].concat();
    let expected = [stream("1 a ( )"), texts(&["1"])].concat();
    check(
        &rig("flow/distinct").feed("IN", mixed),
        &[("OUT", expected)],
    );
}

#[test]
fn distinct_by_a_field_that_is_missing_is_a_fault() {
    rig("flow/distinct")
        .set("FIELD", "id")
        .feed("IN", records(json!([{"x": 1}])))
        .expect_fault("the record has no field id");
    rig("flow/distinct")
        .set("FIELD", "id")
        .feed("IN", stream("a"))
        .expect_fault("expected record, got text a");
}

#[test]
fn dedupe_starts_anew_at_a_bracket() {
    through(rig("DedupeSuccessive"), "a a ( a a ) a", "a ( a ) a");
}

#[test]
fn sort_is_by_code_point_and_by_value() {
    through(rig("Sort"), "ä b a Z 10 9 -3 2.5", "-3 2.5 9 10 Z a b ä");
}

#[test]
fn sort_keeps_groups_where_they_are() {
    through(
        rig("Sort"),
        "2 1 ( 4 3 ( 6 5 ) ) 8 7",
        "1 2 ( 3 4 ( 5 6 ) ) 7 8",
    );
}

#[test]
fn sort_by_field_keeps_the_order_of_equals() {
    let given = json!([{"k": 2, "n": 1}, {"k": 1, "n": 2}, {"k": 2, "n": 3}, {"n": 4}]);
    let sorted = json!([{"n": 4}, {"k": 1, "n": 2}, {"k": 2, "n": 1}, {"k": 2, "n": 3}]);
    let rig = rig("Sort").set("FIELD", "k").feed("IN", records(given));
    check(&rig, &[("OUT", records(sorted))]);
}

#[test]
fn select_sends_brackets_both_ways() {
    let rig = rig("flow/select")
        .set("TEST", "< 0")
        .feed("IN", stream("( -1 1 a )"));
    check(
        &rig,
        &[("ACC", stream("( -1 )")), ("REJ", stream("( 1 a )"))],
    );
}

#[test]
fn balance_of_twenty_loses_nothing() {
    let mut processes = vec![
        (String::from("G"), "flow/generate"),
        (String::from("B"), "LoadBalance"),
    ];
    let mut arrows = vec![(String::from("G.OUT"), String::from("B.IN"))];
    for at in 0..20 {
        processes.push((format!("P{at}"), "Passthru"));
        arrows.push((format!("B.OUT[{at}]"), format!("P{at}.IN")));
    }
    processes.push((String::from("S"), "Sort"));
    processes.push((String::from("D"), "Discard"));
    arrows.push((String::from("S.OUT"), String::from("D.IN")));
    let processes: Vec<(&str, &str)> = processes
        .iter()
        .map(|(name, component)| (name.as_str(), *component))
        .collect();
    let arrows: Vec<(&str, &str)> = arrows
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    let mut plan = network(&processes, &[("5000", "G.COUNT")], &arrows);
    let sorts: Vec<(String, &str)> = (0..20).map(|at| (format!("P{at}.OUT"), "S.IN")).collect();
    let sorts: Vec<(&str, &str)> = sorts
        .iter()
        .map(|(from, to)| (from.as_str(), *to))
        .collect();
    let mut into_sort = network(&processes, &[], &sorts).links;
    let mut first = into_sort.remove(0);
    first
        .from
        .extend(into_sort.into_iter().flat_map(|link| link.from));
    plan.links.push(first);
    run_every_way(&plan, |outcome| {
        assert_eq!(outcome.verdict, Verdict::Finished);
        assert_eq!(outcome.statistics.totals.sent, 20_000);
        assert_eq!(received(outcome, "D"), 5000);
    });
}

#[test]
fn replicate_before_concat_deadlocks_and_is_reported() {
    let plan = network(
        &[
            ("G", "GenerateTestData"),
            ("R", "ReplString"),
            ("C", "ConcatStreams"),
            ("D", "Discard"),
        ],
        &[("10000", "G.COUNT")],
        &[
            ("G.OUT", "R.IN"),
            ("R.OUT[0]", "C.IN[0]"),
            ("R.OUT[1]", "C.IN[2]"),
            ("R.OUT[2]", "C.IN[1]"),
            ("C.OUT", "D.IN"),
        ],
    );
    for (scheduler, capacity) in bench::DRIVERS {
        let outcome = bench::run(&plan, scheduler, capacity);
        let Verdict::Deadlock(deadlock) = outcome.verdict else {
            panic!("{:?}", outcome.verdict)
        };
        let states = deadlock
            .stuck
            .iter()
            .map(|stuck| format!("{} {}", stuck.address, stuck.state));
        let states: Vec<String> = states.collect();
        let expected = [
            "G suspended(send OUT)",
            "R suspended(send OUT[1])",
            "C suspended(receive IN[0])",
            "D dormant",
        ];
        assert_eq!(states, expected, "{scheduler:?} at capacity {capacity}");
    }
}

#[test]
fn an_empty_stream_starts_must_run_components_only() {
    let plan = network(
        &[
            ("G", "GenerateTestData"),
            ("P", "Copy"),
            ("N", "Counter"),
            ("D", "Discard"),
        ],
        &[("0", "G.COUNT")],
        &[("G.OUT", "P.IN"), ("P.OUT", "N.IN"), ("N.COUNT", "D.IN")],
    );
    run_every_way(&plan, |outcome| {
        let opened: Vec<u64> = outcome
            .statistics
            .processes
            .iter()
            .map(|process| process.opened)
            .collect();
        assert_eq!(opened, [1, 0, 1, 1]);
        assert_eq!(received(outcome, "D"), 1);
    });
}

#[test]
fn a_receiver_that_leaves_inside_a_group_costs_no_more_than_the_group() {
    for component in ["flow/round-robin", "flow/balance"] {
        let plan = network(
            &[
                ("G", "flow/generate-groups"),
                ("X", component),
                ("Leaves", "flow/close-early"),
                ("D", "flow/drop"),
                ("Stays", "group/count"),
                ("E", "flow/drop"),
            ],
            &[("100", "G.COUNT"), ("10", "G.SIZE"), ("3", "Leaves.NUMBER")],
            &[
                ("G.OUT", "X.IN"),
                ("X.OUT[0]", "Leaves.IN"),
                ("Leaves.OUT", "D.IN"),
                ("X.OUT[1]", "Stays.IN"),
                ("Stays.OUT", "E.IN"),
            ],
        );
        run_every_way(&plan, |outcome| {
            assert!(outcome.leaks.is_empty(), "{component}: {:?}", outcome.leaks);
            assert_eq!(
                received(outcome, "Stays") % 12,
                0,
                "{component} splits a group"
            );
        });
    }
}

#[test]
fn shed_ignores_what_does_not_fit() {
    let plan = network(
        &[
            ("G", "flow/generate"),
            ("S", "flow/shed"),
            ("Slow", "flow/delay"),
            ("D", "flow/drop"),
            ("Spilt", "flow/drop"),
        ],
        &[("100", "G.COUNT"), ("1h", "Slow.INTERVAL")],
        &[
            ("G.OUT", "S.IN"),
            ("S.OUT", "Slow.IN"),
            ("Slow.OUT", "D.IN"),
            ("S.SPILL", "Spilt.IN"),
        ],
    );
    run_every_way(&plan, |outcome| {
        let (kept, spilt) = (received(outcome, "D"), received(outcome, "Spilt"));
        assert_eq!(kept + spilt, 100);
        assert!(spilt > 0 && kept > 0, "{kept} kept");
    });
}

#[test]
fn shed_that_halts_loses_nothing() {
    let rig = rig("flow/shed")
        .set("POLICY", "halt")
        .feed("IN", 0..200_i64);
    let all: Vec<Packet> = (0..200).map(Packet::int).collect();
    check(&rig, &[("OUT", all), ("COUNT", stream("0"))]);
}

#[test]
fn priority_comes_from_a_field_or_is_the_same_for_all() {
    let rig = rig("flow/priority")
        .set("FIELD", "stars")
        .set("VALUE", "-1")
        .feed("IN", records(json!([{"stars": 5}, {}, 7])));
    let ran = rig.run(&["OUT"], bench::DRIVERS[0].0, 64);
    let of = |packet: &Packet| packet.headers()?.get("priority").map(str::to_owned);
    let all: Vec<_> = ran.output("OUT").iter().filter_map(of).collect();
    assert_eq!(all, ["5", "-1", "-1"]);
}

#[test]
fn a_priority_that_is_no_whole_number_is_a_fault() {
    rig("flow/priority")
        .set("FIELD", "stars")
        .feed("IN", records(json!([{"stars": "many"}])))
        .expect_fault("the field stars is no whole number but \"many\"");
}

#[test]
fn wrong_policies_are_named() {
    rig("flow/shed")
        .set("POLICY", "wait")
        .feed("IN", stream("a"))
        .expect_fault("parameter POLICY: expected halt or ignore");
}

#[test]
fn delays_and_limits_lose_nothing_and_keep_the_order() {
    for (name, parameter) in [
        ("RandomDelay", "INTVL"),
        ("flow/limit-rate", "NUMBER"),
        ("flow/timeout", "INTERVAL"),
    ] {
        let value = if parameter == "INTERVAL" { "1h" } else { "3" };
        through(
            rig(name).set(parameter, value),
            "( 3 1 ( ) 2 )",
            "( 3 1 ( ) 2 )",
        );
        through(rig(name).set(parameter, value), "", "");
    }
}

#[test]
fn a_huge_limit_or_pause_does_no_harm() {
    let rig_with = |name, parameter, value| rig(name).set(parameter, value);
    let most = "18446744073709551615";
    through(rig_with("flow/limit-rate", "NUMBER", most), "1 2", "1 2");
    through(rig_with("flow/sort", "REVERSE", "true"), "1 2", "2 1");
    through(rig_with("flow/delay", "INTVL", most), "1", "1");
    through(rig_with("RandomDelay", "INTVL", most), "1", "1");
    check(
        &rig("flow/take").set("NUMBER", most).feed("IN", stream("1")),
        &[("ACC", stream("1"))],
    );
}

#[test]
fn a_stream_that_falls_silent_is_given_up() {
    let rig = rig("flow/timeout")
        .set("INTERVAL", "1ms")
        .feed("IN", stream("1 2"));
    check(&rig, &[("OUT", stream("1 2")), ("LATE", stream(""))]);
    let plan = network(
        &[
            ("G", "flow/generate-slowly"),
            ("T", "flow/timeout"),
            ("D", "flow/drop"),
            ("Late", "flow/drop"),
        ],
        &[("2s", "G.INTERVAL"), ("100", "G.COUNT")],
        &[("G.OUT", "T.IN"), ("T.OUT", "D.IN"), ("T.LATE", "Late.IN")],
    );
    run_every_way(&plan, |outcome| {
        assert_eq!(received(outcome, "D"), 1);
        assert_eq!(received(outcome, "Late"), 1);
    });
}

/// The side port of a component leads to a receiver that leaves at its third packet.
fn with_side(
    component: &str,
    parameter: (&str, &str),
    ports: [&str; 2],
) -> paperflow_graph::plan::Plan {
    let [main, side] = ports.map(|port| format!("X.{port}"));
    let set = format!("X.{}", parameter.0);
    network(
        &[
            ("G", "flow/generate"),
            ("X", component),
            ("Leaves", "flow/close-early"),
            ("D", "flow/drop"),
            ("Main", "flow/drop"),
        ],
        &[
            ("100", "G.COUNT"),
            ("3", "Leaves.NUMBER"),
            (parameter.1, &set),
        ],
        &[
            ("G.OUT", "X.IN"),
            (&main, "Main.IN"),
            (&side, "Leaves.IN"),
            ("Leaves.OUT", "D.IN"),
        ],
    )
}

#[test]
fn who_leaves_a_side_port_takes_nothing_from_the_others() {
    for (component, parameter, ports, reaches) in [
        ("flow/nth", ("NUMBER", "99"), ["ACC", "REJ"], 1),
        ("flow/skip", ("NUMBER", "90"), ["ACC", "REJ"], 10),
        ("flow/splitter", ("SIZE", "31"), ["OUT[1]", "OUT[0]"], 69),
    ] {
        run_every_way(&with_side(component, parameter, ports), |outcome| {
            assert_eq!(received(outcome, "Main"), reaches, "{component}");
        });
    }
}

#[test]
fn duplicate_goes_on_when_one_receiver_leaves() {
    for ports in [["OUT", "DUPLICATE"], ["DUPLICATE", "OUT"]] {
        let mut plan = with_side("flow/duplicate", ("NONE", ""), ports);
        plan.initials.retain(|initial| initial.to.port != "NONE");
        run_every_way(&plan, |outcome| assert_eq!(received(outcome, "Main"), 100));
    }
}

#[test]
fn distinct_never_takes_one_object_for_another() {
    rig("flow/distinct")
        .feed("IN", [Packet::object(1_u8), Packet::object(2_u8)])
        .expect_fault("an object cannot be compared");
}
