use paperflow_core::{Out, Text, component};

/// Writes texts in lower case, by the rules of Unicode.
#[component("text/lower", work = compute)]
#[example(input = ["Grün UND Blau"], out = ["grün und blau"])]
pub(crate) fn lower(
    /// Texts.
    input: Text,
    /// The texts in lower case.
    out: &mut Out<Text>,
) {
    out.put(input.to_lowercase());
}
