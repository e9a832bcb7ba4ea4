use paperflow_core::{Fault, Out, Packet, Text, component};
use serde_json::Value as Json;

/// Reads texts as JSON.
///
/// Objects and arrays become records, other values plain packets. A text that is no JSON is a fault,
/// and goes to ERROR if that is connected.
#[component("record/from-text", work = compute)]
#[example(input = ["{\"a\": [1, null]}", "5"], out = [{"a": [1, null]}, 5])]
pub(crate) fn from_text(
    /// Texts, for instance lines.
    input: Text,
    /// What they say.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let json: Json = serde_json::from_str(&input)
        .map_err(|error| Fault::new(format!("expected JSON: {error}")))?;
    out.put(Packet::json(json));
    Ok(())
}
