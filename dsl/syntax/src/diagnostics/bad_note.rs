//! A note for Paperflow cannot be read.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0120", "a note for Paperflow cannot be read",
    r#"Annotations `# @paperflow-...` keep, as JSON, what a graph has and the text has no form for: groups,
properties that are not text, the network's name.

    # @paperflow-group {"name": "kitchen", "nodes": ["Cook", "Serve"]}

Mend the JSON, or remove the line.
"#
}

/// A `# @paperflow-` line of an unknown kind or with the wrong JSON.
pub(crate) fn bad_note(span: Span, key: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("the annotation `@{key}` cannot be read"),
    )
    .note("its value must be the JSON that Paperflow writes")
    .help("mend its JSON, or remove the line")
}
