use crate::diagnostic::Diagnostic;
use crate::model::Attribute;
use crate::similar::suggest;

explained! {
    /// An arrow asks for a queue, stream or pubsub arc, and this build has memory arcs only.
    ///
    ///     A OUT ->(queue) IN B
    ///
    /// Leave the kind out for a memory arc. Components do not change with the kind of their arcs.
    "P0501", "arcs of this kind are not available"
}

/// A kind of arc that this build lacks.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    let kind = &attribute.value;
    if ["queue", "stream", "pubsub"].contains(&kind.as_str()) {
        let message = format!("`{kind}` arcs are not available in this build");
        return Diagnostic::error(CODE, attribute.span, message)
            .note("not available")
            .help("leave it out for a memory arc");
    }
    let help = match suggest(kind, ["memory", "queue", "stream", "pubsub"]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::from("leave it out for a memory arc"),
    };
    Diagnostic::error(
        CODE,
        attribute.span,
        format!("`{kind}` is not a kind of arc"),
    )
    .note("unknown kind")
    .help(help)
}
