//! Networks about what starts a process, and when.

use crate::{classic, finishes, numbered};

#[test]
fn kick_off() {
    finishes("kick-off", &[""], [1, 1, 1]);
}

#[test]
fn a_packet_at_the_automatic_port_starts_it() {
    classic("trigger").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, ["go"], "{:?}", ran.way);
        let received = ran.link("Kick.*").counts.received;
        assert_eq!(received, 1, "{:?}: the port is closed then", ran.way);
    });
}

#[test]
fn an_initial_packet_is_a_stream_of_one() {
    let lines = [vec![String::from("title")], numbered(2)].concat();
    finishes("header", &lines, [2, 2 + 2, 2 + 3]);
}

#[test]
fn tickers_are_merged_by_time() {
    let lines = ["1", "100", "2", "3", "200", "4"];
    finishes("timers", &lines, [6 + 2, 8 + 5, 6 + 2]);
}
