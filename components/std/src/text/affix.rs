use paperflow_core::{Out, Param, Text, component};

/// Puts a text before and another one behind each text.
#[component("text/affix", work = compute)]
#[example(pre = "<", post = ">", input = ["a", ""], out = ["<a>", "<>"])]
pub(crate) fn affix(
    /// Texts.
    input: Text,
    /// What comes before.
    #[default("")]
    pre: &Param<String>,
    /// What comes behind.
    #[default("")]
    post: &Param<String>,
    /// The longer texts.
    out: &mut Out<Text>,
) {
    out.put(format!("{}{input}{}", **pre, **post));
}
