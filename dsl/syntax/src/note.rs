//! Annotations that keep what a graph has and the text has no form for.

use paperflow_graph::Group;
use serde_json::{Map, Value, json};

/// The key of an annotation that holds a group.
const GROUP: &str = "paperflow-group";
/// The key of an annotation that holds the network's name.
const NAME: &str = "paperflow-name";
/// The key of an annotation that holds a property of any key and value.
const PROPERTY: &str = "paperflow-property";

/// What an annotation says.
#[derive(Debug, PartialEq)]
pub(crate) enum Note {
    /// A property like any other.
    Plain,
    /// A group.
    Group(Group),
    /// The network's name.
    Name(String),
    /// A property whose key or value is not plain text.
    Property(String, Value),
    /// One of ours, and not readable.
    Bad,
}

/// Reads an annotation's key and value.
pub(crate) fn read(key: &str, value: &str) -> Note {
    if !is_ours(key) {
        return Note::Plain;
    }
    let Ok(value) = serde_json::from_str::<Value>(value.trim_end()) else {
        return Note::Bad;
    };
    let note = match (key, value) {
        (NAME, Value::String(name)) => Some(Note::Name(name)),
        (GROUP, Value::Object(fields)) => group(fields).map(Note::Group),
        (PROPERTY, Value::Object(fields)) => property(fields),
        _ => None,
    };
    note.unwrap_or(Note::Bad)
}

/// Whether a key is one of those kept for graphs.
pub(crate) fn is_ours(key: &str) -> bool {
    matches!(key, GROUP | NAME | PROPERTY)
}

fn group(mut fields: Map<String, Value>) -> Option<Group> {
    let Some(Value::String(name)) = fields.remove("name") else {
        return None;
    };
    let members = fields.remove("nodes")?;
    let members = members
        .as_array()?
        .iter()
        .map(|member| member.as_str().map(String::from));
    let metadata = match fields.remove("metadata") {
        Some(Value::Object(metadata)) => metadata.into_iter().collect(),
        Some(_) => return None,
        None => Vec::new(),
    };
    Some(Group {
        name,
        members: members.collect::<Option<_>>()?,
        metadata,
    })
}

fn property(mut fields: Map<String, Value>) -> Option<Note> {
    let Some(Value::String(key)) = fields.remove("key") else {
        return None;
    };
    Some(Note::Property(key, fields.remove("value")?))
}

/// The line for a network's name.
pub(crate) fn write_name(name: &str) -> String {
    line(NAME, &Value::from(name))
}

/// The line for a group.
pub(crate) fn write_group(group: &Group) -> String {
    let metadata: Map<String, Value> = group.metadata.iter().cloned().collect();
    let mut value = json!({ "name": group.name, "nodes": group.members });
    if let Some(fields) = value.as_object_mut().filter(|_| !metadata.is_empty()) {
        fields.insert(String::from("metadata"), Value::Object(metadata));
    }
    line(GROUP, &value)
}

/// The line for a property of any kind.
pub(crate) fn write_property(key: &str, value: &Value) -> String {
    line(PROPERTY, &json!({ "key": key, "value": value }))
}

fn line(key: &str, value: &Value) -> String {
    let text = value
        .to_string()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    format!("# @{key} {text}\n")
}
