//! What a user reads about a broken graph: every file of `tests/broken` beside its rendering.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use paperflow::graph::draw::{to_dot, to_mermaid};
use paperflow::graph::guarantee::Guarantee;
use paperflow::graph::json::{JsonOptions, from_json, to_json_lossless, to_json_text};
use paperflow::graph::{Catalogue, Component, Port, Sources};
use paperflow::syntax::{Options, format, parse, print, print_upstream};
use paperflow::{
    Loaded, describe, load, load_required, load_strict, load_text, load_wired, standard,
};

/// The folder of broken graphs, as the test is run from the package.
const BROKEN: &str = "tests/broken";

/// The standard catalogue, and what it has no example of: a fixed array port, a component that may
/// stand alone, and one that leaves out what is older than what it has.
fn catalogue() -> Catalogue {
    let mut catalogue = describe(&standard());
    let any = |name: &str| Port {
        name: name.into(),
        ..Port::default()
    };
    let pair = Component {
        name: "test/pair".into(),
        inputs: vec![Port {
            required: true,
            ..any("IN")
        }],
        outputs: vec![Port {
            array: true,
            size: Some(2),
            required: true,
            ..any("OUT")
        }],
        ..Component::default()
    };
    let loose = Component {
        name: "test/loose".into(),
        inputs: vec![any("IN")],
        ..Component::default()
    };
    let later = Component {
        name: "test/if-later".into(),
        inputs: vec![any("IN")],
        ..Component::default()
    };
    for component in [pair, loose, later] {
        catalogue
            .components
            .insert(component.name.clone(), component);
    }
    catalogue
}

fn broken() -> Vec<PathBuf> {
    let entries = fs::read_dir(BROKEN)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_graph = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "fbp" || ending == "json")
    };
    let mut graphs: Vec<_> = entries.filter(is_graph).collect();
    graphs.sort();
    graphs
}

/// A file `NAME.strict.fbp` is held to the strict rules as well, of `NAME.once-only.fbp` that guarantee
/// is required, and a file `NAME.toml` is its wiring.
fn loaded(path: &Path, catalogue: &Catalogue) -> Loaded {
    let wiring = path.with_extension("toml");
    if wiring.exists() {
        load_wired(path, wiring, catalogue).unwrap()
    } else if path.to_string_lossy().contains(".once-only.") {
        load_required(path, Guarantee::OnceOnly, catalogue).unwrap()
    } else if path.to_string_lossy().contains(".strict.") {
        load_strict(path, catalogue).unwrap()
    } else {
        load(path, catalogue).unwrap()
    }
}

#[test]
fn every_broken_graph_is_told_as_recorded() {
    let catalogue = catalogue();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("broken");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in broken() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            insta::assert_snapshot!(name, loaded(&path, &catalogue).report());
        }
    });
}

/// Each names file, line and column, what is wrong, and the way out.
#[test]
fn every_diagnostic_names_the_place_the_mistake_and_the_way_out() {
    let catalogue = catalogue();
    for path in broken() {
        let loaded = loaded(&path, &catalogue);
        assert!(
            !loaded.diagnostics.is_empty(),
            "{} is not broken",
            path.display()
        );
        for found in &loaded.diagnostics {
            let shown = format!("{}: {found:?}", path.display());
            assert!(
                !found.message.is_empty() && !found.message.ends_with('.'),
                "{shown}"
            );
            assert!(
                found.help.as_ref().is_some_and(|help| !help.is_empty()),
                "no way out: {shown}"
            );
            assert!(
                loaded.sources.get(found.span.file).is_some(),
                "no file: {shown}"
            );
        }
    }
}

#[test]
fn there_is_a_broken_graph_for_every_code() {
    let catalogue = catalogue();
    let graphs = broken();
    assert!(graphs.len() >= 50, "only {} broken graphs", graphs.len());
    let found = graphs
        .iter()
        .flat_map(|path| loaded(path, &catalogue).diagnostics);
    let found: BTreeSet<_> = found.map(|diagnostic| diagnostic.code).collect();
    let tables = [
        paperflow::syntax::EXPLANATIONS,
        paperflow::graph::diagnostics::EXPLANATIONS,
    ]
    .concat();
    let missing: Vec<_> = tables
        .iter()
        .filter(|(code, ..)| !found.contains(code))
        .collect();
    assert!(missing.is_empty(), "no broken graph for {missing:?}");
}

#[test]
fn a_file_named_after_a_code_has_it() {
    let catalogue = catalogue();
    for path in broken() {
        let name = path.file_name().unwrap().to_string_lossy().to_uppercase();
        let Some(code) = name.starts_with('P').then(|| name[..5].to_owned()) else {
            continue;
        };
        let found = loaded(&path, &catalogue).diagnostics;
        assert!(
            found.iter().any(|diagnostic| diagnostic.code == code),
            "{name}: {found:?}"
        );
    }
}

/// What the command explains.
fn explained(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    let output = command.arg("explain").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The components of a text: in brackets behind a process, or in backticks.
fn components(text: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || "/-".contains(letter);
    let starts = text.match_indices(['(', '`']).map(|(at, _)| at + 1);
    let names = starts.map(|start| {
        let rest = &text[start..];
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        (&rest[..end], rest[end..].chars().next())
    });
    let whole = names.filter(|(_, next)| next.is_some_and(|next| "):` ".contains(next)));
    let is_name = |name: &&str| {
        let mut parts = name.split('/');
        parts.clone().count() == 2 && parts.all(|part| !part.is_empty())
    };
    whole.map(|(name, _)| name).filter(is_name).collect()
}

#[test]
fn components_are_found_in_an_explanation() {
    let text = "A(flow/pass) OUT -> B (a/b) C(x/y:k=v) `e/f` (g/h OUT `IN/X` (mission B1) (SubIn)";
    assert_eq!(components(text), ["flow/pass", "a/b", "x/y", "e/f", "g/h"]);
}

/// Unless it is about components that do not.
#[test]
fn every_component_of_an_explanation_exists() {
    let catalogue = describe(&standard());
    let all = explained(&[]);
    let codes = all.lines().filter_map(|line| line.split_once(' '));
    let mut number = 0;
    for (code, _) in codes.filter(|(code, _)| *code != "P0201") {
        let text = explained(&[code]);
        for name in components(&text) {
            number += 1;
            assert!(catalogue.find(name).is_some(), "{code} shows {name}");
        }
    }
    assert!(number > 40, "only {number} components are shown");
}

/// Damaged graphs that each verb is to survive.
const MUTATIONS: usize = 10_000;

/// A generator of numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    /// A piece of one text in place of a piece of another, or a sign that means something.
    fn damage(&mut self, text: &str, other: &str) -> String {
        const SIGNS: [&str; 18] = [
            "'", "\"", "(", ")", "[", "]", "->", "=>", ":", ";", ",", "\\", "\n", "*", "#", "{",
            "ä", "\u{2028}",
        ];
        let letters: Vec<char> = text.chars().collect();
        let start = self.below(letters.len() + 1);
        let end = (start + self.below(12)).min(letters.len());
        let piece: String = match self.below(3) {
            0 => String::new(),
            1 => SIGNS[self.below(SIGNS.len())].into(),
            _ => other
                .chars()
                .skip(self.below(other.chars().count()))
                .take(self.below(30))
                .collect(),
        };
        letters[..start].iter().collect::<String>()
            + &piece
            + &letters[end..].iter().collect::<String>()
    }
}

/// What `check`, `fmt`, `graph` and `explain` do with a text.
fn survive(path: &Path, text: &str, catalogue: &Catalogue) {
    let loaded = load_text(path, text.to_owned(), catalogue);
    assert!(loaded.diagnostics.is_empty() || !loaded.report().is_empty());
    drop((to_dot(&loaded.plan), to_mermaid(&loaded.plan)));
    let mut sources = Sources::new();
    let file = sources.add(path, text);
    let graph = match path.extension().is_some_and(|ending| ending == "json") {
        true => from_json(text, file).0,
        false => {
            parse(
                &sources,
                file,
                Options {
                    lowercase_ports: true,
                },
            )
            .graph
        }
    };
    drop((print(&graph), print_upstream(&graph), format(text).text));
    drop((
        to_json_text(&graph, JsonOptions::default()),
        to_json_lossless(&graph, text),
    ));
}

#[test]
fn no_damaged_graph_stops_a_verb() {
    let catalogue = catalogue();
    let mut graphs = broken();
    graphs.retain(|path| !path.to_string_lossy().contains("p0213-"));
    graphs.extend(
        [
            "graphs/order-flow/order-flow.fbp",
            "graphs/order-flow/order-food.fbp",
        ]
        .map(PathBuf::from),
    );
    let texts: Vec<_> = graphs
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut dice = Dice(0x5eed_f10a_7e57_ab1e);
    for round in 0..MUTATIONS {
        let at = round % graphs.len();
        let mut text = texts[at].clone();
        for _ in 0..=dice.below(4) {
            let other = dice.below(texts.len());
            text = dice.damage(&text, &texts[other]);
        }
        survive(&graphs[at], &text, &catalogue);
    }
}
