//! What a process keeps: tables, and what it has handled.

use std::collections::HashSet;
use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Desk, Handled, StoreFault, Work};
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::fault::damaged;
use crate::writer::{Keeper, Safe, Tx};

/// Most ids of handled messages that are kept in memory for a process; 16 bytes each.
const MOST: usize = 1 << 20;

/// The desk of one process.
pub(crate) struct Drawer {
    keeper: Arc<Keeper>,
    process: String,
    /// All that it has handled, so that a message which is new need not be looked for; nothing when that
    /// is too much.
    known: Mutex<Option<HashSet<Id>>>,
}

impl Drawer {
    /// The desk of a process, with what it knows from earlier runs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn open(keeper: Arc<Keeper>, process: &str) -> Result<Self, StoreFault> {
        let process = process.to_owned();
        let of = process.clone();
        let known = keeper
            .orders
            .call(Safe::FromCrash, move |tx| known(tx, &of))?;
        let known = Mutex::new(known);
        Ok(Self {
            keeper,
            process,
            known,
        })
    }

    fn is_new(&self, id: Id) -> bool {
        let known = self.known.lock();
        known.as_ref().is_some_and(|known| !known.contains(&id))
    }

    fn learn(&self, work: &Work) {
        let mut all = self.known.lock();
        if let Some(known) = &mut *all {
            known.extend(work.handled.iter().map(|handled| handled.id));
            if known.len() > MOST {
                *all = None;
            }
        }
    }
}

fn known(tx: &mut Tx<'_>, process: &str) -> Result<Option<HashSet<Id>>, StoreFault> {
    let mut known = HashSet::new();
    let sql = "SELECT id FROM inbox WHERE process = ?";
    tx.rows(sql, [process], |row| {
        known.insert(Id::from_bytes(row.get(0)?));
        Ok(known.len() <= MOST)
    })?;
    Ok((known.len() <= MOST).then_some(known))
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
        if self.is_new(id) {
            return Ok(None);
        }
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
        let handled = handled.map(|one| Ok((one.id, one.own, outputs(&one.sent)?)));
        let handled = handled.collect::<Result<Vec<_>, StoreFault>>()?;
        let committed = self.keeper.orders.call(Safe::FromPowerCut, move |tx| {
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
        });
        committed?;
        self.learn(work);
        Ok(())
    }

    fn owed(&self) -> Result<Vec<Handled>, StoreFault> {
        let process = self.process.clone();
        let rows = self.keeper.orders.call(Safe::FromCrash, move |tx| {
            let mut rows: Vec<([u8; 16], String)> = Vec::new();
            let sql = "SELECT id, outputs FROM inbox WHERE process = ? AND own ORDER BY at";
            tx.rows(sql, [process], |row| {
                rows.push((row.get(0)?, row.get(1)?));
                Ok(true)
            })?;
            Ok(rows)
        })?;
        let owed = rows.into_iter().map(|(id, outputs)| {
            Ok(Handled {
                id: Id::from_bytes(id),
                sent: sent(&outputs)?,
                own: true,
            })
        });
        owed.collect()
    }

    fn paid(&self, id: Id) {
        let process = self.process.clone();
        self.keeper.orders.later(move |tx| {
            let sql = "UPDATE inbox SET own = 0, outputs = '[]' WHERE process = ? AND id = ?";
            tx.execute(sql, params![process, id.to_bytes()])?;
            Ok(())
        });
    }
}

fn handle(tx: &Tx<'_>, process: &str, handled: &[(Id, bool, String)]) -> Result<(), StoreFault> {
    let at = millis(tx.opened.clock.wall());
    let sql = "INSERT OR REPLACE INTO inbox VALUES (?, ?, ?, ?, ?)";
    for (id, own, outputs) in handled {
        tx.execute(sql, params![process, id.to_bytes(), at, own, outputs])?;
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
