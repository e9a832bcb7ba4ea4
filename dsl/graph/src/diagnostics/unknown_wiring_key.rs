use crate::diagnostic::Diagnostic;
use crate::similar::suggest;
use crate::source::Span;

explained! {
    /// A wiring file has a section or a key that means nothing there.
    ///
    ///     [arcs."A.OUT -> B.IN"]
    ///     kind = "queue"
    ///
    /// The sections are `[arc."A.OUT -> B.IN"]` with the attributes of an arrow, `[store.NAME]` with
    /// `url` or `dir`, `[table."PROCESS.TABLE"]` with `store`, `[part.NAME]` with `processes`, and
    /// `[policy."PROCESS"]` with `fault` and `retries`.
    "P0195", "unknown key in a wiring file"
}

/// A key that does not belong there.
pub(crate) fn at(owner: &str, key: &str, known: &[&str], span: Span) -> Diagnostic {
    let help = match suggest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it can be {}", super::list(known)),
    };
    Diagnostic::error(CODE, span, format!("{owner} has no `{key}`"))
        .note("unknown key")
        .help(help)
}
