//! What can be asked about streams, and done to them.

use paperflow_core::connector::{ConnectorKind, StoreFault};

use super::Inner;
use super::group::{Common, key_of, name_of};
use super::known::About;
use super::pages::{From, Shelf, some};
use super::server::State;
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
        Request::Channels => super::channel::all(inner).map(Answer::Channels),
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
            forget(inner, &stream, &group)?;
            groups(inner, &stream).map(Answer::Groups)
        }
    }
}

/// A stream of this name, and how it stands with its partitions.
fn found(inner: &Inner, name: &str) -> Result<(About, Vec<State>), StoreFault> {
    let about = inner.about(name)?;
    let kind = about.declaration.as_ref().map(|declared| declared.kind);
    match kind {
        Some(ConnectorKind::Stream) => {
            let partitions = usize::try_from(about.partitions()).unwrap_or(usize::MAX);
            let shelves = inner.shelves(name, partitions)?;
            Ok((about, shelves))
        }
        None => Err(unsupported(format!(
            "there is no stream `{name}` in this store"
        ))),
        Some(kind) => Err(unsupported(format!(
            "`{name}` is a {kind}: what was done is gone and cannot be read again; \
             only whoever sent it can send it again"
        ))),
    }
}

fn all(inner: &Inner) -> Result<Vec<StreamStatus>, StoreFault> {
    let mut streams = Vec::new();
    for (_, about) in inner.docs.all::<About>("about")? {
        let declared = about.declaration.as_ref();
        let Some(declared) = declared.filter(|known| known.kind == ConnectorKind::Stream) else {
            continue;
        };
        let (_, shelves) = found(inner, &declared.name)?;
        let mut delayed = 0;
        for group in &about.groups {
            let common = inner.docs.get::<Common>(&key_of(&declared.name, group))?;
            delayed += common.value.delayed.len();
        }
        let partitions = shelves.iter().map(|shelf| PartitionStatus {
            first: first_of(shelf),
            next: shelf.last_seq,
            records: shelf.messages,
            bytes: shelf.bytes,
        });
        streams.push(StreamStatus {
            name: declared.name.clone(),
            key: declared.key.clone(),
            partitions: partitions.collect(),
            groups: about.groups.iter().cloned().collect(),
            delayed,
        });
    }
    streams.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(streams)
}

/// The first offset that is kept, or the end.
fn first_of(shelf: &State) -> u64 {
    match shelf.messages {
        0 => shelf.last_seq,
        _ => shelf.first_seq.saturating_sub(1),
    }
}

fn groups(inner: &Inner, name: &str) -> Result<Vec<GroupStatus>, StoreFault> {
    let (about, shelves) = found(inner, name)?;
    let groups = about.groups.into_iter().map(|group| {
        let mut common = inner.docs.get::<Common>(&key_of(name, &group))?;
        let dead = inner.dead(Some(&common))?;
        dead.iter().for_each(|member| common.value.leave(*member));
        common.value.grow(shelves.len());
        Ok(status(group, &common.value, &shelves))
    });
    groups.collect()
}

fn status(name: String, common: &Common, shelves: &[State]) -> GroupStatus {
    let called = |token: &String| name_of(token).to_owned();
    let partitions = shelves.iter().enumerate().map(|(at, shelf)| {
        let part = &common.parts[at];
        let owner = common.shares.owner(at);
        let token = owner.and_then(|owner| common.consumers.get(&owner.member));
        OffsetStatus {
            offset: part.mark,
            lag: shelf.last_seq.saturating_sub(part.mark),
            unsettled: usize::try_from(part.unsettled).unwrap_or(usize::MAX),
            skipped: part.skipped,
            expired: part.expired,
            owner: token.map(called),
            epoch: owner.map_or(0, |owner| owner.epoch),
        }
    });
    let consumers = common.consumers.iter();
    let reading = consumers.filter(|(member, _)| common.shares.has(**member));
    GroupStatus {
        name,
        consumers: reading.map(|(_, token)| called(token)).collect(),
        partitions: partitions.collect(),
    }
}

fn few(stream: &str, partitions: usize) -> StoreFault {
    unsupported(format!(
        "the stream `{stream}` has {partitions} partitions, counted from 0, and no other"
    ))
}

/// Where a place is in a partition; `from` is where one goes back from.
fn place(
    inner: &Inner,
    (stream, at): (&str, usize),
    shelf: &State,
    (place, from): (At, u64),
) -> Result<u64, StoreFault> {
    let next = shelf.last_seq;
    Ok(match place {
        At::Start => 0,
        At::End => next,
        At::Offset(offset) => offset.min(next),
        At::Back(records) => from.saturating_sub(records),
        At::Time(_) if shelf.messages == 0 => next,
        At::Time(time) => {
            let millis = i64::try_from(time).unwrap_or(i64::MAX);
            let kept = inner.line.names.shelf(stream, at);
            let shelf = Shelf {
                stream,
                kept: &kept,
            };
            let first = some(&inner.line, &shelf, From::Time(millis), 1)?;
            first.front().map_or(next, |record| record.offset)
        }
    })
}

fn send_back(
    inner: &Inner,
    (stream, group): (&str, &str),
    partition: Option<u32>,
    from: At,
) -> Result<(), StoreFault> {
    let (about, shelves) = found(inner, stream)?;
    if partition.is_some_and(|at| at as usize >= shelves.len()) {
        return Err(few(stream, shelves.len()));
    }
    let is_new = !about.groups.contains(group);
    inner.know_group(stream, group)?;
    let key = key_of(stream, group);
    let common = inner.docs.get::<Common>(&key)?.value;
    let mut places = Vec::new();
    for (at, shelf) in shelves.iter().enumerate() {
        let mark = common.parts.get(at).map_or(0, |part| part.mark);
        let back_from = if is_new { shelf.last_seq } else { mark };
        places.push(match partition {
            Some(only) if only as usize != at => None,
            _ => Some(place(inner, (stream, at), shelf, (from, back_from))?),
        });
    }
    inner.docs.change(&key, |common: &mut Common| {
        common.grow(shelves.len());
        for (at, place) in places.iter().enumerate() {
            if is_new {
                common.parts[at].replayed = shelves[at].last_seq;
            }
            if let Some(offset) = place {
                common.seek(at, *offset);
            }
        }
    })?;
    if let Some(stream) = inner.stream_of(stream) {
        stream.call_all();
    }
    inner.ring(stream, "settled", None);
    Ok(())
}

fn forget(inner: &Inner, stream: &str, group: &str) -> Result<(), StoreFault> {
    let (about, _) = found(inner, stream)?;
    if !about.groups.contains(group) {
        return Err(unsupported(format!(
            "the stream `{stream}` has no group `{group}`"
        )));
    }
    let key = key_of(stream, group);
    let mut common = inner.docs.get::<Common>(&key)?;
    let dead = inner.dead(Some(&common))?;
    dead.iter().for_each(|member| common.value.leave(*member));
    if !common.value.consumers.is_empty() {
        return Err(unsupported(format!(
            "somebody reads `{stream}` for the group `{group}`"
        )));
    }
    inner
        .docs
        .change(&About::key(stream), |about: &mut About| {
            about.groups.remove(group);
        })?;
    inner.docs.change(&key, |common: &mut Common| {
        *common = Common::default();
    })
}

/// Behind the last record that is wanted, in each partition.
fn ends(
    inner: &Inner,
    stream: &str,
    shelves: &[State],
    to: Option<At>,
) -> Result<Vec<u64>, StoreFault> {
    let at = match to {
        None => At::End,
        Some(At::Offset(offset)) => At::Offset(offset.saturating_add(1)),
        Some(At::Time(time)) => At::Time(time + 1),
        Some(at) => at,
    };
    places(inner, stream, shelves, at)
}

fn places(
    inner: &Inner,
    stream: &str,
    shelves: &[State],
    from: At,
) -> Result<Vec<u64>, StoreFault> {
    let places = shelves
        .iter()
        .enumerate()
        .map(|(at, shelf)| place(inner, (stream, at), shelf, (from, shelf.last_seq)));
    places.collect()
}

fn tail(
    inner: &Inner,
    (stream, partition): (&str, Option<u32>),
    (from, to): (At, Option<At>),
    mut after: Vec<u64>,
    most: usize,
) -> Result<Answer, StoreFault> {
    let (_, shelves) = found(inner, stream)?;
    let ends = ends(inner, stream, &shelves, to)?;
    if partition.is_some_and(|at| at as usize >= ends.len()) {
        return Err(few(stream, ends.len()));
    }
    if after.len() != ends.len() {
        after = places(inner, stream, &shelves, from)?;
    }
    let mut records: Vec<StreamRecord> = Vec::new();
    for (at, end) in ends.iter().enumerate() {
        let is_wanted = partition.is_none_or(|only| only as usize == at);
        if !is_wanted || after[at] >= *end {
            continue;
        }
        let kept = inner.line.names.shelf(stream, at);
        let shelf = Shelf {
            stream,
            kept: &kept,
        };
        let wanted = (most as u64).min(*end - after[at]);
        let found = some(&inner.line, &shelf, From::Offset(after[at]), wanted)?;
        let found = found.into_iter().filter(|record| record.offset < *end);
        records.extend(found.map(|record| shown(at, record)));
    }
    // Of equal times those of the earlier partition first, each in its order.
    records.sort_by_key(|record| (record.at, record.partition, record.offset));
    records.truncate(most);
    for record in &records {
        after[record.partition as usize] = record.offset + 1;
    }
    Ok(Answer::Records { records, after })
}
