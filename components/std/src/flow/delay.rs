use std::time::Duration;

use paperflow_core::{Closed, In, Out, Packet, Param, Timer, component};

use crate::param::Count;

/// Passes packets on, each after a pause.
///
/// One packet is delayed at a time, so that INTERVAL is also the shortest time between two packets.
/// Brackets are delayed like data.
#[component("flow/delay", work = compute)]
#[example(interval = "5ms", input = ["a", "b"], out = ["a", "b"])]
pub(crate) async fn delay(
    /// Anything.
    input: In<Packet>,
    /// The pause, such as `250ms` or `2s`.
    #[default("100ms")]
    interval: Param<Duration>,
    /// The pause in milliseconds, as classic networks write it; goes before INTERVAL.
    intvl: Param<Option<Count>>,
    /// The clock.
    timer: Timer,
    /// The same, later.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let pause = intvl
        .into_inner()
        .map_or(*interval, |Count(ms)| Duration::from_millis(ms));
    while let Some(packet) = input.next().await {
        timer.sleep(pause).await;
        out.send(packet).await?;
    }
    Ok(())
}
