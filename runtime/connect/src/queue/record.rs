//! Messages as rows.

use paperflow_core::Headers;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::{Id, Message};
use rusqlite::Row;
use xxhash_rust::xxh3::Xxh3Default;

use crate::fault::damaged;

/// A message that is going to be written.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) message: Box<Message>,
    pub(crate) headers: Option<String>,
    /// The body, if it is not that of the only part.
    group: Option<Vec<u8>>,
    pub(crate) checksum: i64,
}

impl Record {
    pub(crate) fn new(message: &Message) -> Result<Self, StoreFault> {
        let message = Box::new(message.clone());
        let unwritten = |error: serde_json::Error| damaged(format!("a message: {error}"));
        let headers = (!message.headers.is_empty())
            .then(|| serde_json::to_string(&message.headers))
            .transpose()
            .map_err(unwritten)?;
        let is_plain = message.parts.len() == 1;
        let group = (!is_plain)
            .then(|| message.body().map(|body| body.into_owned()))
            .transpose()
            .map_err(unwritten)?;
        let mut record = Self {
            message,
            headers,
            group,
            checksum: 0,
        };
        let headers = record.headers.as_deref();
        let (id, kind) = (record.message.id, record.message.kind_word());
        record.checksum = checksum(id, kind, headers, record.body());
        Ok(record)
    }

    pub(crate) fn body(&self) -> &[u8] {
        match (&self.group, self.message.parts.first()) {
            (Some(body), _) => body,
            (None, Some(part)) => &part.body,
            (None, None) => &[],
        }
    }

    /// Bytes of payload.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.message.size()).unwrap_or(u64::MAX)
    }
}

fn checksum(id: Id, kind: &str, headers: Option<&str>, body: &[u8]) -> i64 {
    let mut hash = Xxh3Default::new();
    hash.update(&id.to_bytes());
    for piece in [kind.as_bytes(), headers.unwrap_or_default().as_bytes()] {
        hash.update(piece);
        hash.update(&(piece.len() as u64).to_le_bytes());
    }
    hash.update(body);
    hash.digest().cast_signed()
}

/// The columns that [`read`] wants, in their order.
pub(crate) const COLUMNS: &str = "id, kind, checksum, headers, cause, body";

/// A message from its columns; or in what way it is not what was written.
pub(crate) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Result<Message, String>> {
    match checked(row, from) {
        Err(error @ rusqlite::Error::InvalidColumnType(..)) => Ok(Err(error.to_string())),
        read => read,
    }
}

fn checked(row: &Row<'_>, from: usize) -> rusqlite::Result<Result<Message, String>> {
    let id = Id::from_bytes(row.get(from)?);
    let kind: String = row.get(from + 1)?;
    let expected: i64 = row.get(from + 2)?;
    let headers: Option<String> = row.get(from + 3)?;
    let cause: Option<String> = row.get(from + 4)?;
    let body: Vec<u8> = row.get(from + 5)?;
    if checksum(id, &kind, headers.as_deref(), &body) != expected {
        let reason = "its checksum is wrong: it was changed since it was written";
        return Ok(Err(reason.to_owned()));
    }
    Ok(message(
        id,
        &kind,
        headers.as_deref(),
        cause.as_deref(),
        body,
    ))
}

fn message(
    id: Id,
    kind: &str,
    headers: Option<&str>,
    cause: Option<&str>,
    body: Vec<u8>,
) -> Result<Message, String> {
    let text = |text: Option<&str>| match text {
        None => Ok(Headers::default()),
        Some(text) => serde_json::from_str(text).map_err(|error| format!("its headers: {error}")),
    };
    let mut headers: Headers = text(headers)?;
    for (name, value) in text(cause)?.iter() {
        headers.set(name, value);
    }
    let parts = Message::parts_of(kind, body).map_err(|error| error.to_string())?;
    Ok(Message { id, headers, parts })
}
