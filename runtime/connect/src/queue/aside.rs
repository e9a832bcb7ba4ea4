//! Messages that are set aside, with what is known about why.

use std::sync::Arc;

use paperflow_core::Headers;
use paperflow_core::connector::{Failure, StoreFault};
use paperflow_core::failpoint;
use paperflow_core::message::Id;
use rusqlite::params;

use crate::clock::millis;
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
    /// Where it lies, if that is a stream.
    pub(crate) origin: Option<Origin>,
}

/// A record of a stream, and the group that read it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) partition: usize,
    pub(crate) offset: u64,
    pub(crate) group: String,
}

/// An error, not longer than it may be.
pub(crate) fn shortened(error: &str) -> String {
    error.chars().take(LONGEST).collect()
}

impl Aside {
    /// The headers that tell why a message of a connector was set aside, as JSON.
    pub(crate) fn cause(
        &self,
        tx: &Tx<'_>,
        connector: &str,
        id: &str,
    ) -> Result<String, StoreFault> {
        let headers = self.headers(tx, connector, id)?;
        serde_json::to_string(&headers).map_err(|error| damaged(error.to_string()))
    }

    fn headers(&self, tx: &Tx<'_>, connector: &str, id: &str) -> Result<Headers, StoreFault> {
        let now = millis(tx.opened.clock.wall());
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
            (names::CONNECTOR, connector),
            (names::ATTEMPTS, &attempts),
            (names::FIRST, &first),
            (names::LAST, &last),
            (names::ID, id),
        ];
        let mut headers = Headers::default();
        let known = known.into_iter().filter(|(_, value)| !value.is_empty());
        known.for_each(|(name, value)| headers.set(name, value));
        if let Some(origin) = &self.origin {
            headers.set(names::PARTITION, origin.partition.to_string());
            headers.set(names::OFFSET, origin.offset.to_string());
            headers.set(names::GROUP, origin.group.as_str());
        }
        Ok(headers)
    }
}

/// Copies what lies in a table to a queue, with the headers that tell why, as JSON. Nothing is copied if it
/// is not there any more.
pub(crate) fn copy(
    tx: &mut Tx<'_>,
    to: &str,
    from: &str,
    key: i64,
    cause: Option<&str>,
) -> Result<(), StoreFault> {
    let target = queue::aside(tx, to)?;
    let sql = format!("SELECT id, bytes FROM {from} = ?");
    let found = tx.row(&sql, [key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((id, bytes)) = found else {
        return Ok(());
    };
    let (number, now) = (target.next_number(), target.now());
    let sql = format!(
        "INSERT INTO messages (seq, id, kind, bytes, sent, checksum, headers, cause, body) \
         SELECT ?, id, kind, bytes, ?, checksum, headers, ?, body FROM {from} = ?"
    );
    tx.execute(&sql, params![number, now, cause, key])?;
    let entry = Entry::new(Id::from_bytes(id), bytes, now);
    tx.then(move |is_safe| {
        if is_safe {
            failpoint!("after_dead_letter");
            let mut live = target.live.lock();
            live.arrive(number, entry);
            live.call_listeners();
        }
    });
    Ok(())
}

impl Queue {
    /// Moves a message to the queue for those that failed, or for those that cannot be read. Its body and
    /// headers stay as they are.
    pub(crate) fn put_aside(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        seq: i64,
        aside: &Aside,
    ) -> Result<(), StoreFault> {
        if aside.reason == Reason::Invalid {
            failpoint!("before_invalid_copy");
        }
        let name = {
            let live = self.live.lock();
            match aside.reason {
                Reason::Invalid => live.declaration.invalid_name(),
                Reason::Delivery | Reason::Rejected => live.declaration.dead_letter_name(),
            }
        };
        let sql = "SELECT lower(hex(id)) FROM messages WHERE seq = ?";
        let id: Option<String> = tx.row(sql, [seq], |row| row.get(0))?;
        let cause = aside.cause(tx, &self.name, &id.unwrap_or_default())?;
        copy(tx, &name, "messages WHERE seq", seq, Some(&cause))?;
        tx.execute("DELETE FROM messages WHERE seq = ?", [seq])?;
        Ok(())
    }

    /// The number of the next message.
    pub(crate) fn next_number(&self) -> i64 {
        let mut live = self.live.lock();
        live.given += 1;
        live.given
    }
}
