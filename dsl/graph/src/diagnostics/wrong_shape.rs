use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A part of a graph file is JSON, but not of the shape a graph has.
    ///
    ///     { "connections": { "src": "Read.OUT", "tgt": "Show.IN" } }
    ///
    /// `connections` is a list, and each end is an object with `process` and `port`:
    ///
    ///     { "connections": [ { "src": { "process": "Read", "port": "OUT" },
    ///                          "tgt": { "process": "Show", "port": "IN" } } ] }
    "P0192", "JSON that is not a graph"
}

/// A value of the wrong kind.
pub(crate) fn at(what: &str, kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("{what} must be {kind}"))
        .note(format!("not {kind}"))
        .help(format!("write {kind} here"))
}

/// An object without the entries it must have.
pub(crate) fn lacks(what: &str, keys: &str, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("{what} needs {keys}"))
        .note("something is missing or wrong")
        .help("add what is missing, or remove the whole")
}
