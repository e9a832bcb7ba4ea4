use paperflow_core::{Closed, In, Out, Packet, component};

/// Takes all brackets out of a stream.
#[component("group/ungroup", work = compute)]
#[example(input = [open, 1, open, 2, close, close, 3], out = [1, 2, 3])]
pub(crate) async fn ungroup(
    /// The stream.
    input: In<Packet>,
    /// Its data.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        if !packet.is_bracket() {
            out.send(packet).await?;
        }
    }
    Ok(())
}
