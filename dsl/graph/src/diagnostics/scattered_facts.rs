use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Events about one thing, of several types, travel on several channels, or without a common order.
    ///
    ///     Shop ADDED ->(stream, entity=basket, datatype=item-added) IN[0] Fold
    ///     Shop REMOVED ->(stream, entity=basket, datatype=item-removed) IN[1] Fold
    ///
    /// Each is a small change, so all must be applied in the order in which they happened, and only
    /// one channel keeps that order: domain events of one entity cannot have a channel for each type
    /// (mission D2). Send them down one stream with `key=` the entity's id, and let the receiver tell
    /// them apart by type. A summary of all changes may have a channel of its own; it has no `entity`.
    "P0514", "events of one entity without a common order"
}

/// Two types of events of one entity on separate channels.
pub(crate) fn at(entity: &str, types: [&str; 2], spans: [Span; 2]) -> Diagnostic {
    let [first, second] = types;
    let message = format!("`{first}` and `{second}` of one `{entity}` on separate channels");
    Diagnostic::error(CODE, spans[1], message)
        .note(format!("`{second}` here"))
        .label(spans[0], format!("`{first}` here"))
        .help(format!(
            "send both down one stream with `key=` the id of the {entity}"
        ))
}

/// A stream of several partitions without a key.
pub(crate) fn no_key(entity: &str, span: Span) -> Diagnostic {
    let message = format!("events of one `{entity}` on several partitions without a key");
    Diagnostic::error(CODE, span, message)
        .note("no common order")
        .help(format!("add `key=` the field with the id of the {entity}"))
}
