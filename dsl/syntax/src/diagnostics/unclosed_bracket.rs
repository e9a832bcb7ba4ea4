//! A bracket is not closed.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0102", "a bracket is not closed",
    r#"A round bracket, or the square bracket of an array index, is not closed on its own line.

    Pay(course/take-payment OUT -> IN Cook(course/cook-food)

Close it. Text that holds brackets or quotes itself stands in double quotes: (Show:label="a (b)").
"#
}

/// A bracket that nothing closes on its line.
pub(crate) fn unclosed_bracket(span: Span, bracket: &str) -> Diagnostic {
    let close = if bracket == "(" { ")" } else { "]" };
    Diagnostic::error(
        CODE,
        span,
        format!("`{bracket}` is not closed on this line"),
    )
    .note("opened here")
    .help(format!("add the `{close}`"))
}
