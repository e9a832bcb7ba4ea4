use crate::diagnostic::Diagnostic;
use crate::similar::suggest;
use crate::source::Span;

explained! {
    /// A process names a component that is neither in the catalogue nor a graph.
    ///
    ///     Count(text/wrods) OUT -> IN Show(console/write)
    ///
    /// There is no `text/wrods`. Names are compared exactly; `paperflow list` shows those of the
    /// catalogue. Any other name is looked for as a graph: NAME.fbp or NAME.json beside the file,
    /// or a labelled block in it. Correct the name, or add the component or the graph.
    "P0201", "unknown component"
}

/// A process with a component of this unknown name.
pub(crate) fn at<'a>(name: &str, span: Span, names: impl Iterator<Item = &'a str>) -> Diagnostic {
    let help = match suggest(name, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            String::from("`paperflow list` shows every component; a graph lies beside its user")
        }
    };
    Diagnostic::error(CODE, span, format!("unknown component `{name}`"))
        .note("no component or graph has this name")
        .help(help)
}
