//! Messages, as they are shown.

use std::collections::HashSet;

use paperflow_core::Headers;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;
use rusqlite::{Params, Row};

use crate::admin::Shown;
use crate::queue::Queue;
use crate::writer::Tx;

const COLUMNS: &str =
    "SELECT seq, id, kind, bytes, sent, attempts, due, headers, cause, body FROM messages";

/// The next messages of a queue.
pub(super) fn peek(tx: &Tx<'_>, queue: &Queue, most: usize) -> Result<Vec<Shown>, StoreFault> {
    let (first, end) = queue.range();
    let sql = format!("{COLUMNS} WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?");
    show(tx, queue, &sql, rusqlite::params![first, end, most])
}

/// Messages of a queue with this identity: one, or none.
pub(super) fn by_id(tx: &Tx<'_>, queue: &Queue, id: Id) -> Result<Vec<Shown>, StoreFault> {
    let (first, end) = queue.range();
    let sql = format!("{COLUMNS} WHERE seq >= ? AND seq < ? AND id = ?");
    show(
        tx,
        queue,
        &sql,
        rusqlite::params![first, end, id.to_bytes()],
    )
}

fn show(
    tx: &Tx<'_>,
    queue: &Queue,
    sql: &str,
    params: impl Params,
) -> Result<Vec<Shown>, StoreFault> {
    let (leased, mark) = {
        let live = queue.live.lock();
        let leased: HashSet<i64> = live.leased.values().map(|lease| lease.seq).collect();
        (leased, live.mark)
    };
    let mut shown = Vec::new();
    let now = queue.now();
    tx.rows(sql, params, |row| {
        let seq: i64 = row.get(0)?;
        let mut message = read(row)?;
        let is_delayed = message.due.is_some_and(|due| due > now);
        message.state = match (leased.contains(&seq), is_delayed) {
            (true, _) => "leased",
            (false, true) => "delayed",
            (false, false) => "ready",
        }
        .to_owned();
        let attempts: Option<u32> = row.get(5)?;
        message.attempts = attempts.unwrap_or(u32::from(seq <= mark));
        shown.push(message);
        Ok(true)
    })?;
    Ok(shown)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Shown> {
    let headers = |text: Option<String>| -> Headers {
        let read = text.map(|text| serde_json::from_str(&text));
        read.and_then(Result::ok).unwrap_or_default()
    };
    let body: Vec<u8> = row.get(9)?;
    let (body, body_hex) = match String::from_utf8(body) {
        Ok(text) => (Some(text), None),
        Err(error) => {
            let bytes = error.as_bytes().iter();
            (
                None,
                Some(bytes.map(|byte| format!("{byte:02x}")).collect()),
            )
        }
    };
    Ok(Shown {
        id: Id::from_bytes(row.get(1)?).to_string(),
        state: String::new(),
        attempts: 0,
        sent: row.get(4)?,
        due: row.get(6)?,
        kind: row.get(2)?,
        bytes: row.get(3)?,
        headers: headers(row.get(7)?),
        cause: headers(row.get(8)?),
        body,
        body_hex,
    })
}
