//! The files of a new folder.

use std::path::Path;

use super::File;

/// Words that cannot name a component's file and function, or its package.
pub(super) const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "paperflow",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A program with a component of its own.
pub(super) fn component(name: &str, paperflow: &Path) -> Vec<File> {
    let word = name.replace('-', "_");
    let fill = |template: &str| template.replace("NAME", name).replace("WORD", &word);
    // A path may hold anything, so it is written as TOML writes text; JSON escapes the same way.
    let path = serde_json::Value::from(paperflow.to_string_lossy()).to_string();
    vec![
        (
            String::from("Cargo.toml"),
            fill(MANIFEST).replace("PAPERFLOW", &path),
        ),
        (String::from(".gitignore"), String::from("/target\n")),
        (String::from("src/main.rs"), fill(MAIN)),
        (format!("src/{word}.rs"), fill(COMPONENT)),
        (format!("graphs/{name}.fbp"), fill(COMPONENT_GRAPH)),
        (String::from("graphs/lines.txt"), String::from(LINES)),
    ]
}

/// A graph of components that come with Paperflow.
pub(super) fn graph(name: &str) -> Vec<File> {
    vec![
        (format!("{name}.fbp"), GRAPH.replace("NAME", name)),
        (String::from("lines.txt"), String::from(LINES)),
    ]
}

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"
publish = false

[dependencies]
paperflow = { path = PAPERFLOW }

# This folder stands for itself, wherever it lies.
[workspace]
"#;

const MAIN: &str = r#"//! Every verb of `paperflow`, with one more component.

mod WORD;

use std::process::ExitCode;

fn main() -> ExitCode {
    paperflow::cli(paperflow::standard().with(WORD::WORD))
}
"#;

const COMPONENT: &str = r#"use paperflow::{Out, Text, component};

/// Says every line louder.
#[component("own/NAME", work = compute)]
#[example(line = ["to be"], loud = ["TO BE!"])]
pub fn WORD(
    /// A line of text.
    line: Text,
    /// The same line, louder.
    loud: &mut Out<Text>,
) {
    loud.put(line.to_uppercase() + "!");
}

#[test]
fn lines_get_louder() {
    let rig = paperflow::rig::Rig::of(WORD);
    rig.feed("line", ["to be", ""]).expect("loud", ["TO BE!", "!"]);
}
"#;

const COMPONENT_GRAPH: &str = "\
# @title The component own/NAME at work
'graphs/lines.txt' -> SOURCE Read(file/lines)
Read OUT -> LINE Say(own/NAME) LOUD -> IN Show(console/write)
";

const GRAPH: &str = "\
# @title NAME
'lines.txt' -> SOURCE Read(file/lines)
Read OUT -> IN Split(text/words) OUT -> IN Show(console/write)
";

const LINES: &str = "To be, or not to be,\nthat is the question.\n";
