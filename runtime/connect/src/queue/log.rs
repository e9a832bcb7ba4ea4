//! The log of a queue: its last deliveries, and what became of them.

use std::sync::Arc;

use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;
use rusqlite::params;

use crate::admin::Logged;
use crate::fault::damaged;
use crate::queue::Queue;
use crate::writer::Tx;

/// Deliveries of a queue that the log keeps at least.
const KEPT: i64 = 10_000;

/// A delivery that was settled.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) id: Id,
    pub(super) attempt: u32,
    pub(super) bytes: u64,
    pub(super) micros: i64,
    pub(super) age: i64,
    pub(super) consumer: Arc<str>,
    pub(super) status: &'static str,
    pub(super) error: Option<String>,
}

impl Queue {
    /// Writes lines, in one row, and forgets those that are kept no longer.
    pub(super) fn log<'a>(
        &self,
        tx: &Tx<'_>,
        lines: impl ExactSizeIterator<Item = &'a Line>,
    ) -> Result<(), StoreFault> {
        let last = {
            let mut live = self.live.lock();
            live.logged += i64::try_from(lines.len()).unwrap_or_default();
            live.logged
        };
        let written = |line: &'a Line| {
            let (consumer, error) = (&*line.consumer, line.error.as_deref());
            let times = (line.micros, line.age);
            let (at, id, bytes) = (line.at, line.id.to_string(), line.bytes);
            (
                at,
                id,
                line.attempt,
                bytes,
                times.0,
                times.1,
                consumer,
                line.status,
                error,
            )
        };
        let lines: Vec<_> = lines.map(written).collect();
        let lines = serde_json::to_string(&lines).map_err(|error| damaged(error.to_string()))?;
        let (first, _) = self.range();
        tx.execute(
            "INSERT INTO log VALUES (?, ?)",
            params![first + last, lines],
        )?;
        let sql = "DELETE FROM log WHERE slot >= ? AND slot <= ?";
        tx.execute(sql, [first, first + last - KEPT])?;
        let sql = "UPDATE connectors SET logged = ? WHERE number = ?";
        tx.execute(sql, [last, self.number])?;
        Ok(())
    }
}

/// A line, as it is written.
type Written = (
    i64,
    String,
    u32,
    u64,
    u64,
    u64,
    String,
    String,
    Option<String>,
);

/// The lines of a connector of this number, the newest first, as long as the reader wants more of them.
pub(crate) fn read(
    tx: &Tx<'_>,
    (number, connector): (i64, &str),
    mut read: impl FnMut(Logged) -> bool,
) -> Result<(), StoreFault> {
    let mut left = KEPT;
    let mut wrong = None;
    let sql = "SELECT lines FROM log WHERE slot >= ? AND slot < ? ORDER BY slot DESC";
    let range = (number << 40, (number + 1) << 40);
    tx.rows(sql, range, |row| {
        let text = row.get_ref(0)?.as_str()?;
        let lines: Vec<Written> = match serde_json::from_str(text) {
            Ok(lines) => lines,
            Err(error) => {
                wrong = Some(damaged(format!("a log: {error}")));
                return Ok(false);
            }
        };
        for line in lines.into_iter().rev() {
            left -= 1;
            if left < 0 || !read(logged(connector, line)) {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    wrong.map_or(Ok(()), Err)
}

fn logged(connector: &str, line: Written) -> Logged {
    let (at, id, attempt, bytes, micros, age_millis, consumer, status, error) = line;
    Logged {
        at,
        connector: connector.to_owned(),
        id,
        attempt,
        bytes,
        micros,
        age_millis,
        consumer,
        status,
        error,
    }
}
