//! What can be asked about streams, and done to them.

use ::redis::Value;
use paperflow_core::connector::{Declaration, StoreFault};

use super::exchange::record;
use super::line::Call;
use super::wire::{item, list, lossy, number};
use super::{Inner, channel, scripts};
use crate::fault::unsupported;
use crate::stream::admin::shown;
use crate::streams::{
    Answer, At, GroupStatus, OffsetStatus, PartitionStatus, Request, StreamRecord, StreamStatus,
};

/// Does what is asked, when the server knows how far everybody here is.
pub(super) fn answer(inner: &Inner, request: Request) -> Result<Answer, StoreFault> {
    for stream in inner.streams() {
        stream.report(inner)?;
    }
    match request {
        Request::List => all(inner).map(Answer::Streams),
        Request::Channels => channel::all(inner).map(Answer::Channels),
        Request::Groups { stream } => groups(inner, &stream).map(Answer::Groups),
        Request::Tail {
            stream,
            partition,
            from,
            to,
            after,
            most,
        } => tail(inner, (&stream, partition), (from, to), after, most),
        Request::Replay {
            stream,
            group,
            partition,
            from,
        } => {
            send_back(inner, (&stream, &group), partition, from)?;
            let mut groups = groups(inner, &stream)?;
            groups.retain(|own| own.name == group);
            Ok(Answer::Groups(groups))
        }
        Request::Forget { stream, group } => {
            let call = Call::of(&scripts::STREAM_REPLAY).with(&stream).with(&group);
            replayed(
                inner,
                call.with("").with("forget").with(""),
                (&stream, &group),
            )?;
            groups(inner, &stream).map(Answer::Groups)
        }
    }
}

/// What a script says of something that is no stream.
fn no_stream(name: &str, kind: &str) -> StoreFault {
    unsupported(match kind {
        "" => format!("there is no stream `{name}` in this store"),
        kind => format!(
            "`{name}` is a {kind}: what was done is gone and cannot be read again; \
             only whoever sent it can send it again"
        ),
    })
}

fn all(inner: &Inner) -> Result<Vec<StreamStatus>, StoreFault> {
    let answer = inner.line.ask(Call::of(&scripts::STREAM_STATUS))?;
    list(&answer)?.iter().map(status).collect()
}

fn status(stream: &Value) -> Result<StreamStatus, StoreFault> {
    let stream = list(stream)?;
    let declared: Option<Declaration> = serde_json::from_str(&lossy(item(stream, 1))).ok();
    let partitions = list(item(stream, 4))?.iter().map(|one| {
        let one = list(one)?;
        let value = |at: usize| number(item(one, at)).unwrap_or_default();
        Ok(PartitionStatus {
            first: value(0),
            next: value(1),
            records: value(2),
            bytes: value(3),
        })
    });
    Ok(StreamStatus {
        name: lossy(item(stream, 0)),
        key: declared.and_then(|declared| declared.key),
        partitions: partitions.collect::<Result<_, StoreFault>>()?,
        groups: list(item(stream, 2))?.iter().map(lossy).collect(),
        delayed: usize::try_from(number(item(stream, 3)).unwrap_or_default()).unwrap_or(usize::MAX),
    })
}

fn groups(inner: &Inner, name: &str) -> Result<Vec<GroupStatus>, StoreFault> {
    let answer = inner
        .line
        .ask(Call::of(&scripts::STREAM_GROUPS).with(name))?;
    let answer = list(&answer)?;
    if lossy(item(answer, 0)) == "other" {
        return Err(no_stream(name, &lossy(item(answer, 1))));
    }
    list(item(answer, 1))?.iter().map(group).collect()
}

/// The name of a consumer, from how the server knows it.
fn name_of(token: &Value) -> String {
    let token = lossy(token);
    let name = token.splitn(3, ':').nth(2);
    name.map_or_else(|| token.clone(), str::to_owned)
}

fn group(group: &Value) -> Result<GroupStatus, StoreFault> {
    let group = list(group)?;
    let partitions = list(item(group, 2))?.iter().map(|one| {
        let one = list(one)?;
        let value = |at: usize| number(item(one, at)).unwrap_or_default();
        let owner = name_of(item(one, 5));
        let (offset, is_read) = (value(0), !owner.is_empty());
        Ok(OffsetStatus {
            offset,
            lag: value(1).saturating_sub(offset),
            unsettled: usize::try_from(value(2)).unwrap_or(usize::MAX),
            skipped: value(3),
            expired: value(4),
            owner: is_read.then_some(owner),
            epoch: if is_read { value(6) } else { 0 },
        })
    });
    Ok(GroupStatus {
        name: lossy(item(group, 0)),
        consumers: list(item(group, 1))?.iter().map(name_of).collect(),
        partitions: partitions.collect::<Result<_, StoreFault>>()?,
    })
}

/// A place, as arguments.
fn place(call: Call, at: At) -> Call {
    let (what, value) = match at {
        At::Start => ("start", 0),
        At::End => ("end", 0),
        At::Offset(offset) => ("offset", offset),
        At::Time(time) => ("time", time),
        At::Back(records) => ("back", records),
    };
    call.with(what).number(value)
}

fn send_back(
    inner: &Inner,
    (stream, group): (&str, &str),
    partition: Option<u32>,
    from: At,
) -> Result<(), StoreFault> {
    let partition = partition.map(|at| at.to_string()).unwrap_or_default();
    let call = Call::of(&scripts::STREAM_REPLAY).with(stream).with(group);
    replayed(inner, place(call.with(partition), from), (stream, group))?;
    if let Some(stream) = inner.stream_of(stream) {
        stream.call_all();
    }
    Ok(())
}

fn replayed(inner: &Inner, call: Call, (stream, group): (&str, &str)) -> Result<(), StoreFault> {
    let answer = inner.line.ask(call)?;
    let answer = list(&answer)?;
    let said = lossy(item(answer, 1));
    match lossy(item(answer, 0)).as_str() {
        "done" => Ok(()),
        "none" => Err(unsupported(format!(
            "the stream `{stream}` has no group `{group}`"
        ))),
        "busy" => Err(unsupported(format!(
            "somebody reads `{stream}` for the group `{group}`"
        ))),
        "few" => Err(few(stream, &said)),
        _ => Err(no_stream(stream, &said)),
    }
}

fn few(stream: &str, partitions: &str) -> StoreFault {
    unsupported(format!(
        "the stream `{stream}` has {partitions} partitions, counted from 0, and no other"
    ))
}

/// Where a place is in each partition, and the end of each.
fn places(inner: &Inner, stream: &str, at: At) -> Result<Vec<(u64, u64)>, StoreFault> {
    let call = Call::of(&scripts::STREAM_PLACE).with(stream);
    let answer = inner.line.ask(place(call, at))?;
    let answer = list(&answer)?;
    if lossy(item(answer, 0)) == "other" {
        return Err(no_stream(stream, &lossy(item(answer, 1))));
    }
    let places = list(item(answer, 1))?.iter().map(|one| {
        let one = list(one)?;
        let value = |at: usize| number(item(one, at)).unwrap_or_default();
        Ok((value(0), value(1)))
    });
    places.collect()
}

/// Behind the last record that is wanted, in each partition.
fn ends(inner: &Inner, stream: &str, to: Option<At>) -> Result<Vec<u64>, StoreFault> {
    let at = match to {
        None => At::End,
        Some(At::Offset(offset)) => At::Offset(offset.saturating_add(1)),
        Some(At::Time(time)) => At::Time(time + 1),
        Some(at) => at,
    };
    let places = places(inner, stream, at)?;
    Ok(places.into_iter().map(|(place, _)| place).collect())
}

fn tail(
    inner: &Inner,
    (stream, partition): (&str, Option<u32>),
    (from, to): (At, Option<At>),
    mut after: Vec<u64>,
    most: usize,
) -> Result<Answer, StoreFault> {
    let ends = ends(inner, stream, to)?;
    if partition.is_some_and(|at| at as usize >= ends.len()) {
        return Err(few(stream, &ends.len().to_string()));
    }
    if after.len() != ends.len() {
        let places = places(inner, stream, from)?;
        after = places.into_iter().map(|(place, _)| place).collect();
    }
    let mut records: Vec<StreamRecord> = Vec::new();
    for (at, end) in ends.iter().enumerate() {
        if partition.is_some_and(|only| only as usize != at) {
            continue;
        }
        let call = Call::of(&scripts::STREAM_PAGE)
            .with(stream)
            .number(at as u64);
        let call = call.number(after[at]).number(*end).number(most as u64);
        for one in list(&inner.line.ask(call)?)? {
            let one = list(one)?;
            let offset = number(item(one, 0)).unwrap_or_default();
            records.push(shown(at, record(offset, list(item(one, 1))?, stream)));
        }
    }
    // Of equal times those of the earlier partition first, each in its order.
    records.sort_by_key(|record| (record.at, record.partition, record.offset));
    records.truncate(most);
    for record in &records {
        after[record.partition as usize] = record.offset + 1;
    }
    Ok(Answer::Records { records, after })
}
