use paperflow_core::{Closed, Ins, Out, Packet, component};

/// Sends all of the first stream, then all of the second, and so on.
///
/// The streams are taken in the order of their element numbers. The later ones wait in their links
/// meanwhile, and hold up their senders when those are full.
#[component("flow/concat", work = compute, reads = to_end)]
#[example(inputs[0] = ["a", "b"], inputs[1] = ["c"], out = ["a", "b", "c"])]
pub(crate) async fn concat(
    /// The streams.
    inputs: Ins<Packet>,
    /// One stream.
    out: Out<Packet>,
) -> Result<(), Closed> {
    for port in inputs.iter() {
        while let Some(packet) = port.next().await {
            out.send(packet).await?;
        }
    }
    Ok(())
}
