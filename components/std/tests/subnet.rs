//! The borders of a subnet that lives once for every group.

mod bench;

use bench::{rig, stream, through};

#[test]
fn in_ss_runs_once_per_group_and_drops_its_brackets() {
    through(rig("SubInSS"), "( a ( b ) ) ( ) ( c )", "a ( b ) c");
    let ran =
        rig("SubInSS")
            .feed("IN", stream("( a ) ( ) ( c )"))
            .run(&["OUT"], bench::DRIVERS[0].0, 64);
    let tested = &ran.outcome.statistics.processes[0];
    assert!(tested.opened >= 3, "it was opened {} times", tested.opened);
}

#[test]
fn in_ss_passes_what_stands_before_a_group() {
    through(rig("SubInSS"), "x ( a b ) ( ) ( ( c ) )", "x a b ( c )");
    through(rig("SubInSS"), "x ) y", "x y");
}

#[test]
fn out_ss_encloses_what_comes() {
    through(rig("SubOutSS"), "a ( b )", "( a ( b ) )");
    through(rig("SubOutSS"), "", "( )");
}
