use crate::diagnostic::Diagnostic;
use crate::model::Attribute;
use crate::similar::suggest;

explained! {
    /// The attribute `full` says what happens when a link is full, and does not know this word.
    ///
    ///     A OUT ->(full=drop) IN B
    ///
    /// The words are `wait` (the writer waits; the default), `drop-oldest` (the oldest packet in
    /// the link is shed), `drop-new` (the new packet is shed) and `divert` (the new packet goes to
    /// the in-port that `divert=PROCESS.PORT` names).
    "P0308", "unknown policy for a full link"
}

/// A word that `full` does not know.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    let value = &attribute.value;
    let help = match suggest(value, ["wait", "drop-oldest", "drop-new", "divert"]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::from("write `wait`, `drop-oldest`, `drop-new` or `divert`"),
    };
    Diagnostic::error(
        CODE,
        attribute.span,
        format!("`{value}` is not a policy for a full link"),
    )
    .note("unknown policy")
    .help(help)
}
