//! Networks that part a stream and join it again.

use paperflow::report::Deadlock;

use crate::{ascending, deadlocks, finishes, numbered};

#[test]
fn merge_sort() {
    let lines = ascending([numbered(5), numbered(3)].concat());
    finishes("merge-sort", &lines, [8 + 10, 18 + 3, 8 + 8 + 18 + 8]);
}

#[test]
fn a_diamond_with_room_for_the_second_stream() {
    let lines = [numbered(10), numbered(10)].concat();
    finishes("diamond", &lines, [10 + 20, 30 + 1, 10 + 20 + 20]);
}

#[test]
fn a_diamond_that_lacks_room_for_one_packet() {
    let stuck = [
        "Replicate suspended(send OUT[1])",
        "Concat suspended(receive IN[0])",
        "Discard dormant",
    ];
    deadlocks("diamond-too-small", &stuck, |deadlock| {
        assert_eq!(fills(deadlock), ["OUT[1] 10/10", "IN[0] 0/10"]);
        let culprit = deadlock.culprit.as_deref().unwrap_or_default();
        assert!(culprit.starts_with("Concat waits for IN[0]"), "{culprit}");
        let sufficient = deadlock.sufficient.as_deref().unwrap_or_default();
        assert!(
            sufficient.contains("Replicate OUT[1] ->(11) IN[1] Concat"),
            "{sufficient}"
        );
    });
}

/// The links that the stuck processes wait for, in the order of the report.
fn fills(deadlock: &Deadlock) -> Vec<String> {
    let links = deadlock.stuck.iter().flat_map(|stuck| &stuck.links);
    links
        .map(|link| format!("{} {}/{}", link.port, link.fill, link.capacity))
        .collect()
}

#[test]
fn a_diamond_that_takes_from_both_sides() {
    finishes(
        "diamond-collate",
        &["2"; 10],
        [10 + 20 + 20 + 10, 60 + 3, 10 + 20 + 40 + 10],
    );
}

#[test]
fn parallel_pipelines_keep_the_order() {
    let sent = 60 + 60 + 3 * 60 + 180 + 60;
    let lines = ascending(numbered(60));
    finishes("parallel-pipelines", &lines, [60 + 120, 180 + 2, sent]);
}

#[test]
fn groups_of_groups_are_balanced_whole() {
    let sent = 70 + 4 * 80 + 5;
    finishes(
        "group-balance",
        &["10"; 5],
        [50 + 20 + 10 + 5, 85 + 2, sent],
    );
}

#[test]
fn control_breaks() {
    finishes(
        "control-breaks",
        &["15", "7"],
        [4 + 10 + 2, 16 + 3, 4 + 14 + 2],
    );
}

#[test]
fn filled_one_after_the_other_and_emptied_in_turn() {
    let stuck = [
        "Split suspended(send OUT[0])",
        "Merge suspended(receive IN[1])",
        "Discard dormant",
    ];
    deadlocks("out-of-turn", &stuck, |deadlock| {
        assert_eq!(fills(deadlock), ["OUT[0] 1/1", "IN[1] 0/1"]);
        assert_eq!(deadlock.cycle.len(), 2, "{:?}", deadlock.cycle);
    });
}

#[test]
fn two_joiners_that_wait_for_each_other() {
    let stuck = ["A suspended(receive IN[0])", "B suspended(receive IN[0])"];
    deadlocks("mutual-deadlock", &stuck, |deadlock| {
        let waits = [("A", "B"), ("B", "A")];
        for (line, (waiting, writer)) in deadlock.cycle.iter().zip(waits) {
            let expected = format!("{waiting} waits for IN[0] from {writer}.OUT");
            assert!(line.starts_with(&expected), "{line}");
        }
        assert_eq!(deadlock.cycle.len(), 2, "{:?}", deadlock.cycle);
    });
}

#[test]
fn two_joiners_that_wait_for_nothing() {
    finishes("mutual-wait", &crate::NOTHING, [0, 2, 0]);
}

#[test]
fn hold_until_counted() {
    finishes(
        "hold-until-count",
        &crate::NOTHING,
        [500 + 500 + 1, 1001 + 1, 500 + 1000 + 1 + 500],
    );
}

#[test]
fn a_hundred_processes_in_a_row() {
    finishes("long-chain", &numbered(50), [50, 50 + 1, 50 * 101]);
}
