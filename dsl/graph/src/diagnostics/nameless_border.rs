use crate::diagnostic::Diagnostic;
use crate::model::Process;

explained! {
    /// A classic subnet border is not told which public port it stands for.
    ///
    ///     Entry(SubIn) OUT -> IN Count(flow/count)
    ///
    /// Nothing outside can reach `Entry`. Name the port with an initial packet, `'LINES' -> NAME
    /// Entry`, or leave the border out and write `INPORT=Count.IN:LINES`.
    "P0210", "border without a name"
}

/// A border that no public name leads to.
pub(crate) fn at(process: &Process) -> Diagnostic {
    let name = &process.name;
    Diagnostic::error(
        CODE,
        process.span,
        format!("border `{name}` has no public name"),
    )
    .note("which port of the subnet is this?")
    .help(format!("write `'PUBLIC' -> NAME {name}`"))
}
