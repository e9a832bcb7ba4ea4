use paperflow_core::{Closed, In, Out, Packet, component};

/// Counts the packets of its stream, and sends the number when the stream ends.
///
/// Brackets count as packets. An empty stream counts 0. When the receiver of OUT leaves early, the
/// rest is counted and dropped.
#[component("flow/count", work = compute, must_run, forgets)]
#[example(input = ["a", "b"], out = ["a", "b"], total = [2])]
#[example(input = [], total = [0])]
pub(crate) async fn count(
    /// What is counted.
    input: In<Packet>,
    /// The packets themselves.
    #[optional]
    out: Out<Packet>,
    /// How many there were.
    #[port("COUNT")]
    #[at_end]
    total: Out<i64>,
) -> Result<(), Closed> {
    let mut seen = 0_i64;
    let mut passes = out.is_connected();
    while let Some(packet) = input.next().await {
        seen += 1;
        if passes {
            passes = out.send(packet).await.is_ok();
        }
    }
    total.send(seen).await
}
