use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::payload;

/// Joins all texts of a stream into one.
///
/// The text is sent when the stream ends, or at a bracket, so that each group has a text of its own;
/// the brackets pass. Where there was no text there is nothing to send.
#[component("text/join", work = compute)]
#[example(input = ["a", "b", "c"], out = ["abc"])]
#[example(separator = ", ", input = [open, "a", "b", close, open, close], out = [open, "a, b", close, open, close])]
pub(crate) async fn join(
    /// The texts.
    input: In<Packet>,
    /// What comes between two of them.
    #[default("")]
    separator: Param<String>,
    /// The one text.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut joined: Option<String> = None;
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            if let Some(whole) = joined.take() {
                out.send(whole).await?;
            }
            out.send(packet).await?;
            continue;
        }
        let text = payload::text(&packet)?;
        match &mut joined {
            Some(joined) => joined.extend([separator.as_str(), text]),
            None => joined = Some(text.to_owned()),
        }
    }
    if let Some(whole) = joined {
        out.send(whole).await?;
    }
    Ok(())
}
