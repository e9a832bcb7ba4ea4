//! Whole networks of small components, under both schedulers and several capacities.

mod common;

use common::*;
use paperflow_engine::report::State;
use paperflow_engine::{Scheduler, Verdict};

#[test]
fn a_pipeline_keeps_order() {
    let expected: Vec<String> = (1..=500).map(|number| number.to_string()).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    expect(
        "'500' -> COUNT E(t/emit) OUT -> INPUT A(t/pass) OUT -> IN B(t/walk) OUT -> IN C(t/pass-on-thread)
         OUTPORT=C.OUT:OUT"
            .replace("INPUT", "IN")
            .as_str(),
        &expected,
    );
}

#[test]
fn nobody_runs_without_a_packet_but_who_must() {
    expect(
        "'0' -> COUNT E(t/emit) OUT -> IN W(t/walk) OUT -> IN T(t/tally)
         OUTPORT=T.OUT:OUT",
        &["0"],
    );
    every_way(
        "'0' -> COUNT E(t/emit) OUT -> IN W(t/walk) OUT -> IN T(t/discard)",
        |ran, way| {
            let opened: Vec<u64> = ran
                .outcome
                .statistics
                .processes
                .iter()
                .map(|process| process.opened)
                .collect();
            assert_eq!(opened, [1, 0, 0], "{way}");
        },
    );
}

#[test]
fn an_automatic_port_waits_for_the_end_of_the_other() {
    expect(
        "'3' -> COUNT E(t/emit) OUT -> IN D(t/discard) * -> * S(t/say)
         'after' -> WHAT S
         OUTPORT=S.OUT:OUT",
        &["after"],
    );
}

#[test]
fn diverge_then_merge_in_order_deadlocks_and_says_why() {
    let text = "'10000' -> COUNT Gen(t/emit) OUT -> IN Repl(t/copies)
Repl OUT[0] -> IN[0] Cat(t/chain)
Repl OUT[1] -> IN[1] Cat
Cat OUT -> IN Discard(t/discard)";
    every_way(text, |ran, way| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{way}: {:?}", ran.outcome.verdict)
        };
        let states: Vec<_> = deadlock
            .stuck
            .iter()
            .map(|stuck| (stuck.address.as_str(), stuck.state.clone()))
            .collect();
        let send = |port: &str| State::SuspendedSend(vec![port.to_owned()]);
        assert_eq!(
            states,
            [
                ("Gen", send("OUT")),
                ("Repl", send("OUT[1]")),
                ("Cat", State::SuspendedReceive(vec!["IN[0]".into()])),
                ("Discard", State::Dormant)
            ],
            "{way}"
        );
        let link = &deadlock.stuck[1].links[0];
        assert_eq!(
            (link.fill, link.capacity),
            (link.capacity, link.capacity),
            "{way}"
        );
        assert_eq!(deadlock.stuck[1].origin, "test.fbp:1:40");
        assert_eq!(deadlock.cycle.len(), 2, "{deadlock:#?}");
        let (fill, capacity) = (link.fill, link.capacity);
        let culprit = format!(
            "Cat waits for IN[0] while Repl cannot send to OUT[1]: link {fill}/{capacity}, and has never read IN[1]"
        );
        assert_eq!(deadlock.culprit.as_ref(), Some(&culprit), "{way}");
        assert_eq!(
            deadlock.sufficient, None,
            "{way}: the source has more to send"
        );
    });
}

#[test]
fn a_deadlock_of_what_is_left_says_which_capacity_is_enough() {
    let text = |capacity: &str| {
        format!(
            "'50' -> COUNT Gen(t/emit) OUT ->(100) IN Repl(t/copies)
Repl OUT[0] ->(100) IN[0] Cat(t/chain)
Repl OUT[1] ->({capacity}) IN[1] Cat
Cat OUT -> IN Discard(t/discard)"
        )
    };
    every_way(&text("10"), |ran, way| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{way}")
        };
        let sufficient = deadlock.sufficient.as_deref();
        assert_eq!(
            sufficient,
            Some("Repl OUT[1] ->(50) IN[1] Cat would have been enough"),
            "{way}"
        );
    });
    every_way(&text("50"), |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
    });
}

#[test]
fn the_element_that_waits_is_named_when_two_lead_to_one_link() {
    // Each round makes two packets of one: the loop holds one more each time, so it is the second copy
    // that finds no room.
    let text = "'x' -> WHAT Kick(t/say) OUT -> IN Pass(t/pass) OUT -> IN R(t/copies)
                R OUT[0] -> IN Pass
                R OUT[1] -> IN Pass";
    every_way(text, |ran, way| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{way}: {:?}", ran.outcome.verdict)
        };
        let copies = deadlock.stuck.iter().find(|stuck| stuck.address == "R");
        let copies = copies.unwrap_or_else(|| panic!("{way}: {deadlock:#?}"));
        let second = String::from("OUT[1]");
        assert_eq!(copies.links.len(), 1, "{way}: {deadlock:#?}");
        assert_eq!(copies.links[0].port, second, "{way}");
        assert_eq!(copies.state, State::SuspendedSend(vec![second]), "{way}");
        let capacity = copies.links[0].capacity;
        let line = format!("R cannot send from OUT[1] to Pass.IN: link {capacity}/{capacity}");
        assert!(deadlock.cycle.contains(&line), "{way}: {deadlock:#?}");
    });
}

#[test]
fn one_process_outside_hides_no_deadlock() {
    let text = "'1000000' -> COUNT Gen(t/emit) OUT -> IN Repl(t/copies)
Repl OUT[0] -> IN[0] Cat(t/chain)
Repl OUT[1] -> IN[1] Cat
Cat OUT -> IN Discard(t/discard)
Sit(t/sit) OUT -> IN Other(t/discard)";
    every_way(text, |ran, way| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{way}")
        };
        let stuck: Vec<_> = deadlock
            .stuck
            .iter()
            .map(|stuck| stuck.address.as_str())
            .collect();
        assert_eq!(stuck, ["Gen", "Repl", "Cat", "Discard"], "{way}");
    });
}

#[test]
fn a_loop_that_closes_itself_ends() {
    let text = "'1' -> COUNT Kick(t/emit) OUT -> IN L(t/countdown) OUT -> IN C(t/pass) OUT -> IN L";
    every_way(text, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.outcome.statistics.totals.sent, 1 + 1 + 1, "{way}");
    });
}

#[test]
fn a_quiescent_cycle_ends_by_itself_and_its_total_gets_out() {
    let text = "'20' -> COUNT E(t/emit) OUT -> IN A(t/walk) OUT -> IN[0] J(t/join)
A2(t/tally) OUT -> IN Out(t/pass)
J OUT ->(99) IN B(t/countdown) OUT ->(99) IN C(t/walk) OUT ->(99) IN[1] J
OUTPORT=Out.OUT:OUT
'3' -> COUNT E3(t/emit) OUT -> IN A2";
    every_way(text, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["3"], "{way}");
    });
}

#[test]
fn a_receiver_may_leave_early() {
    every_way(
        "'200' -> COUNT E(t/emit) OUT ->(5) IN L(t/leaver) OUT -> IN P(t/pass)
         OUTPORT=P.OUT:OUT",
        |ran, way| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            assert_eq!(ran.out.len(), 19, "{way}");
        },
    );
}

#[test]
fn drop_oldest_always_keeps_the_last() {
    every_way(
        "'2000' -> COUNT E(t/emit) OUT ->(capacity=1, full=drop-oldest) IN P(t/pass)
         OUTPORT=P.OUT:OUT",
        |ran, way| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            assert_eq!(ran.out.last().map(String::as_str), Some("2000"), "{way}");
            assert_eq!(
                ran.out.len() as u64 + ran.outcome.statistics.totals.shed,
                2000,
                "{way}"
            );
        },
    );
}

#[test]
fn many_writers_keep_their_own_order_and_the_link_ends_with_the_last() {
    every_way(
        "'300' -> COUNT E1(t/emit) OUT -> IN P(t/pass)
         '300' -> COUNT E2(t/emit-slowly) OUT -> IN P
         OUTPORT=P.OUT:OUT",
        |ran, way| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            let mut next = [1, 1];
            for number in ran.out.iter().map(|text| text.parse::<i32>().unwrap()) {
                let at = next.iter().position(|expected| *expected == number);
                next[at.unwrap_or_else(|| panic!("{way}: {number} out of order"))] += 1;
            }
            assert_eq!(next, [301, 301], "{way}");
        },
    );
}

#[test]
fn faults_stop_the_network_or_follow_the_policy() {
    let graph = |policy: &str, tail: &str| {
        format!(
            "'9' -> COUNT E(t/emit) OUT -> IN F(t/fail-on{policy}) OUT -> IN P(t/pass)\n'5' -> NUMBER F\n{tail}\nOUTPORT=P.OUT:OUT"
        )
    };
    every_way(&graph("", ""), |ran, way| {
        let Verdict::Failed(report) = &ran.outcome.verdict else {
            panic!("{way}")
        };
        assert_eq!(
            (report.address.as_str(), report.message.as_str()),
            ("F", "will not take 5"),
            "{way}"
        );
        assert_eq!(
            (report.packet.as_deref(), report.port.as_deref()),
            (Some("5"), Some("IN"))
        );
        assert_eq!(report.origin, "test.fbp:1:34");
    });
    for policy in [":fault=park", ":fault=retry,retries=2"] {
        every_way(&graph(policy, ""), |ran, way| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            assert_eq!(ran.out, ["1", "2", "3", "4", "6", "7", "8", "9"], "{way}");
            assert_eq!(ran.outcome.faults.len(), 1, "{way}");
        });
    }
    every_way(&graph(":fault=stop-process", ""), |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["1", "2", "3", "4"], "{way}");
    });
    let error = "F ERROR -> IN T(t/tally) OUT -> IN D(t/discard)";
    every_way(&graph("", error), |ran, way| {
        assert_eq!(ran.out.len(), 8, "{way}");
        let tally = ran
            .outcome
            .statistics
            .processes
            .iter()
            .find(|process| process.address == "T");
        assert_eq!(tally.unwrap().received, 1, "{way}");
    });
}

#[test]
fn an_initial_packet_is_delivered_and_what_a_link_has_sent_is_received() {
    // One is read from an in-port, the other as a parameter.
    for text in [
        "'x' -> WHAT S(t/say) OUT -> IN D(t/discard)",
        "'1' -> COUNT E(t/emit) OUT -> IN D(t/discard)",
    ] {
        every_way(text, |ran, way| {
            let totals = ran.outcome.statistics.totals;
            assert_eq!((totals.sent, totals.received), (1, 1), "{way}");
            assert_eq!(totals.iip_delivered, 1, "{way}");
        });
    }
}

#[test]
fn a_panic_is_a_fault_with_a_name() {
    every_way(
        "'9' -> COUNT E(t/emit) OUT -> IN F(t/panic-on) OUT -> IN P(t/discard)\n'5' -> NUMBER F",
        |ran, way| {
            let Verdict::Failed(report) = &ran.outcome.verdict else {
                panic!("{way}")
            };
            assert_eq!(
                report.message, "the component panicked: cannot bear 5",
                "{way}"
            );
            assert_eq!(report.address, "F", "{way}");
        },
    );
}

#[test]
fn a_process_that_restarts_goes_on_with_the_next_packet() {
    let graph = |policy: &str| {
        format!(
            "'9' -> COUNT E(t/emit) OUT -> IN F(t/panic-on{policy}) OUT -> IN P(t/pass)
             '5' -> NUMBER F
             OUTPORT=P.OUT:OUT"
        )
    };
    every_way(&graph(":fault=restart"), |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["1", "2", "3", "4", "6", "7", "8", "9"], "{way}");
        assert_eq!(
            (ran.outcome.faults.len(), ran.outcome.leaks.len()),
            (1, 0),
            "{way}"
        );
    });
    every_way(&graph(":fault=restart,retries=0"), |ran, way| {
        assert!(matches!(ran.outcome.verdict, Verdict::Failed(_)), "{way}");
    });
}

#[test]
fn a_leak_is_reported_with_the_process() {
    every_way(
        "'3' -> COUNT E(t/emit) OUT -> IN H(t/holder)",
        |ran, way| {
            let leaks: Vec<_> = ran
                .outcome
                .leaks
                .iter()
                .map(|leak| (leak.address.as_str(), leak.packets))
                .collect();
            assert_eq!(leaks, [("H", 3)], "{way}");
            assert!(!ran.outcome.is_success());
        },
    );
}

#[test]
fn virtual_time_jumps_when_nobody_is_busy() {
    expect(
        "'3' -> COUNT T(t/ticks) OUT -> IN P(t/pass)\nOUTPORT=P.OUT:OUT",
        &["1", "2", "3"],
    );
}

#[test]
fn unbalanced_brackets_are_reported() {
    every_way(
        "'(' -> WHAT S(t/say) OUT -> IN P(t/pass) OUT -> IN D(t/discard)",
        |ran, _| {
            assert!(ran.outcome.unbalanced.is_empty(), "a text is no bracket");
        },
    );
}

#[test]
fn a_substream_sensitive_subnet_lives_once_per_group() {
    let text = "'23' -> COUNT G(t/groups) OUT -> IN S(Count)
'5' -> SIZE G
S OUT -> IN P(t/pass)
OUTPORT=P.OUT:OUT";
    let subnet = "'IN' -> NAME I(SubInSS) OUT -> IN T(t/tally)
OUTPORT=T.OUT:OUT";
    every_way_with_subnet(text, subnet, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, ["5", "5", "5", "5", "3"], "{way}");
    });
}

#[test]
fn a_thousand_groups_are_rearmed() {
    let text = "'5000' -> COUNT G(t/groups) OUT -> IN S(Pass)
'5' -> SIZE G
S OUT -> IN P(t/pass)
OUTPORT=P.OUT:OUT";
    let subnet = "'IN' -> NAME I(SubInSS) OUT -> IN W(t/walk) OUT -> IN V(t/pass-on-thread) OUT -> IN O(SubOutSS)
'OUT' -> NAME O";
    every_way_with_subnet(text, subnet, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out.len(), 7000, "{way}");
        let opens = ran.out.iter().filter(|text| *text == "(").count();
        assert_eq!(opens, 1000, "{way}");
    });
}

fn every_way_with_subnet(text: &str, subnet: &str, check: impl Fn(Ran, &str)) {
    for (scheduler, capacity) in DRIVERS {
        check(
            run_with_subnet(text, subnet, scheduler, capacity),
            &format!("{scheduler:?} at {capacity}"),
        );
    }
}

fn run_with_subnet(text: &str, subnet: &str, scheduler: Scheduler, capacity: usize) -> Ran {
    run_library(text, Some(subnet), scheduler, capacity)
}

#[test]
fn a_full_link_diverts_to_another_port_and_sheds_what_is_refused_there() {
    let text = |spare: &str| {
        format!(
            "'1000' -> COUNT E(t/emit) OUT ->(capacity=1, full=divert, divert=Spare.IN) IN Main(t/pass) OUT -> IN A(t/tally) OUT -> IN Sum(t/walk)
Spare(t/pass) OUT -> IN B(t/tally) OUT -> IN Sum
E2(t/emit) OUT ->{spare} IN Spare
'3' -> COUNT E2
OUTPORT=Sum.OUT:OUT"
        )
    };
    for spare in ["(2)", "(5000)"] {
        every_way(&text(spare), |ran, way| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            let counts: Vec<u64> = ran.out.iter().map(|text| text.parse().unwrap()).collect();
            let shed = ran.outcome.statistics.totals.shed;
            assert_eq!(counts.iter().sum::<u64>() + shed, 1003, "{way} {counts:?}");
            assert!(spare == "(2)" || shed == 0, "{way}: {shed}");
        });
    }
}

#[test]
fn a_subnet_whose_reader_has_left_ends() {
    let text = "'100000000000' -> COUNT G(t/groups) OUT -> IN S(Pass)
'5' -> SIZE G
S OUT -> IN L(t/leaver) OUT -> IN D(t/discard)";
    let subnet = "'IN' -> NAME I(SubInSS) OUT -> IN W(t/walk) OUT -> IN O(SubOutSS)
'OUT' -> NAME O";
    every_way_with_subnet(text, subnet, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
    });
}

#[test]
fn an_end_is_seen_after_everything_that_was_sent() {
    let text = "'3' -> COUNT B(t/emit) OUT -> IN O(t/walk)
'5' -> WHAT C(t/say) OUT -> IN O
B * -> * C
OUTPORT=O.OUT:OUT";
    for _ in 0..20 {
        expect(text, &["1", "2", "3", "5"]);
    }
}

#[test]
fn waiting_is_counted_by_the_clock_of_the_network() {
    let text = "'3' -> COUNT T(t/ticks) OUT -> IN P(t/walk) OUT -> IN D(t/discard)";
    every_way(text, |ran, way| {
        let waited = ran.outcome.statistics.processes[1]
            .blocked_receive
            .as_secs();
        assert!((2..=3).contains(&waited), "{way}: {waited}");
    });
}
