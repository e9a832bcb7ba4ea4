//! `capabilities`: what queues, streams and publish-subscribe are for, and which store can do what.

use std::fmt::Write;

use paperflow_graph::capabilities::{Can, KINDS, MESSAGES, Mark, Row, SERVICES, STORES, mark};
use serde_json::{Map, Value as Json, json};

use super::exit::{Exit, Failure};
use super::out;

/// Shows what queues, streams and pubsub are for, and which store can do what.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow capabilities")]
pub(super) struct Args {
    /// Print them as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args) -> Result<Exit, Failure> {
    out::print(&if args.json { as_json() } else { as_text() })?;
    Ok(Exit::Fine)
}

/// The tables of the course, with their titles.
const TABLES: [(&str, &[Row]); 2] = [
    ("What belongs where", &MESSAGES),
    ("What is to be had", &SERVICES),
];

/// How wide a column is.
const WIDTH: usize = 18;

fn as_text() -> String {
    let mut text = String::new();
    for (title, rows) in TABLES {
        text.push_str(&line(title, &KINDS.map(|kind| kind.to_string())));
        let mut notes = Vec::new();
        for row in rows {
            let words = KINDS.map(|kind| String::from(mark(row, kind).word()));
            text.push_str(&line(row.name, &words));
            notes.extend(conditions(row));
        }
        for note in notes {
            let _ = writeln!(text, "  {note}");
        }
        text.push('\n');
    }
    text.push_str(&line(
        "What stores can do",
        &KINDS.map(|kind| kind.to_string()),
    ));
    for store in &STORES {
        for (at, part) in parts(store.can).iter().enumerate() {
            let name = if at == 0 { store.name } else { "" };
            text.push_str(&line(name, part));
        }
    }
    text
}

fn line(first: &str, rest: &[String; 3]) -> String {
    let rest: String = rest.iter().map(|word| format!("{word:WIDTH$}")).collect();
    format!("{first:20}{}\n", rest.trim_end())
}

/// What `sometimes` means in a row.
fn conditions(row: &Row) -> Vec<String> {
    let conditions = KINDS.iter().filter_map(|kind| match mark(row, *kind) {
        Mark::Sometimes(condition) => Some(format!("{} of a {kind}: {condition}", row.name)),
        Mark::Yes | Mark::No => None,
    });
    conditions.collect()
}

/// What a store can do with each kind, one word on each line.
fn parts(can: [Option<Can>; 3]) -> Vec<[String; 3]> {
    let columns = can.map(|can| match can {
        None => vec!["-"],
        Some(can) => words(can)
            .into_iter()
            .filter(|(_, can)| *can)
            .map(|(word, _)| word)
            .collect(),
    });
    let most = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let cell =
        |column: &Vec<&str>, at: usize| String::from(column.get(at).copied().unwrap_or_default());
    (0..most)
        .map(|at| columns.each_ref().map(|column| cell(column, at)))
        .collect()
}

/// Everything that a store may be able to do.
fn words(can: Can) -> [(&'static str, bool); 7] {
    [
        ("ordering", can.orders),
        ("replay", can.replays),
        ("delay", can.delays),
        ("known ids", can.knows_ids),
        ("transactions", can.transactions),
        ("retained", can.retains),
        ("keeps so many", can.counts),
    ]
}

fn as_json() -> String {
    let table = |rows: &[Row]| {
        let rows = rows.iter().map(|row| {
            let marks = KINDS.map(|kind| (kind.to_string(), json!(mark(row, kind).word())));
            (String::from(row.name), Json::Object(Map::from_iter(marks)))
        });
        Json::Object(rows.collect())
    };
    let stores = STORES.iter().map(|store| {
        let kinds = KINDS.iter().zip(store.can).map(|(kind, can)| {
            let can = can.map(|can| {
                let words = words(can).map(|(word, can)| (String::from(word), json!(can)));
                Json::Object(Map::from_iter(words))
            });
            (kind.to_string(), json!(can))
        });
        (String::from(store.name), Json::Object(kinds.collect()))
    });
    let all = json!({
        "messages": table(&MESSAGES),
        "services": table(&SERVICES),
        "stores": Json::Object(stores.collect()),
    });
    format!("{all:#}\n")
}
