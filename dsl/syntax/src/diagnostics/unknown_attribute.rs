//! An arrow has an unknown attribute.

use paperflow_graph::attributes::ATTRIBUTES;
use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0115", "an arrow has an unknown attribute",
    r#"The brackets after an arrow hold attributes, and this key is none of them.

    A(flow/pass) OUT ->(capcity=30) IN B(flow/pass)

Correct the key. A bare word is a kind of connector (`memory`, `queue`, `stream`, `pubsub`), a bare
number is the capacity. Data of your own is written as JSON: ->("note":="any").
"#
}

/// A key that no arrow has.
pub(crate) fn unknown_attribute(span: Span, key: &str, near: Option<&str>) -> Diagnostic {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the attributes are: {}", names()),
    };
    Diagnostic::error(CODE, span, format!("an arrow has no attribute `{key}`")).help(help)
}

fn names() -> String {
    ATTRIBUTES
        .iter()
        .map(|spec| spec.name)
        .collect::<Vec<_>>()
        .join(", ")
}
