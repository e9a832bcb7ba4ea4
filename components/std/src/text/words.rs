use paperflow_core::{Out, Text, component};

/// Splits a text into its words.
///
/// Words are what white space stands between, of any kind and length, so no word is empty; a text of
/// nothing but white space has none. Brackets pass.
#[component("text/words", work = compute)]
#[example(input = ["to be  or\tnot", " "], out = ["to", "be", "or", "not"])]
pub(crate) fn words(
    /// Texts, for instance lines.
    input: Text,
    /// One word per packet, in order.
    out: &mut Out<Text>,
) {
    for word in input.split_whitespace() {
        out.put(word);
    }
}
