use crate::diagnostic::Diagnostic;
use crate::model::Process;

explained! {
    /// Two mentions of one process give it different components or metadata. The last one wins.
    ///
    ///     Show(console/write)
    ///     Show(flow/drop)
    ///
    /// `Show` runs `flow/drop`. If two processes were meant, give one of them another name; if
    /// not, remove the definition that does not count.
    "P0206", "process defined twice"
}

/// A process with definitions that were replaced.
pub(crate) fn at(process: &Process) -> Diagnostic {
    let name = &process.name;
    let span = process.component_span.unwrap_or(process.span);
    let message = format!("process `{name}` is defined more than once");
    let found = Diagnostic::warning(CODE, span, message).note("this definition counts");
    let replaced = process.redefined.iter();
    replaced
        .fold(found, |found, span| {
            found.label(*span, "this one is replaced")
        })
        .help("give one of them another name, or remove the definition that does not count")
}
