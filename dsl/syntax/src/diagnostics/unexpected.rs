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
    .help("remove it, or put a backslash before it if it belongs to a name")
}
