use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Arrows into one in-port share one link, and two of them ask different things of it.
    ///
    ///     A OUT ->(10) IN C
    ///     B OUT ->(20) IN C
    ///
    /// The link has one capacity and one policy for when it is full. Write them on one of the
    /// arrows, or the same on all.
    "P0306", "arrows that disagree about their link"
}

/// A link with two different written values of one thing.
pub(crate) fn at(port: &str, what: &str, values: &[String; 2], spans: [Span; 2]) -> Diagnostic {
    let [first, second] = values;
    let message = format!("two {what} for the one link into `{port}`: {first} and {second}");
    Diagnostic::error(CODE, spans[1], message)
        .note(format!("{second} here"))
        .label(spans[0], format!("{first} here"))
        .help("write it on one of the arrows only, or the same on all")
}
