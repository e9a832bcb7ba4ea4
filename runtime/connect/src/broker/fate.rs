//! What becomes of a delivery of a queue, by what was said of it.

use std::time::Duration;

use paperflow_core::connector::{Declaration, Disposition, Settlement};
use paperflow_core::message::{Id, hash_of_key};

use super::aside;

/// What is done with a delivery.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is gone.
    Done,
    /// It is ready again, and this delivery does not count.
    Release,
    /// It comes again after so long.
    Rest(Duration),
    /// It goes to another queue.
    Aside(Aside),
}

/// Where a message is set aside.
#[derive(Debug)]
pub(crate) struct Aside {
    /// The queue.
    pub(crate) to: String,
    /// It cannot be read.
    #[cfg_attr(
        not(any(feature = "amqp", feature = "assigned")),
        expect(dead_code, reason = "MQTT sets nothing aside")
    )]
    pub(crate) is_invalid: bool,
    /// Headers that tell why, but for the times.
    pub(crate) why: Vec<(&'static str, String)>,
}

/// What becomes of a message's delivery of this number.
pub(crate) fn fate(
    (id, attempt): (Id, u32),
    declaration: &Declaration,
    settlement: &Settlement,
) -> Fate {
    let disposition = settlement.disposition;
    let to = match disposition {
        Disposition::Done => return Fate::Done,
        Disposition::Release => return Fate::Release,
        Disposition::Retry if attempt <= declaration.retries => {
            return Fate::Rest(rest((id, attempt), declaration));
        }
        Disposition::Retry | Disposition::Reject => declaration.dead_letter_name(),
        Disposition::Invalid => declaration.invalid_name(),
    };
    let failure = settlement.failure.as_ref();
    Fate::Aside(Aside {
        to,
        is_invalid: disposition == Disposition::Invalid,
        why: aside::why(disposition, failure, &declaration.name, (id, attempt)),
    })
}

/// How long a message rests after its failure.
fn rest((id, attempt): (Id, u32), declaration: &Declaration) -> Duration {
    let chance = hash_of_key(&format!("{id} {attempt}"));
    // 32 bits are enough chance.
    let chance = f64::from((chance >> 32) as u32) / f64::from(u32::MAX);
    declaration.delay.after(attempt, chance)
}
