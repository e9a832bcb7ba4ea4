//! Which branches can fill, and what would do.

use crate::samples::{checked, problems};

const START: &str = "'5' -> COUNT G(gen)\nG OUT -> IN D(copy)\n";
const END: &str = "\nM OUT -> IN E(drop)";

/// What is said about the branches of a diamond, in short: place and help's capacity.
fn warned(branches: &str) -> Vec<String> {
    let text = format!("{START}{branches}{END}");
    let found = checked(&text, &[]).diagnostics;
    let shown = found.iter().map(|found| {
        let help = found.help.clone().unwrap_or_default();
        let enough = help.split_whitespace().nth(4).unwrap_or_default();
        let place = &text[found.span.start as usize..found.span.end as usize];
        format!("{} {place} {enough}", found.code)
    });
    shown.collect()
}

#[test]
fn a_short_branch_with_less_room_than_the_long_one_can_fill() {
    let rows: &[(&str, &[&str], &str)] = &[
        (
            "D OUT[0] ->(capacity=20) IN P(pass)\nP OUT ->(capacity=10) IN[0] M(collate)\n\
             D OUT[1] ->(capacity=5) IN[1] M",
            &["P0319 ->(capacity=5) 31"],
            "20 + 10 and one in the hand of P",
        ),
        (
            "D OUT[0] ->(capacity=20) IN P(pass)\nP OUT ->(capacity=10) IN[0] M(collate)\n\
             D OUT[1] ->(capacity=31) IN[1] M",
            &[],
            "the capacity that is said to be enough is",
        ),
        (
            "D OUT[0] -> IN P(pass)\nP OUT -> LEFT M(match)\nD OUT[1] ->(capacity=5) RIGHT M",
            &["P0319 ->(capacity=5) 257"],
            "different ports; unwritten capacities are the usual ones",
        ),
        (
            "D OUT[0] -> IN P(pass)\nP OUT -> IN[0] M(collate)\nD OUT[1] -> IN[1] M",
            &[],
            "no capacity was written, so none was chosen",
        ),
        (
            "D OUT[0] ->(capacity=20) IN P(pass)\nP OUT ->(capacity=10) IN[0] M(merge)\n\
             D OUT[1] ->(capacity=5) IN[1] M",
            &[],
            "a merge by arrival waits for no branch",
        ),
        (
            "D OUT[0] ->(capacity=20) IN P(pass)\nP OUT ->(capacity=10) IN[0] M(collate)\n\
             D OUT[1] ->(capacity=5,full=drop-oldest) IN[1] M",
            &[],
            "a branch that sheds never makes anybody wait",
        ),
        (
            "D OUT[0] ->(capacity=5) IN[0] M(collate)\nD OUT[1] ->(capacity=5) IN[1] M",
            &[],
            "equal branches",
        ),
        (
            "D OUT[0] ->(capacity=2) IN P(pass)\nP OUT ->(capacity=2) IN[0] M(collate)\n\
             D OUT[1] ->(capacity=1) IN Q(pass)\nQ OUT ->(capacity=1) IN[1] M",
            &["P0319 ->(capacity=1) 3"],
            "the last arrow of the short branch gets the room",
        ),
    ];
    for (branches, expected, reason) in rows {
        assert_eq!(warned(branches), *expected, "{reason}");
    }
}

#[test]
fn both_branches_are_shown() {
    let text = format!(
        "{START}D OUT[0] -> IN P(pass)\nP OUT -> IN[0] M(collate)\n\
         D OUT[1] ->(capacity=1) IN[1] M{END}"
    );
    let found = checked(&text, &[]).diagnostics;
    let [found] = found.as_slice() else {
        panic!("one warning, not {found:?}")
    };
    let expected = "the way from `D.OUT[1]` to `M.IN[1]` can fill while `M.IN[0]` is still empty";
    assert_eq!(found.message, expected);
    assert_eq!(found.note, "this branch holds 1 packet");
    assert_eq!(found.labels[0].text, "this branch holds 257 packets");
}

#[test]
fn branches_from_different_sources_do_not_wait_for_each_other() {
    let text = "'5' -> COUNT G(gen)\n'5' -> COUNT H(gen)\nG OUT ->(capacity=1) IN[0] M(collate)\n\
                H OUT ->(capacity=9) IN[1] M\nM OUT -> IN E(drop)";
    assert_eq!(problems(text, &[]), [""; 0]);
}

#[test]
fn ways_that_join_before_are_one_branch() {
    let text = format!(
        "{START}D OUT[0] ->(capacity=1) IN P(pass)\nD OUT[1] ->(capacity=9) IN P\n\
         P OUT -> IN C(copy)\nC OUT[0] ->(capacity=4) IN[0] M(collate)\n\
         C OUT[1] ->(capacity=4) IN[1] M{END}"
    );
    let found = problems(&text, &[]);
    assert!(
        found.iter().all(|found| !found.starts_with("P0319")),
        "{found:?}"
    );
}

#[test]
fn a_loop_and_a_crowd_of_branches_are_looked_at_in_time() {
    let lines =
        |at: usize| format!("D OUT[{at}] -> IN P{at}(pass)\nP{at} OUT -> IN[{at}] M(collate)\n");
    let text: String = (0..2_000).map(lines).collect();
    let text = format!("{START}{text}M OUT -> IN D");
    assert!(
        checked(&text, &[])
            .diagnostics
            .iter()
            .all(|found| found.code != "P0319")
    );
}
