//! What the ledger found, as a table.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::cells::{Outcome, Passed};
use crate::rows::{ROWS, Reason, Row};
use crate::scene::Connector;

/// What came of a row for a connector.
pub(crate) struct Cell {
    pub(crate) row: &'static Row,
    pub(crate) connector: Connector,
    pub(crate) outcome: Outcome,
}

impl Cell {
    pub(crate) const fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// Why nothing was run.
    const fn reason(&self) -> Option<Reason> {
        match self.outcome {
            Outcome::NotApplicable(reason) => Some(reason),
            _ => None,
        }
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match &self.outcome {
            Outcome::Passed(passed) => words(passed),
            Outcome::NotApplicable(_) => String::from("not applicable"),
            Outcome::Failed(why) => format!("FAILED: {why}"),
        }
    }

    pub(crate) fn json(&self) -> Json {
        let mut cell = json!({
            "row": self.row.name,
            "fault": self.row.fault,
            "connector": self.connector.word(),
        });
        match &self.outcome {
            Outcome::Passed(passed) => {
                cell["outcome"] = json!("passed");
                cell["kills"] = json!(passed.kills);
                cell["duplicates"] = json!(passed.duplicates);
                cell["repeated_effects"] = json!(passed.repeated);
                cell["note"] = json!(passed.note);
            }
            Outcome::NotApplicable(Reason { reason, link }) => {
                cell["outcome"] = json!("not applicable");
                cell["reason"] = json!(reason);
                cell["link"] = json!(link);
            }
            Outcome::Failed(why) => {
                cell["outcome"] = json!("failed");
                cell["why"] = json!(why);
            }
        }
        cell
    }
}

fn words(passed: &Passed) -> String {
    let Passed {
        duplicates,
        repeated,
        note,
        ..
    } = passed;
    let mut words = format!("passed, {duplicates} dup");
    if *repeated > 0 {
        let _ = write!(words, ", {repeated} effects again");
    }
    if !note.is_empty() {
        let _ = write!(words, "; {note}");
    }
    words
}

/// A line for each row and a column for each connector for which there is something to run, and below why
/// there is nothing for others.
pub(crate) fn markdown(cells: &[Cell]) -> String {
    let is_run = |cell: &&Cell| !matches!(cell.outcome, Outcome::NotApplicable(_));
    let connectors = distinct(cells.iter().filter(is_run).map(|cell| cell.connector));
    let reasons: BTreeSet<Reason> = cells.iter().filter_map(Cell::reason).collect();
    let reasons: Vec<Reason> = reasons.into_iter().collect();
    let mark = |cell: &Cell| {
        let reason = cell.reason()?;
        let at = reasons.iter().position(|own| *own == reason)?;
        Some(letter(at))
    };
    let mut text = String::from("| | fault |");
    for connector in &connectors {
        let _ = write!(text, " {} |", connector.word());
    }
    let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(connectors.len()));
    for row in rows(cells) {
        let _ = write!(text, "| {} | {} |", row.name, row.fault);
        for connector in &connectors {
            let mut own = cells.iter();
            let cell = own.find(|cell| cell.row.name == row.name && cell.connector == *connector);
            let words = cell.map_or_else(String::new, |cell| match mark(cell) {
                Some(letter) => format!("not applicable ({letter})"),
                None => cell.words(),
            });
            let _ = write!(text, " {words} |");
        }
        text.push('\n');
    }
    for (at, reason) in reasons.iter().enumerate() {
        let own = cells.iter().filter(|cell| cell.reason() == Some(*reason));
        let whose = distinct(own.map(|cell| cell.connector));
        let whose: Vec<String> = whose.into_iter().map(Connector::word).collect();
        let Reason { reason, link } = reason;
        let _ = write!(
            text,
            "\n({}) {}: {reason} ([{link}](../../{link})).\n",
            letter(at),
            whose.join(", ")
        );
    }
    text
}

/// The rows that were run, in their order.
fn rows(cells: &[Cell]) -> impl Iterator<Item = &'static Row> {
    let is_run = |row: &&Row| cells.iter().any(|cell| cell.row.name == row.name);
    ROWS.iter().filter(is_run)
}

fn letter(at: usize) -> char {
    ('a'..='z').nth(at).unwrap_or('z')
}

/// Each once, in their order.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}
