use crate::diagnostic::Diagnostic;
use crate::plan::ConnectorKind;
use crate::source::Span;

explained! {
    /// Two arrows start from one out-port. A packet has one owner, so it cannot go both ways.
    ///
    ///     Read OUT -> IN Count(flow/count)
    ///     Read OUT -> IN Show(console/write)
    ///
    /// Say what is meant. To copy each packet, put a replicate between: `Read OUT -> IN
    /// Both(flow/replicate) OUT[0] -> IN Count`, `Both OUT[1] -> IN Show`. To deal packets out,
    /// use `flow/round-robin` or `flow/balance`. Arrows may share an out-port if all are of kind
    /// pubsub, or all of kind stream: then they are the readers of one connector. A queue gives
    /// each packet to one reader; to have several share its work, write `instances=N` on one.
    "P0302", "two connections on one out-port"
}

/// An out-port with more than one arrow: the kinds of those that are not memory, and the arrows'
/// places in text order.
pub(crate) fn at(port: &str, kinds: &[ConnectorKind], arrows: &[Span]) -> Option<Diagnostic> {
    let (first, more) = arrows.split_first()?;
    let (second, rest) = more.split_first()?;
    let message = format!("out-port `{port}` has {} connections", arrows.len());
    let found = Diagnostic::error(CODE, *second, message)
        .note("second connection")
        .label(*first, "first connection")
        .help(way_out(port, kinds));
    Some(
        rest.iter()
            .fold(found, |found, span| found.label(*span, "and another")),
    )
}

fn way_out(port: &str, kinds: &[ConnectorKind]) -> String {
    let copies = format!(
        "to copy each packet, send `{port}` to `Copies(flow/replicate)` and draw one arrow from \
         each of `Copies OUT[0]`, `OUT[1]`, ...; "
    );
    let share = match kinds {
        [ConnectorKind::Queue] => "a queue has one reader, whose work `instances=N` shares",
        [] => "pubsub or stream arrows may share an out-port",
        _ => "arrows may share an out-port if all are pubsub, or all stream",
    };
    copies + share
}
