use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A series of events goes to a process that remembers nothing.
    ///
    ///     Meter READING ->(stream, shape=series) IN Print
    ///
    /// Only the sequence of such events supports an action, so whoever acts on it knows what came
    /// before: a processor that reads its partition from an offset and keeps what it has made of it
    /// in a table (mission C16). If each event is acted on by itself, write `shape=discrete`.
    "P0513", "series for somebody without memory"
}

/// A series into a plain component without a table.
pub(crate) fn at(reader: &str, span: Span) -> Diagnostic {
    let message = format!("a series of events goes to `{reader}`, which remembers nothing");
    Diagnostic::warning(CODE, span, message)
        .note("a series")
        .help("a partition processor with an offset and a table is expected, or `shape=discrete`")
}
