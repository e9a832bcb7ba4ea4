use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A full link sheds domain events.
    ///
    ///     Shop OUT ->(10, full=drop-oldest, entity=basket) IN Fold
    ///
    /// Each is a change of its own: what is shed or goes another way is missing in the sum (mission D6).
    /// Let the writer wait.
    "P0517", "domain events that may be shed"
}

/// Domain events on a link that sheds.
pub(crate) fn at(entity: &str, policy: &str, span: Span) -> Diagnostic {
    let message = format!("`full={policy}` for events of `{entity}`");
    Diagnostic::error(CODE, span, message)
        .note("every event must be applied")
        .help("leave `full` out: a full link lets its writers wait")
}
