//! Messages that are set aside, with what is known about why.

use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Failure, StoreFault};
use rusqlite::params;

use crate::fault::damaged;
use crate::names;
use crate::queue::live::Entry;
use crate::queue::{self, Queue};
use crate::writer::Tx;

/// Most characters of an error that are kept.
const LONGEST: usize = 1_000;

/// Why a message is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its tries are used up.
    Delivery,
    /// A consumer said that no other try is of use.
    Rejected,
    /// It cannot be read.
    Invalid,
}

impl Reason {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Delivery => "delivery-error",
            Self::Rejected => "rejected",
            Self::Invalid => "invalid",
        }
    }
}

/// What is known about a message that is set aside.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    pub(crate) reason: Reason,
    pub(crate) failure: Failure,
    pub(crate) attempts: u32,
    /// When it failed first, in milliseconds since 1970; nothing for now.
    pub(crate) first: Option<i64>,
}

/// An error, not longer than it may be.
pub(crate) fn shortened(error: &str) -> String {
    error.chars().take(LONGEST).collect()
}

impl Aside {
    fn headers(&self, tx: &Tx<'_>, queue: &Queue, id: &str) -> Result<Headers, StoreFault> {
        let now = queue.now();
        let when = |millis: i64| {
            let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ? / 1000.0, 'unixepoch')";
            tx.row(sql, [millis], |row| row.get::<_, String>(0))
        };
        let first = when(self.first.unwrap_or(now))?.unwrap_or_default();
        let last = when(now)?.unwrap_or_default();
        let error = shortened(&self.failure.message);
        let attempts = self.attempts.to_string();
        let port = self.failure.port.as_deref().unwrap_or_default();
        let known = [
            (names::REASON, self.reason.word()),
            (names::ERROR, &error),
            (names::PROCESS, &self.failure.process),
            (names::COMPONENT, &self.failure.component),
            (names::PORT, port),
            (names::CONNECTOR, &queue.name),
            (names::ATTEMPTS, &attempts),
            (names::FIRST, &first),
            (names::LAST, &last),
            (names::ID, id),
        ];
        let mut headers = Headers::default();
        let known = known.into_iter().filter(|(_, value)| !value.is_empty());
        known.for_each(|(name, value)| headers.set(name, value));
        Ok(headers)
    }
}

impl Queue {
    /// Moves a message to the queue for those that failed, or for those that cannot be read. Its body and
    /// headers stay as they are.
    pub(crate) fn put_aside(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        seq: i64,
        bytes: u64,
        aside: &Aside,
    ) -> Result<(), StoreFault> {
        let name = {
            let live = self.live.lock();
            match aside.reason {
                Reason::Invalid => live.declaration.invalid_name(),
                Reason::Delivery | Reason::Rejected => live.declaration.dead_letter_name(),
            }
        };
        let target = queue::aside(tx, &name)?;
        let sql = "SELECT id, lower(hex(id)) FROM messages WHERE seq = ?";
        let found = tx.row(sql, [seq], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?))
        })?;
        let Some((id, id_text)) = found else {
            return Ok(());
        };
        let headers = aside.headers(tx, self, &id_text)?;
        let cause = serde_json::to_string(&headers).map_err(|error| damaged(error.to_string()))?;
        let to = target.next_number();
        let now = self.now();
        let sql = "INSERT INTO messages (seq, id, kind, bytes, sent, checksum, headers, cause, body) \
                   SELECT ?, id, kind, bytes, ?, checksum, headers, ?, body FROM messages WHERE seq = ?";
        tx.execute(sql, params![to, now, cause, seq])?;
        tx.execute("DELETE FROM messages WHERE seq = ?", [seq])?;
        let entry = Entry {
            id: paperflow_core::message::Id::from_bytes(id),
            bytes,
            sent: now,
            attempts: 0,
            failed: None,
            has_own: false,
            message: None,
        };
        tx.then(move |is_safe| {
            if is_safe {
                let mut live = target.live.lock();
                live.arrive(to, entry);
                live.call_listeners();
            }
        });
        Ok(())
    }

    fn next_number(&self) -> i64 {
        let mut live = self.live.lock();
        live.given += 1;
        live.given
    }
}
