use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Only with `--strict`: a process has the name of a thing, not of what it does.
    ///
    ///     OrderManager(course/place-order)
    ///     Splitter(flow/splitter)
    ///
    /// The course asks what a step does, so names are verbs: Place Order, Count Words (mission
    /// P2). Two rules tell. A name must not end in Manager, Handler, Service, Helper, Processor,
    /// Controller, Engine, Module, System, Util or Utils; digits at the end do not count. And it
    /// must not only repeat the last part of its component where that ends like a noun: in -er,
    /// -or, -ion, -ment, -ness, -ity, -ance, -ence, -ist or -s but not -ss. Names that begin with
    /// `_` belong to anonymous processes and are free.
    "P0216", "process name that is no verb"
}

/// A process whose name is no verb, and why.
pub(crate) fn at(name: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        CODE,
        span,
        format!("`{name}` names a thing, not what it does"),
    )
    .note(String::from(why))
    .help("name the process by a verb, such as `PlaceOrder` or `CountWords`")
}
