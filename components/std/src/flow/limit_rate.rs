use std::collections::VecDeque;
use std::time::Duration;

use paperflow_core::{Closed, In, Moment, Out, Packet, Param, Timer, component};

use crate::param::Size;

/// Passes packets on, but no more than NUMBER within any INTERVAL.
///
/// What comes faster waits, and its sender with it; nothing is lost, and the order stays. After a
/// quiet time NUMBER packets may leave at once. Brackets count like data.
#[component("flow/limit-rate", work = compute)]
#[example(number = 1, interval = "5ms", input = ["a", open, 1, close], out = ["a", open, 1, close])]
pub(crate) async fn limit_rate(
    /// The stream.
    input: In<Packet>,
    /// How many packets.
    #[default(1)]
    number: Param<Size>,
    /// In which time, such as `250ms` or `2s`.
    #[default("1s")]
    interval: Param<Duration>,
    /// The clock.
    timer: Timer,
    /// The stream, no faster than that.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut sent: VecDeque<Moment> = VecDeque::new();
    while let Some(packet) = input.next().await {
        if sent.len() == number.0
            && let Some(first) = sent.pop_front()
        {
            timer.until(first.saturating_add(*interval)).await;
        }
        out.send(packet).await?;
        sent.push_back(timer.now());
        forget(&mut sent, timer.now().saturating_sub(*interval));
    }
    Ok(())
}

/// What was sent this long ago holds nobody up.
fn forget(sent: &mut VecDeque<Moment>, before: Moment) {
    while sent.front().is_some_and(|moment| *moment <= before) {
        sent.pop_front();
    }
}
