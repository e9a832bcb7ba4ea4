use paperflow_core::{Closed, In, Out, Packet, component};

/// Puts brackets around a whole stream.
///
/// What is in the stream passes, brackets too. An empty stream gives no group.
#[component("group/enclose", work = compute)]
#[example(input = [1, 2], out = [open, 1, 2, close])]
pub(crate) async fn enclose(
    /// The stream.
    input: In<Packet>,
    /// The group.
    out: Out<Packet>,
) -> Result<(), Closed> {
    out.send(Packet::open()).await?;
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    out.send(Packet::close()).await
}
