use std::time::Duration;

use paperflow_core::{Closed, Out, Packet, Param, Timer, component};

use crate::param::Count;

/// Sends one packet after a time, and ends.
#[component("flow/after", work = compute)]
#[example(interval = "1h", out = [""])]
#[example(timeout = 250, value = "late", out = ["late"])]
pub(crate) async fn after(
    /// The time, such as `250ms` or `2s`.
    #[default("1s")]
    interval: Param<Duration>,
    /// The time in milliseconds, as classic networks write it; goes before INTERVAL.
    timeout: Param<Option<Count>>,
    /// What to send.
    #[default("")]
    value: Param<Packet>,
    /// The clock.
    timer: Timer,
    /// The one packet.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let time = timeout
        .into_inner()
        .map_or(*interval, |Count(ms)| Duration::from_millis(ms));
    timer.sleep(time).await;
    out.send(value.into_inner()).await
}
