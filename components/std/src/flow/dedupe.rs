use paperflow_core::{Closed, In, Out, Packet, component};

/// Leaves out packets that are equal to the one before.
///
/// Brackets pass, and the packet after a bracket does too.
#[component("flow/dedupe", work = compute, forgets)]
#[example(input = ["a", "a", "b", "a"], out = ["a", "b", "a"])]
#[example(input = [1, open, 1, 1, close], out = [1, open, 1, close])]
pub(crate) async fn dedupe(
    /// Anything.
    input: In<Packet>,
    /// No two equal ones in a row.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut last: Option<Packet> = None;
    while let Some(packet) = input.next().await {
        if !packet.is_bracket() && last.as_ref() == Some(&packet) {
            continue;
        }
        last = Some(Packet::clone(&packet));
        out.send(packet).await?;
    }
    Ok(())
}
