use crate::capabilities::STORES;
use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::similar::suggest;
use crate::source::Span;

explained! {
    /// An arc asks its store for something that the store cannot do.
    ///
    ///     [store.log]
    ///     url = "kafka://localhost"
    ///     [arc."A.OUT -> B.IN"]
    ///     kind = "queue"
    ///     via = "log"
    ///
    /// Kafka keeps streams only; a task over it is a stream with `on-error=copy`. No broker keeps tables:
    /// they stay in the embedded store, while arcs are kept by a broker. The kinds of store that are
    /// known, and what each can do, are printed by `paperflow capabilities`. Choose another store for
    /// this arc, or another kind.
    "P0520", "store that cannot do this"
}

/// A kind that a store cannot keep.
pub(crate) fn kind(store: &str, kind: ConnectorKind, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("{store} keeps no {kind}"))
        .note(format!("kept by {store}"))
        .help("choose another store, or another kind of arc; `paperflow capabilities` lists them")
}

/// A table in a store that keeps none.
pub(crate) fn tables(store: &str, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("{store} keeps no tables"))
        .note(format!("kept by {store}"))
        .help("let the embedded store keep it: leave `store` out, or name one with a `dir`")
}

/// A setting that a store cannot keep to.
pub(crate) fn setting(store: &str, kind: ConnectorKind, what: &str, span: Span) -> Diagnostic {
    let message = format!("a {kind} of {store} cannot do `{what}`");
    Diagnostic::error(CODE, span, message)
        .note(format!("kept by {store}"))
        .help("leave it out, or choose another store; `paperflow capabilities` lists them")
}

/// A URL of a kind of store that is not known.
pub(crate) fn scheme(scheme: &str, span: Span) -> Diagnostic {
    let known = || STORES.iter().flat_map(|store| store.schemes).copied();
    let help = match suggest(scheme, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be {}", super::list(&known().collect::<Vec<_>>())),
    };
    Diagnostic::error(
        CODE,
        span,
        format!("no store is known whose URL begins with `{scheme}`"),
    )
    .note("unknown kind of store")
    .help(help)
}
