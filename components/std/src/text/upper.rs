use paperflow_core::{Out, Text, component};

/// Writes texts in upper case, by the rules of Unicode.
#[component("text/upper", work = compute)]
#[example(input = ["Grün", "Maß"], out = ["GRÜN", "MASS"])]
pub(crate) fn upper(
    /// Texts.
    input: Text,
    /// The texts in upper case.
    out: &mut Out<Text>,
) {
    out.put(input.to_uppercase());
}
