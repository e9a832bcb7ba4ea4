//! Networks with loops, and how these end.

use crate::{NOTHING, deadlocks, finishes, numbered, shows};

#[test]
fn a_ring_of_ten_and_a_token() {
    finishes("ring", &NOTHING, [100, 100 + 1, 1 + 10 * 100]);
}

#[test]
fn a_loop_ends_when_nothing_is_left_inside() {
    finishes("drying-loop", &["0"], [1 + 5, 6 + 3, 2 + 5 + 5]);
}

#[test]
fn a_counter_in_a_loop_still_tells_its_number() {
    finishes("loop-total", &["3"], [1 + 3 + 1, 5 + 3, 2 + 3 + 3 + 2 + 1]);
}

#[test]
fn loops_in_a_row_end_one_after_the_other() {
    let sent = 1 + 2 + 2 + (5 + 5) + (4 + 4);
    finishes(
        "loops-in-a-row",
        &["-2", "-2"],
        [2 + 2 + 5 + 4, 13 + 5, sent],
    );
}

#[test]
fn what_cannot_be_read_is_put_right_and_comes_again() {
    let sent = 1 + 3 + (3 + 1) + 1 + 1;
    finishes("error-loop", &["8"], [3 + 3 + 1 + 1, 8 + 3, sent]);
}

/// Each round makes two packets of one, and the loop holds at most one more than its two links; so
/// it is always the second copy that finds no room.
#[test]
fn a_loop_that_is_flooded() {
    let stuck = [
        "Pass suspended(send OUT)",
        "Replicate suspended(send OUT[1])",
    ];
    deadlocks("flooded-loop", &stuck, |deadlock| {
        assert_eq!(deadlock.cycle.len(), 2, "{:?}", deadlock.cycle);
        for stuck in &deadlock.stuck {
            assert_eq!(stuck.links.len(), 1, "{stuck:?}");
            assert_eq!(stuck.links[0].fill, stuck.links[0].capacity, "{stuck:?}");
        }
    });
}

#[test]
fn bounded_admission() {
    finishes("bounded-admission", &numbered(100), [100, 100 + 2, 4 * 100]);
}

#[test]
fn fibonacci() {
    let lines = ["0", "1", "1", "2", "3", "5", "8", "13", "21", "34"];
    shows("fibonacci", &lines);
}

#[test]
fn hamming_numbers_come_from_three_loops() {
    let numbers = [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24];
    shows("hamming", &numbers.map(|number: i32| number.to_string()));
}
