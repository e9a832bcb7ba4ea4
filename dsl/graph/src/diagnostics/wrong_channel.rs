use crate::capabilities::Row;
use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::source::Span;

explained! {
    /// Messages travel on a kind of arc that is not made for them.
    ///
    ///     Meter READING ->(queue, shape=series) IN Average
    ///
    /// A series of events supports an action only as a whole and in order; a queue gives each of them
    /// to whoever comes first and forgets it. A command, a query or something that changes hands is a
    /// task for one; a stream keeps it for everybody to read again (mission T14; `paperflow
    /// capabilities` prints the tables). Put a series on a stream and messaging on a queue; discrete
    /// events go on any of them.
    "P0510", "message on the wrong kind of arc"
}

/// Messages of a row of the table, on a kind that is not for them.
pub(crate) fn at(row: &Row, kind: ConnectorKind, span: Span) -> Diagnostic {
    let right = match row.name {
        "messaging" => "queue",
        _ => "stream",
    };
    Diagnostic::warning(CODE, span, format!("{} over a {kind}", row.name))
        .note(format!("a {kind} is not for this"))
        .help(format!(
            "make it a {right}; `paperflow capabilities` tells what is for what"
        ))
}
