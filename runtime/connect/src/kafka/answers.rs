//! What can be asked about streams, and done to their groups.

use std::sync::Arc;

use paperflow_core::connector::{ConnectorKind, Declaration, StoreFault};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Message as _, Offset as Place, TopicPartitionList};

use super::line::Part;
use super::roll::Roll;
use super::stream::{Stream, own_number};
use super::wire::{raw_offset, read};
use super::{Inner, book, note, topic};
use crate::fault::unsupported;
use crate::stream::admin::shown;
use crate::stream::group::Now;
use crate::stream::mark::Offset;
use crate::streams::{
    Answer, At, GroupStatus, OffsetStatus, PartitionStatus, Request, StreamRecord, StreamStatus,
};

/// Does what is asked, when the brokers know how far everybody here is.
pub(super) fn answer(inner: &Inner, request: Request) -> Result<Answer, StoreFault> {
    for stream in inner.streams() {
        stream.report(inner)?;
    }
    match request {
        Request::List => all(inner).map(Answer::Streams),
        Request::Channels => Ok(Answer::Channels(Vec::new())),
        Request::Groups { stream } => groups(inner, &*known(inner, &stream)?).map(Answer::Groups),
        Request::Tail {
            stream,
            partition,
            from,
            to,
            after,
            most,
        } => {
            let stream = known(inner, &stream)?;
            tail(inner, (&stream, partition), (from, to), after, most)
        }
        Request::Replay {
            stream,
            group,
            partition,
            from,
        } => {
            let stream = known(inner, &stream)?;
            send_back(inner, (&stream, &group), partition, from)?;
            let mut groups = groups(inner, &stream)?;
            groups.retain(|own| own.name == group);
            Ok(Answer::Groups(groups))
        }
        Request::Forget { stream, group } => {
            let stream = known(inner, &stream)?;
            inner.line.forget(&stream.group_id(&group))?;
            groups(inner, &stream).map(Answer::Groups)
        }
    }
}

/// A stream: one that is used here, or a topic that others have made.
fn known(inner: &Inner, name: &str) -> Result<Arc<Stream>, StoreFault> {
    if let Some(stream) = inner.stream_of(name) {
        return Ok(stream);
    }
    let missing = || unsupported(format!("there is no stream `{name}` in this store"));
    let topic = topic::topic(&inner.line.settings.prefix, name)?;
    let partitions = inner.line.partitions(&topic)?.ok_or_else(missing)?;
    Ok(Arc::new(found(name, topic, partitions)))
}

/// A stream that nobody uses here.
fn found(name: &str, topic: String, partitions: usize) -> Stream {
    let mut declaration = Declaration::new(name, ConnectorKind::Stream);
    declaration.partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
    let stream = Stream::new(topic, declaration.clone());
    stream.declare(&declaration, partitions, None);
    stream
}

/// All streams: topics that begin with the prefix, but for those that Kafka and we keep for ourselves.
fn all(inner: &Inner) -> Result<Vec<StreamStatus>, StoreFault> {
    let prefix = &inner.line.settings.prefix;
    let topics = inner.line.topics()?.into_iter();
    let names = topics.filter_map(|topic| topic::connector(prefix, &topic));
    let mut names: Vec<String> = names
        .filter(|name| !name.starts_with("__") && name != book::NAME)
        .collect();
    names.sort();
    let streams = names
        .iter()
        .map(|name| status(inner, &*known(inner, name)?));
    streams.collect()
}

fn rolls(inner: &Inner, stream: &Stream) -> Result<Vec<(String, Roll)>, StoreFault> {
    let beginning = stream.group_id("");
    let rolls = inner.line.groups(&beginning)?.into_iter();
    let mut rolls: Vec<_> = rolls
        .filter_map(|roll| Some((roll.name.strip_prefix(&beginning)?.to_owned(), roll)))
        .collect();
    rolls.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(rolls)
}

fn status(inner: &Inner, stream: &Stream) -> Result<StreamStatus, StoreFault> {
    let parts = stream.parts();
    let own = parts.own();
    let starts = inner.line.starts(&own)?;
    let partitions = starts.into_iter().zip(inner.line.ends(&own)?);
    let partitions = partitions.map(|(first, next)| PartitionStatus {
        first,
        next,
        records: next.saturating_sub(first),
        // Brokers do not tell it to clients.
        bytes: 0,
    });
    let groups: Vec<String> = rolls(inner, stream)?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut delayed = 0;
    let resting: Vec<Part<'_>> = parts.all().split_off(own.len());
    if !resting.is_empty() {
        let ends = inner.line.ends(&resting)?;
        for group in &groups {
            let clerk = inner.line.clerk(&stream.group_id(group))?;
            let committed = inner.line.committed(&clerk, &resting)?.into_iter();
            let marks = committed.map(|mark| mark.map_or(0, |(mark, _)| mark));
            let left = marks.zip(&ends).map(|(mark, end)| end.saturating_sub(mark));
            delayed += left.sum::<u64>();
        }
    }
    Ok(StreamStatus {
        name: stream.name.clone(),
        key: stream.local.lock().declaration.key.clone(),
        partitions: partitions.collect(),
        groups,
        delayed: usize::try_from(delayed).unwrap_or(usize::MAX),
    })
}

fn groups(inner: &Inner, stream: &Stream) -> Result<Vec<GroupStatus>, StoreFault> {
    let parts = stream.parts();
    let own = parts.own();
    let ends = inner.line.ends(&own)?;
    let rolls = rolls(inner, stream)?.into_iter();
    let groups = rolls.map(|(name, roll)| group(inner, stream, (name, &roll), (&own, &ends)));
    groups.collect()
}

fn group(
    inner: &Inner,
    stream: &Stream,
    (name, roll): (String, &Roll),
    (own, ends): (&[Part<'_>], &[Offset]),
) -> Result<GroupStatus, StoreFault> {
    let clerk = inner.line.clerk(&stream.group_id(&name))?;
    let committed = inner.line.committed(&clerk, own)?;
    let mut here = stream.readings_of(&name);
    here.retain(|reading| !reading.is_gone());
    let now = Now::of(&*inner.line.clock);
    let partitions = own.iter().zip(committed).zip(ends).enumerate();
    let partitions = partitions.map(|(at, ((part, committed), end))| {
        let (mark, text) = committed.unwrap_or_default();
        let (kept, _) = note::read(mark, &text, now);
        let at = own_number(at);
        let mut status = OffsetStatus {
            offset: mark,
            lag: end.saturating_sub(mark),
            unsettled: 0,
            skipped: kept.skipped,
            expired: kept.expired,
            owner: roll.owner(*part).map(name_of),
            epoch: 0,
        };
        for reading in &here {
            let state = reading.state.lock();
            let report = state.group.reports().into_iter();
            if let Some(report) = report.into_iter().find(|report| report.partition == at) {
                status.unsettled = report.unsettled;
                status.owner = Some(reading.name.clone());
                status.epoch = report.epoch;
            }
        }
        // Of those of other programs no more is known than that there is one.
        status.epoch = status.epoch.max(u64::from(status.owner.is_some()));
        status
    });
    Ok(GroupStatus {
        partitions: partitions.collect(),
        consumers: roll.members.iter().map(|(name, _)| name_of(name)).collect(),
        name,
    })
}

/// The name of a consumer, from what its group knows it as.
fn name_of(client: &str) -> String {
    let name = client.rsplit_once('@').map_or(client, |(name, _)| name);
    name.to_owned()
}

fn few(stream: &Stream, partitions: usize) -> StoreFault {
    unsupported(format!(
        "the stream `{}` has {partitions} partitions, counted from 0, and no other",
        stream.name
    ))
}

/// Where a place is in each partition; `marks` has those of the group, if there is one.
fn places(
    inner: &Inner,
    own: &[Part<'_>],
    at: At,
    marks: Option<&[Option<Offset>]>,
) -> Result<Vec<Offset>, StoreFault> {
    let (starts, ends) = (inner.line.starts(own)?, inner.line.ends(own)?);
    let bounds = starts.into_iter().zip(ends).enumerate();
    let found = match at {
        At::Time(time) => {
            let time = i64::try_from(time).unwrap_or(i64::MAX);
            inner.line.places(own, Place::Offset(time))?
        }
        _ => Vec::new(),
    };
    let place = |(partition, (start, end)): (usize, (Offset, Offset))| match at {
        At::Start => start,
        At::End => end,
        At::Offset(offset) => offset.clamp(start, end),
        At::Time(_) => found.get(partition).copied().flatten().unwrap_or(end),
        At::Back(records) => {
            let mark = marks.and_then(|marks| marks.get(partition).copied().flatten());
            mark.unwrap_or(end).saturating_sub(records).max(start)
        }
    };
    Ok(bounds.map(place).collect())
}

fn tail(
    inner: &Inner,
    (stream, partition): (&Stream, Option<u32>),
    (from, to): (At, Option<At>),
    mut after: Vec<u64>,
    most: usize,
) -> Result<Answer, StoreFault> {
    let parts = stream.parts();
    let own = parts.own();
    let to = match to {
        None => At::End,
        Some(At::Offset(offset)) => At::Offset(offset.saturating_add(1)),
        Some(At::Time(time)) => At::Time(time + 1),
        Some(at) => at,
    };
    let ends = places(inner, &own, to, None)?;
    if partition.is_some_and(|at| at as usize >= own.len()) {
        return Err(few(stream, own.len()));
    }
    if after.len() != own.len() {
        after = places(inner, &own, from, None)?;
    }
    let mut records: Vec<StreamRecord> = Vec::new();
    for (at, (part, end)) in own.iter().zip(&ends).enumerate() {
        if partition.is_some_and(|only| only as usize != at) {
            continue;
        }
        let mut left = most;
        inner
            .browser
            .range(&inner.line, *part, (after[at], *end), |record| {
                records.push(shown(at, read(record, &stream.name).record));
                left = left.saturating_sub(1);
                left > 0 && record.offset() + 1 < i64::try_from(*end).unwrap_or(i64::MAX)
            })?;
    }
    // Of equal times those of the earlier partition first, each in its order.
    records.sort_by_key(|record| (record.at, record.partition, record.offset));
    records.truncate(most);
    for record in &records {
        after[record.partition as usize] = record.offset + 1;
    }
    Ok(Answer::Records { records, after })
}

/// Sends a group to another place: what this process reads at once, what nobody reads by its offsets.
fn send_back(
    inner: &Inner,
    (stream, group): (&Stream, &str),
    partition: Option<u32>,
    from: At,
) -> Result<(), StoreFault> {
    let parts = stream.parts();
    let own = parts.own();
    if partition.is_some_and(|at| at as usize >= own.len()) {
        return Err(few(stream, own.len()));
    }
    let id = stream.group_id(group);
    let clerk = inner.line.clerk(&id)?;
    let committed = inner.line.committed(&clerk, &own)?;
    let marks: Vec<_> = committed
        .iter()
        .map(|mark| mark.as_ref().map(|(mark, _)| *mark))
        .collect();
    let places = places(inner, &own, from, Some(&marks))?;
    let now = Now::of(&*inner.line.clock);
    let ends = inner.line.ends(&own)?;
    let mut list = TopicPartitionList::new();
    for (at, part) in own.iter().enumerate() {
        let is_other = partition.is_some_and(|only| only as usize != at);
        if is_other || sent_here((stream, group), own_number(at), places[at]) {
            continue;
        }
        let (mark, text) = committed[at].clone().unwrap_or((ends[at], String::new()));
        let (mut kept, _) = note::read(mark, &text, now);
        kept.replayed = kept.replayed.max(mark);
        kept.mark = places[at];
        let mut elsewhere = list.add_partition(part.0, part.1);
        let set = elsewhere.set_offset(raw_offset(places[at]));
        set.map_err(|error| inner.line.health.fault(&error))?;
        elsewhere.set_metadata(note::write((kept, 0), &[], now));
    }
    stream.report(inner)?;
    stream.call_all();
    if list.count() == 0 {
        return Ok(());
    }
    if !inner.line.roll(&id)?.members.is_empty() {
        return Err(unsupported(format!(
            "another program reads `{}` for the group `{group}`: Kafka sends back whom nobody reads for",
            stream.name
        )));
    }
    inner.line.ask(|_| clerk.commit(&list, CommitMode::Sync))
}

/// Sends the reader of a partition back, if it is in this process.
fn sent_here((stream, group): (&Stream, &str), partition: usize, to: Offset) -> bool {
    for reading in stream.readings_of(group) {
        let mut state = reading.state.lock();
        if state.shelves.contains_key(&partition) && !state.has_left {
            let mut places = vec![None; partition];
            places.push(Some(to));
            state.group.seek(&places);
            state.is_dirty = true;
            return true;
        }
    }
    false
}
