use crate::attributes::KINDS;
use crate::diagnostic::Diagnostic;
use crate::model::Attribute;
use crate::similar::suggest;

explained! {
    /// An arrow asks for a kind of arc that does not exist.
    ///
    ///     { "metadata": { "kind": "que" } }
    ///
    /// The kinds are `memory` (the default), `queue` (tasks), `stream` (facts) and `pubsub` (a copy
    /// for each subscriber). Components do not change with the kind of their arcs.
    "P0501", "unknown kind of arc"
}

/// A word that is no kind of arc.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    let kind = &attribute.value;
    let help = match suggest(kind, KINDS.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::from("write memory, queue, stream or pubsub"),
    };
    let message = format!("`{kind}` is not a kind of arc");
    Diagnostic::error(CODE, attribute.span, message)
        .note("unknown kind")
        .help(help)
}
