use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::source::Span;

explained! {
    /// Arrows into one in-port share one link, and two of them ask different things of it.
    ///
    ///     A OUT ->(10) IN C
    ///     B OUT ->(20) IN C
    ///
    /// The link has one capacity and one policy for when it is full. Write them on one of the
    /// arrows, or the same on all. So it is with the arrows of one queue, stream or pubsub arc:
    /// those of kind queue into one in-port, those of kind stream or pubsub from one out-port, and
    /// those with the same `name`. What is said of a reader, its `group`, may differ from reader to
    /// reader.
    "P0306", "arrows that disagree about their link"
}

/// Something, such as `link into `IN``, with two different written values of one thing.
pub(crate) fn at(owner: &str, what: &str, values: [&str; 2], spans: [Span; 2]) -> Diagnostic {
    let [first, second] = values;
    let message = format!("two {what} for the one {owner}: {first} and {second}");
    Diagnostic::error(CODE, spans[1], message)
        .note(format!("{second} here"))
        .label(spans[0], format!("{first} here"))
        .help("write it on one of the arrows only, or the same on all")
}

/// One name for connectors of two kinds.
pub(crate) fn of_kinds(name: &str, kinds: [ConnectorKind; 2], spans: [Span; 2]) -> Diagnostic {
    let [first, second] = kinds;
    let message = format!("two kinds for the one connector `{name}`: {first} and {second}");
    Diagnostic::error(CODE, spans[1], message)
        .note(format!("{second} here"))
        .label(spans[0], format!("{first} here"))
        .help("give one of them another `name`, or make both of one kind")
}
