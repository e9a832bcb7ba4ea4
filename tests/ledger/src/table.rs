//! What the ledger found, as a table.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::cells::{Outcome, Passed};
use crate::rows::Row;
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

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match &self.outcome {
            Outcome::Passed(passed) => words(passed),
            Outcome::NotApplicable { .. } => String::from("not applicable"),
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
            Outcome::NotApplicable { reason, link } => {
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

/// A line for each row and a column for each connector, and below why some have no meaning.
pub(crate) fn markdown(cells: &[Cell]) -> String {
    let mut lines: BTreeMap<usize, (&Row, Vec<&Cell>)> = BTreeMap::new();
    let mut connectors: Vec<Connector> = Vec::new();
    for cell in cells {
        let at = crate::rows::ROWS
            .iter()
            .position(|row| row.name == cell.row.name);
        let line = lines.entry(at.unwrap_or_default());
        line.or_insert((cell.row, Vec::new())).1.push(cell);
        if !connectors.contains(&cell.connector) {
            connectors.push(cell.connector);
        }
    }
    let mut text = String::from("| | fault |");
    connectors.iter().for_each(|connector| {
        let _ = write!(text, " {} |", connector.word());
    });
    let _ = write!(text, "\n|---|---|{}\n", "---|".repeat(connectors.len()));
    for (row, cells) in lines.values() {
        let _ = write!(text, "| {} | {} |", row.name, row.fault);
        for connector in &connectors {
            let cell = cells.iter().find(|cell| cell.connector == *connector);
            let _ = write!(
                text,
                " {} |",
                cell.map_or_else(String::new, |cell| cell.words())
            );
        }
        text.push('\n');
    }
    text + &reasons(cells)
}

fn reasons(cells: &[Cell]) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for cell in cells {
        if let Outcome::NotApplicable { reason, link } = &cell.outcome {
            let known = reasons.entry((reason, link)).or_default();
            known.push(cell.connector.word());
        }
    }
    let mut text = String::new();
    for ((reason, link), mut connectors) in reasons {
        connectors.dedup();
        let _ = write!(
            text,
            "\nNot applicable to {}: {reason} ({link}).\n",
            connectors.join(", ")
        );
    }
    text
}
