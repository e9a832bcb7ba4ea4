//! An arrow starts at a process that does not exist.

use paperflow_graph::{Connection, Diagnostic, End};

super::explain! {
    "P0122", "an arrow starts at a process that does not exist",
    r#"No mention of the process gives it a component, so it does not exist. Often the name is misspelt.

    Red OUT -> IN Show(io/print)

Correct the name, or declare the process: `Red(component)`.
"#
}

/// An arrow from nowhere.
pub(crate) fn undefined_source(
    connection: &Connection,
    from: &End,
    near: Option<String>,
) -> Diagnostic {
    let (to, source) = (&connection.to, &from.process);
    let message = format!(
        "Edge to \"{}\" port \"{}\" is connected to an undefined source node \"{source}\"",
        to.process, to.port.name
    );
    Diagnostic::error(CODE, from.span, message).help(super::declare(source, near))
}
