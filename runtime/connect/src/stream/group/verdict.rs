//! What is said of a delivery, and what that depends on.

use paperflow_core::connector::{Declaration, Delay, Disposition, Failure, OnError, Settlement};
use paperflow_core::message::hash_of_key;

use super::Now;

/// What a stream's declaration says of failures.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) on_error: OnError,
    pub(crate) retries: u32,
    pub(crate) delay: Delay,
}

impl Rules {
    pub(crate) fn of(declaration: &Declaration) -> Self {
        Self {
            on_error: declaration.on_error.clone(),
            retries: declaration.retries,
            delay: declaration.delay,
        }
    }
}

/// What is said of a delivery.
pub(crate) enum Verdict {
    /// It is done with.
    Done,
    /// It is given back, and counts as no failure.
    Released,
    Failed(Box<Case>),
}

/// All that decides what becomes of a record that has failed.
pub(crate) struct Case {
    /// `Retry`, `Reject` or `Invalid`.
    pub(super) disposition: Disposition,
    pub(super) failure: Option<Failure>,
    pub(super) now: Now,
    /// Between 0 and 1, the same whenever this delivery fails.
    pub(super) chance: f64,
    pub(super) rules: Rules,
}

impl Verdict {
    /// What was said of a delivery of a group; `terms` are asked for only when they count.
    pub(crate) fn of(
        settlement: Settlement,
        (group, ticket): (&str, u64),
        terms: impl FnOnce() -> (Now, Rules),
    ) -> Self {
        let Settlement {
            disposition,
            failure,
        } = settlement;
        match disposition {
            Disposition::Done => return Self::Done,
            Disposition::Release => return Self::Released,
            Disposition::Retry | Disposition::Reject | Disposition::Invalid => {}
        }
        let (now, rules) = terms();
        let hash = hash_of_key(&format!("{group} {ticket}"));
        Self::Failed(Box::new(Case {
            disposition,
            failure,
            now,
            // 32 bits are enough chance.
            chance: f64::from((hash >> 32) as u32) / f64::from(u32::MAX),
            rules,
        }))
    }
}
