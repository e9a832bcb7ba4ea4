//! An arrow or a separator is missing.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0105", "an arrow or a separator is missing",
    r#"Two things follow each other that only an arrow joins, or only a line end, comma or semicolon parts.

    Read(file/lines) OUT IN Show(console/write)
    A(flow/pass) B(flow/pass)

Write `->` between the port that sends and the port that receives, or begin a new line. The reference
parser accepts such lines and loses the connection; Paperflow never does.
"#
}

/// Too much between two arrows.
pub(crate) fn missing_arrow(span: Span, found: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("`{found}` follows without an arrow or a separator"),
    )
    .note("expected `->`, a comma or a line end before this")
    .help("between two arrows stand at most an in-port, one process and an out-port")
}
