use paperflow_core::{Closed, In, Out, Packet, Param, Timer, component};

use super::guard::{Guard, Ports};
use crate::param::Size;

/// A bulkhead: lets a compartment have a limited number of packets at a time.
///
/// The compartment, one process or many, gets its work from OUT and answers every packet with one at
/// DONE or one at FAILED. While it has LIMIT packets nothing is taken from IN, so that the rest waits
/// in the link there: a compartment that is slow or stuck holds these packets and no others.
///
/// Answers are taken before new work. When IN has ended, OUT is closed, and the bulkhead ends after
/// the last answer. Brackets go along and are not counted.
#[component("reactive/bulkhead", work = compute, forgets)]
#[example(input = ["a", "b"], done = ["A", "B"], out = ["a", "b"], result = ["A", "B"])]
pub(crate) async fn bulkhead(
    /// Work.
    input: In<Packet>,
    /// What the compartment has done.
    done: In<Packet>,
    /// What the compartment could not do.
    #[optional]
    failed: In<Packet>,
    /// How many packets it may have at a time.
    #[default(10)]
    limit: Param<Size>,
    /// The clock.
    timer: Timer,
    /// To the compartment.
    out: Out<Packet>,
    /// What came at DONE.
    #[optional]
    result: Out<Packet>,
    /// What came at FAILED.
    #[optional]
    rej: Out<Packet>,
) -> Result<(), Closed> {
    let ports = Ports {
        input,
        done,
        failed,
        out,
        result,
        rej,
    };
    Guard::new(ports, limit.0, timer).run().await
}
