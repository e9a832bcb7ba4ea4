use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Domain events are read by a component that leaves out what is older than what it has.
    ///
    ///     Shop OUT ->(stream, entity=basket) IN Store(IfLater)
    ///
    /// Each of them is a change of its own: what is left out is missing for ever (mission D6). If-later
    /// is for summaries, each of which holds all there is to know: make summaries first, or apply every
    /// event.
    "P0515", "domain events that may be left out as older"
}

/// Domain events into an if-later component.
pub(crate) fn at(entity: &str, reader: &str, span: Span) -> Diagnostic {
    let message = format!("`{reader}` may leave out events of `{entity}`");
    Diagnostic::error(CODE, span, message)
        .note("every event must be applied")
        .help("apply every event, or send summaries with a version and no `entity`")
}
