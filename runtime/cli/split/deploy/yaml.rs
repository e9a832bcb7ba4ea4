//! YAML, from the same values as JSON.

use serde_json::Value as Json;

/// A value as a block of YAML.
pub(super) fn text(value: &Json) -> String {
    let mut text = String::new();
    block(&mut text, value, 0);
    text
}

fn block(text: &mut String, value: &Json, level: usize) {
    let indent = "  ".repeat(level);
    match value {
        Json::Object(entries) => {
            for (name, value) in entries {
                text.push_str(&format!("{indent}{}:", scalar(name)));
                behind(text, value, level);
            }
        }
        Json::Array(values) => {
            for value in values {
                text.push_str(&format!("{indent}-"));
                item(text, value, level);
            }
        }
        plain => text.push_str(&format!("{indent}{plain}\n")),
    }
}

/// What stands behind a name.
fn behind(text: &mut String, value: &Json, level: usize) {
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            block(text, value, level + 1);
        }
        Json::Array(values) if !values.is_empty() => {
            text.push('\n');
            block(text, value, level + 1);
        }
        Json::String(lines) if is_text(lines) => {
            text.push_str(" |\n");
            let indent = "  ".repeat(level + 1);
            for line in lines.lines() {
                text.push_str(&if line.is_empty() {
                    String::from("\n")
                } else {
                    format!("{indent}{line}\n")
                });
            }
        }
        Json::String(word) => text.push_str(&format!(" {}\n", scalar(word))),
        plain => text.push_str(&format!(" {plain}\n")),
    }
}

/// What stands behind a dash.
fn item(text: &mut String, value: &Json, level: usize) {
    match value {
        Json::Object(_) | Json::Array(_) => {
            let mut inner = String::new();
            block(&mut inner, value, level + 1);
            text.push(' ');
            text.push_str(inner.trim_start());
        }
        Json::String(word) => text.push_str(&format!(" {}\n", scalar(word))),
        plain => text.push_str(&format!(" {plain}\n")),
    }
}

/// Whether it can stand as lines: they are then what they are.
fn is_text(lines: &str) -> bool {
    let is_plain = |letter: char| letter == '\n' || !letter.is_control();
    lines.ends_with('\n')
        && !lines.ends_with("\n\n")
        && !lines.starts_with([' ', '\n'])
        && lines.chars().all(is_plain)
}

/// A text on one line, in quotes where YAML might take it for something else.
fn scalar(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    let is_word = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && word.chars().all(is_plain)
        && !WORDS.contains(&word.to_ascii_lowercase().as_str());
    match is_word {
        true => word.to_owned(),
        false => Json::from(word).to_string(),
    }
}

/// What is no text without quotes.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn values_are_blocks() {
        let value = json!({
            "name": "a-b", "on": true, "number": "5", "empty": [], "none": {},
            "list": ["run", "a b", {"x": 1, "y": [2]}],
            "file": "one\n\n  two: three\n",
        });
        let expected = "name: a-b\n\"on\": true\nnumber: \"5\"\nempty: []\nnone: {}\nlist:\n  - run\n  \
                        - \"a b\"\n  - x: 1\n    \"y\":\n      - 2\nfile: |\n  one\n\n    two: three\n";
        assert_eq!(text(&value), expected);
    }
}
