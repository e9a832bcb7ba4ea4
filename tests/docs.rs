//! What the pages of this repository show is true: their commands are run, their graphs are checked.
//!
//! Rust in the README is compiled with the facade's documentation.

#[cfg(unix)]
#[path = "own/example.rs"]
mod example;
#[path = "tidy/source.rs"]
#[allow(dead_code, reason = "one function of it is used here")]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use paperflow::{Out, Text, component, describe, load_text};

const PAGES: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "graphs/queues/README.md",
    "graphs/streams/README.md",
    "graphs/pubsub/README.md",
];

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
    /// `README.md:12`.
    place: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect("the page is readable")
}

fn blocks(name: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let page = page(name);
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let inside = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```");
        blocks.push(Block {
            language: language.to_owned(),
            text: inside.map(|line| format!("{line}\n")).collect(),
            place: format!("{name}:{}", at + 1),
        });
    }
    blocks
}

fn blocks_of(language: &str) -> Vec<Block> {
    let all = PAGES.into_iter().flat_map(blocks);
    all.filter(|block| block.language == language).collect()
}

/// Says every line louder.
#[component("own/shout", work = compute)]
fn shout(
    /// A line of text.
    line: Text,
    /// The same line, louder.
    loud: &mut Out<Text>,
) {
    loud.put(line.to_uppercase() + "!");
}

#[test]
fn every_graph_on_a_page_is_fit_to_run() {
    let catalogue = describe(&paperflow::standard().with(shout));
    let blocks = blocks_of("fbp");
    assert!(!blocks.is_empty());
    for Block { text, place, .. } in blocks {
        let loaded = load_text(&root().join("page.fbp"), text, &catalogue);
        assert!(
            loaded.diagnostics.is_empty(),
            "{place}: {:#?}",
            loaded.diagnostics
        );
    }
}

#[test]
fn every_block_says_what_it_is() {
    let known = ["sh", "console", "fbp", "rust", "rust,no_run", "text"];
    for block in PAGES.into_iter().flat_map(blocks) {
        let Block {
            language, place, ..
        } = block;
        assert!(known.contains(&language.as_str()), "{place}: {language:?}");
    }
}

#[test]
fn every_path_on_a_page_is_there() {
    for name in PAGES {
        let page = page(name);
        let quoted = page.split('`').skip(1).step_by(2);
        let is_path = |text: &&str| {
            let top = text.split('/').next().unwrap_or_default();
            text.contains('/') && root().join(top).is_dir() && !text.contains(['(', ' ', '*'])
        };
        for path in quoted.filter(is_path) {
            assert!(root().join(path).exists(), "{name} speaks of {path}");
        }
    }
}

/// Functions and types that are named with their owner, `Net::judge`, or said to be called, `parse`.
#[test]
fn every_name_of_the_architecture_page_is_in_the_code() {
    let code: String = ["runtime", "components", "dsl"]
        .into_iter()
        .flat_map(|folder| source::files(&root().join(folder), "rs"))
        .map(|path| fs::read_to_string(path).expect("a source file is readable"))
        .collect();
    let page = page("ARCHITECTURE.md");
    let is_name = |text: &&str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        text.chars().all(is_letter) && !text.is_empty()
    };
    for name in page.split('`').skip(1).step_by(2).filter(is_name) {
        let parts = name.split("::");
        for part in parts {
            let ways = ["fn", "struct", "enum", "trait", "mod", "const"];
            let is_there = ways
                .iter()
                .any(|way| code.contains(&format!("{way} {part}")));
            let is_word = ["unsafe", "tests", "graphs"].contains(&part);
            assert!(is_there || is_word, "{name} is not in the code");
        }
    }
}

#[cfg(unix)]
mod commands {
    use std::env;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Output};

    use super::{Block, PathBuf, blocks, blocks_of, example, fs, root};

    /// Stands before cargo: what would build the command anew runs the one that has been built.
    const CARGO: &str = r#"#!/bin/sh
case "$*" in
"run --release -- "*) shift 3; exec "$BUILT/paperflow" "$@" ;;
"run --example own_command -- "*) shift 4; exec "$BUILT/examples/own_command" "$@" ;;
"run --example embed") exec "$BUILT/examples/embed" ;;
"test --workspace") exit 0 ;;
esac
# A program of one's own: built with the very crates that are at hand.
test -e Cargo.lock || cp "$ROOT/Cargo.lock" .
exec "$REAL" "$@"
"#;

    /// A folder with what a reader has before the first command.
    struct Desk {
        folder: PathBuf,
    }

    impl Desk {
        fn new(name: &str) -> Self {
            let name = format!("paperflow-docs-{name}-{}", std::process::id());
            let folder = env::temp_dir().join(name);
            fs::create_dir_all(folder.join("bin")).expect("a folder can be made");
            let cargo = folder.join("bin/cargo");
            fs::write(&cargo, CARGO).expect("a file can be written");
            let is_program = fs::Permissions::from_mode(0o755);
            fs::set_permissions(cargo, is_program).expect("a file can be made a program");
            let graphs = folder.join("graphs");
            std::os::unix::fs::symlink(root().join("graphs"), graphs).expect("a link can be made");
            Self { folder }
        }

        /// What a shell prints that is given these lines.
        fn run(&self, lines: &str, place: &str) -> String {
            let built = example::built();
            let path = env::var("PATH").unwrap_or_default();
            let Output {
                status,
                stdout,
                stderr,
            } = Command::new("sh")
                .args(["-euc", lines])
                .current_dir(&self.folder)
                .env("PATH", format!("{}/bin:{path}", self.folder.display()))
                .env("REAL", env!("CARGO"))
                .env("ROOT", root())
                .env("BUILT", built)
                .env("CARGO_TARGET_DIR", built.parent().expect("it has a parent"))
                .env("CARGO_NET_OFFLINE", "true")
                .env("CARGO_TERM_QUIET", "true")
                // As this workspace, so that nothing is built twice.
                .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
                .output()
                .expect("there is a shell");
            let complaint = String::from_utf8_lossy(&stderr);
            let printed = String::from_utf8_lossy(&stdout).into_owned();
            assert!(
                status.success(),
                "{place}: {status}\n{printed}\n{complaint}"
            );
            printed
        }
    }

    impl Drop for Desk {
        fn drop(&mut self) {
            // What is left behind in the folder for temporary files does no harm.
            drop(fs::remove_dir_all(&self.folder));
        }
    }

    #[test]
    fn every_command_of_a_page_can_be_given() {
        // The way to a component of one's own has a test below.
        let blocks = blocks_of("sh").into_iter();
        let others = blocks.filter(|block| !block.text.contains("new component"));
        for name in ["embed", "own_command"] {
            example::example(name);
        }
        for (at, Block { text, place, .. }) in others.enumerate() {
            Desk::new(&format!("sh-{at}")).run(&text, &place);
        }
    }

    #[test]
    fn commands_print_what_the_page_shows() {
        let desk = Desk::new("console");
        for Block { text, place, .. } in blocks_of("console") {
            for conversation in text.split("$ ").skip(1) {
                let (command, expected) = conversation.split_once('\n').expect("a line ends");
                let printed = desk.run(command, &place);
                let expected: Vec<_> = expected.lines().collect();
                let lines: Vec<_> = printed.lines().collect();
                assert!(
                    fits(&expected, &lines),
                    "{place}: {command} printed\n{printed}"
                );
            }
        }
    }

    /// A line `...` stands for any lines.
    fn fits(expected: &[&str], lines: &[&str]) -> bool {
        match expected {
            [] => lines.is_empty(),
            ["...", rest @ ..] => (0..=lines.len()).any(|skip| fits(rest, &lines[skip..])),
            [first, rest @ ..] => {
                lines.first().is_some_and(|line| is_like(first, line)) && fits(rest, &lines[1..])
            }
        }
    }

    /// In a line, `...` stands for anything.
    fn is_like(expected: &str, line: &str) -> bool {
        match expected.split_once("...") {
            None => expected == line,
            Some((before, after)) => {
                let rest = line.strip_prefix(before);
                let mut ends = rest.into_iter().flat_map(|rest| {
                    let ends = rest.char_indices().map(|(at, _)| at);
                    ends.chain([rest.len()]).map(|at| &rest[at..])
                });
                ends.any(|end| is_like(after, end))
            }
        }
    }

    #[test]
    fn three_dots_stand_for_any_lines() {
        assert!(fits(&["a", "...", "d"], &["a", "b", "c", "d"]));
        assert!(fits(&["..."], &[]));
        assert!(!fits(&["a", "...", "d"], &["a", "b"]));
        assert!(fits(&["a...c...e"], &["abcde"]) && fits(&["...c"], &["c"]));
        assert!(!fits(&["a...c"], &["abcd"]) && !fits(&["a...c"], &["bc"]));
    }

    #[test]
    fn a_component_of_ones_own_is_the_one_on_the_page_and_is_heard() {
        let desk = Desk::new("own");
        let readme = blocks("README.md");
        let new = |block: &&Block| block.text.contains("new component shout");
        let steps = readme.iter().find(new).expect("the README tells how");
        let printed = desk.run(&steps.text, &steps.place);
        assert!(
            printed.ends_with("TO BE, OR NOT TO BE,!\nTHAT IS THE QUESTION.!\n"),
            "{printed}"
        );
        let made = fs::read_to_string(desk.folder.join("shout/src/shout.rs"));
        let made = made.expect("the component has been made");
        let shown = |block: &&Block| block.language == "rust" && block.text.contains("fn shout");
        for block in readme.iter().filter(shown) {
            let code = block
                .text
                .trim_start_matches("use paperflow::{Out, Text, component};");
            assert!(
                made.contains(code.trim()),
                "{} is not what `new` makes:\n{made}",
                block.place
            );
        }
    }
}
