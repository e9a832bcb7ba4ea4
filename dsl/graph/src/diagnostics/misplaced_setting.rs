use crate::attributes::find;
use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::source::Span;

explained! {
    /// An attribute asks something of a connector that its kind cannot do.
    ///
    ///     A OUT ->(queue, partitions=3) IN B
    ///     A OUT ->(queue, full=drop-oldest) IN B
    ///
    /// A queue holds tasks: what is done is gone, so there is no group that remembers how far it has
    /// read, and nothing to replay. A stream holds facts: it has partitions, a key, groups and a
    /// retention, and `copy-to` goes with `on-error=copy`. A pubsub arc gives a copy to each subscriber
    /// and may keep the last one (`retained=yes`). What is sent to any of them is kept, so `full` and
    /// `divert` belong to memory arcs. Leave the attribute out, or use the kind of arc that has it.
    "P0505", "attribute of another kind of arc"
}

/// An attribute that this kind of connector does not have.
pub(crate) fn at(key: &str, kind: ConnectorKind, span: Span) -> Diagnostic {
    let kinds = find(key).map_or(&[][..], |spec| spec.kinds);
    let message = format!("a {kind} has no `{key}`");
    Diagnostic::error(CODE, span, message)
        .note(format!("not for a {kind}"))
        .help(format!(
            "leave it out; it belongs to {} arcs",
            kinds.join(" and ")
        ))
}

/// Where copies go, without a copy.
pub(crate) fn no_copy(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`copy-to` without `on-error=copy`")
        .note("nothing is copied")
        .help("add `on-error=copy`, or leave it out")
}
