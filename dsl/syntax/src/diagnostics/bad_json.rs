//! An initial packet is not valid JSON.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0103", "an initial packet is not valid JSON",
    r#"An initial packet that starts with `"`, `[` or `{` is read as JSON (RFC 8259), and this one is not.

    {"host": office} -> IN Show(console/write)

Mend the JSON, or put plain text in single quotes: 'anything' -> IN Show(console/write).
"#
}

/// A value that a JSON reader refuses.
pub(crate) fn bad_json(span: Span, reason: &str) -> Diagnostic {
    Diagnostic::error(CODE, span, "the initial packet is not valid JSON")
        .note(reason)
        .help("mend the JSON, or put plain text in single quotes")
}
