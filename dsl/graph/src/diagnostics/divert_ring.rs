use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A link diverts to itself, or links divert to each other in a ring.
    ///
    ///     A OUT ->(10, full=divert, divert=B.IN) IN B
    ///
    /// A packet is diverted once: what the other link refuses too is shed. A ring therefore never
    /// finds room that is not there, and none of its links could tell when its writers have
    /// ended. Divert to a link outside the ring.
    "P0316", "divert in a ring"
}

/// Links by the in-ports they lead to, and where each says where it diverts to.
pub(crate) fn at(ports: &[String], spans: &[Span]) -> Option<Diagnostic> {
    let (first, rest) = spans.split_first()?;
    let message = match ports {
        [port] => format!("the link into `{port}` diverts to itself"),
        _ => {
            let names = ports.iter().chain(ports.first());
            let names: Vec<_> = names.map(String::as_str).collect();
            format!("links divert in a ring: {}", names.join(" -> "))
        }
    };
    let found = Diagnostic::error(CODE, *first, message).note("leads back here");
    let found = rest
        .iter()
        .fold(found, |found, span| found.label(*span, "diverts on"));
    Some(found.help("divert to an in-port outside the ring, such as one of a process of its own"))
}
