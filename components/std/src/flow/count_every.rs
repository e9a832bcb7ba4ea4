use paperflow_core::{Closed, In, Out, Packet, Param, component};

use crate::param::Size;

/// Counts the packets of its stream, and tells the number again and again.
///
/// COUNT gets it after every NUMBER packets and when the stream ends, but never twice the same.
/// Brackets count as packets. An empty stream counts 0. When the receiver of OUT leaves early, the rest
/// is counted and dropped.
#[component("flow/count-every", work = compute, must_run, forgets)]
#[example(number = 2, input = ["a", "b", "c"], out = ["a", "b", "c"], total = [2, 3])]
#[example(number = 2, input = [1, 2], total = [2])]
#[example(input = [], total = [0])]
pub(crate) async fn count_every(
    /// What is counted.
    input: In<Packet>,
    /// How many packets lie between two numbers.
    #[default(1000)]
    number: Param<Size>,
    /// The packets themselves.
    #[optional]
    out: Out<Packet>,
    /// How many there were.
    #[port("COUNT")]
    total: Out<i64>,
) -> Result<(), Closed> {
    let mut seen = 0_i64;
    let mut untold = 0;
    let mut passes = out.is_connected();
    while let Some(packet) = input.next().await {
        seen += 1;
        untold += 1;
        if passes {
            passes = out.send(packet).await.is_ok();
        }
        if untold == number.0 {
            total.send(seen).await?;
            untold = 0;
        }
    }
    if seen == 0 || untold > 0 {
        total.send(seen).await?;
    }
    Ok(())
}
