use crate::diagnostic::Diagnostic;
use crate::expand::Side;
use crate::model::Export;

explained! {
    /// Two exports give different ports of the graph the same public name. The last one wins.
    ///
    ///     INPORT=A.IN:ORDERS
    ///     INPORT=B.IN:ORDERS
    ///
    /// Only `B.IN` can be reached from outside. Give each its own public name; to send packets to
    /// both, put a `flow/replicate` behind one public port.
    "P0208", "two exports under one name"
}

/// A public name used twice on one side.
pub(crate) fn at(first: &Export, last: &Export, side: Side) -> Diagnostic {
    let message = format!(
        "two exports of {}s are named `{}`",
        side.port(),
        last.public
    );
    Diagnostic::warning(CODE, last.span, message)
        .note("this export counts")
        .label(first.span, "this one is replaced")
        .help("give each its own public name")
}
