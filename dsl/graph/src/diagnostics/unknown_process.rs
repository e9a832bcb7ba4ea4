use serde_json::Value;

use crate::check::drawing::Names;
use crate::diagnostic::Diagnostic;
use crate::model::{Connection, End, Origin};

explained! {
    /// An arrow joins a process that the graph does not define.
    ///
    ///     { "src": { "process": "Raed", "port": "OUT" }, "tgt": { "process": "Show", "port": "IN" } }
    ///
    /// The graph has a process `Read`, not `Raed`. Correct the name, or define the process.
    "P0205", "undefined process"
}

/// The undefined ends of an arrow.
pub(crate) fn of(arrow: &Connection, names: &Names<'_>) -> Vec<Diagnostic> {
    let known = |name: &str| names.has(name);
    let mut found = Vec::new();
    if let Origin::Port(from) = &arrow.from
        && !known(&from.process)
    {
        let to = described("Edge to", &arrow.to);
        let name = &from.process;
        let message = format!("{to} is connected to an undefined source node \"{name}\"");
        found.push(at(from, message, names));
    }
    if !known(&arrow.to.process) {
        let start = match &arrow.from {
            Origin::Port(from) => described("Edge from", from),
            Origin::Initial(initial) => format!("IIP containing \"{}\"", plain(&initial.value)),
        };
        let name = &arrow.to.process;
        let message = format!("{start} is connected to an undefined target node \"{name}\"");
        found.push(at(&arrow.to, message, names));
    }
    found
}

fn described(what: &str, end: &End) -> String {
    format!("{what} \"{}\" port \"{}\"", end.process, end.port.name)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), String::from)
}

fn at(end: &End, message: String, names: &Names<'_>) -> Diagnostic {
    let help = match names.near(&end.process) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("define it: `{}(COMPONENT)`", end.process),
    };
    Diagnostic::error(CODE, end.span, message)
        .note("no such process")
        .help(help)
}
