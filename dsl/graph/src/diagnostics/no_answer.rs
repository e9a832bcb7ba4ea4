use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An arrow expects answers, and nothing leads back.
    ///
    ///     Ask(lookup/ask) LOOKUP ->(pattern=in-out) IN Tell(lookup/remote)
    ///
    /// A channel has one direction, so a question and its answer need two (mission C2). Lead an
    /// arrow from the one who answers to the one who asks, `Tell OUT -> RESULT Ask`, if need be
    /// through other processes. If no answer is expected, write `pattern=in-only` for a request
    /// and `pattern=out-only` for a notification, or leave the pattern out.
    "P0323", "no response channel"
}

/// A question from one process to another that has no way to answer.
pub(crate) fn at(from: &str, to: &str, span: Span) -> Diagnostic {
    let message = format!("no response channel: nothing leads from `{to}` back to `{from}`");
    Diagnostic::error(CODE, span, message)
        .note("expects answers")
        .help(format!(
            "lead an arrow from `{to}` to `{from}`, or write `pattern=in-only` if no answer is \
             expected"
        ))
}
