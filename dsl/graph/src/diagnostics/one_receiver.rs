use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A command, a query or something that changes hands is sent to whoever listens.
    ///
    ///     Shop CHECKOUT ->(pubsub, intent=command) IN Cashier
    ///
    /// An intent is about the future and expects that somebody acts on it: exactly one, or it is done
    /// twice or not at all (mission C14). Use a queue. If it is a fact that others may care about, write
    /// `intent=event`.
    "P0511", "intent without one receiver"
}

/// An intent over publish-subscribe.
pub(crate) fn at(span: Span) -> Diagnostic {
    Diagnostic::warning(CODE, span, "intent must have one receiver")
        .note("a pubsub arc has any number")
        .help("make it a queue, or write `intent=event` if it is a fact")
}
