use paperflow_core::{Closed, Ins, Out, Packet, component};

/// Merges streams in the order in which packets arrive.
///
/// The order within each stream stays. No stream starves another: after a packet from one element the
/// next one is looked at first. Brackets of different streams may get between each other; where that
/// matters use `flow/merge-groups`.
#[component("flow/merge", work = compute)]
#[example(inputs[0] = ["a", "b"], out = ["a", "b"])]
pub(crate) async fn merge(
    /// The streams.
    inputs: Ins<Packet>,
    /// All packets.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut last = inputs.len().saturating_sub(1);
    while let Some((at, packet)) = inputs.next_after(last).await {
        out.send(packet).await?;
        last = at;
    }
    Ok(())
}
