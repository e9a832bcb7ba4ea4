use crate::diagnostic::Diagnostic;
use crate::similar::suggest;
use crate::source::Span;

explained! {
    /// An object in a graph file has a key that means nothing there.
    ///
    ///     { "proceses": {} }
    ///
    /// The key is `processes`. Free data belongs into `metadata`, or into the graph's
    /// `properties`.
    "P0193", "unknown key in graph JSON"
}

/// A key that an object of this sort does not have.
pub(crate) fn at(key: &str, what: &str, known: &[&str], span: Span) -> Diagnostic {
    let help = match suggest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "the keys are {}; free data belongs into metadata",
            super::list(known)
        ),
    };
    Diagnostic::error(CODE, span, format!("{what} has no `{key}`"))
        .note("unknown key")
        .help(help)
}
