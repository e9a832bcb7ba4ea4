//! A border arrow joins two processes.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0118", "a border arrow joins two processes",
    r#"`=>` names a port of the whole network: `EXT => IN P` is an in-port, `P OUT => EXT` an out-port. It does
not join two processes, and it has no attributes.

    A(flow/pass) OUT => IN B(flow/pass)

Write `->` between processes, and a single name on the outer side of `=>`.
"#
}

/// `=>` where only `->` can be.
pub(crate) fn bad_border(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`=>` does not join two processes")
        .note("one side must be the network's own port, a single name")
        .help("write `->`, or name the network's port on one side")
        .fix(span, "->")
}

/// Attributes after `=>`.
pub(crate) fn border_attributes(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`=>` has no attributes")
        .note("a port of the network is no connection")
        .help("move the attributes to an arrow `->` inside")
}
