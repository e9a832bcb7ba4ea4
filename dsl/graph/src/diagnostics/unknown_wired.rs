use crate::diagnostic::Diagnostic;
use crate::similar::suggest;
use crate::source::Span;
use crate::wiring::Written;

explained! {
    /// A wiring file speaks of an arc, a process or a table that the graph does not have.
    ///
    ///     [arc."Raed.OUT -> Count.IN"]
    ///     kind = "queue"
    ///
    /// An arc is named by both of its ends as they are drawn, `Read.OUT -> Count.IN`; elements as
    /// `OUT[1]`, and what is inside a subnet as `Outer/Inner.OUT`. `paperflow explain GRAPH` lists
    /// every process and arc.
    "P0217", "wiring of something that is not there"
}

fn lost(message: String, help: String, span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, message)
        .note("not in the graph")
        .help(help)
}

fn way_out(near: Option<&str>) -> String {
    near.map_or_else(
        || String::from("`paperflow explain GRAPH` lists every process and arc"),
        |near| format!("did you mean `{near}`?"),
    )
}

/// An arc that is not there.
pub(crate) fn arc(name: &Written, near: Option<&str>) -> Diagnostic {
    let message = format!("the graph has no arc `{}`", name.text);
    lost(message, way_out(near), name.span)
}

/// A name that is no arc's.
pub(crate) fn no_arc_name(name: &Written) -> Diagnostic {
    let message = format!("`{}` is not the name of an arc", name.text);
    let help = String::from("name both ends: `[arc.\"A.OUT -> B.IN\"]`");
    lost(message, help, name.span)
}

/// A process that is not there.
pub(crate) fn process(address: &str, near: Option<&str>, span: Span) -> Diagnostic {
    let message = format!("the graph has no process `{address}`");
    lost(message, way_out(near), span)
}

/// A name that is no table's.
pub(crate) fn no_table_name(name: &Written) -> Diagnostic {
    let message = format!("`{}` is not the name of a table", name.text);
    let help = String::from("name process and table: `[table.\"PROCESS.TABLE\"]`");
    lost(message, help, name.span)
}

/// A table that a component does not have.
pub(crate) fn table(process: &str, name: &str, known: &[String], span: Span) -> Diagnostic {
    let message = format!("`{process}` has no table `{name}`");
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let help = match suggest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("the component of `{process}` keeps no tables"),
        None => format!("it has {}", super::list(&known)),
    };
    lost(message, help, span)
}
