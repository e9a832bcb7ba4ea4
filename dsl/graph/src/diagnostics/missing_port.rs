use crate::diagnostic::Diagnostic;
use crate::expand::Side;
use crate::source::Span;

explained! {
    /// A process has ports that must be connected, and nothing is connected to them.
    ///
    ///     Numbers(flow/generate) OUT -> IN Show(console/write)
    ///
    /// `Numbers` must be told its COUNT. An in-port is satisfied by an arrow or an initial
    /// packet, `'100' -> COUNT Numbers`, an out-port by an arrow; an export satisfies both.
    "P0301", "required port not connected"
}

/// A process or subnet and all its required ports that lead nowhere.
pub(crate) fn at(process: &str, missing: &[(Side, &str)], span: Span) -> Diagnostic {
    let ports: Vec<_> = missing.iter().map(|(_, port)| *port).collect();
    let what = if ports.len() == 1 { "port" } else { "ports" };
    let message = format!(
        "required {what} {} of `{process}` not connected",
        super::list(&ports)
    );
    let ways: Vec<_> = missing
        .iter()
        .map(|(side, port)| way_out(process, *side, port))
        .collect();
    Diagnostic::error(CODE, span, message)
        .note("must be connected")
        .help(format!("write {}", ways.join(" and ")))
}

fn way_out(process: &str, side: Side, port: &str) -> String {
    match side {
        Side::In => format!("`... -> {port} {process}`"),
        Side::Out => format!("`{process} {port} -> ...`"),
    }
}
