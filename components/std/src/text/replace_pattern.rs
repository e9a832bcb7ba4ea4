use paperflow_core::{Out, Param, Text, component};

use crate::param::Pattern;

/// Replaces whatever a regular expression matches in the texts that come.
///
/// In REPL `$1` stands for the first group of the expression, `$name` for a group with a name and `$0`
/// for the whole match; `${1}` where a letter, a digit or `_` follows, and `$$` for a plain `$`. For
/// plain texts there is `text/replace`.
#[component("text/replace-pattern", work = compute)]
#[example(find = "(\\w+)@(\\w+)", repl = "$2 of $1", input = ["ada@home", "nobody"], out = ["home of ada", "nobody"])]
#[example(find = "[0-9]", input = ["a1b22"], out = ["ab"])]
pub(crate) fn replace_pattern(
    /// Texts.
    input: Text,
    /// The regular expression.
    find: &Param<Pattern>,
    /// What comes in place of each match.
    #[default("")]
    repl: &Param<String>,
    /// The changed texts.
    out: &mut Out<Text>,
) {
    let changed = find.0.replace_all(&input, repl.as_str());
    out.put(changed.into_owned());
}
