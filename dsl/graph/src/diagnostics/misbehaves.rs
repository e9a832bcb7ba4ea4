use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::source::Span;

explained! {
    /// An arc does things wrong on purpose, because it says `chaos`.
    ///
    ///     A OUT ->(queue, chaos="drop=20%, dup=20%") IN B
    ///
    /// This is for trying what a graph can bear, and is usually said in a wiring file of its own. Each
    /// share is of the deliveries, or of the calls, that go wrong. `drop`: a delivery is lost on its way
    /// and comes again, or a send is not confirmed, and nobody knows whether it was written. `dup`: a
    /// message is handed out twice, or written twice. `reorder`: a delivery is overtaken by others; not on
    /// a stream, which keeps its order. `corrupt`: a bit of the copy that is handed out is changed, which
    /// its checksum tells, so that it is asked for again; what is stored stays as it was. `down`: nothing
    /// can be reached for a while. None of that counts as a try. With the same `seed` the same goes
    /// wrong. What was done to the packets is told at the end of a run. Leave it out where the packets
    /// matter.
    "P0522", "arc that misbehaves on purpose"
}

/// A connector that does things wrong on purpose.
pub(crate) fn at(kind: ConnectorKind, name: &str, span: Span) -> Diagnostic {
    let message = format!("the {kind} `{name}` misbehaves on purpose");
    Diagnostic::warning(CODE, span, message)
        .note("loses, repeats or delays what it is given")
        .help("leave `chaos` out where the packets matter")
}
