//! What a process keeps: tables, and what it has handled.

use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Desk, Handled, Row, StoreFault, Work};
use paperflow_core::message::{Id, Message};
use parking_lot::Mutex;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::fault::damaged;
use crate::seen::Ids;
use crate::writer::{Keeper, Safe, Tx};

/// The desk of one process.
pub(crate) struct Drawer {
    keeper: Arc<Keeper>,
    process: String,
    known: Arc<Mutex<Known>>,
}

/// Packets that a process has handled, as far as they are in memory.
struct Known {
    ids: Ids,
    /// All of them are.
    is_all: bool,
}

/// Ids of handled packets that are kept in memory.
const KNOWN: usize = 1 << 18;

impl Known {
    fn load(tx: &Tx<'_>, process: &str) -> Result<Self, StoreFault> {
        let mut known = Self {
            ids: Ids::default(),
            is_all: true,
        };
        let sql = "SELECT id FROM inbox WHERE process = ? LIMIT ?";
        tx.rows(sql, params![process, KNOWN + 1], |row| {
            known.add(Id::from_bytes(row.get(0)?));
            Ok(true)
        })?;
        Ok(known)
    }

    fn add(&mut self, id: Id) {
        if self.ids.len() < KNOWN {
            self.ids.insert(id);
        } else {
            self.is_all = false;
        }
    }

    fn may_have(&self, id: Id) -> bool {
        !self.is_all || self.ids.contains(&id)
    }
}

/// The desk of a process, by the name of the graph and its address.
///
/// # Errors
/// It cannot be read.
pub(crate) fn open(keeper: &Arc<Keeper>, process: &str) -> Result<Drawer, StoreFault> {
    let name = process.to_owned();
    let load = move |tx: &mut Tx<'_>| Known::load(tx, &name);
    let known = keeper.orders.call(Safe::FromCrash, load)?;
    Ok(Drawer {
        keeper: Arc::clone(keeper),
        process: process.to_owned(),
        known: Arc::new(Mutex::new(known)),
    })
}

impl Drawer {
    /// What was handled, or sent of its own accord, as a question finds it.
    fn found(&self, sql: &'static str, own: bool) -> Result<Vec<Handled>, StoreFault> {
        let process = self.process.clone();
        let found: Vec<([u8; 16], String)> =
            self.keeper.orders.call(Safe::FromCrash, move |tx| {
                let mut found = Vec::new();
                tx.rows(sql, [process], |row| {
                    found.push((row.get(0)?, row.get(1)?));
                    Ok(true)
                })?;
                Ok(found)
            })?;
        let handled = |(id, outputs): ([u8; 16], String)| {
            Ok(Handled {
                id: Id::from_bytes(id),
                sent: sent(&outputs)?,
                own,
            })
        };
        found.into_iter().map(handled).collect()
    }

    /// Changes what is kept of an id.
    fn later(&self, sql: &'static str, id: Id) {
        let process = self.process.clone();
        self.keeper.orders.later(move |tx| {
            tx.execute(sql, params![process, id.to_bytes()])?;
            Ok(())
        });
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
        if !self.known.lock().may_have(id) {
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
        let process = self.process.clone();
        let rows = work.rows.clone();
        let notes = work.handled.iter().map(Note::new);
        let notes = notes.collect::<Result<Vec<_>, StoreFault>>()?;
        let known = Arc::clone(&self.known);
        self.keeper.orders.call(Safe::FromPowerCut, move |tx| {
            rows.iter()
                .try_for_each(|row| write_row(tx, &process, row))?;
            notes.iter().try_for_each(|note| note.write(tx, &process))?;
            tx.then(move |is_safe| {
                let mut known = known.lock();
                let handled = notes.iter().filter(|note| is_safe && !note.is_own);
                handled.for_each(|note| known.add(note.id));
            });
            Ok(())
        })
    }

    fn owed(&self) -> Result<Vec<Handled>, StoreFault> {
        self.found(
            "SELECT id, outputs FROM owed WHERE process = ? ORDER BY turn",
            true,
        )
    }

    fn paid(&self, id: Id) {
        self.later("DELETE FROM owed WHERE process = ? AND id = ?", id);
    }

    fn on_its_way(&self) -> Result<Vec<Handled>, StoreFault> {
        let sql = "SELECT id, outputs FROM inbox WHERE process = ? AND outputs <> '[]' ORDER BY at";
        self.found(sql, false)
    }

    fn arrived(&self, id: Id) {
        self.later(
            "UPDATE inbox SET outputs = '[]' WHERE process = ? AND id = ?",
            id,
        );
    }
}

fn write_row(tx: &Tx<'_>, process: &str, row: &Row) -> Result<(), StoreFault> {
    let Row { table, key, row } = row;
    match row {
        Some(text) => tx.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
            params![process, table, key, text],
        )?,
        None => tx.execute(
            "DELETE FROM entries WHERE process = ? AND tbl = ? AND key = ?",
            params![process, table, key],
        )?,
    };
    Ok(())
}

/// What is remembered of a message that was handled.
struct Note {
    id: Id,
    outputs: String,
    is_own: bool,
}

impl Note {
    fn new(handled: &Handled) -> Result<Self, StoreFault> {
        Ok(Self {
            id: handled.id,
            outputs: outputs(&handled.sent)?,
            is_own: handled.own,
        })
    }

    fn write(&self, tx: &Tx<'_>, process: &str) -> Result<(), StoreFault> {
        let id = self.id.to_bytes();
        if self.is_own {
            let sql = "INSERT INTO owed (process, id, outputs) VALUES (?, ?, ?)";
            tx.execute(sql, params![process, id, self.outputs])?;
        } else {
            let at = millis(tx.opened.clock.wall());
            let sql = "INSERT OR REPLACE INTO inbox VALUES (?, ?, ?, ?)";
            tx.execute(sql, params![process, id, at, self.outputs])?;
        }
        Ok(())
    }
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
        let (text, bytes) = match String::from_utf8(body.into_owned()) {
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
