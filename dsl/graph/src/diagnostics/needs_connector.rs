use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An attribute belongs to queue, stream or pubsub arcs and means nothing on this arrow.
    ///
    ///     A OUT ->(retries=3) IN B
    ///
    /// A memory arc keeps nothing and retries nothing; it knows `capacity`, `full`, `divert`, `name`
    /// and `pattern`. An initial packet has no link at all. Leave the attribute out, or ask for the kind of arc it
    /// belongs to.
    "P0503", "attribute without effect"
}

/// An attribute that this arrow does not use.
pub(crate) fn at(key: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(CODE, span, format!("attribute `{key}` has no effect here"))
        .note("without effect")
        .help("leave it out")
}
