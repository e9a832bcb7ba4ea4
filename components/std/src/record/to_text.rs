use paperflow_core::{Fault, Kind, Out, Packet, Text, component};

/// Writes records as JSON, one line each.
///
/// Plain packets are written too: a text becomes a JSON text. Objects of a program's own type cannot
/// be written and are a fault.
#[component("record/to-text", work = compute)]
#[example(input = [{"b": 1, "a": null}, "x", 5], out = ["{\"b\":1,\"a\":null}", "\"x\"", "5"])]
pub(crate) fn to_text(
    /// Records, or anything that is JSON.
    input: Packet,
    /// The texts.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if input.kind() == Kind::Object {
        return Err(Fault::new(
            "an object of a program's own type cannot be written as JSON",
        ));
    }
    out.put(input.to_json().to_string());
    Ok(())
}
