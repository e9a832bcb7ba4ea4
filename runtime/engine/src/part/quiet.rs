//! When nothing moves in any part, and nothing is on its way between them.
//!
//! Nobody can look at all parts at once. So everybody is looked at twice, and in between the store is
//! asked how much it has. If each part was still at both times and nothing has moved in it since, then
//! each was still all the time between, so also while the store was asked: nobody sent and nobody
//! received, and what it answered for one connector after the other held for all of them at one moment.
//! If they were empty then, but for what still parts hold until their input ends, nothing can ever move
//! again.
//!
//! A note may have been on its way when it was looked at. Of two notes that have come since, the second
//! was made after the first had arrived, so after the store was asked.

use std::collections::BTreeMap;

use super::Account;

/// What has been found so far.
#[derive(Default)]
pub(super) enum Quiet {
    /// Something moves, or has moved a moment ago.
    #[default]
    No,
    /// Everybody was still, and the store had nothing: how much had moved in each by then.
    Asked(BTreeMap<String, u64>),
    /// The same, and how often each had written its note when that had been asked.
    Since(BTreeMap<String, (u64, u64)>),
}

impl Quiet {
    /// Looks at the notes that have just been read: true when it has been seen that nothing moves.
    /// `is_empty` asks the store, given the notes of all.
    pub(super) fn look<E>(
        &mut self,
        accounts: &BTreeMap<String, Account>,
        is_empty: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        if !accounts.values().all(|account| account.is_still) {
            *self = Self::No;
            return Ok(false);
        }
        let moved = || accounts.iter().map(|(name, one)| (name.clone(), one.moved));
        *self = match std::mem::take(self) {
            Self::Asked(before) if before == moved().collect() => {
                let beats = accounts.iter();
                let beats = beats.map(|(name, one)| (name.clone(), (one.moved, one.beat)));
                Self::Since(beats.collect())
            }
            Self::Since(before) if is_same(&before, accounts) => {
                let written = |(name, account): (&String, &Account)| {
                    let before = before.get(name).map_or(0, |(_, beat)| *beat);
                    account.is_finished || account.beat >= before + 2
                };
                if accounts.iter().all(written) {
                    return Ok(true);
                }
                Self::Since(before)
            }
            _ if is_empty()? => Self::Asked(moved().collect()),
            _ => Self::No,
        };
        Ok(false)
    }
}

/// Whether the same programs are there, and nothing has moved in any of them.
fn is_same(before: &BTreeMap<String, (u64, u64)>, accounts: &BTreeMap<String, Account>) -> bool {
    let is_known = |(name, account): (&String, &Account)| {
        before
            .get(name)
            .is_some_and(|(moved, _)| *moved == account.moved)
    };
    before.len() == accounts.len() && accounts.iter().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts by whether nothing moves in them, how much has moved and how often they have written.
    fn seen(parts: &[(bool, u64, u64)]) -> BTreeMap<String, Account> {
        let account = |(is_still, moved, beat)| Account {
            is_still,
            moved,
            beat,
            ..Account::default()
        };
        let parts = parts.iter().copied().map(account).enumerate();
        parts
            .map(|(at, account)| (at.to_string(), account))
            .collect()
    }

    /// What a look at notes sees, and whether the store has nothing by then.
    type Look<'a> = (&'a [(bool, u64, u64)], bool);

    /// Whether it is found, after some looks, that nothing moves.
    fn found(looks: &[Look<'_>]) -> bool {
        let mut quiet = Quiet::default();
        let mut looks = looks.iter();
        looks.any(|(parts, is_empty)| {
            quiet.look(&seen(parts), || Ok::<_, ()>(*is_empty)) == Ok(true)
        })
    }

    #[test]
    fn nothing_moves_when_all_were_still_before_and_after_the_store_was_asked() {
        let still = |beat| [(true, 7, beat), (true, 9, beat)];
        assert!(found(&[
            (&still(1), true),
            (&still(2), true),
            (&still(4), true)
        ]));
        assert!(
            !found(&[(&still(1), true), (&still(2), true), (&still(3), true)]),
            "one is old"
        );
        assert!(!found(&[
            (&still(1), false),
            (&still(3), false),
            (&still(5), false)
        ]));
    }

    #[test]
    fn whoever_has_moved_in_between_was_not_still() {
        let looks: [&[_]; 5] = [
            &[(true, 7, 1), (true, 9, 1)],
            &[(true, 7, 2), (true, 9, 2)],
            &[(true, 7, 4), (true, 10, 4)],
            &[(true, 7, 6), (true, 10, 6)],
            &[(false, 7, 9), (true, 10, 9)],
        ];
        assert!(!found(&looks.map(|look| (look, true))));
    }

    #[test]
    fn whoever_comes_or_goes_begins_it_anew() {
        let one: &[_] = &[(true, 7, 1)];
        let two: &[_] = &[(true, 7, 9), (true, 0, 9)];
        assert!(!found(&[
            (one, true),
            (one, true),
            (two, true),
            (two, true)
        ]));
    }

    #[test]
    fn whoever_has_finished_need_not_write_again() {
        let finished = |beat| {
            let mut seen = seen(&[(true, 7, beat), (true, 3, 1)]);
            seen.get_mut("1")
                .into_iter()
                .for_each(|last| last.is_finished = true);
            seen
        };
        let mut quiet = Quiet::default();
        let found = [1, 2, 4].map(|beat| quiet.look(&finished(beat), || Ok::<_, ()>(true)));
        assert_eq!(found, [Ok(false), Ok(false), Ok(true)]);
    }
}
