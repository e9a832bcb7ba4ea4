//! Graph JSON is, key by key and byte by byte, what the reference parser prints.
//!
//! Each fixture was printed by npm `fbp` 1.8.0 from the text beside it: `NAME.json` with
//! `--case-sensitive`, `NAME.lower.json` without.

use std::fs;
use std::path::Path;

use paperflow_graph::FileId;
use paperflow_graph::json::{JsonOptions, from_json, to_json_text};

/// Every fixture as name, JSON with case, JSON in small letters.
fn fixtures() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|found| found == "fbp"));
    let read = |path: &Path, ending: &str| fs::read_to_string(path.with_extension(ending)).unwrap();
    let fixture = |path: &Path| {
        let name = path.display().to_string();
        (name, read(path, "json"), read(path, "lower.json"))
    };
    texts.map(|path| fixture(&path)).collect()
}

#[test]
fn json_that_was_read_is_written_as_upstream_prints_it() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 12);
    for (name, cased, lower) in fixtures {
        for (text, options) in [
            (
                &cased,
                JsonOptions {
                    lowercase_ports: false,
                },
            ),
            (
                &cased,
                JsonOptions {
                    lowercase_ports: true,
                },
            ),
            (
                &lower,
                JsonOptions {
                    lowercase_ports: false,
                },
            ),
        ] {
            let (graph, diagnostics) = from_json(text, FileId(0));
            assert_eq!(diagnostics, [], "{name}");
            let lowered = options.lowercase_ports || *text == lower;
            let expected = if lowered { &lower } else { &cased };
            assert_eq!(to_json_text(&graph, options) + "\n", *expected, "{name}");
        }
    }
}
