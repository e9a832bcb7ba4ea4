use std::time::Duration;

use paperflow_core::{Closed, In, Out, Packet, Param, Text, Timer, component};

use super::fuse::Fuse;
use super::guard::{Guard, Ports};
use crate::param::Size;

/// A circuit breaker: leaves a worker in peace for a while after several failures in a row.
///
/// The worker gets its work from OUT and answers every packet with one at DONE or one at FAILED; for
/// a plain component that is `Worker OUT -> DONE Breaker` and `Worker ERROR -> FAILED Breaker`.
/// After FAILURES failures in a row the breaker is open: it takes nothing from IN, so that the link
/// fills and the source waits. After PAUSE it is half-open: one packet goes to the worker. If that
/// succeeds the breaker is closed again; if it fails the breaker is open for another PAUSE.
///
/// What failed is not tried again, but sent to REJ, whether or not anybody reads that. Answers are taken before new work. When IN has
/// ended, OUT is closed, and the breaker ends after the last answer. Brackets go along and count as
/// no attempt.
#[component("reactive/breaker", work = compute, forgets)]
#[example(input = ["order"], done = ["receipt"], out = ["order"], result = ["receipt"])]
#[example(input = ["order"], done = [], failed = ["order"], out = ["order"], rej = ["order"])]
pub(crate) async fn breaker(
    /// Work.
    input: In<Packet>,
    /// What the worker has done.
    done: In<Packet>,
    /// What the worker could not do.
    #[optional]
    failed: In<Packet>,
    /// How many failures in a row open it.
    #[default(3)]
    failures: Param<Size>,
    /// How long it stays open, such as `250ms` or `2s`.
    #[default("1s")]
    pause: Param<Duration>,
    /// How many packets the worker may have at a time.
    #[default(1)]
    limit: Param<Size>,
    /// The clock.
    timer: Timer,
    /// To the worker.
    out: Out<Packet>,
    /// What came at DONE.
    #[optional]
    result: Out<Packet>,
    /// What came at FAILED.
    #[optional]
    rej: Out<Packet>,
    /// The new state, whenever it changes: `open`, `half-open` or `closed`.
    #[optional]
    state: Out<Text>,
) -> Result<(), Closed> {
    let ports = Ports {
        input,
        done,
        failed,
        out,
        result,
        rej,
    };
    let fuse = Fuse::new(failures.0, *pause);
    let guard = Guard::new(ports, limit.0, timer).with_fuse(fuse, state);
    guard.run().await
}
