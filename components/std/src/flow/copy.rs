use paperflow_core::{Closed, In, Out, Packet, component};

/// Passes every packet on, as a process that stays in its loop until the stream ends.
///
/// It does what `flow/pass` does. The difference shows only in reports: between packets this one is
/// suspended on its in-port, the other dormant.
#[component("flow/copy", work = compute)]
#[example(input = ["a", open, 1, close], out = ["a", open, 1, close])]
pub(crate) async fn copy(
    /// Anything.
    input: In<Packet>,
    /// The same, in order.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}
