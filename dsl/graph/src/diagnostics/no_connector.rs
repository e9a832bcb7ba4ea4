use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A queue, stream or pubsub arc is drawn where none can be.
    ///
    ///     A * ->(queue) * B
    ///     'text' ->(queue) IN C
    ///
    /// An arrow between automatic ports `*` carries no packets, and an initial packet has no link, so
    /// there is nothing to keep. In a subnet that starts anew for each group (one with `SubInSS` or
    /// `SubOutSS`) a group must have passed before the next may come, so its inner arcs are memory;
    /// arcs of any kind may lead to it and from it, by its borders. Leave the kind out.
    "P0504", "connector where none can be"
}

/// Why there can be none.
#[derive(Clone, Debug)]
pub(crate) enum Reason {
    /// The arrow starts from an initial packet.
    Initial,
    /// An end of it is an automatic port.
    Automatic,
    /// It is inside the scope of this subnet.
    Scope(String),
}

/// A kind of arc, asked for where there can be none.
pub(crate) fn at(kind: &str, reason: &Reason, span: Span) -> Diagnostic {
    let (message, help) = match reason {
        Reason::Initial => (
            format!("an initial packet needs no {kind}"),
            "leave the kind out; an initial packet is given once to each start of its process",
        ),
        Reason::Automatic => (
            format!("an automatic arrow cannot be a {kind}"),
            "leave the kind out: between automatic ports nothing travels but the end of a process",
        ),
        Reason::Scope(subnet) => (
            format!("a {kind} inside `{subnet}`, which starts anew for each group"),
            "use a memory arc here; arcs that lead to the subnet and from it may be of any kind",
        ),
    };
    Diagnostic::error(CODE, span, message)
        .note("only memory is possible here")
        .help(help)
}
