use paperflow_core::{Out, Param, Text, component};

use crate::param::Letter;

/// Hides texts: writes the same character in place of every other one.
///
/// What is EXC stays as it is, so that the lengths of the words can still be seen; an empty EXC hides
/// everything.
#[component("text/obscure", work = compute)]
#[example(obs = "*", input = ["to be, ärger", ""], out = ["** *** *****", ""])]
#[example(obs = "x", exc = "-", input = ["4-8 15-"], out = ["x-xxxx-"])]
pub(crate) fn obscure(
    /// Texts.
    input: Text,
    /// The character to write.
    #[default(" ")]
    obs: &Param<Letter>,
    /// What stays.
    #[default(" ")]
    exc: &Param<String>,
    /// The hidden texts.
    out: &mut Out<Text>,
) {
    let hide = |part: &str| obs.0.to_string().repeat(part.chars().count());
    let hidden = if exc.is_empty() {
        hide(&input)
    } else {
        let parts: Vec<_> = input.split(exc.as_str()).map(hide).collect();
        parts.join(exc.as_str())
    };
    out.put(hidden);
}
