use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::payload;

/// Finds out how long the fields of a stream of lines are at most.
///
/// A line is split into fields wherever SEP stands. When the stream has ended LIMITS gets one text
/// with the length of the longest first field, of the longest second one and so on, in characters and
/// with SEP between, as `text/pad-fields` reads it. A stream without lines sends none. Brackets pass.
///
/// A network that pads what it measures must put the lines by until then: in a file, a sort, or a link
/// as long as the stream.
#[component("text/field-limits", work = compute, forgets)]
#[example(input = ["a,bcd", "efg,h,i"], out = ["a,bcd", "efg,h,i"], limits = ["3,3,1"])]
#[example(input = [], limits = [])]
pub(crate) async fn field_limits(
    /// Lines.
    input: In<Packet>,
    /// What stands between two fields; not empty.
    #[default(",")]
    sep: Param<String>,
    /// The lines themselves.
    #[optional]
    out: Out<Packet>,
    /// The greatest lengths.
    #[at_end]
    limits: Out<Packet>,
) -> Result<(), Fault> {
    let mut longest: Vec<usize> = Vec::new();
    let mut passes = out.is_connected();
    while let Some(packet) = input.next().await {
        if !packet.is_bracket() {
            measure(&mut longest, super::fields(payload::text(&packet)?, &sep)?);
        }
        if passes {
            passes = out.send(packet).await.is_ok();
        }
    }
    out.close();
    if longest.is_empty() {
        return Ok(());
    }
    let lengths: Vec<_> = longest.iter().map(usize::to_string).collect();
    Ok(limits.send(lengths.join(&sep)).await?)
}

fn measure<'a>(longest: &mut Vec<usize>, fields: impl Iterator<Item = &'a str>) {
    for (at, field) in fields.enumerate() {
        let length = field.chars().count();
        match longest.get_mut(at) {
            Some(known) => *known = length.max(*known),
            None => longest.push(length),
        }
    }
}
