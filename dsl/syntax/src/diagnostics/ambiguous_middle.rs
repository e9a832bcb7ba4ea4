//! Port and process cannot be told apart.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0109", "port and process cannot be told apart",
    r#"In the middle of a chain stand two bare names. Either may be the process, the other its in-port or
out-port, and neither (or both) is declared with a component in this file.

    a OUT -> b OUT -> c

Write both ports, `a OUT -> IN b OUT -> IN c`, or declare the process with its component.
"#
}

/// Two bare words in the middle of a chain.
pub(crate) fn ambiguous_middle(span: Span, first: &str, second: &str) -> Diagnostic {
    let message = format!("either of `{first}` and `{second}` may be the process here");
    Diagnostic::error(CODE, span, message)
        .note("two names between two arrows")
        .help("write both ports: `-> IN process OUT ->`")
}
