use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// `instances=N` asks several workers to share the work of a process that cannot be shared.
    ///
    ///     A OUT -> IN[0] Join(flow/concat:instances=3)
    ///     B OUT -> IN[1] Join
    ///
    /// Packets are dealt to the workers from one in-port, whoever has the shortest backlog gets
    /// the next. So exactly one in-port element may have arrows; others take initial packets,
    /// which go to every worker. Automatic ports, elements of array out-ports and exported
    /// out-ports belong to one process and cannot be shared; neither can a subnet. Share the
    /// work of a process inside it, or put a process of its own before or behind. Nor can the work of
    /// a process be shared whose table a store keeps: each worker would have a table of its own and
    /// know only what it has handled itself, and what is delivered again may come to another one.
    "P0318", "work that cannot be shared"
}

/// Why a process cannot be several.
#[derive(Clone, Debug)]
pub(crate) enum Reason {
    /// No in-port has an arrow.
    NoInput,
    /// Several in-port elements have arrows.
    Inputs(Vec<String>),
    /// An automatic port is connected.
    Automatic,
    /// Elements of an array out-port are used.
    Elements(String),
    /// An out-port is exported from the whole graph.
    Exported(String),
    /// It is a subnet.
    Subnet,
    /// A store keeps this table of it.
    Kept(String),
}

/// A process whose work cannot be shared.
pub(crate) fn at(process: &str, reason: &Reason, span: Span) -> Diagnostic {
    let message = format!("the work of `{process}` cannot be shared by instances");
    let (note, help) = words(process, reason);
    Diagnostic::error(CODE, span, message).note(note).help(help)
}

fn words(process: &str, reason: &Reason) -> (String, String) {
    match reason {
        Reason::NoInput => (
            String::from("no arrow leads here, so there is no work to share"),
            format!("connect an in-port of `{process}`, or leave `instances` out"),
        ),
        Reason::Inputs(ports) => {
            let names: Vec<_> = ports.iter().map(String::as_str).collect();
            (
                format!("arrows lead to {}", super::list(&names)),
                String::from("only one in-port can be dealt to workers; leave `instances` out"),
            )
        }
        Reason::Automatic => (
            String::from("its automatic port `*` is connected"),
            String::from("an automatic arrow belongs to one process: remove it, or `instances`"),
        ),
        Reason::Elements(port) => (
            format!("it uses elements of `{port}`"),
            String::from("write an out-port without elements, or leave `instances` out"),
        ),
        Reason::Exported(port) => (
            format!("its out-port `{port}` is exported"),
            format!("put a `flow/pass` behind `{process}` and export its OUT"),
        ),
        Reason::Subnet => (
            String::from("it is a subnet"),
            String::from("write `instances` on a process inside the subnet"),
        ),
        Reason::Kept(table) => (
            format!("a store keeps its table `{table}`, and each worker would have its own"),
            String::from("leave `instances` out, or keep the table in memory"),
        ),
    }
}
