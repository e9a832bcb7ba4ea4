use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An arrow diverts to a place that the graph does not have.
    ///
    ///     A OUT ->(10, full=divert, divert=Spill) IN B
    ///     A OUT ->(10, full=divert, divert=Splil.IN) IN B
    ///
    /// A place is a process and one of its in-ports: `Spill.IN`, `Spill.IN[2]` for an element,
    /// `"Outer/Inner.IN"` for a process inside a subnet. Inside a subnet the name is looked for
    /// in that subnet. The automatic port `*` takes no packets.
    "P0215", "divert to nowhere"
}

/// Why a target leads nowhere.
pub(crate) enum Lost<'a> {
    /// There is no port in it.
    NoPort,
    /// No such process, and the one that was probably meant.
    Process(&'a str, Option<String>),
    /// No name of a port.
    Port(&'a str),
}

/// A target that leads nowhere.
pub(crate) fn at(target: &str, lost: &Lost<'_>, span: Span) -> Diagnostic {
    let found = Diagnostic::error(CODE, span, format!("cannot divert to `{target}`"));
    match lost {
        Lost::NoPort => found
            .note("names no port")
            .help(format!("write the in-port as well, such as `{target}.IN`")),
        Lost::Process(name, near) => {
            let found = found.note(format!("no process `{name}`"));
            match near {
                Some(near) => found.help(format!("did you mean `{near}`?")),
                None => found.help("write `PROCESS.PORT`, or \"Subnet/PROCESS.PORT\""),
            }
        }
        Lost::Port(port) => found
            .note(format!("`{port}` is no in-port"))
            .help("write `PROCESS.PORT`, or `PROCESS.PORT[1]` for an element"),
    }
}
