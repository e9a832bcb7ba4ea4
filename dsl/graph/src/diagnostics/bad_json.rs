use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A graph file ends in `.json`, but its text stops being JSON at the place shown.
    ///
    ///     { "processes": { "Read": { "component": "file/lines" } }
    ///
    /// A closing brace is missing. A comma after the last entry is not allowed either.
    "P0191", "text that is not JSON"
}

/// The place where reading stopped.
pub(crate) fn at(error: &serde_json::Error, span: Span) -> Diagnostic {
    let full = error.to_string();
    let cause = full.split(" at line ").next().unwrap_or_default();
    Diagnostic::error(CODE, span, format!("this is not JSON: {cause}"))
        .note("reading stops here")
        .help("mend the JSON; a text graph has a name that ends in `.fbp`")
}
