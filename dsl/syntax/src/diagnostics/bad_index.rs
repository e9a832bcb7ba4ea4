//! An array index is not a whole number.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0110", "an array index is not a whole number",
    r#"The element of an array port is a whole number in square brackets that touch the port's name.

    Split(flow/balance) OUT[] -> IN Show(console/write)

Write the number: `OUT[0]`. Elements count from 0.
"#
}

/// An index that is no number.
pub(crate) fn bad_index(span: Span, index: &str) -> Diagnostic {
    let message = match index.trim() {
        "" => String::from("the array index is empty"),
        index => format!("`{index}` is not an array index"),
    };
    Diagnostic::error(CODE, span, message)
        .note("expected a whole number")
        .help("write the element, such as `[0]`, or leave the brackets out")
}

/// An index where a process is meant.
pub(crate) fn index_on_process(span: Span) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        "an array index belongs to a port, not to a process",
    )
    .help("write `PROCESS PORT[0]`")
}
