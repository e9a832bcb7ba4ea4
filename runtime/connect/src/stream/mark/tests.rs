use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: Moment = Duration::from_secs(100);

fn seconds(seconds: u64) -> Moment {
    Duration::from_secs(seconds)
}

/// Delivers everything that may be, the ticket of each the same as its offset.
fn deliver_all(reading: &mut Reading, now: Moment, end: Offset) -> Vec<Offset> {
    let mut delivered = Vec::new();
    while let Next::Record(offset) = reading.next(now, end) {
        reading.deliver(offset, offset);
        delivered.push(offset);
    }
    delivered
}

#[test]
fn the_mark_is_the_end_of_what_is_finished_without_a_gap() {
    let mut reading = Reading::default();
    assert_eq!(deliver_all(&mut reading, NOW, 5), [0, 1, 2, 3, 4]);
    for (offset, mark) in [(1, 0), (3, 0), (0, 2), (2, 4), (4, 5)] {
        assert!(reading.finish(offset, offset));
        assert_eq!(reading.mark(), mark, "after {offset}");
    }
}

#[test]
fn a_failure_stops_the_mark_and_turns_the_reading_back() {
    let mut reading = Reading::default();
    deliver_all(&mut reading, NOW, 3);
    let failed = reading.fail(1, 1, NOW, seconds(102)).unwrap();
    assert_eq!((failed.times, failed.until), (1, seconds(102)));
    reading.finish(0, 0);
    reading.finish(2, 2);
    assert_eq!(reading.mark(), 1);
    assert_eq!(
        reading.next(NOW, 10),
        Next::Rest(seconds(102)),
        "all behind it wait"
    );
    assert_eq!(reading.next(seconds(102), 10), Next::Record(1));
    assert_eq!(reading.deliver(1, 9), 2, "its second delivery");
    assert!(!reading.finish(1, 1), "an old delivery has no say");
    assert!(reading.finish(1, 9));
    assert_eq!(
        (reading.mark(), reading.next(NOW, 10)),
        (3, Next::Record(3))
    );
}

#[test]
fn failures_are_counted_also_when_more_is_delivered_behind_them() {
    let mut reading = Reading::default();
    for times in 1..4 {
        deliver_all(&mut reading, NOW, 3);
        let failed = reading.fail(1, 1, NOW, NOW).unwrap();
        assert_eq!(failed.times, times);
        reading.release(2, 2);
    }
}

#[test]
fn what_is_given_back_is_delivered_again_first_and_does_not_count() {
    let mut reading = Reading::default();
    deliver_all(&mut reading, NOW, 3);
    reading.finish(0, 0);
    assert!(reading.release(1, 1) && reading.release(2, 2));
    assert_eq!(reading.unsettled(), 0);
    assert_eq!(reading.deliver(1, 1), 1);
    assert_eq!(deliver_all(&mut reading, NOW, 4), [2, 3]);
}

#[test]
fn failures_outlast_a_restart() {
    let failed = Failed {
        times: 2,
        until: seconds(103),
        first: NOW,
    };
    let mut reading = Reading::at(4, [(3, failed), (5, failed)]);
    assert_eq!(reading.next(NOW, 9), Next::Record(4));
    assert_eq!(reading.deliver(4, 1), 1);
    assert_eq!(reading.next(NOW, 9), Next::Rest(seconds(103)));
    assert_eq!(reading.next(seconds(103), 9), Next::Record(5));
    assert_eq!(reading.deliver(5, 2), 3);
}

#[test]
fn what_is_kept_no_more_is_passed_over() {
    let mut reading = Reading::default();
    deliver_all(&mut reading, NOW, 2);
    reading.release(1, 1);
    assert_eq!(reading.pass(7), 5, "five were never delivered");
    assert_eq!(reading.next(NOW, 9), Next::Record(7));
    assert_eq!(reading.mark(), 0, "the first is still in somebody's hands");
    reading.finish(0, 0);
    assert_eq!(reading.mark(), 7);
}

#[test]
fn after_a_seek_nobody_speaks_of_what_was_before() {
    let mut reading = Reading::default();
    deliver_all(&mut reading, NOW, 5);
    reading.seek(2);
    assert!(!reading.finish(3, 3));
    assert_eq!((reading.mark(), reading.unsettled()), (2, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Deliver,
    Settle(usize, u8),
    Time,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Deliver),
        3 => (any::<usize>(), 0_u8..4).prop_map(|(which, how)| Step::Settle(which, how)),
        1 => Just(Step::Time),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever the order of settlements: the mark is never beyond an unfinished record, never goes
    /// back, and reaches the end once all is finished.
    #[test]
    fn the_mark_never_passes_what_is_not_finished(steps in steps(), end in 0_u64..40) {
        let mut reading = Reading::default();
        let (mut now, mut ticket, mut mark) = (NOW, 0, 0);
        let mut flying: Vec<(Offset, u64)> = Vec::new();
        let mut finished = BTreeSet::new();
        let settle_all = std::iter::repeat_n(Step::Settle(0, 0), 41);
        let rest = std::iter::repeat_n([Step::Time, Step::Deliver], 41).flatten();
        let rest = rest.chain(settle_all);
        for step in steps.into_iter().chain(rest) {
            match step {
                Step::Deliver => if let Next::Record(offset) = reading.next(now, end) {
                    prop_assert!(!finished.contains(&offset), "nothing finished comes again");
                    ticket += 1;
                    reading.deliver(offset, ticket);
                    flying.push((offset, ticket));
                },
                Step::Settle(which, how) if !flying.is_empty() => {
                    let (offset, ticket) = flying.swap_remove(which % flying.len());
                    match how {
                        0 | 1 => {
                            prop_assert!(reading.finish(offset, ticket));
                            finished.insert(offset);
                        }
                        2 => prop_assert!(reading.release(offset, ticket)),
                        _ => {
                            let failed = reading.fail(offset, ticket, now, now + seconds(1));
                            prop_assert!(failed.is_some());
                        }
                    }
                }
                Step::Settle(..) => {}
                Step::Time => now += seconds(1),
            }
            let gap = (0..).find(|offset| !finished.contains(offset)).unwrap_or(0);
            prop_assert!(reading.mark() <= gap);
            prop_assert!(reading.mark() >= mark);
            mark = reading.mark();
        }
        prop_assert_eq!(mark, end);
    }
}
