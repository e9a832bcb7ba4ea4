use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A wiring file cannot be read as TOML.
    ///
    ///     [store.rabbit
    ///     url = amqp://localhost
    ///
    /// A heading ends with a bracket, and a text stands in quotes: `[store.rabbit]`,
    /// `url = "amqp://localhost"`. The rest of the file is read as far as it can be.
    "P0194", "wiring file that is not TOML"
}

/// What the reader of TOML says.
#[must_use]
pub fn at(reason: &str, span: Span) -> Diagnostic {
    let reason = reason.lines().collect::<Vec<_>>().join(", ");
    let message = format!(
        "the wiring file cannot be read: {}",
        reason.trim_end_matches('.')
    );
    Diagnostic::error(CODE, span, message)
        .note("not TOML")
        .help("write `[section.\"name\"]` and below it lines such as `key = \"value\"`")
}
