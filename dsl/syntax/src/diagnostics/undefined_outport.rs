//! An exported out-port belongs to a process that does not exist.

use paperflow_graph::{Diagnostic, Export};

super::explain! {
    "P0126", "an exported out-port belongs to a process that does not exist",
    r#"The inner process of the exported port is not declared with a component anywhere.

    OUTPORT=Raed.OUT:LINES

Correct the name, or declare the process: `Raed(component)`.
"#
}

/// An exported port of nobody.
pub(crate) fn undefined_outport(export: &Export, near: Option<String>) -> Diagnostic {
    let (public, inner) = (&export.public, &export.process);
    let message =
        format!("Outport \"{public}\" is connected to an undefined source node \"{inner}\"");
    Diagnostic::error(CODE, export.span, message).help(super::declare(inner, near))
}
