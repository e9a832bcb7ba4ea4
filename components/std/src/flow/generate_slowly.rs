use std::time::Duration;

use paperflow_core::{Closed, Out, Param, Text, Timer, component};

use crate::param::Count;

/// Generates numbered texts at leisure, counting up: `0`, `1`, `2`...
///
/// There is a pause after each of them, so that the first one comes at once.
#[component("flow/generate-slowly", work = compute, repeats)]
#[example(number = 3, interval = "5ms", out = ["0", "1", "2"])]
pub(crate) async fn generate_slowly(
    /// How many.
    #[port("COUNT")]
    #[default(60)]
    number: Param<Count>,
    /// The pause, such as `250ms` or `2s`.
    #[default("300ms")]
    interval: Param<Duration>,
    /// The pause in milliseconds, as classic networks write it; goes before INTERVAL.
    config: Param<Option<Count>>,
    /// The clock.
    timer: Timer,
    /// The texts.
    out: Out<Text>,
) -> Result<(), Closed> {
    let pause = config
        .into_inner()
        .map_or(*interval, |Count(ms)| Duration::from_millis(ms));
    for at in 0..number.0 {
        out.send(at.to_string()).await?;
        timer.sleep(pause).await;
    }
    Ok(())
}
