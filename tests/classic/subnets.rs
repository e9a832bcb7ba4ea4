//! Networks with subnets, plain and substream-sensitive.

use crate::{classic, counts, deadlocks, finishes, shows};

#[test]
fn a_deadlock_in_a_subnet_is_not_hidden_by_one_that_has_ended() {
    let stuck = [
        "Stuck/Replicate suspended(send OUT[1])",
        "Stuck/Concat suspended(receive IN[0])",
        "DiscardTwo dormant",
    ];
    deadlocks("deadlock-in-subnet", &stuck, |deadlock| {
        let sufficient = deadlock.sufficient.as_deref().unwrap_or_default();
        assert!(sufficient.contains("->(3)"), "{sufficient}");
    });
}

/// What a filter of `into` numbers makes and sends when `left` of them are no multiples.
const fn filter(into: u64, left: u64) -> (u64, u64) {
    (7 * into + 3 * left, 16 * into + 5 * left)
}

#[test]
fn a_subnet_for_each_prime() {
    let (by_2, by_3, by_5) = (filter(46, 23), filter(22, 15), filter(14, 12));
    let created = 3 * 47 + by_2.0 + by_3.0 + by_5.0;
    let sent = 4 * 47 + by_2.1 + 23 + by_3.1 + 15 + by_5.1 + 15;
    let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    let primes = (2..=48).filter(is_prime).map(|prime| prime.to_string());
    let primes: Vec<String> = primes.collect();
    finishes("prime-filters", &primes, [created, created + 18, sent]);
}

#[test]
fn three_substream_sensitive_subnets_in_each_other() {
    classic("three-levels").every_way(|ran| {
        ran.succeeds();
        assert_eq!(ran.shown, ["20", "20"], "{:?}", ran.way);
        let [created, _, sent] = counts(ran);
        assert_eq!(created, 40 + 16 + 8 + 4 + 8 + 4 + 2, "{:?}", ran.way);
        let entries = 64 + 56 + 40;
        assert_eq!(sent, 56 + 64 + 68 + entries + 8 + 4 + 2, "{:?}", ran.way);
        let lives = ["Outer/Sum", "Outer/Inner/Sum", "Outer/Inner/Inner/Count"];
        let lives = lives.map(|address| ran.process(address).opened);
        assert_eq!(lives, [2, 4, 8], "{:?}", ran.way);
    });
}

#[test]
fn a_loop_dries_up_in_every_life() {
    let initial = 2 + 3 * 3;
    let sent = 1 + 3 + 3 + 9 + 3 + 12 + 12;
    finishes(
        "loop-in-substreams",
        &["0", "0", "0"],
        [3 + 3 + 6 + 12, 24 + initial, sent],
    );
}

#[test]
fn a_source_starts_in_every_life() {
    let lines = [
        "OPEN(1)",
        "head",
        "000004abcd",
        "000003abcd",
        "CLOSE(1)",
        "OPEN(1)",
        "head",
        "000002abcd",
        "000001abcd",
        "CLOSE(1)",
    ];
    let initial = 2 + 2 * 3;
    finishes(
        "headed-groups",
        &lines,
        [8 + 4, 12 + initial, 8 + 4 + 2 + 6 + 10],
    );
}

#[test]
fn a_life_takes_a_group_from_each_entry() {
    let initial = 4 + 3 + 2;
    let sent = 12 + 10 + (6 + 6) + 12 + 3;
    finishes(
        "joined-groups",
        &["5", "5", "2"],
        [12 + 10 + 3, 25 + initial, sent],
    );
}

#[test]
fn the_first_of_each_group_and_how_many() {
    let lines = ["and: 2", "bird: 1", "cat: 1", "dog: 1", "the: 3"];
    shows("word-count-in-substreams", &lines);
}

#[test]
fn an_early_leaver_leaves_in_every_life() {
    let numbers = [23, 22, 18, 17, 13, 12, 8, 7, 3, 2];
    shows(
        "heads-of-groups",
        &numbers.map(|number| format!("{number:06}abcd")),
    );
}

#[test]
fn a_reader_leaves_between_two_groups() {
    shows("take-groups", &["5", "5", "5"]);
}
