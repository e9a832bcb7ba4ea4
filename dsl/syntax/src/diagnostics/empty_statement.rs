//! A comma parts nothing.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0119", "a comma parts nothing",
    r#"A comma ends a statement, and before this one there is none.

    A(flow/pass),, B(flow/pass)

Remove the comma.
"#
}

/// A comma at the start of a line or after another.
pub(crate) fn empty_statement(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "nothing stands before the comma")
        .help("remove the comma")
        .fix(span, "")
}
