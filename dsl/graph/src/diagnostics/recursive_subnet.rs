use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// A graph uses itself as a component, at once or by way of others, so opening it has no end.
    ///
    ///     # outer.fbp            # inner.fbp
    ///     A(inner)               B(outer)
    ///
    /// The message shows the chain of uses. Break it at one place: name another component there.
    /// What looks like recursion is usually a loop: let packets go round an arrow instead.
    "P0207", "subnet inside itself"
}

/// The use that closes the chain of graphs.
pub(crate) fn at(chain: &[&str], span: Span) -> Diagnostic {
    let shown = chain
        .iter()
        .map(|name| if name.is_empty() { "this graph" } else { *name });
    let shown: Vec<_> = shown.collect();
    let name = chain.last().copied().unwrap_or_default();
    let message = format!("subnet `{name}` contains itself: {}", shown.join(" -> "));
    Diagnostic::error(CODE, span, message)
        .note("this use closes the chain")
        .help("use another component at one place of the chain; to repeat work, draw a loop")
}
