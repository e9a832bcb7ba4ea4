//! A statement does nothing.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0106", "a statement does nothing",
    r#"A process or a port is named, but no arrow leads from it or to it.

    Read
    Read(file/lines) OUT
    IN Show(console/write)

Add the missing half (`... OUT -> IN Show`), or remove the line. A process is declared with its
component, `Read(file/lines)`, or with `Read()` when the component is given elsewhere.
"#
}

/// A name alone on its line.
pub(crate) fn lone_name(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("`{name}` alone does nothing"))
        .note("no arrow and no component")
        .help(format!(
            "add an arrow, or declare the process as `{name}(component)`"
        ))
}

/// A port with a process but without an arrow.
pub(crate) fn port_without_arrow(span: Span, port: &str, incoming: bool) -> Diagnostic {
    let (what, way) = if incoming {
        (
            "no arrow leads to the in-port",
            "add `... ->` before it, or remove the port",
        )
    } else {
        (
            "no arrow leaves the out-port",
            "add `-> ...` after it, or remove the port",
        )
    };
    Diagnostic::error(CODE, span, format!("{what} `{port}`"))
        .note("half a connection")
        .help(way)
}
