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
