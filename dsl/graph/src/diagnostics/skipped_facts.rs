use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Domain events that fail are left behind or taken out of their order.
    ///
    ///     Shop OUT ->(stream, entity=basket, on-error=skip) IN Fold
    ///
    /// Each is a change of its own and must be applied in its place, so only a retry that holds up what
    /// comes after it is right for them: `on-error=retry` (mission D6).
    "P0516", "domain events that may be passed over"
}

/// Domain events with a strategy that passes over failures.
pub(crate) fn at(entity: &str, strategy: &str, span: Span) -> Diagnostic {
    let message = format!("`on-error={strategy}` for events of `{entity}`");
    Diagnostic::error(CODE, span, message)
        .note("every event must be applied")
        .help("write `on-error=retry`, which keeps the order")
}
