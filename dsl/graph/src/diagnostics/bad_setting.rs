use crate::attributes::find;
use crate::diagnostic::Diagnostic;
use crate::model::Attribute;

explained! {
    /// An attribute in a graph JSON or a wiring file has a value of another form.
    ///
    ///     { "metadata": { "kind": "queue", "delay": "5 apples" } }
    ///
    /// A delay is a number and a unit, `5s`. The message says what the attribute takes.
    "P0502", "attribute value of another form"
}

/// A value that its attribute does not take.
pub(crate) fn at(attribute: &Attribute) -> Diagnostic {
    let (key, value) = (&attribute.key, &attribute.value);
    let message = format!("`{value}` is not a value of the attribute `{key}`");
    let help = find(key).map(|spec| spec.form.way_out(value));
    Diagnostic::error(CODE, attribute.span, message)
        .note("another form is needed")
        .help(help.unwrap_or_else(|| String::from("leave it out")))
}
