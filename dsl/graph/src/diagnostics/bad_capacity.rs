use crate::diagnostic::Diagnostic;
use crate::model::Attribute;

explained! {
    /// A capacity is the number of packets that fit into a link: a whole number from 1.
    ///
    ///     A OUT ->(0) IN B
    ///
    /// With no room no packet can ever pass. Write 1 for the tightest coupling, or leave the
    /// capacity out for the usual one.
    "P0307", "capacity that is no capacity"
}

/// A capacity that no link can have.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    let message = format!("`{}` is not a capacity", attribute.value);
    Diagnostic::error(CODE, attribute.span, message)
        .note("a whole number from 1")
        .help("write how many packets fit, at least 1, or leave it out")
}
