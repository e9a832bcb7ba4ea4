use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Only with `--strict`: an out-port is not connected, so what leaves there is dropped.
    ///
    ///     Tell(flow/count) COUNT -> IN Show(console/write)      # and OUT leads nowhere
    ///
    /// A packet is created, travels and ends where the graph shows it (mission B1, flows b1), so
    /// every out-port leads somewhere: to `flow/drop` if its packets are not wanted. ERROR may
    /// stay open: without it the process's policy decides about faults. So may the out-ports of a
    /// process that keeps what it takes, as the last `console/write` of a line does: packets end
    /// there if none of them is connected.
    "P0321", "out-port not connected"
}

/// A process and its out-ports that lead nowhere.
pub(crate) fn at(process: &str, ports: &[&str], span: Span) -> Diagnostic {
    let what = if ports.len() == 1 {
        "out-port"
    } else {
        "out-ports"
    };
    let names = super::list(ports);
    let message = format!("{what} {names} of `{process}` not connected");
    Diagnostic::warning(CODE, span, message)
        .note("packets that leave there are dropped")
        .help(format!(
            "connect it: `{process} {} -> IN Drop(flow/drop)` drops them where the graph shows it",
            ports.first().copied().unwrap_or_default()
        ))
}
