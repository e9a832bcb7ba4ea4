//! Records, read from the server a page at a time, by a consumer of the server that needs no acknowledgement
//! and goes by itself when it is not used.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use async_nats::Message as Raw;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::Unreadable;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::docs::nanos;
use super::line::Line;
use super::server::{Delivered, State, fetch, gaps, message_at};
use super::wire::{ATTEMPT, ONLY, message, ours};
use crate::fault::unavailable;
use crate::stream::group::Page;
use crate::stream::log::Record;
use crate::stream::mark::Offset;

/// How many records are read at a time, and about how many bytes.
const PAGE: u64 = 512;
const BYTES: u64 = 4 << 20;
/// A consumer that nobody has used for so long is forgotten by the server.
const UNUSED: Duration = Duration::from_secs(60);

/// Where a reading of a partition is.
#[derive(Debug)]
pub(super) struct Cursor {
    consumer: String,
    next: Offset,
}

#[derive(Deserialize)]
struct Made {
    name: String,
}

/// Where a reading begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// At this offset, or the first that is kept behind it.
    Offset(Offset),
    /// At what was written then or later, in milliseconds since 1970.
    Time(i64),
}

/// A partition: the stream it is of, and the server's stream that keeps it.
pub(super) struct Shelf<'a> {
    pub(super) stream: &'a str,
    pub(super) kept: &'a str,
}

/// Begins to read.
fn open(line: &Line, shelf: &Shelf<'_>, from: From) -> Result<String, StoreFault> {
    let mut config = json!({
        "replay_policy": "instant",
        "ack_policy": "none",
        "inactive_threshold": nanos(UNUSED),
        "mem_storage": true,
        "num_replicas": 1,
    });
    match from {
        From::Offset(offset) => {
            config["deliver_policy"] = json!("by_start_sequence");
            config["opt_start_seq"] = json!(offset + 1);
        }
        From::Time(millis) => {
            config["deliver_policy"] = json!("by_start_time");
            config["opt_start_time"] = json!(crate::clock::utc_of(millis));
        }
    }
    let kept = shelf.kept;
    let asked = json!({"stream_name": kept, "config": config});
    let made: Made = line.ask(&format!("CONSUMER.CREATE.{kept}"), &asked)?;
    Ok(made.name)
}

/// Reads no more.
fn close(line: &Line, shelf: &Shelf<'_>, consumer: &str) {
    let what = format!("CONSUMER.DELETE.{}.{consumer}", shelf.kept);
    if let Err(fault) = line.ask::<Json>(&what, &Json::Null) {
        tracing::debug!("a consumer of `{}` goes by itself: {fault}", shelf.stream);
    }
}

/// Reads the records of a partition from an offset on; `state` is how it stands with it.
pub(super) fn page(
    line: &Line,
    shelf: &Shelf<'_>,
    cursor: &mut Option<Cursor>,
    (from, state): (Offset, &State),
) -> Result<Page, StoreFault> {
    let end = state.last_seq;
    let size = state.bytes / state.messages.max(1);
    let most = (BYTES / size.max(1))
        .clamp(1, PAGE)
        .min(end - from.min(end));
    if most == 0 {
        return Ok(Page {
            from,
            end,
            records: VecDeque::new(),
        });
    }
    let consumer = match cursor.take() {
        Some(own) if own.next == from => own.consumer,
        other => {
            if let Some(other) = other {
                close(line, shelf, &other.consumer);
            }
            open(line, shelf, From::Offset(from))?
        }
    };
    let records = read(line, shelf, &consumer, most)?;
    let last = records.back().map_or(from, |record| record.offset + 1);
    if records.len() as u64 == most {
        *cursor = Some(Cursor {
            consumer,
            next: last,
        });
        let end = last;
        return Ok(Page { from, end, records });
    }
    // What it was about to give may be on its way to nobody.
    close(line, shelf, &consumer);
    let end = next_kept(line, shelf, last..end)?;
    if end == from {
        let name = shelf.stream;
        return Err(unavailable(format!("`{name}` gives none of what it has")));
    }
    Ok(Page { from, end, records })
}

/// The first record of a range that is kept, or its end. A server that has just begun gives less than it
/// has, so what it does not give is there until it says that it is not.
fn next_kept(line: &Line, shelf: &Shelf<'_>, range: Range<Offset>) -> Result<Offset, StoreFault> {
    if range.is_empty() {
        return Ok(range.start);
    }
    let gaps = gaps(line, shelf.kept)?;
    let first = gaps.first_seq.saturating_sub(1);
    for offset in range.start.max(first)..range.end {
        let seq = offset + 1;
        if !gaps.deleted.contains(&seq) && message_at(line, shelf.kept, seq)?.is_some() {
            return Ok(offset);
        }
    }
    Ok(range.end)
}

fn read(
    line: &Line,
    shelf: &Shelf<'_>,
    consumer: &str,
    most: u64,
) -> Result<VecDeque<Record>, StoreFault> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (kept, consumer) = (shelf.kept.to_owned(), consumer.to_owned());
    let (found, _) =
        line.run(move |wire| async move { fetch(&wire, None, (&kept, &consumer), most).await })?;
    found.iter().map(|raw| record(raw, shelf.stream)).collect()
}

/// Up to so many records from a place on.
pub(super) fn some(
    line: &Line,
    shelf: &Shelf<'_>,
    from: From,
    most: u64,
) -> Result<VecDeque<Record>, StoreFault> {
    let consumer = open(line, shelf, from)?;
    let records = read(line, shelf, &consumer, most);
    close(line, shelf, &consumer);
    records
}

/// A record, as the server delivers it.
fn record(raw: &Raw, stream: &str) -> Result<Record, StoreFault> {
    let delivered = Delivered::of(raw)?;
    let offset = delivered.seq.saturating_sub(1);
    let headers = raw.headers.as_ref();
    let message = message(headers, &raw.payload, format_args!("{stream} {offset}"));
    let attempt = ours(headers, ATTEMPT).and_then(|attempt| attempt.parse().ok());
    Ok(Record {
        offset,
        at: Duration::from_nanos(delivered.at),
        attempt: attempt.unwrap_or(1),
        only_for: ours(headers, ONLY),
        bytes: raw.payload.len() as u64,
        message: message.map_err(|unreadable: Unreadable| unreadable.to_string()),
    })
}
