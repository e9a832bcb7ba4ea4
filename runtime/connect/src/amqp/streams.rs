//! What can be asked about streams and channels, and done to them: those that this process uses.

use std::sync::Arc;

use paperflow_core::connector::{OnError, StoreFault};

use super::consumer::record;
use super::stream::Stream;
use super::team::Team;
use super::{Inner, channel};
use crate::fault::unsupported;
use crate::stream::admin::shown;
use crate::stream::mark::Offset;
use crate::streams::{
    Answer, At, GroupStatus, OffsetStatus, PartitionStatus, Request, StreamRecord, StreamStatus,
};

/// How many records are looked at, at a time.
const PAGE: usize = 512;

/// Does what is asked, when the server knows how far everybody here is.
pub(super) fn answer(inner: &Inner, request: Request) -> Result<Answer, StoreFault> {
    for stream in inner.streams() {
        for team in stream.teams() {
            team.save(&stream)?;
        }
    }
    match request {
        Request::List => all(inner).map(Answer::Streams),
        Request::Channels => channel::all(inner).map(Answer::Channels),
        Request::Groups { stream } => {
            let stream = known(inner, &stream)?;
            groups(&stream).map(Answer::Groups)
        }
        Request::Tail {
            stream,
            partition,
            from,
            to,
            after,
            most,
        } => {
            let stream = known(inner, &stream)?;
            tail(&stream, partition, (from, to), after, most)
        }
        Request::Replay {
            stream,
            group,
            partition,
            from,
        } => {
            let stream = known(inner, &stream)?;
            replay(&stream, &group, partition, from)?;
            let (team, _) = stream.team(&group)?;
            Ok(Answer::Groups(vec![status_of(&stream, &team)?]))
        }
        Request::Forget { stream, group } => {
            let stream = known(inner, &stream)?;
            forget(&stream, &group)?;
            groups(&stream).map(Answer::Groups)
        }
    }
}

fn known(inner: &Inner, name: &str) -> Result<Arc<Stream>, StoreFault> {
    if let Some(stream) = inner.streams.lock().get(name) {
        return Ok(Arc::clone(stream));
    }
    let kind = match () {
        () if inner.queues.lock().contains_key(name) => "queue",
        () if inner.channels.lock().contains_key(name) => "pubsub",
        () => {
            return Err(unsupported(format!(
                "there is no stream `{name}` in this store"
            )));
        }
    };
    Err(unsupported(format!(
        "`{name}` is a {kind}: what was done is gone and cannot be read again; \
         only whoever sent it can send it again"
    )))
}

fn all(inner: &Inner) -> Result<Vec<StreamStatus>, StoreFault> {
    let mut all = Vec::new();
    for stream in inner.streams() {
        let declaration = stream.declaration();
        let mut partitions = Vec::new();
        for (tail, end) in stream.tails().iter().zip(stream.ends()?) {
            let first = tail.first(end)?.unwrap_or(end);
            partitions.push(PartitionStatus {
                first,
                next: end,
                records: end - first,
                // The server does not tell.
                bytes: 0,
            });
        }
        let mut delayed = 0;
        if let OnError::Copy(via) = &declaration.on_error {
            let (records, _) = stream.resting(via)?;
            delayed = usize::try_from(records).unwrap_or(usize::MAX);
            all.push(delay_stream(via, records));
        }
        all.push(StreamStatus {
            name: stream.name.clone(),
            key: declaration.key,
            partitions,
            groups: stream.groups()?,
            delayed,
        });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Where copies rest that come back: queues, of which the server knows how much is in them.
fn delay_stream(name: &str, records: u64) -> StreamStatus {
    StreamStatus {
        name: name.to_owned(),
        key: None,
        partitions: vec![PartitionStatus {
            first: 0,
            next: records,
            records,
            bytes: 0,
        }],
        groups: Vec::new(),
        delayed: 0,
    }
}

fn groups(stream: &Stream) -> Result<Vec<GroupStatus>, StoreFault> {
    let names = stream.groups()?.into_iter();
    let all = names.map(|name| {
        let (team, _) = stream.team(&name)?;
        status_of(stream, &team)
    });
    all.collect()
}

fn status_of(stream: &Stream, team: &Team) -> Result<GroupStatus, StoreFault> {
    let ends = stream.ends()?;
    let standing = team.standing(ends.len())?;
    let group = team.group.lock();
    let partitions = standing.into_iter().zip(ends).enumerate();
    let partitions = partitions.map(|(at, (said, end))| {
        let owner = group.standing(at).owner;
        OffsetStatus {
            offset: said.mark,
            lag: end.saturating_sub(said.mark),
            unsettled: said.unsettled,
            skipped: said.skipped,
            expired: said.expired,
            epoch: owner.map_or(0, |(_, epoch)| epoch),
            owner: said.owner,
        }
    });
    Ok(GroupStatus {
        name: team.name.clone(),
        partitions: partitions.collect(),
        consumers: group.members().map(str::to_owned).collect(),
    })
}

/// The partitions that are asked for.
fn wanted(stream: &Stream, partition: Option<u32>) -> Result<Vec<usize>, StoreFault> {
    let all = stream.tails().len();
    match partition {
        None => Ok((0..all).collect()),
        Some(at) if (at as usize) < all => Ok(vec![at as usize]),
        Some(at) => Err(unsupported(format!(
            "the stream `{}` has {all} partitions, counted from 0, and none is {at}",
            stream.name
        ))),
    }
}

fn replay(
    stream: &Stream,
    group: &str,
    partition: Option<u32>,
    from: At,
) -> Result<(), StoreFault> {
    let ends = stream.ends()?;
    let (team, is_new) = stream.team(group)?;
    let standing = team.standing(ends.len())?;
    let mut to = vec![None; ends.len()];
    for at in wanted(stream, partition)? {
        let mark = if is_new { ends[at] } else { standing[at].mark };
        to[at] = Some(match from {
            At::Back(records) => mark.saturating_sub(records),
            from => place(stream, (at, ends[at]), from)?,
        });
    }
    team.seek(stream, &to, is_new.then_some(&ends[..]))
}

fn forget(stream: &Stream, group: &str) -> Result<(), StoreFault> {
    if !stream.groups()?.iter().any(|known| known == group) {
        let name = &stream.name;
        return Err(unsupported(format!(
            "the stream `{name}` has no group `{group}`"
        )));
    }
    let (team, _) = stream.team(group)?;
    if !team.forget()? {
        let name = &stream.name;
        return Err(unsupported(format!(
            "somebody reads `{name}` for the group `{group}`"
        )));
    }
    stream.forget(group)
}

/// A place in a partition that ends there.
fn place(stream: &Stream, (at, end): (usize, Offset), from: At) -> Result<Offset, StoreFault> {
    let tails = stream.tails();
    let tail = &tails[at];
    Ok(match from {
        At::End => end,
        At::Offset(offset) => offset.min(end),
        At::Back(records) => end.saturating_sub(records),
        At::Start => tail.first(end)?.unwrap_or(end),
        At::Time(time) => {
            let mut next = tail.first(end)?.unwrap_or(end);
            while next < end {
                let (records, until) = tail.page(next, PAGE)?;
                let mut records = records
                    .iter()
                    .map(|(offset, parcel)| record(*offset, parcel, ""));
                let is_later = |at: paperflow_core::Moment| at.as_millis() >= u128::from(time);
                if let Some(found) = records.find(|record| is_later(record.at)) {
                    return Ok(found.offset);
                }
                next = until;
            }
            end
        }
    })
}

/// Where what is asked for ends.
fn end_of(
    stream: &Stream,
    (at, end): (usize, Offset),
    to: Option<At>,
) -> Result<Offset, StoreFault> {
    match to {
        None => Ok(end),
        Some(At::Offset(last)) => Ok(end.min(last + 1)),
        // Records of that very time are asked for as well.
        Some(At::Time(last)) => place(stream, (at, end), At::Time(last + 1)),
        Some(to) => place(stream, (at, end), to),
    }
}

fn tail(
    stream: &Stream,
    partition: Option<u32>,
    (from, to): (At, Option<At>),
    mut after: Vec<u64>,
    most: usize,
) -> Result<Answer, StoreFault> {
    let ends = stream.ends()?;
    if after.len() != ends.len() {
        let places = ends.iter().enumerate();
        let places = places.map(|(at, end)| place(stream, (at, *end), from));
        after = places.collect::<Result<_, _>>()?;
    }
    let tails = stream.tails();
    let mut records: Vec<StreamRecord> = Vec::new();
    for at in wanted(stream, partition)? {
        let end = end_of(stream, (at, ends[at]), to)?;
        if after[at] >= end {
            continue;
        }
        let (found, _) = tails[at].page(after[at], most)?;
        let found = found.iter().filter(|(offset, _)| *offset < end);
        let found = found.map(|(offset, parcel)| record(*offset, parcel, &stream.name));
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
