//! The queues of the server that keep messages, and those in which they rest.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::ExchangeKind;
use paperflow_core::connector::{Declaration, StoreFault};

use super::line::{Argument, Line};

/// How long a message may be on its way back from its rest.
pub(super) const ON_ITS_WAY: Duration = Duration::from_secs(5);
/// It comes a little later than its time is over.
pub(super) const A_LITTLE_LATER: Duration = Duration::from_millis(20);
/// Rests of a queue that are told apart, at most.
const STEPS: u32 = 16;
/// A queue that counts deliveries throws nothing away because of that: that is done here.
const NO_LIMIT: i64 = 1_000_000_000;

/// Makes a queue on the server, if it is not there.
pub(super) fn make(line: &Line, name: &str) -> Result<(), StoreFault> {
    let key = line.named(name);
    line.declare_exchange(&key, ExchangeKind::Direct)?;
    let arguments = [
        ("x-queue-type", Argument::Text(String::from("quorum"))),
        ("x-delivery-limit", Argument::Number(NO_LIMIT)),
    ];
    line.declare_queue(&key, &arguments)?;
    line.bind(&key, &key, &key)
}

/// Makes a queue on the server whose messages go to another queue when their rest is over.
pub(super) fn make_rest(line: &Line, name: &str, back: &str) -> Result<(), StoreFault> {
    let text = |text: &str| Argument::Text(text.to_owned());
    let arguments = [
        ("x-queue-type", text("quorum")),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(back)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ];
    line.declare_queue(name, &arguments).map(|_| ())
}

/// The lengths of the rests that are declared, in milliseconds.
pub(super) fn steps(declaration: &Declaration) -> BTreeSet<u64> {
    let failures = 1..=declaration.retries.min(STEPS);
    let rests = failures.map(|failures| declaration.delay.after(failures, 0.5));
    rests.map(millis).collect()
}

/// The queue for a rest, by its length in milliseconds: that of the declared rest which it is, give or
/// take what chance adds, or else a round number above it.
pub(super) fn stepped(rest: Duration, declaration: &Declaration) -> u64 {
    let (wanted, jitter) = (rest.as_secs_f64(), declaration.delay.jitter);
    for step in steps(declaration) {
        let declared = Duration::from_millis(step).as_secs_f64();
        if (wanted - declared).abs() <= declared * jitter + 0.001 {
            return step;
        }
    }
    let wanted = millis(rest);
    let mut tens = 1;
    loop {
        for step in [1, 2, 5] {
            if step * tens >= wanted || tens >= 100_000_000_000 {
                return step * tens;
            }
        }
        tens *= 10;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}
