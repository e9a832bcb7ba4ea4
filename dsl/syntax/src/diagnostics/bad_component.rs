//! Brackets cannot be read.

use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0114", "brackets cannot be read",
    r#"Brackets hold a component and, after a colon, node metadata; right after an arrow, attributes.

    Pay(course pay)
    Pay(course/take-payment:host=office,fault=park)
    Pay("../pay.fbp":label="Pay desk",x=-12.5)

A component may hold letters, digits and `/ - _ . @`; anything else needs double quotes. A value that
holds a comma needs them too. `key:=value` takes a JSON value.
"#
}

/// Brackets that hold something else.
pub(crate) fn bad_component(span: Span, reason: &str) -> Diagnostic {
    Diagnostic::error(CODE, span, format!("the brackets cannot be read: {reason}"))
        .help("write `(component)`, `(component:key=value)` or, for odd names, `(\"component\")`")
}
