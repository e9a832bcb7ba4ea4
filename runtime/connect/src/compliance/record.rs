//! What the suite found, as files and as the page of all stores: `tests/COMPLIANCE.md`.
//!
//! Whoever runs the suite for a store says so by [`recorded`], which compares what was left out with what
//! the last run wrote down; all else holds, or the run has failed. With the variable `PAPERFLOW_RECORD` it
//! is written down anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use paperflow_core::connector::ConnectorKind;

use super::Case;

const VARIABLE: &str = "PAPERFLOW_RECORD";

/// Whether it was set when this was built: no library reads the environment.
const IS_WRITTEN: bool = option_env!("PAPERFLOW_RECORD").is_some();

/// What a line of a case that is left out begins with.
pub(super) const LEFT_OUT: &str = "left out  ";

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn file(store: &str, kind: ConnectorKind) -> PathBuf {
    tests()
        .join("compliance")
        .join(format!("{store}-{kind}.txt"))
}

/// What [`check`](super::check) left out for a store is what `tests/compliance` has of it.
///
/// # Panics
/// It is something else.
pub fn recorded(store: &str, kind: ConnectorKind, lines: &[String]) {
    let left_out = lines.iter().filter_map(|line| line.strip_prefix(LEFT_OUT));
    let left_out: String = left_out.map(|line| format!("{line}\n")).collect();
    is_current(&file(store, kind), &left_out);
}

/// A file has this text, or gets it when everything is to be written down anew.
fn is_current(file: &Path, text: &str) {
    if IS_WRITTEN {
        fs::write(file, text).unwrap();
    }
    let known = fs::read_to_string(file).unwrap_or_default();
    assert!(
        known == text,
        "{} is not current; {VARIABLE}=1 in front of this test writes it:\n{text}",
        file.display()
    );
}

/// The page has what is written down of these stores.
///
/// # Panics
/// It has something else.
pub fn page_is_current(stores: &[&str], suites: &[(ConnectorKind, Vec<Case>)]) {
    let mut text = String::from(HEADING);
    let mut reasons = Vec::new();
    for (kind, cases) in suites {
        let columns = stores.iter().filter_map(|store| {
            let text = fs::read_to_string(file(store, *kind)).ok()?;
            Some((*store, text))
        });
        let columns: Vec<(&str, String)> = columns.collect();
        let names: Vec<&str> = columns.iter().map(|(store, _)| *store).collect();
        let _ = write!(
            text,
            "\n## {kind}\n\n| case | {} |\n|---|{}\n",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for (case, _) in cases {
            let cells = columns
                .iter()
                .map(|(_, text)| match left_out(text, cases).get(case) {
                    None => String::from("holds"),
                    Some(reason) => format!("left out ({})", number(&mut reasons, reason)),
                });
            let cells: Vec<String> = cells.collect();
            let case = case.replace('_', " ");
            let _ = writeln!(text, "| {case} | {} |", cells.join(" | "));
        }
    }
    text.push_str("\n## Why\n\n");
    for (at, reason) in reasons.iter().enumerate() {
        let _ = writeln!(text, "{}. {reason}", at + 1);
    }
    is_current(&tests().join("COMPLIANCE.md"), &text);
}

/// Where a reason stands among those that were met before; the first is number 1.
fn number(reasons: &mut Vec<String>, reason: &str) -> usize {
    let known = reasons.iter().position(|known| known == reason);
    let at = known.unwrap_or_else(|| {
        reasons.push(reason.to_owned());
        reasons.len() - 1
    });
    at + 1
}

/// By the name of a case, why it was left out.
fn left_out<'a>(text: &'a str, cases: &[Case]) -> BTreeMap<&'static str, &'a str> {
    let found = |case: &'static str| {
        let mut lines = text.lines();
        let reason = lines.find_map(|line| line.strip_prefix(case)?.strip_prefix(": "))?;
        Some((case, reason))
    };
    cases.iter().filter_map(|(case, _)| found(case)).collect()
}

const HEADING: &str = "\
# What every store promises

Written by `PAPERFLOW_RECORD=1 cargo test -p paperflow-connect --test compliance` from what the suite in
`runtime/connect/src/compliance` leaves out for each store, as its runs have written it down in `tests/compliance`;
do not edit. A case that cannot apply to a store is left out by its name, with the reason; nothing else is, and a run
in which anything else does not hold fails.
A kind that a broker cannot keep has no column for it: `check` refuses it.
";
