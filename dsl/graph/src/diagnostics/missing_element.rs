use crate::diagnostic::Diagnostic;
use crate::source::Span;

explained! {
    /// An array port has a fixed number of elements, and all of them must be connected.
    ///
    ///     Halve OUT[0] -> IN Match(flow/pass)
    ///
    /// If OUT of `Halve` has two elements, OUT[1] is missing. Connect it; to throw its packets
    /// away, connect it to `flow/drop`.
    "P0311", "element of a fixed array port not connected"
}

/// The elements of a fixed array port that lead nowhere.
pub(crate) fn at(port: &str, size: u32, missing: &[u32], span: Span) -> Diagnostic {
    let elements: Vec<_> = missing
        .iter()
        .map(|index| format!("{port}[{index}]"))
        .collect();
    let elements: Vec<_> = elements.iter().map(String::as_str).collect();
    let message = format!("{} not connected", super::list(&elements));
    Diagnostic::error(CODE, span, message)
        .note(format!("all {size} elements must be connected"))
        .help("connect them; `flow/drop` throws packets away")
}
