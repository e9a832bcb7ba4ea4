use crate::diagnostic::Diagnostic;
use crate::guarantee::{Guarantee, Path, Weakness};

explained! {
    /// A guarantee is required, with `--require`, that does not hold on every path.
    ///
    ///     Read(file/lines) OUT -> IN Pay(flow/pass) OUT ->(queue) IN Show(console/write)
    ///
    /// On a path holds what holds at its weakest place. A memory arc loses in a crash what is in it,
    /// unless a store or a file in front of it gives it again: at most once. What a store delivers is
    /// settled when all that follows from it is safe: at least once. A process whose table a store
    /// keeps knows what it has handled: once only. The message names the place; `paperflow explain
    /// GRAPH` tells all paths, and `[table."PROCESS.TABLE"]` in the wiring file gives a table a store.
    "P0521", "weaker guarantee than required"
}

/// A path on which less holds than required.
pub(crate) fn at(path: &Path, weakness: &Weakness, required: Guarantee) -> Diagnostic {
    let Path { from, to, .. } = path;
    let message = format!(
        "from {from} to {to} it is {}, not {required}",
        path.guarantee
    );
    Diagnostic::error(CODE, weakness.span, message)
        .note(format!("{}: {}", weakness.place, weakness.reason))
        .help(weakness.fix.clone())
}
