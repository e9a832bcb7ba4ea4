use crate::diagnostic::Diagnostic;
use crate::model::Process;

explained! {
    /// A process is mentioned, but no mention says which component it runs.
    ///
    ///     Read OUT -> IN Show(console/write)
    ///
    /// `Read` has no component. Say it at any one mention: `Read(file/lines) OUT -> IN Show`. A
    /// process without component is a fine thing while drawing top-down, but it cannot run.
    "P0202", "process without component"
}

/// A process that names no component.
pub(crate) fn at(process: &Process) -> Diagnostic {
    let name = &process.name;
    let message = format!("Node \"{name}\" does not have a component defined");
    Diagnostic::error(CODE, process.span, message)
        .note("no mention gives a component")
        .help(format!(
            "write `{name}(COMPONENT)` at one mention; `paperflow list` shows them"
        ))
}
