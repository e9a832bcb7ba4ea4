//! What a server that was killed may have forgotten, and how that is made good when it is back.
//!
//! It writes at once what it says is safe, and other things soon: which messages were removed, how far a
//! consumer is, up to which number a stream was written that is empty. Each of them may be older than the
//! others when the server has begun anew. Of NATS 2.9 this was seen: messages which are done lie there again
//! and nobody gets them; a consumer waits for messages which are gone; and numbers are given once more to
//! others, which a consumer then takes for delivered, while who holds the earlier ones would settle the later.
//! So nothing is written, and nothing is said of a delivery, over a new connection before it was looked.

use std::collections::HashSet;
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use serde_json::{Value as Json, json};

use super::Inner;
use super::group::{Common, key_of};
use super::line::{Line, Request, codes, is_refused, read};
use super::queue::{Flight, Queue};
use super::server::{
    CONSUMER, Kept, PAGE, Raw, State, ensure_consumer, gaps, reads, remove_all, state,
};
use super::stream::Stream;
use crate::clock::utc_of;
use crate::stream::mark::Offset;

impl Inner {
    /// Before something is written to queues: their consumers will get it. Gives the number of the connection
    /// for which that is true.
    pub(super) fn ready<'a>(
        &self,
        streams: impl IntoIterator<Item = &'a str>,
    ) -> Result<u64, StoreFault> {
        let number = self.line.number()?;
        for stream in streams {
            if self.recovered.lock().get(stream) == Some(&number) {
                continue;
            }
            bring_back(&self.line, stream)?;
            self.recovered.lock().insert(stream.to_owned(), number);
        }
        Ok(number)
    }
}

impl Inner {
    /// Before something is written to a stream, or said of what was read from it: no group is further than
    /// the server. Gives the number of the connection for which that is true.
    pub(super) fn ready_stream(&self, stream: &Stream) -> Result<u64, StoreFault> {
        let (number, name) = (self.line.number()?, &stream.name);
        let shelf = self.line.names.shelf(name, 0);
        if self.recovered.lock().get(&shelf) == Some(&number) {
            return Ok(number);
        }
        for group in self.about(name)?.groups {
            let key = key_of(name, &group);
            let common = self.docs.get::<Common>(&key)?.value;
            // Asked for later, so that they cannot be behind unless they were set back.
            let ends = self.shelves(name, stream.partitions())?;
            let ends: Vec<Offset> = ends.iter().map(|kept| kept.last_seq).collect();
            if !common.is_ahead(&ends) {
                continue;
            }
            tracing::warn!(
                "the server was set back: it had more of `{name}` than it has now; \
                 `{group}` goes on where that ends"
            );
            self.docs
                .change(&key, |common: &mut Common| common.set_back(&ends))?;
        }
        self.recovered.lock().insert(shelf, number);
        Ok(number)
    }
}

/// Makes the consumer of a queue anew when it has gone further than messages were written. All that is there
/// is delivered again.
fn bring_back(line: &Line, stream: &str) -> Result<(), StoreFault> {
    let reads = match reads(line, stream) {
        Ok(reads) => reads,
        Err(fault) if is_refused(&fault, codes::NO_STREAM) => return Ok(()),
        Err(fault) if is_refused(&fault, codes::NO_CONSUMER) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    // Asked for later, so that it cannot be behind unless it was set back.
    let last = state(line, stream)?.map_or(u64::MAX, |state| state.last_seq);
    let reached = reads.delivered.stream_seq;
    if reached <= last {
        return Ok(());
    }
    tracing::warn!(
        "the server was set back: it had delivered {reached} messages of `{stream}` and knows {last} of them; \
         what lies there is delivered again"
    );
    let gone = line.ask::<Json>(&format!("CONSUMER.DELETE.{stream}.{CONSUMER}"), &Json::Null);
    match gone {
        Err(fault) if !is_refused(&fault, codes::NO_CONSUMER) => return Err(fault),
        _ => {}
    }
    let lease = Duration::from_nanos(reads.config.ack_wait);
    ensure_consumer(line, stream, lease)
}

impl Queue {
    /// Looks, once over each connection, what the server has forgotten. Gives the number of the connection for
    /// which that is true.
    pub(super) fn recover(&self, inner: &Inner) -> Result<u64, StoreFault> {
        let number = inner.ready([self.stream.as_str()])?;
        if self.local.lock().recovered == number {
            return Ok(number);
        }
        let _turn = self.turn.lock();
        self.recover_in_turn(inner)
    }

    /// The same, by whoever has the turn.
    pub(super) fn recover_in_turn(&self, inner: &Inner) -> Result<u64, StoreFault> {
        let number = inner.ready([self.stream.as_str()])?;
        if self.local.lock().recovered == number {
            return Ok(number);
        }
        self.give_up_gone(inner, number)?;
        self.remove_done(inner, number)?;
        let told = awaited_in_vain(&inner.line, &self.stream)?.into_iter();
        let told = told.map(|subject| (subject, b"+ACK".to_vec()));
        inner.acknowledge(number, told.collect())?;
        if let Some(state) = state(&inner.line, &self.stream)? {
            sweep(&inner.line, number, &self.stream, state)?;
        }
        self.local.lock().recovered = number;
        Ok(number)
    }

    /// What is in our hands and gone from the server is ours no more: its number may be given to another
    /// message.
    fn give_up_gone(&self, inner: &Inner, number: u64) -> Result<(), StoreFault> {
        let mut held: Vec<Flight> = {
            let local = self.local.lock();
            let settled = local.settled.iter().map(|settled| &settled.flight);
            local.flights.values().chain(settled).cloned().collect()
        };
        held.sort_unstable_by_key(|flight| std::cmp::Reverse(flight.seq));
        let mut gone = HashSet::new();
        for page in held.chunks(PAGE) {
            let places: Vec<_> = page.iter().map(|flight| (flight.seq, flight.at)).collect();
            let are_there = self.are_there(inner, number, &places)?;
            let all = page.iter().zip(&are_there);
            let lost = all.filter(|(_, is_there)| !**is_there);
            gone.extend(lost.map(|(flight, _)| flight.token.clone()));
            let is_whole = are_there.contains(&true);
            // What was written before something that is there still is there, or is done.
            if is_whole {
                break;
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        tracing::debug!(
            "{} deliveries of `{}` are of messages which are not there any more",
            gone.len(),
            self.name
        );
        let mut local = self.local.lock();
        local
            .flights
            .retain(|_, flight| !gone.contains(&flight.token));
        local
            .settled
            .retain(|settled| !gone.contains(&settled.flight.token));
        Ok(())
    }

    /// Whether messages with these numbers that were written at these times lie there.
    fn are_there(
        &self,
        inner: &Inner,
        number: u64,
        places: &[(u64, u64)],
    ) -> Result<Vec<bool>, StoreFault> {
        let asked = places.iter().map(|(seq, _)| {
            let what = format!("STREAM.MSG.GET.{}", self.stream);
            Request::api(&what, &json!({"seq": seq}))
        });
        let answers = inner.line.exchange_still(number, asked.collect())?;
        let answers = places.iter().zip(&answers);
        let found = answers.map(|((_, at), answer)| match read::<Raw>(answer) {
            Ok(found) => Ok(found.message.time == written_at(*at)),
            Err(fault) if is_refused(&fault, codes::NO_MESSAGE) => Ok(false),
            Err(fault) => Err(fault),
        });
        found.collect()
    }

    /// What is done here and lies there still takes room although somebody may hold other messages for long.
    fn remove_done(&self, inner: &Inner, number: u64) -> Result<(), StoreFault> {
        let gaps = gaps(&inner.line, &self.stream)?;
        let done: Vec<_> = {
            let local = self.local.lock();
            let done = local.done.places();
            done.filter(|(seq, _)| gaps.may_have(*seq)).collect()
        };
        for page in done.chunks(PAGE) {
            let are_there = self.are_there(inner, number, page)?;
            let lie = page.iter().zip(are_there);
            let lie = lie.filter(|(_, is_there)| *is_there);
            let lie = lie.map(|((seq, _), _)| *seq);
            remove_all(&inner.line, number, &self.stream, lie)?;
        }
        Ok(())
    }
}

/// A time in nanoseconds since 1970 as the server writes it: RFC 3339, without zeros at the end.
fn written_at(nanos: u64) -> String {
    let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX / 1_000);
    let whole = utc_of(seconds * 1_000);
    let whole = whole.trim_end_matches(".000Z");
    match nanos % 1_000_000_000 {
        0 => format!("{whole}Z"),
        rest => format!("{whole}.{}Z", format!("{rest:09}").trim_end_matches('0')),
    }
}

/// Removes from a queue what is done. The server does that itself, but one that was killed may have forgotten
/// it, and then such messages lie there for ever: nobody gets them, and they take room.
///
/// Only when nobody holds anything, and one by one: NATS 2.9 forgets what a consumer waits for when a stream is
/// purged, even if that is kept, and does not deliver it again.
pub(super) fn sweep(
    line: &Line,
    number: u64,
    stream: &str,
    state: State,
) -> Result<State, StoreFault> {
    let reads = reads(line, stream)?;
    let done = reads.ack_floor.stream_seq;
    if reads.num_ack_pending > 0 || state.messages == 0 || done < state.first_seq {
        return Ok(state);
    }
    let gaps = gaps(line, stream)?;
    let lie = (gaps.first_seq..=done).filter(|seq| gaps.may_have(*seq));
    remove_all(line, number, stream, lie)?;
    let kept: Kept = line.ask(&format!("STREAM.INFO.{stream}"), &Json::Null)?;
    Ok(kept.state)
}

/// Where a server is told that it need not wait for messages of a queue which are done and gone: one that was
/// killed may, and deliver none of the others meanwhile.
pub(super) fn awaited_in_vain(line: &Line, stream: &str) -> Result<Vec<String>, StoreFault> {
    let reads = reads(line, stream)?;
    if reads.num_ack_pending == 0 {
        return Ok(Vec::new());
    }
    let (gaps, next) = (gaps(line, stream)?, reads.ack_floor.stream_seq + 1);
    let gone = (next..gaps.first_seq).chain(gaps.deleted.range(next..).copied());
    let told = gone.map(|seq| format!("$JS.ACK.{stream}.{CONSUMER}.1.{seq}.1.0.0"));
    Ok(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_the_server_does() {
        assert_eq!(
            written_at(1_795_852_686_418_089_660),
            "2026-11-28T07:58:06.41808966Z"
        );
        assert_eq!(
            written_at(1_795_852_686_000_000_000),
            "2026-11-28T07:58:06Z"
        );
        assert_eq!(
            written_at(1_795_852_686_000_000_001),
            "2026-11-28T07:58:06.000000001Z"
        );
    }
}
