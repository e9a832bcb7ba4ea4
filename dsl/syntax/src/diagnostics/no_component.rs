//! A process has no component.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0121", "a process has no component",
    r#"A process is declared with empty brackets, and no other mention gives its component.

    Read() OUT -> IN Show(io/print)

Give the component in any one mention: `Read(io/read-file)`.
"#
}

/// A process that no mention gave a component.
pub(crate) fn no_component(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("Node \"{name}\" does not have a component defined"),
    )
    .help(format!("write `{name}(component)` in one of its mentions"))
}
