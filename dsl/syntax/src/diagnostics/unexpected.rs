//! Something has no place here.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0104", "something has no place here",
    r#"A character or sign stands where the language has no use for it.

    Read(file/lines) OUT + -> IN Show(console/write)

Remove it. In the name of a process or port, put a backslash before it.
"#
}

/// A sign without a meaning here.
pub(crate) fn unexpected(span: Span, sign: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("`{}` has no meaning here", sign.escape_debug()),
    )
    .help(meant(sign))
}

/// What people write from habit, and what they mean.
const HABITS: &[(&str, &str)] = &[
    ("//", "a comment begins with `#`"),
    ("/*", "a comment begins with `#`"),
    (
        "<-",
        "arrows lead from left to right: `SOURCE OUT -> IN TARGET`",
    ),
    ("-->", "an arrow is `->`"),
    (">", "an arrow is `->`"),
    ("→", "an arrow is `->`"),
    ("⇒", "an arrow is `->`"),
    ("‘", "a text stands in straight quotes: `'text'`"),
    ("’", "a text stands in straight quotes: `'text'`"),
    ("“", "a text stands in straight quotes: `'text'`"),
    ("”", "a text stands in straight quotes: `'text'`"),
];

/// How much of a line, which begins with something without a meaning, is one mistake.
pub(crate) fn length(line: &str) -> usize {
    let habit = HABITS.iter().find(|(sign, _)| line.starts_with(sign));
    match habit.map(|(sign, _)| *sign) {
        Some("//" | "/*") => line.len(),
        Some(sign @ ("‘" | "“")) => {
            let rest = &line[sign.len()..];
            let end = rest
                .char_indices()
                .find(|(_, letter)| "’”".contains(*letter));
            end.map_or(sign.len(), |(at, letter)| {
                sign.len() + at + letter.len_utf8()
            })
        }
        Some(sign) => sign.len(),
        None => 0,
    }
}

fn meant(sign: &str) -> &'static str {
    let habit = HABITS.iter().find(|(habit, _)| sign.starts_with(habit));
    habit.map_or(
        "remove it, or put a backslash before it if it belongs to a name",
        |(_, meant)| meant,
    )
}
