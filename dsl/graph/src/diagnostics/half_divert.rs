use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An arrow says that a full link diverts but not where to, or where to but not that it does.
    ///
    ///     A OUT ->(10, full=divert) IN B
    ///     A OUT ->(10, divert=C.IN) IN B
    ///
    /// It takes both: `A OUT ->(10, full=divert, divert=C.IN) IN B`. Packets that find the link
    /// full then go to `C.IN`; those refused there too are shed and counted.
    "P0315", "half a divert"
}

/// `full=divert` alone.
pub(crate) fn no_target(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`full=divert` does not say where to")
        .note("where to?")
        .help("add `divert=PROCESS.PORT`, the in-port that takes what this link refuses")
}

/// `divert=...` alone.
pub(crate) fn no_policy(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "`divert` without `full=divert`")
        .note("nothing is diverted")
        .help("add `full=divert`, or leave this out: a full link lets its writers wait")
}
