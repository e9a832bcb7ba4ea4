use paperflow_core::{Out, Text, component};

/// Takes the punctuation out of texts.
///
/// Punctuation is that of ASCII; letters, digits and white space stay.
#[component("text/strip", work = compute)]
#[example(input = ["To be, or not!"], out = ["To be or not"])]
pub(crate) fn strip(
    /// Texts.
    input: Text,
    /// The texts without it.
    out: &mut Out<Text>,
) {
    out.put(
        input
            .chars()
            .filter(|c| !c.is_ascii_punctuation())
            .collect::<String>(),
    );
}
