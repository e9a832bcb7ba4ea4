//! An initial packet goes to a process that does not exist.

use paperflow_graph::{Diagnostic, End};
use serde_json::Value;

super::explain! {
    "P0124", "an initial packet goes to a process that does not exist",
    r#"No mention of the process gives it a component, so it does not exist. Often the name is misspelt.

    'menu.txt' -> FILE Raed

Correct the name, or declare the process: `Raed(component)`.
"#
}

/// An initial packet for nobody.
pub(crate) fn undefined_initial_target(
    value: &Value,
    to: &End,
    near: Option<String>,
) -> Diagnostic {
    let data = value
        .as_str()
        .map_or_else(|| value.to_string(), String::from);
    let target = &to.process;
    let message =
        format!("IIP containing \"{data}\" is connected to an undefined target node \"{target}\"");
    Diagnostic::error(CODE, to.span, message).help(super::declare(target, near))
}
