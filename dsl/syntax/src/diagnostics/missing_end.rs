//! An arrow has only one end.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0107", "an arrow has only one end",
    r#"Nothing stands before an arrow, or nothing after it, or no process beside a port.

    -> IN Show(console/write)
    Read(file/lines) OUT ->

Name the process (and its port) at both ends. A line may be broken after an arrow, not elsewhere.
"#
}

/// An arrow without something on one of its sides.
pub(crate) fn missing_end(arrow: Span, before: bool) -> Diagnostic {
    let side = if before { "before" } else { "after" };
    Diagnostic::error(CODE, arrow, format!("nothing stands {side} the arrow"))
        .note("an arrow joins two ports")
        .help(format!("name the process {side} it, or remove the arrow"))
}

/// A port whose process was left out.
pub(crate) fn missing_process(span: Span, port: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("the port `{port}` has no process beside it"),
    )
    .note("expected a process")
    .help("write `PROCESS PORT -> PORT PROCESS`")
}
