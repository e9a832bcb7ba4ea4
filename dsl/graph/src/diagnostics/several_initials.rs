use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Only with `--strict`: a process has more than one initial packet.
    ///
    ///     'a' -> PRE Mark(text/affix)
    ///     'b' -> POST Mark
    ///
    /// The course reads the initial packet literally: a component reads it at start-up, and
    /// "there is only one" (mission B7, flows b5). Give the process one packet with all it must
    /// know, such as a record, or split it into two processes. Without `--strict` each port may
    /// have one.
    "P0320", "more than one initial packet for a process"
}

/// A process and the places of its initial packets, in text order.
pub(crate) fn at(process: &str, spans: &[Span]) -> Option<Diagnostic> {
    let [first, second, rest @ ..] = spans else {
        return None;
    };
    let message = format!("`{process}` has {} initial packets", spans.len());
    let found = Diagnostic::error(CODE, *second, message)
        .note("a second initial packet")
        .label(*first, "the first one");
    let found = rest
        .iter()
        .fold(found, |found, span| found.label(*span, "another one"));
    Some(found.help("give it one packet that says everything, or split the process"))
}
