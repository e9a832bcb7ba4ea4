use crate::catalogue::Kinds;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// The out-port of an arrow sends payloads of kinds that the in-port never takes.
    ///
    ///     Count(flow/count) COUNT -> LINE Words(text/words)
    ///
    /// COUNT sends `int`, LINE takes `text`. Ports never convert. Put a component between that
    /// does, or use another port.
    "P0401", "payloads that do not fit"
}

/// An arrow between kinds that cannot meet.
pub(crate) fn at(from: &Sided<'_>, to: &Sided<'_>) -> Diagnostic {
    let message = format!(
        "`{}` sends {}, but `{}` takes {}",
        from.port, from.kinds, to.port, to.kinds
    );
    Diagnostic::error(CODE, to.span, message)
        .note(format!("takes {}", to.kinds))
        .label(from.span, format!("sends {}", from.kinds))
        .help("put a component between them that converts; ports never convert")
}

/// One end of the arrow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sided<'a> {
    /// `Process.PORT`.
    pub(crate) port: &'a str,
    /// What it carries.
    pub(crate) kinds: &'a Kinds,
    /// Where it is written.
    pub(crate) span: Span,
}
