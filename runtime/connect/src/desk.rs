//! What a process keeps: tables, and what it has handled.

use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Desk, StoreFault, Work};
use paperflow_core::message::{Id, Message};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::fault::damaged;
use crate::writer::{Keeper, Safe, Tx};

/// The desk of one process.
pub(crate) struct Drawer {
    keeper: Arc<Keeper>,
    process: String,
}

impl Drawer {
    pub(crate) fn new(keeper: Arc<Keeper>, process: &str) -> Self {
        let process = process.to_owned();
        Self { keeper, process }
    }
}

impl Desk for Drawer {
    fn rows(&self, table: &str) -> Result<Vec<(String, String)>, StoreFault> {
        let (process, table) = (self.process.clone(), table.to_owned());
        self.keeper.orders.call(Safe::FromCrash, move |tx| {
            let mut found = Vec::new();
            let sql = "SELECT key, row FROM entries WHERE process = ? AND tbl = ?";
            tx.rows(sql, [process, table], |row| {
                found.push((row.get(0)?, row.get(1)?));
                Ok(true)
            })?;
            Ok(found)
        })
    }

    fn handled(&self, id: Id) -> Result<Option<Vec<(usize, Message)>>, StoreFault> {
        let process = self.process.clone();
        let outputs = self.keeper.orders.call(Safe::FromCrash, move |tx| {
            let sql = "SELECT outputs FROM inbox WHERE process = ? AND id = ?";
            tx.row(sql, params![process, id.to_bytes()], |row| row.get(0))
        })?;
        outputs.map(|outputs: String| sent(&outputs)).transpose()
    }

    fn commit(&self, work: &Work) -> Result<(), StoreFault> {
        let (process, rows) = (self.process.clone(), work.rows.clone());
        let handled = work.handled.iter();
        let handled = handled.map(|handled| Ok((handled.id, outputs(&handled.sent)?)));
        let handled = handled.collect::<Result<Vec<_>, StoreFault>>()?;
        self.keeper.orders.call(Safe::FromPowerCut, move |tx| {
            for row in &rows {
                match &row.row {
                    Some(text) => tx.execute(
                        "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
                        params![process, row.table, row.key, text],
                    )?,
                    None => tx.execute(
                        "DELETE FROM entries WHERE process = ? AND tbl = ? AND key = ?",
                        params![process, row.table, row.key],
                    )?,
                };
            }
            handle(tx, &process, &handled)
        })
    }
}

fn handle(tx: &Tx<'_>, process: &str, handled: &[(Id, String)]) -> Result<(), StoreFault> {
    let at = millis(tx.opened.clock.wall());
    let sql = "INSERT OR REPLACE INTO inbox VALUES (?, ?, ?, ?)";
    for (id, outputs) in handled {
        tx.execute(sql, params![process, id.to_bytes(), at, outputs])?;
    }
    Ok(())
}

/// A message that followed, as it is kept in the inbox.
#[derive(Serialize, Deserialize)]
struct Output {
    port: usize,
    id: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// A body that is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<u8>>,
}

fn outputs(sent: &[(usize, Message)]) -> Result<String, StoreFault> {
    let output = |(port, message): &(usize, Message)| {
        let body = message.body()?;
        let (text, bytes) = match String::from_utf8(body) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(error.into_bytes())),
        };
        Ok(Output {
            port: *port,
            id: message.id.to_string(),
            kind: message.kind_word().to_owned(),
            headers: message.headers.written(),
            text,
            bytes,
        })
    };
    let outputs: Result<Vec<_>, serde_json::Error> = sent.iter().map(output).collect();
    let text = outputs.and_then(|outputs| serde_json::to_string(&outputs));
    text.map_err(|error| damaged(error.to_string()))
}

fn sent(outputs: &str) -> Result<Vec<(usize, Message)>, StoreFault> {
    let outputs: Vec<Output> =
        serde_json::from_str(outputs).map_err(|error| damaged(format!("an inbox: {error}")))?;
    outputs.into_iter().map(message).collect()
}

fn message(output: Output) -> Result<(usize, Message), StoreFault> {
    let body = output.bytes.or(output.text.map(String::into_bytes));
    let parts = Message::parts_of(&output.kind, body.unwrap_or_default());
    let parts = parts.map_err(|error| damaged(format!("an inbox: {error}")))?;
    let id = output.id.parse();
    let id = id.map_err(|error| damaged(format!("an inbox: {error}")))?;
    let headers = output.headers;
    Ok((output.port, Message { id, headers, parts }))
}
