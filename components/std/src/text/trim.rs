use paperflow_core::{Out, Text, component};

/// Takes the white space off both ends of texts.
#[component("text/trim", work = compute)]
#[example(input = ["  a b\t", " "], out = ["a b", ""])]
pub(crate) fn trim(
    /// Texts.
    input: Text,
    /// The texts without it.
    out: &mut Out<Text>,
) {
    out.put(input.trim());
}
