use paperflow_core::{Closed, In, Out, Packet, component};

/// Turns an initial packet into a packet, to set something going.
///
/// Everything at SOURCE is sent on as it is. When SOURCE is not connected one empty text is sent.
#[component("flow/kick", work = compute, repeats)]
#[example(source = ["start"], out = ["start"])]
#[example(out = [""])]
pub(crate) async fn kick(
    /// What to send.
    #[optional]
    source: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let Some(first) = source.next().await else {
        return out.send("").await;
    };
    out.send(first).await?;
    while let Some(packet) = source.next().await {
        out.send(packet).await?;
    }
    Ok(())
}
