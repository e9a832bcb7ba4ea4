use crate::check::drawing::Names;
use crate::diagnostic::Diagnostic;
use crate::expand::Side;
use crate::model::Export;

explained! {
    /// An export names a process that the graph does not define.
    ///
    ///     INPORT=Raed.SOURCE:FILE
    ///
    /// The graph has a process `Read`, not `Raed`. Correct the name, or remove the export.
    "P0209", "export that points nowhere"
}

/// An export of a port of an undefined process.
pub(crate) fn at(export: &Export, side: Side, names: &Names<'_>) -> Diagnostic {
    let (what, node) = match side {
        Side::In => ("Inport", "target"),
        Side::Out => ("Outport", "source"),
    };
    let (public, process) = (&export.public, &export.process);
    let message =
        format!("{what} \"{public}\" is connected to an undefined {node} node \"{process}\"");
    let help = match names.near(process) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::from("define the process, or remove the export"),
    };
    Diagnostic::error(CODE, export.span, message)
        .note("no such process")
        .help(help)
}
