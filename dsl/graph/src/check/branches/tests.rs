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
    assert_eq!(
        found.note,
        "this way holds 1 packet: D.OUT[1] ->(1) M.IN[1]"
    );
    assert_eq!(
        found.labels[0].text,
        "this way holds 257 packets: D.OUT[0] ->(128) P ->(128) M.IN[0]"
    );
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

/// Places and messages of the warnings about a diamond.
fn said(branches: &str) -> Vec<String> {
    let text = format!("'5' -> COUNT G(gen)\n{branches}{END}");
    let found = problems(&text, &[]);
    assert!(
        found.iter().all(|found| found.starts_with("P0319 ")),
        "{found:?}"
    );
    found
}

fn fills(place: &str, from: &str, to: &str, before: &str) -> String {
    format!("P0319 {place}: the way from `{from}` to `{to}` can fill before `{before}` has ended")
}

/// An element of the out-port, an arrow, an element of the in-port.
type Element = (u32, &'static str, u32);

/// Who deals, which elements are joined, what is said, and why.
type Dealt<'a> = (&'a str, &'a [Element], &'a [String], &'a str);

/// The in-ports that `G` deals to, each by an element of the component's out-port.
fn dealt(component: &str, elements: &[Element]) -> String {
    let arrow = |(out, arrow, into): &Element| format!("\nD OUT[{out}] {arrow} IN[{into}] M");
    let arrows: String = elements.iter().map(arrow).collect();
    format!("G OUT -> IN D({component})\nM(concat){}", arrows)
}

#[test]
fn a_stream_behind_another_that_is_read_to_its_end_must_fit() {
    let [first, second] = ["D.OUT[0]", "D.OUT[1]"];
    let rows: &[Dealt<'_>] = &[
        (
            "deal",
            &[(0, "->", 0), (1, "->", 1)],
            &[fills("->", second, "M.IN[1]", "M.IN[0]")],
            "equal usual capacities",
        ),
        (
            "deal",
            &[(0, "->(capacity=9)", 0), (1, "->(capacity=9)", 1)],
            &[fills("->(capacity=9)", second, "M.IN[1]", "M.IN[0]")],
            "equal written capacities",
        ),
        (
            "deal",
            &[(0, "->", 0), (1, "->(capacity=9000)", 1)],
            &[],
            "a capacity that is to hold the whole stream",
        ),
        (
            "deal",
            &[(0, "->(capacity=9000)", 0), (1, "->", 1)],
            &[fills("->", second, "M.IN[1]", "M.IN[0]")],
            "room where it is of no use",
        ),
        (
            "deal",
            &[(1, "->", 0), (0, "->", 1)],
            &[fills("->", first, "M.IN[1]", "M.IN[0]")],
            "the order of the out-ports does not matter",
        ),
        (
            "splitter",
            &[(0, "->", 0), (1, "->", 1), (2, "->", 2)],
            &[],
            "closed in the order of reading",
        ),
        (
            "splitter",
            &[(1, "->(capacity=9)", 0), (0, "->(capacity=9)", 1)],
            &[fills("->(capacity=9)", first, "M.IN[1]", "M.IN[0]")],
            "filled before what is read first",
        ),
        (
            "deal",
            &[(0, "->", 0), (1, "->(full=drop-oldest)", 1)],
            &[],
            "what sheds does not fill",
        ),
    ];
    for (component, elements, expected, reason) in rows {
        assert_eq!(said(&dealt(component, elements)), *expected, "{reason}");
    }
}

#[test]
fn one_warning_shows_every_way_that_fills_behind_the_first() {
    let text = dealt("deal", &[(0, "->", 0), (2, "->", 1), (1, "->", 2)]);
    let text = format!("'5' -> COUNT G(gen)\n{text}{END}");
    let found = checked(&text, &[]).diagnostics;
    let [found] = found.as_slice() else {
        panic!("one warning, not {found:?}")
    };
    assert_eq!(
        found.note,
        "this way holds 128 packets: D.OUT[2] ->(128) M.IN[1]"
    );
    let labels: Vec<_> = found.labels.iter().map(|label| &*label.text).collect();
    let expected = [
        "this way is read to its end first: D.OUT[0] ->(128) M.IN[0]",
        "this way holds 128 packets: D.OUT[1] ->(128) M.IN[2]",
    ];
    assert_eq!(labels, expected);
    assert!(
        found
            .help
            .as_deref()
            .is_some_and(|help| help.contains("`D` waits"))
    );
}

#[test]
fn who_takes_everything_before_it_sends_fills_nothing() {
    let sorted = |early: &str, late: &str| {
        said(&format!(
            "G OUT -> IN D(deal)\nS(sort)\nS OUT -> {late} M(concat)\nD OUT[0] -> IN S\nD OUT[1] -> {early} M"
        ))
    };
    assert_eq!(sorted("IN[0]", "IN[1]"), [""; 0]);
    let late = "the way from `D.OUT[1]` to `M.IN[1]` can fill before `M.IN[0]` has ended";
    assert_eq!(sorted("IN[1]", "IN[0]"), [format!("P0319 ->: {late}")]);
    let total = |items: &str, sum: &str| {
        said(&format!(
            "G OUT -> IN D(sum)\nD OUT -> {items} M(concat)\nD SUM -> {sum} M"
        ))
    };
    assert_eq!(total("IN[0]", "IN[1]"), [""; 0]);
    assert_eq!(
        total("IN[1]", "IN[0]"),
        [fills("->", "D.OUT", "M.IN[1]", "M.IN[0]")]
    );
}

#[test]
fn ports_are_read_in_the_order_of_their_declaration() {
    let text = "G OUT -> IN D(deal)\nD OUT[0] -> IN M(table-first)\nD OUT[1] -> ROWS M";
    assert_eq!(said(text), [fills("->", "D.OUT[0]", "M.IN", "M.ROWS")]);
}

#[test]
fn a_reader_in_step_waits_for_who_collects_or_sends_elsewhere() {
    let beside = |long: &str| format!("G OUT -> IN D(deal)\nD OUT[0] -> IN M(match)\n{long}");
    let beside = |long: &str| said(&beside(long).replace("IN M(", "LEFT M("));
    let fills =
        "P0319 ->: the way from `D.OUT[0]` to `M.LEFT` can fill while `M.RIGHT` is still empty";
    let rows: &[(&str, &[&str], &str)] = &[
        (
            "D OUT[1] -> IN P(pass)\nP OUT -> RIGHT M",
            &[],
            "as many packets on both ways",
        ),
        (
            "D OUT[1] -> IN P(sort)\nP OUT -> RIGHT M",
            &[fills],
            "sends at the end",
        ),
        (
            "D OUT[1] -> IN P(filter)\nP ACC -> RIGHT M",
            &[fills],
            "may send nothing for long",
        ),
        (
            "D OUT[1] -> IN P(filter)\nP ACC -> IN[0] Q(merge)\nP REJ -> IN[1] Q\nQ OUT -> RIGHT M",
            &[],
            "all that is chosen comes back",
        ),
    ];
    for (long, expected, reason) in rows {
        assert_eq!(beside(long), *expected, "{reason}");
    }
    let both = "G OUT -> IN D(deal)\nD OUT[0] -> IN S(sort)\nD OUT[1] -> IN T(sort)\n\
                S OUT -> IN[0] M(collate)\nT OUT -> IN[1] M";
    assert_eq!(said(both), [""; 0], "both collect");
    let filter = "G OUT -> IN D(filter)\nD ACC -> IN[0] M(collate)\nD REJ -> IN[1] M";
    assert_eq!(said(filter).len(), 1, "the source chooses");
    let deal = "G OUT -> IN D(deal)\nD OUT[0] ->(capacity=1) IN[0] M(collate)\nD OUT[1] -> IN[1] M";
    assert_eq!(
        said(deal),
        [""; 0],
        "nobody on the way could hold anything back"
    );
}

#[test]
fn a_long_way_is_told_by_its_ends() {
    let hops = [
        (1, "B"),
        (2, "C"),
        (3, "D"),
        (4, "E"),
        (5, "F"),
        (6, "G"),
        (7, "H"),
    ];
    let path = |many: usize| super::uneven_branches::path("A.OUT", &hops[..many], || "Z.IN".into());
    assert_eq!(path(1), "A.OUT ->(1) Z.IN");
    assert_eq!(path(3), "A.OUT ->(1) B ->(2) C ->(3) Z.IN");
    assert_eq!(path(7), "A.OUT ->(1) B ->(2) C -> ... ->(6) G ->(7) Z.IN");
}
