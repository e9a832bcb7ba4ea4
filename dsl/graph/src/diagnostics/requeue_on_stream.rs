use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A stream is asked to give a message back and deliver it again later, as a queue does.
    ///
    ///     A OUT ->(stream, delay=5s) IN B
    ///
    /// The messages of a stream are not locked one by one, so a single one cannot be given back, held
    /// for a while, or set aside: a reader only moves its offset (mission T13). There are three things
    /// to do with one that fails. `on-error=skip` leaves it behind and counts it: load shedding.
    /// `on-error=retry` tries it again in its place while its partition waits: order is kept, and there
    /// is backpressure. `on-error=copy, copy-to=NAME` copies it to another stream, to be read later:
    /// the others go on, and its order is lost. With `retry` and `copy` a delay between tries, a number
    /// of retries and a dead-letter queue for what never succeeds can be written as well.
    "P0506", "requeue on a stream"
}

/// A term of queues on a stream that does not say what becomes of failures.
pub(crate) fn at(key: &str, stream: &str, span: Span) -> Diagnostic {
    let message = format!("`{key}` on the stream `{stream}`, which gives nothing back");
    Diagnostic::error(CODE, span, message)
        .note("a stream locks no single message")
        .help(
            "say what becomes of a message that fails: `on-error=skip` leaves it behind, \
             `on-error=retry` tries it again in its place, `on-error=copy` copies it to another \
             stream; or use a queue",
        )
}
