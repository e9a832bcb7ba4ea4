//! A process's name has a sign that needs a backslash.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0112", "a process's name has a sign that needs a backslash",
    r#"Process names hold letters, digits, `_` and `-`, and begin with a letter or `_`.

    flow/Pass(flow/pass) OUT -> IN Show(console/write)

Rename the process, or put a backslash before the sign: `flow\/Pass`.
"#
}

/// A process name with a character it may not have.
pub(crate) fn bad_process(span: Span, name: &str, letter: char) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("the process name `{name}` may not hold `{letter}`"),
    )
    .help(match name.split_once('.') {
        Some((process, port)) if letter == '.' && !port.is_empty() => format!(
            "a blank stands between a process and its port: `{process} {port} ->`, \
             `-> {port} {process}`; in a name write `\\.`"
        ),
        _ => format!("rename the process, or write `\\{letter}`"),
    })
}
