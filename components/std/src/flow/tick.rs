use std::time::Duration;

use paperflow_core::{Fault, Out, Param, Timer, component};

use crate::param::Count;

/// Sends a number at regular intervals: 1, 2, 3...
///
/// The first one comes after one interval. The times are counted from the start, so that they do not
/// drift; a tick that cannot be sent in time is sent late, and none is left out. Without COUNT it goes
/// on until its receiver leaves or the network is stopped.
#[component("flow/tick", work = compute)]
#[example(interval = "1s", count = 3, out = [1, 2, 3])]
pub(crate) async fn tick(
    /// The time between two ticks, such as `250ms` or `2s`.
    interval: Param<Duration>,
    /// How many ticks.
    count: Param<Option<Count>>,
    /// The clock.
    timer: Timer,
    /// The ticks.
    out: Out<i64>,
) -> Result<(), Fault> {
    if interval.is_zero() {
        return Err(Fault::new(
            "parameter INTERVAL: expected a duration of more than zero",
        ));
    }
    let last = count.into_inner().map_or(u64::MAX, |Count(last)| last);
    let mut moment = timer.now();
    for number in 1..=last {
        moment = moment.saturating_add(*interval);
        timer.until(moment).await;
        out.send(i64::try_from(number).unwrap_or(i64::MAX)).await?;
    }
    Ok(())
}
