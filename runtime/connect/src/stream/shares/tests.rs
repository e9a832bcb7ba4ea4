use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn shares(partitions: usize) -> Shares {
    let mut shares = Shares::default();
    shares.grow(partitions);
    shares
}

/// The partitions that a consumer has, also those that it is to give up.
fn held_by(shares: &Shares, member: Member) -> Vec<usize> {
    let owner = |at: &usize| shares.owner(*at).map(|owner| owner.member);
    let all = 0..shares.owners.len();
    all.filter(|at| owner(at) == Some(member)).collect()
}

fn idle(_: usize) -> bool {
    false
}

fn readers(shares: &Shares) -> Vec<Option<Member>> {
    (0..shares.owners.len())
        .map(|at| shares.owner(at).map(|owner| owner.member))
        .collect()
}

#[test]
fn partitions_are_shared_out_and_one_too_many_is_idle() {
    let mut shares = shares(2);
    for member in [1, 2, 3] {
        shares.join(member);
        shares.balance(idle);
    }
    let owners = readers(&shares);
    assert!(owners.iter().all(Option::is_some));
    assert_ne!(owners[0], owners[1]);
    assert_eq!(shares.read_by(3).count(), 0, "the last to come is idle");
}

#[test]
fn who_is_idle_takes_over_from_who_leaves_and_the_other_keeps_its_own() {
    let mut shares = shares(2);
    for member in [1, 2, 3] {
        shares.join(member);
        shares.balance(idle);
    }
    let kept: Vec<usize> = shares.read_by(2).collect();
    shares.leave(1);
    assert!(shares.balance(idle));
    assert_eq!(shares.read_by(2).collect::<Vec<_>>(), kept);
    assert_eq!(shares.read_by(3).count(), 1);
}

#[test]
fn a_busy_partition_moves_once_it_is_not() {
    let mut shares = shares(2);
    shares.join(1);
    shares.balance(|_| true);
    shares.join(2);
    shares.balance(|_| true);
    assert_eq!(held_by(&shares, 1).len(), 2);
    assert_eq!(
        shares.read_by(1).count(),
        1,
        "of one it gets no more records"
    );
    assert_eq!(shares.read_by(2).count(), 0);
    shares.balance(idle);
    assert_eq!(shares.read_by(2).count(), 1);
}

#[test]
fn an_idle_partition_is_given_up_rather_than_a_busy_one() {
    let mut shares = shares(2);
    shares.join(1);
    shares.balance(idle);
    shares.join(2);
    shares.balance(|at| at == 1);
    assert_eq!(readers(&shares), [Some(2), Some(1)]);
}

#[test]
fn who_comes_back_speaks_of_another_epoch() {
    let mut shares = shares(1);
    shares.join(1);
    shares.balance(idle);
    assert!(shares.is_current(0, 1, 1));
    shares.leave(1);
    shares.join(1);
    shares.balance(idle);
    assert!(!shares.is_current(0, 1, 1));
    assert!(shares.is_current(0, 1, 2));
}

#[test]
fn who_retires_keeps_what_is_busy_and_no_more() {
    let mut shares = shares(2);
    shares.join(1);
    shares.balance(idle);
    shares.retire(1);
    shares.join(2);
    shares.balance(|at| at == 0);
    assert_eq!(readers(&shares), [Some(1), Some(2)]);
    assert_eq!(shares.read_by(1).count(), 0);
    shares.balance(idle);
    assert_eq!(readers(&shares), [Some(2), Some(2)]);
}

#[test]
fn new_partitions_get_readers() {
    let mut shares = shares(1);
    shares.join(1);
    shares.join(2);
    shares.balance(idle);
    shares.grow(4);
    shares.balance(idle);
    assert_eq!(shares.read_by(1).count(), 2);
    assert_eq!(shares.read_by(2).count(), 2);
}

#[derive(Clone, Debug)]
enum Step {
    Join(Member),
    Leave(Member),
    Busy(usize),
    Idle(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u64..6).prop_map(Step::Join),
        (0_u64..6).prop_map(Step::Leave),
        (0_usize..9).prop_map(Step::Busy),
        (0_usize..9).prop_map(Step::Idle),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// Whoever comes and goes: a busy partition never changes hands, an epoch never comes twice, and once
    /// nobody is busy the shares differ by one at most.
    #[test]
    fn shares_are_even_and_nothing_is_taken_from_a_busy_hand(steps in steps(), partitions in 1_usize..9) {
        let mut shares = shares(partitions);
        let mut busy = BTreeSet::new();
        let mut epochs = vec![0; partitions];
        for step in steps {
            match step {
                Step::Join(member) => shares.join(member),
                Step::Leave(member) => {
                    for at in held_by(&shares, member) {
                        busy.remove(&at);
                    }
                    shares.leave(member);
                }
                Step::Busy(at) => {
                    if shares.owner(at).is_some() {
                        busy.insert(at);
                    }
                }
                Step::Idle(at) => {
                    busy.remove(&at);
                }
            }
            let before = shares.clone();
            shares.balance(|at| busy.contains(&at));
            for (at, last) in epochs.iter_mut().enumerate() {
                let (old, new) = (before.owner(at), shares.owner(at));
                let same = old.map(|owner| owner.epoch) == new.map(|owner| owner.epoch);
                prop_assert!(same || !busy.contains(&at), "taken from a busy hand");
                let epoch = new.map_or(*last, |owner| owner.epoch);
                prop_assert!(epoch >= *last);
                *last = epoch;
            }
        }
        if !shares.members.is_empty() {
            shares.balance(idle);
            let counts: Vec<usize> = shares
                .members
                .iter()
                .map(|member| shares.read_by(*member).count())
                .collect();
            prop_assert_eq!(counts.iter().sum::<usize>(), partitions, "everything is read");
            let (least, most) = (counts.iter().min(), counts.iter().max());
            prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1));
            let settled = shares.clone();
            prop_assert!(!shares.balance(idle), "and then stays as it is");
            prop_assert_eq!(settled.owners, shares.owners);
        }
    }
}
