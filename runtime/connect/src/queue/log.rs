//! The log of a queue: its last deliveries, and what became of them.
//!
//! Those that are written together lie in one row, one behind the other, in a form that takes little time:
//! there is a line for each message.

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
    /// Milliseconds since it was sent.
    pub(super) age: i64,
    pub(super) consumer: Arc<str>,
    pub(super) status: &'static str,
    pub(super) error: Option<String>,
}

impl Line {
    /// The id, five numbers, and three texts with their lengths before them.
    fn write(&self, into: &mut Vec<u8>) {
        into.extend(self.id.to_bytes());
        let (at, attempt, bytes) = (self.at, i64::from(self.attempt), self.bytes.cast_signed());
        for number in [at, attempt, bytes, self.micros, self.age] {
            into.extend(number.to_le_bytes());
        }
        for text in [
            &self.consumer,
            self.status,
            self.error.as_deref().unwrap_or_default(),
        ] {
            // Addresses and shortened errors are not that long.
            into.extend((text.len() as u32).to_le_bytes());
            into.extend(text.as_bytes());
        }
    }
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
        let mut written = Vec::with_capacity(lines.len() * 128);
        lines.for_each(|line| line.write(&mut written));
        let (first, _) = self.range();
        tx.execute(
            "INSERT INTO log VALUES (?, ?)",
            params![first + last, written],
        )?;
        let sql = "DELETE FROM log WHERE slot >= ? AND slot <= ?";
        tx.execute(sql, [first, first + last - KEPT])?;
        let sql = "UPDATE connectors SET logged = ? WHERE number = ?";
        tx.execute(sql, [last, self.number])?;
        Ok(())
    }
}

/// The lines of a connector of this number, the newest first, as long as the reader wants more of them.
pub(crate) fn read(
    tx: &Tx<'_>,
    (number, connector): (i64, &str),
    mut read: impl FnMut(Logged) -> bool,
) -> Result<(), StoreFault> {
    let mut left = KEPT;
    let mut is_whole = true;
    let sql = "SELECT lines FROM log WHERE slot >= ? AND slot < ? ORDER BY slot DESC";
    let range = (number << 40, (number + 1) << 40);
    tx.rows(sql, range, |row| {
        let Some(lines) = lines(row.get_ref(0)?.as_blob()?, connector) else {
            is_whole = false;
            return Ok(false);
        };
        for line in lines.into_iter().rev() {
            left -= 1;
            if left < 0 || !read(line) {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    is_whole
        .then_some(())
        .ok_or_else(|| damaged(format!("the log of `{connector}` is not what was written")))
}

/// What [`Line::write`] wrote, line behind line; nothing if it is not that.
fn lines(mut written: &[u8], connector: &str) -> Option<Vec<Logged>> {
    let mut lines = Vec::new();
    while !written.is_empty() {
        lines.push(line(&mut written, connector)?);
    }
    Some(lines)
}

fn line(written: &mut &[u8], connector: &str) -> Option<Logged> {
    let id = Id::from_bytes(piece(written)?);
    let at = i64::from_le_bytes(piece(written)?);
    let attempt = u64::from_le_bytes(piece(written)?);
    let bytes = u64::from_le_bytes(piece(written)?);
    let micros = u64::from_le_bytes(piece(written)?);
    let age_millis = u64::from_le_bytes(piece(written)?);
    let (consumer, status, error) = (text(written)?, text(written)?, text(written)?);
    Some(Logged {
        at,
        connector: connector.to_owned(),
        id: id.to_string(),
        attempt: u32::try_from(attempt).ok()?,
        bytes,
        micros,
        age_millis,
        consumer,
        status,
        error: (!error.is_empty()).then_some(error),
    })
}

fn piece<const N: usize>(written: &mut &[u8]) -> Option<[u8; N]> {
    let (piece, rest) = written.split_first_chunk()?;
    *written = rest;
    Some(*piece)
}

fn text(written: &mut &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(piece(written)?) as usize;
    let (text, rest) = written.split_at_checked(length)?;
    *written = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written_and_halves_are_not() {
        let line = |error: Option<&str>| Line {
            at: 1_700_000_000_000,
            id: Id::of("a"),
            attempt: 2,
            bytes: 256,
            micros: 30,
            age: 4,
            consumer: "Pay.IN".into(),
            status: "retry",
            error: error.map(str::to_owned),
        };
        let mut written = Vec::new();
        line(None).write(&mut written);
        line(Some("no change")).write(&mut written);
        let read = lines(&written, "q");
        let errors = read.iter().flatten().map(|line| line.error.as_deref());
        assert_eq!(errors.collect::<Vec<_>>(), [None, Some("no change")]);
        let first = &read.expect("it is whole")[0];
        assert_eq!((&*first.consumer, &*first.status), ("Pay.IN", "retry"));
        assert_eq!((first.attempt, first.bytes, first.micros), (2, 256, 30));
        assert_eq!((first.age_millis, &first.id), (4, &Id::of("a").to_string()));
        for end in 1..written.len() {
            let is_whole = end == written.len() / 2 - 4;
            assert!(lines(&written[..end], "q").is_none() || is_whole, "{end}");
        }
    }
}
