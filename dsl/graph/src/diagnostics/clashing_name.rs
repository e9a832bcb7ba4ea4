use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Two processes of the flat graph have the same address.
    ///
    ///     Sub(inner)  Sub/Count(flow/count)      # and inner.fbp has a process Count
    ///
    /// A process `Count` inside the subnet `Sub` has the address `Sub/Count`, which is taken.
    /// Rename one of them. In graph JSON, two keys of one name are the same mistake.
    "P0211", "two processes of one name"
}

/// A process whose address is taken.
pub(crate) fn at(address: &str, first: Span, second: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        second,
        format!("two processes have the address `{address}`"),
    )
    .note("second use of the name")
    .label(first, "first use of the name")
    .help("rename one of them")
}
