use paperflow_core::{Closed, In, Out, Packet, component};

/// Holds a stream back until a trigger comes, then passes everything on.
///
/// The first packet at TRIGGER opens the gate for good, whatever it is, and TRIGGER is closed. When
/// TRIGGER ends without a packet the gate never opens: it ends, and with it the stream.
#[component("flow/gate", work = compute, forgets)]
#[example(input = ["a", "b"], trigger = ["go"], out = ["a", "b"])]
pub(crate) async fn gate(
    /// The stream.
    input: In<Packet>,
    /// What opens the gate.
    trigger: In<Packet>,
    /// The stream, from then on.
    out: Out<Packet>,
) -> Result<(), Closed> {
    if trigger.next().await.is_none() {
        return Ok(());
    }
    trigger.close();
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}
