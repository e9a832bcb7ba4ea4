use std::time::Duration;

use paperflow_core::{Closed, Either, In, Out, Packet, Param, Timer, component, select};

/// Passes a stream on, and gives it up when nothing comes for too long.
///
/// When there is no packet for INTERVAL the process ends: its sender learns it, and LATE gets one
/// packet, the number of packets that had come. A stream that ends in time sends nothing there.
#[component("flow/timeout", work = compute)]
#[example(interval = "5s", input = ["a", "b"], out = ["a", "b"], late = [])]
pub(crate) async fn timeout(
    /// The stream.
    input: In<Packet>,
    /// How long to wait for a packet, such as `250ms` or `2s`.
    #[default("1s")]
    interval: Param<Duration>,
    /// The clock.
    timer: Timer,
    /// The stream.
    out: Out<Packet>,
    /// How many packets had come when it was given up.
    #[optional]
    #[at_end]
    late: Out<i64>,
) -> Result<(), Closed> {
    let mut seen = 0_i64;
    loop {
        let next = async { Some(input.next().await) };
        let limit = async {
            timer.sleep(*interval).await;
            Some(())
        };
        match select(next, limit).await {
            Some(Either::Left(Some(packet))) => out.send(packet).await?,
            Some(Either::Left(None)) | None => return Ok(()),
            Some(Either::Right(())) => break,
        }
        seen += 1;
    }
    input.close();
    late.send(seen).await
}
