use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An arc or a table is to be kept by a store that no wiring file declares.
    ///
    ///     A OUT ->(queue, via=rabbit) IN B
    ///
    /// Declare it in the wiring file, `paperflow.toml` beside the graph or whatever `--wiring` names:
    ///
    ///     [store.rabbit]
    ///     url = "amqp://guest:${RABBIT_PASSWORD}@localhost"
    ///
    /// An embedded store needs a folder only, `dir = "data"`. Without `via` the usual store keeps the
    /// arc.
    "P0218", "store that is not declared"
}

/// A store that is not declared.
pub(crate) fn at(name: &str, near: Option<&str>, span: Span) -> Diagnostic {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write `[store.{name}]` with its `url` into the wiring file"),
    };
    Diagnostic::warning(CODE, span, format!("the store `{name}` is not declared"))
        .note(format!("kept by `{name}`"))
        .help(help)
}
