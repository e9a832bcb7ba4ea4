//! An initial packet is not at the start.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0113", "an initial packet is not at the start",
    r#"An initial packet can only be where an arrow starts: it is sent, it does not receive.

    Read(file/lines) OUT -> 'menu.txt' -> IN Show(console/write)

Begin a new statement with it: 'menu.txt' -> IN Show. To send on the text of a parameter, use a component.
A blank before an array index turns it into an initial packet, too: write `OUT[0]`, not `OUT [0]`.
"#
}

/// A value in the middle of a statement.
pub(crate) fn misplaced_initial(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "an initial packet cannot stand here")
        .note("only the start of a statement may be an initial packet")
        .help("begin a new statement with it; an array index must touch its port")
}

/// A value and nothing else.
pub(crate) fn lone_initial(span: Span) -> Diagnostic {
    Diagnostic::error(CODE, span, "the initial packet goes nowhere")
        .note("no arrow after it")
        .help("write `-> PORT PROCESS` after it")
}
