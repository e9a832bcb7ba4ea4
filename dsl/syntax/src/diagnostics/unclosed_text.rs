//! Text is not closed.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0101", "text is not closed",
    r#"A text in single quotes has no closing quote anywhere in the rest of the file.

    'menu.txt -> SOURCE Read(file/lines)

Close the text with `'`. Inside such a text `\'` is a quote and every other backslash is itself, so a
text cannot end in a backslash; use a JSON text in double quotes for that: "C:\\menus\\".
"#
}

/// A single quote that nothing closes.
pub(crate) fn unclosed_text(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "this text is not closed")
        .note("opened here")
        .help("end the text with `'`")
}
