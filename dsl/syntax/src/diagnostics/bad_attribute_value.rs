//! An attribute's value does not fit.

use paperflow_graph::attributes::AttributeSpec;
use paperflow_graph::{Diagnostic, Span};

super::explain! {
    "P0116", "an attribute's value does not fit",
    r#"The value of an arrow's attribute has the wrong form.

    A(flow/pass) OUT ->(capacity=0) IN B(flow/pass)
    A(flow/pass) OUT ->(full=sometimes) IN B(flow/pass)

Write one of the words the message lists, a whole number, or a duration such as `250ms` or `5s`.
"#
}

/// A value of the wrong form.
pub(crate) fn bad_attribute_value(span: Span, spec: &AttributeSpec, value: &str) -> Diagnostic {
    let message = format!("`{value}` is not a value of the attribute `{}`", spec.name);
    Diagnostic::error(CODE, span, message).help(spec.form.way_out(value))
}
