use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::param::Letter;
use crate::payload;

/// Lengthens the fields of lines, so that they stand in columns.
///
/// A line is split into fields wherever SEP stands, and PAD is put behind each field until it has its
/// length. The lengths are the first packet at LIMITS, in characters and with SEP between, such as
/// `10,3`; no line is taken before. Longer fields and those that LIMITS does not tell of stay as they
/// are, and all do when LIMITS ends without a packet. Brackets pass.
#[component("text/pad-fields", work = compute, reads = to_end)]
#[example(limits = ["3,2"], input = ["a,bc,d", "efgh"], out = ["a  ,bc,d", "efgh"])]
#[example(limits = ["2"], pad = ".", input = [open, "ä", close], out = [open, "ä.", close])]
pub(crate) async fn pad_fields(
    /// The lengths.
    limits: In<Packet>,
    /// Lines.
    input: In<Packet>,
    /// What is put behind a field.
    #[default(" ")]
    pad: Param<Letter>,
    /// What stands between two fields; not empty.
    #[default(",")]
    sep: Param<String>,
    /// The lines with longer fields.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let lengths = match limits.next().await {
        Some(packet) => lengths(&packet, &sep)?,
        None => Vec::new(),
    };
    limits.close();
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            out.send(packet).await?;
            continue;
        }
        let fields = super::fields(payload::text(&packet)?, &sep)?.enumerate();
        let padded = fields.map(|(at, field)| {
            let length = lengths.get(at).copied().unwrap_or(0);
            padded(field, length, pad.0)
        });
        let line = padded.collect::<Vec<_>>().join(&sep);
        drop(packet);
        out.send(line).await?;
    }
    Ok(())
}

fn padded(field: &str, length: usize, pad: char) -> String {
    let missing = length.saturating_sub(field.chars().count());
    let padding = std::iter::repeat_n(pad, missing);
    field.chars().chain(padding).collect()
}

fn lengths(packet: &Packet, sep: &str) -> Result<Vec<usize>, Fault> {
    let text = packet.to_string();
    let lengths = super::fields(&text, sep)?.map(|length| length.trim().parse());
    lengths.collect::<Result<_, _>>().map_err(|_| {
        Fault::new(format!(
            "LIMITS: expected lengths with {sep:?} between, got {text:?}"
        ))
    })
}
