use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// Each process of a cycle waits for a packet from another, and no packet comes from outside,
    /// so none of them ever starts.
    ///
    ///     A OUT -> IN B(flow/pass) OUT -> IN A(flow/pass)
    ///
    /// A process starts by itself if no arrow leads to it; initial packets do not count as
    /// arrows. Let something outside feed the cycle: `Start(flow/kick) OUT -> IN A`. An automatic
    /// `*` arrow makes its reader wait for its writer's end, so a cycle of such arrows cannot
    /// start either.
    "P0310", "cycle that nothing starts"
}

/// A cycle, as process and place in the order packets would go, and who waits for it in vain.
pub(crate) fn at(cycle: &[(&str, Span)], behind: &[&str]) -> Option<Diagnostic> {
    let ((first, span), rest) = cycle.split_first()?;
    let names: Vec<_> = cycle
        .iter()
        .map(|(name, _)| *name)
        .chain([*first])
        .collect();
    let message = format!("nothing starts the cycle {}", names.join(" -> "));
    let found = Diagnostic::error(CODE, *span, message).note("waits for a packet from the cycle");
    let found = rest.iter().fold(found, |found, (_, span)| {
        found.label(*span, "so does this one")
    });
    Some(found.help(way_out(first, behind)))
}

fn way_out(first: &str, behind: &[&str]) -> String {
    let help = format!("let a process outside the cycle send `{first}` its first packet");
    if behind.is_empty() {
        return help;
    }
    format!(
        "{help}; {} behind it would never start either",
        super::list(behind)
    )
}
