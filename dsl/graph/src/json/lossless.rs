//! Graph JSON that remembers the text it came from.

use serde_json::{Value, json};

use crate::model::{Graph, Property};
use crate::source::Span;

use super::{JsonOptions, OWN, TEXT, to_json};

/// The graph as JSON with its text, comments and layout included.
#[must_use]
pub fn to_json_lossless(graph: &Graph, text: &str) -> Value {
    let mut with_text = without_text(graph);
    let mut own = own(graph)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    own.insert(String::from(TEXT), json!(text));
    let property = Property {
        key: String::from(OWN),
        value: Value::Object(own),
        span: Span::default(),
    };
    with_text.properties.retain(|found| found.key != OWN);
    with_text.properties.push(property);
    to_json(&with_text, JsonOptions::default())
}

/// The text a graph came from, if parsing it still gives the same graph.
///
/// A tool that knows nothing of the text may have changed the graph; then the text is stale.
pub fn lossless_text(graph: &Graph, parse: impl FnOnce(&str) -> Graph) -> Option<String> {
    let text = own(graph)?.get(TEXT)?.as_str()?;
    let options = JsonOptions {
        lowercase_ports: !graph.case_sensitive,
    };
    let parsed = to_json(&without_text(&parse(text)), options);
    let same = parsed == to_json(&without_text(graph), options);
    same.then(|| String::from(text))
}

fn own(graph: &Graph) -> Option<&Value> {
    graph.property(OWN)
}

/// The graph without the text, and without the property that held only the text.
fn without_text(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    for property in graph.properties.iter_mut().filter(|found| found.key == OWN) {
        if let Value::Object(entries) = &mut property.value {
            entries.shift_remove(TEXT);
        }
    }
    let empty = |value: &Value| value.as_object().is_some_and(|entries| entries.is_empty());
    graph
        .properties
        .retain(|found| found.key != OWN || !empty(&found.value));
    graph
}
