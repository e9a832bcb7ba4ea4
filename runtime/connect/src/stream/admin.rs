//! What can be asked about streams and channels, and done to them, from outside a network.
//!
//! Requests and answers can be written as JSON.

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use paperflow_core::{Headers, Moment};
use serde::{Deserialize, Serialize};

use super::group::{Kept, Standing};
use super::log::{self, Most, Shelf};
use super::mark::Offset;
use super::{Stream, find};
use crate::clock::{millis, moment};
use crate::fault::unsupported;
use crate::pubsub::{self, ChannelStatus};
use crate::writer::Tx;

/// A place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// Before the first record.
    Start,
    /// Behind the last one.
    End,
    /// At this offset, in each partition that is asked for.
    Offset(u64),
    /// At the first record that was written then or later, in milliseconds since 1970.
    Time(u64),
    /// So many records before where the group is; before the end for a group that is not there, and for
    /// what is no group.
    Back(u64),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum Request {
    /// Which streams there are: answered with `Streams`.
    List,
    /// Which publish-subscribe channels there are: answered with `Channels`.
    Channels,
    /// Records of a stream in the order of time, which stay as they are: answered with `Records`.
    Tail {
        /// The stream.
        stream: String,
        /// One partition of it; all by default.
        partition: Option<u32>,
        /// The first record.
        from: At,
        /// The last record, at this offset or not later than that time; the end by default.
        to: Option<At>,
        /// Where an answer said that it goes on; empty at first.
        #[serde(default)]
        after: Vec<u64>,
        /// At most so many.
        most: usize,
    },
    /// The groups of a stream, and how far each has come: answered with `Groups`.
    Groups {
        /// The stream.
        stream: String,
    },
    /// Sends a group, perhaps a new one, to another place, from which it reads again. What its consumers
    /// hold has no say any more. Answered with `Groups`, of that group alone.
    Replay {
        /// The stream.
        stream: String,
        /// The group.
        group: String,
        /// One partition; all by default.
        partition: Option<u32>,
        /// Where to.
        from: At,
    },
    /// Forgets a group that nobody reads for: answered with `Groups`, of those that are left.
    Forget {
        /// The stream.
        stream: String,
        /// The group.
        group: String,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Streams.
    Streams(Vec<StreamStatus>),
    /// Records, and where the next answer goes on: an offset for each partition, to be given as `after`.
    /// There is no more when there are no records.
    Records {
        /// In the order of time.
        records: Vec<StreamRecord>,
        /// Where it goes on.
        after: Vec<u64>,
    },
    /// Groups.
    Groups(Vec<GroupStatus>),
    /// Publish-subscribe channels.
    Channels(Vec<ChannelStatus>),
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// What decides the partition: a field, or `header:NAME`.
    pub key: Option<String>,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionStatus>,
    /// Its groups.
    pub groups: Vec<String>,
    /// Copies that are to come back from a delay stream.
    pub delayed: usize,
}

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionStatus {
    /// The first offset that is kept; the next one when there is none.
    pub first: u64,
    /// The offset of the next record.
    pub next: u64,
    /// Records that are kept.
    pub records: u64,
    /// Bytes of their payload.
    pub bytes: u64,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// Its partition.
    pub partition: u32,
    /// Its place there.
    pub offset: u64,
    /// When it was written, in milliseconds since 1970.
    pub at: u64,
    /// Its identity, 32 hexadecimal digits.
    pub id: String,
    /// What kind of packet it is, or `group`.
    pub kind: String,
    /// Its headers.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Its body, if that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its body, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Vec<u8>>,
    /// In what way it is not what was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// Its consumers, in the order in which they came.
    pub consumers: Vec<String>,
    /// How far it is in each partition.
    pub partitions: Vec<OffsetStatus>,
}

/// How far a group is in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetStatus {
    /// Everything before this is finished.
    pub offset: u64,
    /// Records from there to the end.
    pub lag: u64,
    /// Records in the hands of consumers.
    pub unsettled: usize,
    /// Records that failed and were left behind.
    pub skipped: u64,
    /// Records that were not kept long enough to be delivered.
    pub expired: u64,
    /// Who reads it.
    pub owner: Option<String>,
    /// Which assignment of the partition that is; 0 when nobody reads it.
    pub epoch: u64,
}

/// Does what is asked.
///
/// # Errors
/// There is no such stream, group or partition (`Unsupported`), or the store cannot be read or written.
pub(crate) fn answer(tx: &mut Tx<'_>, request: Request) -> Result<Answer, StoreFault> {
    match request {
        Request::List => list(tx).map(Answer::Streams),
        Request::Channels => pubsub::list(tx).map(Answer::Channels),
        Request::Tail {
            stream,
            partition,
            from,
            to,
            after,
            most,
        } => {
            let stream = known(tx, &stream)?;
            stream.tail(tx, partition, (from, to), after, most)
        }
        Request::Groups { stream } => {
            let stream = known(tx, &stream)?;
            Ok(Answer::Groups(stream.groups()))
        }
        Request::Replay {
            stream,
            group,
            partition,
            from,
        } => {
            let stream = known(tx, &stream)?;
            stream.replay(tx, &group, partition, from)
        }
        Request::Forget { stream, group } => {
            let stream = known(tx, &stream)?;
            stream.forget(tx, &group)
        }
    }
}

fn known(tx: &mut Tx<'_>, name: &str) -> Result<Arc<Stream>, StoreFault> {
    if let Some(stream) = find(tx, name)? {
        return Ok(stream);
    }
    let sql = "SELECT kind FROM connectors WHERE name = ?";
    let kind: Option<String> = tx.row(sql, [name], |row| row.get(0))?;
    Err(unsupported(match kind {
        None => format!("there is no stream `{name}` in this store"),
        Some(kind) => format!(
            "`{name}` is a {kind}: what was done is gone and cannot be read again; \
             only whoever sent it can send it again"
        ),
    }))
}

fn list(tx: &mut Tx<'_>) -> Result<Vec<StreamStatus>, StoreFault> {
    let mut names = Vec::new();
    let sql = "SELECT name FROM connectors WHERE kind = 'stream' ORDER BY name";
    tx.rows(sql, [], |row| {
        names.push(row.get::<_, String>(0)?);
        Ok(true)
    })?;
    let mut streams = Vec::with_capacity(names.len());
    for name in names {
        if let Some(stream) = find(tx, &name)? {
            streams.push(stream.status(tx)?);
        }
    }
    Ok(streams)
}

impl Stream {
    fn status(&self, tx: &Tx<'_>) -> Result<StreamStatus, StoreFault> {
        let (shelves, key, delayed) = {
            let live = self.live.lock();
            let key = live.declaration.key.clone();
            (live.shelves.clone(), key, live.delayed.len())
        };
        let mut partitions = Vec::with_capacity(shelves.len());
        for shelf in &shelves {
            let first = log::first(tx, shelf.number, 0)?;
            partitions.push(PartitionStatus {
                first: first.map_or(shelf.next, |first| first.offset),
                next: shelf.next,
                records: shelf.records,
                bytes: shelf.bytes,
            });
        }
        Ok(StreamStatus {
            name: self.name.clone(),
            key,
            partitions,
            groups: self.teams.lock().keys().cloned().collect(),
            delayed,
        })
    }

    fn tail(
        &self,
        tx: &Tx<'_>,
        partition: Option<u32>,
        (from, to): (At, Option<At>),
        after: Vec<u64>,
        most: usize,
    ) -> Result<Answer, StoreFault> {
        let shelves = self.live.lock().shelves.clone();
        let wanted = self.wanted(partition, shelves.len())?;
        let mut after = if after.len() == shelves.len() {
            after
        } else {
            offsets(tx, &shelves, from)?
        };
        let mut records = Vec::new();
        for at in wanted {
            let shelf = &shelves[at];
            let end = end(tx, shelf, to)?;
            let page = Most {
                records: most,
                bytes: PAGE_BYTES,
            };
            let page = log::page(tx, shelf.number, (after[at], end.max(after[at])), page)?;
            records.extend(
                page.records
                    .into_iter()
                    .map(|record| (record.at, at, record)),
            );
        }
        // Of equal times those of the earlier partition first, each in its order.
        records.sort_by_key(|(time, at, record)| (*time, *at, record.offset));
        records.truncate(most);
        for (_, at, record) in &records {
            after[*at] = record.offset + 1;
        }
        let records = records.into_iter().map(|(_, at, record)| shown(at, record));
        Ok(Answer::Records {
            records: records.collect(),
            after,
        })
    }

    /// The partitions that are asked for.
    fn wanted(&self, partition: Option<u32>, all: usize) -> Result<Vec<usize>, StoreFault> {
        match partition {
            None => Ok((0..all).collect()),
            Some(at) if (at as usize) < all => Ok(vec![at as usize]),
            Some(at) => Err(unsupported(format!(
                "the stream `{}` has {all} partitions, counted from 0, and none is {at}",
                self.name
            ))),
        }
    }

    fn groups(&self) -> Vec<GroupStatus> {
        let ends = self.live.lock().ends.clone();
        let teams = self.teams.lock();
        let status = teams.values().map(|team| {
            let group = team.group.lock();
            let partitions = (0..ends.len()).map(|at| offset(group.standing(at), ends[at]));
            GroupStatus {
                name: team.name.clone(),
                consumers: group.members().map(str::to_owned).collect(),
                partitions: partitions.collect(),
            }
        });
        status.collect()
    }

    fn replay(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        name: &str,
        partition: Option<u32>,
        from: At,
    ) -> Result<Answer, StoreFault> {
        let shelves = self.live.lock().shelves.clone();
        let is_new = !self.teams.lock().contains_key(name);
        let team = self.team(tx, name)?;
        let mut to = vec![None; shelves.len()];
        for at in self.wanted(partition, shelves.len())? {
            let mark = match is_new {
                true => shelves[at].next,
                false => team.group.lock().standing(at).state.mark,
            };
            let offset = match from {
                At::Back(records) => mark.saturating_sub(records),
                from => place(tx, &shelves[at], from)?,
            };
            to[at] = Some(offset);
        }
        {
            let mut group = team.group.lock();
            if is_new {
                let ends: Vec<Offset> = shelves.iter().map(|shelf| shelf.next).collect();
                group.replays_until(&ends);
            }
            group.seek(&to);
        }
        self.save(tx, &team)?;
        let mut groups = self.groups();
        groups.retain(|group| group.name == name);
        Ok(Answer::Groups(groups))
    }

    fn forget(self: &Arc<Self>, tx: &mut Tx<'_>, name: &str) -> Result<Answer, StoreFault> {
        let Some(team) = self.teams.lock().get(name).map(Arc::clone) else {
            return Err(unsupported(format!(
                "the stream `{}` has no group `{name}`",
                self.name
            )));
        };
        if team.group.lock().is_live() {
            return Err(unsupported(format!(
                "somebody reads `{}` for the group `{name}`",
                self.name
            )));
        }
        for table in ["groups", "failures"] {
            let sql = format!("DELETE FROM {table} WHERE stream = ? AND name = ?");
            tx.execute(&sql, rusqlite::params![self.number, name])?;
        }
        self.teams.lock().remove(name);
        let stream = Arc::clone(self);
        tx.then(move |is_safe| {
            if !is_safe {
                let name = team.name.clone();
                stream.teams.lock().entry(name).or_insert(team);
            }
        });
        Ok(Answer::Groups(self.groups()))
    }
}

/// Most bytes of payload that one answer has of a partition, or one record.
const PAGE_BYTES: u64 = 4 << 20;

fn offset(standing: Standing, end: Offset) -> OffsetStatus {
    let Standing {
        state,
        unsettled,
        owner,
    } = standing;
    let Kept {
        mark,
        skipped,
        expired,
        ..
    } = state;
    let (owner, epoch) = owner.map_or((None, 0), |(name, epoch)| (Some(name), epoch));
    OffsetStatus {
        offset: mark,
        lag: end.saturating_sub(mark),
        unsettled,
        skipped,
        expired,
        owner,
        epoch,
    }
}

fn offsets(tx: &Tx<'_>, shelves: &[Shelf], at: At) -> Result<Vec<Offset>, StoreFault> {
    shelves.iter().map(|shelf| place(tx, shelf, at)).collect()
}

/// Where a place is in a partition.
fn place(tx: &Tx<'_>, shelf: &Shelf, at: At) -> Result<Offset, StoreFault> {
    Ok(match at {
        At::Start => 0,
        At::End => shelf.next,
        At::Offset(offset) => offset.min(shelf.next),
        At::Time(time) => log::since(tx, shelf, time_of(time))?,
        At::Back(records) => shelf.next.saturating_sub(records),
    })
}

/// Behind the last record that is wanted.
fn end(tx: &Tx<'_>, shelf: &Shelf, to: Option<At>) -> Result<Offset, StoreFault> {
    Ok(match to {
        None | Some(At::End) => shelf.next,
        Some(At::Offset(offset)) => offset.saturating_add(1).min(shelf.next),
        Some(At::Time(time)) => {
            let next = time_of(time) + Duration::from_millis(1);
            log::since(tx, shelf, next)?
        }
        Some(at) => place(tx, shelf, at)?,
    })
}

fn time_of(time: u64) -> Moment {
    moment(i64::try_from(time).unwrap_or(i64::MAX))
}

/// A record, for people.
pub(crate) fn shown(partition: usize, record: log::Record) -> StreamRecord {
    let empty = StreamRecord {
        partition: u32::try_from(partition).unwrap_or(u32::MAX),
        offset: record.offset,
        at: millis(record.at).unsigned_abs(),
        id: String::new(),
        kind: String::new(),
        headers: Headers::default(),
        text: None,
        bytes: None,
        damage: None,
    };
    let message = match record.message {
        Ok(message) => message,
        Err(damage) => {
            return StreamRecord {
                damage: Some(damage),
                ..empty
            };
        }
    };
    let body = String::from_utf8(message.body().unwrap_or_default().into_owned());
    let (text, bytes) = match body {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(error.into_bytes())),
    };
    StreamRecord {
        id: message.id.to_string(),
        kind: message.kind_word().to_owned(),
        headers: message.headers.written(),
        text,
        bytes,
        ..empty
    }
}
