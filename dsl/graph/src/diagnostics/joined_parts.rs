use crate::diagnostic::Diagnostic;
use crate::guarantee::Hop;
use crate::parts::{Division, shown};
use crate::plan::Plan;

explained! {
    /// An arc leads from one part of the graph to another, and no store keeps it that both can reach.
    ///
    ///     [part.front]
    ///     processes = ["Order"]
    ///     [part.back]
    ///     processes = ["Pay"]
    ///
    /// Parts are processes of the operating system: memory does not reach from one to the other, and the
    /// embedded store belongs to one at a time. Let a broker keep the arc:
    ///
    ///     [store.redis]
    ///     url = "redis://localhost"
    ///     [arc."Order.OUT -> Pay.IN"]
    ///     kind = "queue"
    ///     via = "redis"
    ///
    /// `paperflow split GRAPH --via redis` writes all of it.
    "P0325", "parts joined without a broker"
}

/// An arc between two parts that both cannot reach.
pub(crate) fn at(plan: &Plan, division: &Division, hop: Hop) -> Diagnostic {
    let link = &plan.links[hop.link];
    let writer = link.writers().nth(hop.writer);
    let part = |process: usize| {
        let part = division.of(process).map(|part| &division.parts[part]);
        part.map_or("", |part| part.name.as_str())
    };
    let to = part(link.to.process);
    let from = writer.map_or("", |writer| part(writer.end.process));
    let kept = match &link.connector {
        Some(_) => "in a store that one program at a time has",
        None => "in memory",
    };
    let arc = shown(plan, hop);
    let span = link.connector.as_ref().map(|connector| connector.span);
    let span = span.or_else(|| writer.map(|writer| writer.span));
    let message = format!("`{arc}` leads from part `{from}` to part `{to}`, {kept}");
    Diagnostic::error(CODE, span.unwrap_or_default(), message)
        .note("between two parts")
        .help(format!(
            "let a broker keep it: `[arc.\"{arc}\"]` with `via` in the wiring file, as `paperflow split --via` writes it"
        ))
}
