use paperflow_core::{Out, Text, component};

/// Tells how many characters a text has.
#[component("text/length", work = compute)]
#[example(input = ["grün", ""], out = [4, 0])]
pub(crate) fn length(
    /// Texts.
    input: Text,
    /// Their lengths in characters, not bytes.
    out: &mut Out<i64>,
) {
    out.put(i64::try_from(input.chars().count()).unwrap_or(i64::MAX));
}
