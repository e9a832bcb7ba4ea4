use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An event has a name that does not tell what has happened.
    ///
    ///     Shop OUT ->(pubsub, name=change-store, intent=event) IN Search
    ///
    /// An event is a fact about the past, and expects nothing (mission C15). Its name says so:
    /// `store-changed`. A name like an order is read as a command. The name is that of the connector,
    /// or of the out-port if none is written.
    "P0512", "event that is not named as a fact"
}

/// The name of an event without a past form in it.
pub(crate) fn at(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        CODE,
        span,
        format!("the event `{name}` is not named as a fact"),
    )
    .note("has happened")
    .help("name it in the past tense, as in `order-placed`, or write another intent")
}
