use paperflow_core::{Out, Text, component};

/// Splits a text into words, with white space and punctuation between them.
///
/// Punctuation is that of ASCII; it is left out. The last word needs nothing behind it. Brackets pass.
#[component("text/tokens", work = compute)]
#[example(input = ["To be, or not!"], out = ["To", "be", "or", "not"])]
pub(crate) fn tokens(
    /// Texts, for instance lines.
    input: Text,
    /// One word per packet, in order.
    out: &mut Out<Text>,
) {
    let is_between = |c: char| c.is_whitespace() || c.is_ascii_punctuation();
    for word in input.split(is_between).filter(|word| !word.is_empty()) {
        out.put(word);
    }
}
