//! An arrow ends at a process that does not exist.

use paperflow_graph::{Connection, Diagnostic, End};

super::explain! {
    "P0123", "an arrow ends at a process that does not exist",
    r#"No mention of the process gives it a component, so it does not exist. Often the name is misspelt.

    Read(io/read-file) OUT -> IN Shwo

Correct the name, or declare the process: `Shwo(component)`.
"#
}

/// An arrow to nowhere.
pub(crate) fn undefined_target(
    connection: &Connection,
    from: &End,
    near: Option<String>,
) -> Diagnostic {
    let target = &connection.to.process;
    let message = format!(
        "Edge from \"{}\" port \"{}\" is connected to an undefined target node \"{target}\"",
        from.process, from.port.name
    );
    Diagnostic::error(CODE, connection.to.span, message).help(super::declare(target, near))
}
