//! Components that keep a network on its feet.

mod bench;

use bench::{network, received, run_every_way};
use paperflow_engine::Outcome;
use paperflow_graph::plan::Plan;

/// `Words` says words to the guard, whose worker reads numbers: a word that is none is a failure.
fn guarded(component: &str, words: &str, parameters: &[(&str, &str)]) -> Plan {
    let processes = [
        ("Say", "flow/inject"),
        ("Words", "text/words"),
        ("Guard", component),
        ("Worker", "number/parse"),
        ("Done", "flow/drop"),
        ("Failed", "flow/drop"),
        ("State", "flow/drop"),
    ];
    let mut initials = vec![(words, "Say.CONST")];
    initials.extend(parameters.iter().map(|(to, value)| (*value, *to)));
    let mut arrows = vec![
        ("Say.OUT", "Words.IN"),
        ("Words.OUT", "Guard.IN"),
        ("Guard.OUT", "Worker.IN"),
        ("Worker.OUT", "Guard.DONE"),
        ("Worker.ERROR", "Guard.FAILED"),
        ("Guard.RESULT", "Done.IN"),
        ("Guard.REJ", "Failed.IN"),
    ];
    if component == "reactive/breaker" {
        arrows.push(("Guard.STATE", "State.IN"));
    }
    network(&processes, &initials, &arrows)
}

fn answers(outcome: &Outcome) -> (u64, u64, u64) {
    (
        received(outcome, "Done"),
        received(outcome, "Failed"),
        received(outcome, "State"),
    )
}

#[test]
fn a_breaker_opens_probes_and_closes_again() {
    let plan = guarded(
        "reactive/breaker",
        "1 x x x 2 x 3",
        &[("Guard.FAILURES", "2"), ("Guard.PAUSE", "1h")],
    );
    // open, half-open, open, half-open, closed
    run_every_way(&plan, |outcome| assert_eq!(answers(outcome), (3, 4, 5)));
}

#[test]
fn a_breaker_that_is_open_at_the_end_does_not_wait() {
    let plan = guarded(
        "reactive/breaker",
        "1 x x",
        &[("Guard.FAILURES", "2"), ("Guard.PAUSE", "1h")],
    );
    run_every_way(&plan, |outcome| assert_eq!(answers(outcome), (1, 2, 1)));
}

#[test]
fn a_breaker_loses_nothing_with_many_packets_under_way() {
    let words = "1 2 x x x x 3 x x 4 5 x ".repeat(50);
    for limit in ["1", "2", "1000", "18446744073709551615"] {
        let plan = guarded(
            "reactive/breaker",
            &words,
            &[("Guard.LIMIT", limit), ("Guard.PAUSE", "1ms")],
        );
        run_every_way(&plan, |outcome| {
            let (done, failed, _) = answers(outcome);
            assert_eq!((done, failed), (250, 350));
        });
    }
}

#[test]
fn guards_pass_on_nothing_when_nothing_comes() {
    for component in ["reactive/breaker", "reactive/bulkhead"] {
        let plan = guarded(component, "", &[]);
        run_every_way(&plan, |outcome| assert_eq!(answers(outcome), (0, 0, 0)));
    }
}

#[test]
fn a_bulkhead_counts_failures_as_answers() {
    let words = "1 x 2 ".repeat(100);
    for limit in ["1", "7", "1000"] {
        let plan = guarded("reactive/bulkhead", &words, &[("Guard.LIMIT", limit)]);
        run_every_way(&plan, |outcome| assert_eq!(answers(outcome), (200, 100, 0)));
    }
}

/// `Worker` takes 1 ms for each of 50 packets.
fn slow(component: &str, worker: &str) -> Plan {
    network(
        &[
            ("G", "flow/generate"),
            ("Guard", component),
            ("Worker", worker),
            ("Done", "flow/drop"),
        ],
        &[("50", "G.COUNT"), ("3", "Guard.LIMIT")],
        &[
            ("G.OUT", "Guard.IN"),
            ("Guard.OUT", "Worker.IN"),
            ("Worker.OUT", "Guard.DONE"),
            ("Guard.RESULT", "Done.IN"),
        ],
    )
}

#[test]
fn no_more_packets_are_with_a_worker_than_the_limit() {
    for component in ["reactive/breaker", "reactive/bulkhead"] {
        run_every_way(&slow(component, "flow/delay"), |outcome| {
            assert_eq!(received(outcome, "Done"), 50);
            let links = &outcome.statistics.links;
            let link = links.iter().find(|link| link.to == "Worker.IN");
            assert!(link.expect("it is there").counts.high_water <= 3);
        });
    }
}

#[test]
fn guards_end_when_their_worker_leaves() {
    for component in ["reactive/breaker", "reactive/bulkhead"] {
        run_every_way(&slow(component, "flow/close-early"), |outcome| {
            assert_eq!(received(outcome, "Done"), 19, "{component}");
        });
    }
}

#[test]
fn brackets_go_along_and_are_no_attempts() {
    for component in ["reactive/breaker", "reactive/bulkhead"] {
        let plan = network(
            &[
                ("G", "flow/generate-groups"),
                ("Guard", component),
                ("Worker", "flow/pass"),
                ("Count", "group/count"),
                ("Done", "flow/drop"),
            ],
            &[("100", "G.COUNT"), ("1", "Guard.LIMIT")],
            &[
                ("G.OUT", "Guard.IN"),
                ("Guard.OUT", "Worker.IN"),
                ("Worker.OUT", "Guard.DONE"),
                ("Guard.RESULT", "Count.IN"),
                ("Count.OUT", "Done.IN"),
            ],
        );
        run_every_way(&plan, |outcome| assert_eq!(received(outcome, "Done"), 20));
    }
}
