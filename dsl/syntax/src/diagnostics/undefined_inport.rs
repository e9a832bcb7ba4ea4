//! An exported in-port belongs to a process that does not exist.

use paperflow_graph::{Diagnostic, Export};

super::explain! {
    "P0125", "an exported in-port belongs to a process that does not exist",
    r#"The inner process of the exported port is not declared with a component anywhere.

    INPORT=Raed.FILE:MENU

Correct the name, or declare the process: `Raed(component)`.
"#
}

/// An exported port of nobody.
pub(crate) fn undefined_inport(export: &Export, near: Option<String>) -> Diagnostic {
    let (public, inner) = (&export.public, &export.process);
    let message =
        format!("Inport \"{public}\" is connected to an undefined target node \"{inner}\"");
    Diagnostic::error(CODE, export.span, message).help(super::declare(inner, near))
}
