//! A port's name has a sign that needs a backslash.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0111", "a port's name has a sign that needs a backslash",
    r#"Port names hold letters, digits, `_` and `.`, and begin with a letter or `_`.

    Read(file/lines) OUT-X -> IN Show(console/write)

Rename the port, or put a backslash before the sign if the component really has it: `OUT\-X`.
"#
}

/// A port name with a character it may not have.
pub(crate) fn bad_port(span: Span, name: &str, letter: char) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("the port name `{name}` may not hold `{letter}`"),
    )
    .help(format!(
        "rename the port, or write `\\{letter}` if its component has it"
    ))
}
