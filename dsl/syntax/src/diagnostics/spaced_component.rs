//! A blank parts a process from its component.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0108", "a blank parts a process from its component",
    r#"The brackets with the component must touch the name of the process.

    Read (file/lines) OUT -> IN Show(console/write)

Remove the blank: `Read(file/lines)`. The reference parser drops the name and makes an anonymous
process instead.
"#
}

/// `name (component)`.
pub(crate) fn spaced_component(span: Span, gap: Span, name: &str) -> Diagnostic {
    Diagnostic::error(
        CODE,
        span,
        format!("a blank parts `{name}` from its component"),
    )
    .note("must follow the name at once")
    .help("remove the blank")
    .fix(gap, "")
}
