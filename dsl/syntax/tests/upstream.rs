//! Texts that npm `fbp` 1.8.0 reads mean the same here, and graphs print as it prints them.
//!
//! The fixtures were written by that parser: for each text the graph with the case of ports kept and
//! lowered, and what its serializer makes of both.

use std::fs;
use std::path::{Path, PathBuf};

use paperflow_graph::json::{JsonOptions, from_json, to_json};
use paperflow_graph::{FileId, Graph, Sources};
use paperflow_syntax::{Options, Parsed, format, parse, print_upstream};
use serde_json::Value;

fn fixtures(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let entries = fs::read_dir(&folder).expect("the folder exists");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    assert!(!paths.is_empty(), "no fixtures in {}", folder.display());
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("readable")
}

fn parsed(text: &str, lowercase_ports: bool) -> Parsed {
    let mut sources = Sources::new();
    let file = sources.add("fixture.fbp", text);
    parse(&sources, file, Options { lowercase_ports })
}

/// The graph in upstream's shape, without what only Paperflow's texts have.
fn shape(graph: &Graph) -> Value {
    to_json(graph, JsonOptions::default())
}

#[test]
fn every_text_means_what_it_means_upstream() {
    for path in fixtures("upstream", "fbp") {
        let text = read(&path);
        let expected: Value =
            serde_json::from_str(&read(&path.with_extension("json"))).expect("JSON");
        for (mode, lowercase_ports) in [("kept", false), ("lower", true)] {
            let found = parsed(&text, lowercase_ports);
            assert_eq!(found.diagnostics, [], "{}: {text}", path.display());
            let (found, expected) = (shape(&found.graph), &expected[mode]);
            assert_eq!(
                found.to_string(),
                expected.to_string(),
                "{} {mode}",
                path.display()
            );
        }
    }
}

#[test]
fn formatting_an_upstream_text_keeps_its_meaning() {
    for path in fixtures("upstream", "fbp") {
        let text = read(&path);
        let once = format(&text).text;
        assert_eq!(format(&once).text, once, "{}", path.display());
        let (before, after) = (parsed(&text, false), parsed(&once, false));
        assert_eq!(after.diagnostics, [], "{}: {once}", path.display());
        assert_eq!(
            shape(&before.graph),
            shape(&after.graph),
            "{}",
            path.display()
        );
    }
}

#[test]
fn graphs_from_text_print_as_upstream_prints_them() {
    for path in fixtures("upstream", "fbp") {
        let expected: Value =
            serde_json::from_str(&read(&path.with_extension("json"))).expect("JSON");
        for (mode, lowercase_ports) in [("kept", false), ("lower", true)] {
            let Some(printed) = expected["printed"][mode].as_str() else {
                continue;
            };
            let graph = parsed(&read(&path), lowercase_ports).graph;
            assert_eq!(print_upstream(&graph), printed, "{} {mode}", path.display());
        }
    }
}

#[test]
fn graphs_from_json_print_as_upstream_prints_them() {
    for path in fixtures("printed", "json") {
        let (graph, problems) = from_json(&read(&path), FileId::default());
        assert_eq!(problems, [], "{}", path.display());
        let expected = read(&path.with_extension("txt"));
        assert_eq!(print_upstream(&graph), expected, "{}", path.display());
    }
}
