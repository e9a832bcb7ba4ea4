use crate::diagnostic::Diagnostic;
use crate::model::Attribute;

explained! {
    /// An arrow asks to divert packets that find its link full, which this build cannot do.
    ///
    ///     A OUT ->(full=divert) IN B
    ///
    /// A memory link can wait, drop-oldest or drop-new. A component that must choose for itself
    /// asks its out-port whether there is room.
    "P0502", "full links cannot divert"
}

/// The policy `divert`.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    Diagnostic::error(
        CODE,
        attribute.span,
        "`full=divert` is not available in this build",
    )
    .note("not available")
    .help("write `wait`, `drop-oldest` or `drop-new`, or leave it out")
}
