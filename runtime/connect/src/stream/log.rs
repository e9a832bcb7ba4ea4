//! Records on the disk, and what groups have to keep.
//!
//! A record lies at a *place*: the number of its partition, which no other partition of the store has,
//! and its offset. So the records of a partition lie side by side, in order, and need no index.

use std::collections::VecDeque;
use std::time::Duration;

use paperflow_core::Moment;
use paperflow_core::connector::StoreFault;
use paperflow_core::message::Message;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row, params};

use super::group::{Kept, Now, Page, Unsaved};
use super::mark::{Failed, Offset};
use crate::clock::{millis, moment};
use crate::queue::record;
use crate::writer::Tx;

/// Bits of a place that are the offset.
const BITS: u32 = 40;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(i64);

impl Place {
    /// In the partition of this number.
    pub(crate) fn of(partition: i64, offset: Offset) -> Self {
        // There are not that many; an open end is the last there can be.
        let offset = offset.min((1 << BITS) - 1).cast_signed();
        Self((partition << BITS) | offset)
    }

    pub(crate) fn offset(self) -> Offset {
        (self.0 & ((1 << BITS) - 1)).cast_unsigned()
    }

    /// As it is kept.
    pub(crate) fn number(self) -> i64 {
        self.0
    }

    /// The number of its partition.
    pub(crate) fn partition(self) -> i64 {
        self.0 >> BITS
    }

    /// All places of a partition from an offset on.
    fn from(partition: i64, offset: Offset) -> [Self; 2] {
        [
            Self::of(partition, offset),
            Self::of(partition, Offset::MAX),
        ]
    }
}

impl ToSql for Place {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Place {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// A partition, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shelf {
    /// Its number in the store.
    pub(crate) number: i64,
    /// The offset of the next record.
    pub(crate) next: Offset,
    /// Records that are kept.
    pub(crate) records: u64,
    /// Bytes of their payload.
    pub(crate) bytes: u64,
    /// When the last record was written.
    pub(crate) last: Moment,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) offset: Offset,
    /// When it was written.
    pub(crate) at: Moment,
    /// Which delivery the first one is: 1, or more when it came back from a delay stream.
    pub(crate) attempt: u32,
    /// The one group that is to read it.
    pub(crate) only_for: Option<String>,
    /// Of payload.
    pub(crate) bytes: u64,
    /// What was written, or in what way it is not that any more.
    pub(crate) message: Result<Message, String>,
}

impl Record {
    /// Whether only another group is to read it.
    pub(crate) fn is_for_others(&self, group: &str) -> bool {
        self.only_for.as_ref().is_some_and(|only| only != group)
    }
}

/// The partitions of a stream; those that are wanted and not there are made, and none goes.
pub(crate) fn partitions(tx: &Tx<'_>, stream: i64, wanted: u32) -> Result<Vec<Shelf>, StoreFault> {
    for partition in 0..wanted {
        let sql = "INSERT OR IGNORE INTO partitions (stream, partition) VALUES (?, ?)";
        tx.execute(sql, params![stream, partition])?;
    }
    let mut shelves = Vec::new();
    let sql =
        "SELECT number, next, records, bytes FROM partitions WHERE stream = ? ORDER BY partition";
    tx.rows(sql, [stream], |row| {
        shelves.push(Shelf {
            number: row.get(0)?,
            next: row.get(1)?,
            records: row.get(2)?,
            bytes: row.get(3)?,
            last: Moment::default(),
        });
        Ok(true)
    })?;
    for shelf in &mut shelves {
        let sql = "SELECT at FROM records WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1";
        let last = tx.row(sql, Place::from(shelf.number, 0), |row| row.get(0))?;
        shelf.last = last.map(moment).unwrap_or_default();
    }
    Ok(shelves)
}

/// Writes a message at the end of a partition. The shelf tells of it, and is to be [saved](save_shelf).
pub(crate) fn append(
    tx: &Tx<'_>,
    shelf: &mut Shelf,
    record: &record::Record,
    now: Moment,
) -> Result<(), StoreFault> {
    let (place, at) = shelf.grow(record.bytes(), now);
    let sql = "INSERT INTO records VALUES (?, ?, ?, ?, ?, 1, NULL, ?, ?, NULL, ?)";
    let message = &record.message;
    let (kind, bytes) = (message.kind_word(), record.bytes());
    let (id, body) = (message.id.to_bytes(), record.body());
    tx.execute(
        sql,
        params![
            place,
            id,
            kind,
            bytes,
            at,
            record.checksum,
            record.headers,
            body
        ],
    )?;
    Ok(())
}

/// What differs in a copy from its record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Differs {
    pub(crate) attempt: u32,
    pub(crate) only_for: Option<String>,
    /// JSON.
    pub(crate) cause: Option<String>,
}

/// Writes a copy of a record at the end of a partition. The shelf tells of it, and is to be
/// [saved](save_shelf). Gives where it lies; nothing when the record is kept no more.
pub(crate) fn copy(
    tx: &Tx<'_>,
    from: Place,
    shelf: &mut Shelf,
    differs: &Differs,
    now: Moment,
) -> Result<Option<Place>, StoreFault> {
    let sql = "SELECT bytes FROM records WHERE place = ?";
    let Some(bytes) = tx.row(sql, [from], |row| row.get(0))? else {
        return Ok(None);
    };
    let (place, at) = shelf.grow(bytes, now);
    let Differs {
        attempt,
        only_for,
        cause,
    } = differs;
    let sql = "INSERT INTO records SELECT ?, id, kind, bytes, ?, ?, ?, checksum, headers, ?, body \
               FROM records WHERE place = ?";
    tx.execute(sql, params![place, at, attempt, only_for, cause, from])?;
    Ok(Some(place))
}

/// Writes a message of a queue at the end of a partition, for one group or for all. See [`copy`].
pub(crate) fn take(
    tx: &Tx<'_>,
    seq: i64,
    shelf: &mut Shelf,
    only_for: Option<&str>,
    now: Moment,
) -> Result<(), StoreFault> {
    let sql = "SELECT bytes FROM messages WHERE seq = ?";
    let Some(bytes) = tx.row(sql, [seq], |row| row.get(0))? else {
        return Ok(());
    };
    let (place, at) = shelf.grow(bytes, now);
    let sql = "INSERT INTO records SELECT ?, id, kind, bytes, ?, 1, ?, checksum, headers, NULL, body \
               FROM messages WHERE seq = ?";
    tx.execute(sql, params![place, at, only_for, seq])?;
    Ok(())
}

impl Shelf {
    /// There is one more record; gives where it lies, and when it was written.
    fn grow(&mut self, bytes: u64, now: Moment) -> (Place, i64) {
        let place = Place::of(self.number, self.next);
        // What was written later is not said to be older, whatever the clock says.
        self.last = self.last.max(now);
        self.next += 1;
        self.records += 1;
        self.bytes += bytes;
        (place, millis(self.last))
    }
}

/// Writes what a shelf tells.
pub(crate) fn save_shelf(tx: &Tx<'_>, shelf: &Shelf) -> Result<(), StoreFault> {
    let Shelf {
        number,
        next,
        records,
        bytes,
        ..
    } = shelf;
    let sql = "UPDATE partitions SET next = ?, records = ?, bytes = ? WHERE number = ?";
    tx.execute(sql, params![next, records, bytes, number])?;
    Ok(())
}

const COLUMNS: &str =
    "place, at, attempt, only_for, bytes, id, kind, checksum, headers, cause, body";

fn read(row: &Row<'_>) -> Result<Record> {
    Ok(Record {
        offset: row.get::<_, Place>(0)?.offset(),
        at: moment(row.get(1)?),
        attempt: row.get(2)?,
        only_for: row.get(3)?,
        bytes: row.get(4)?,
        message: record::read(row, 5)?,
    })
}

/// How much is read at a time: so many records, and no more once they have so many bytes of payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) records: usize,
    pub(crate) bytes: u64,
}

/// Records of a partition, from an offset on to an end.
pub(crate) fn page(
    tx: &Tx<'_>,
    partition: i64,
    (from, end): (Offset, Offset),
    most: Most,
) -> Result<Page, StoreFault> {
    let (mut records, mut size) = (VecDeque::new(), 0);
    let mut is_whole = true;
    let sql =
        format!("SELECT {COLUMNS} FROM records WHERE place >= ? AND place < ? ORDER BY place");
    let places = [Place::of(partition, from), Place::of(partition, end)];
    tx.rows(&sql, places, |row| {
        let record = read(row)?;
        size += record.bytes;
        records.push_back(record);
        is_whole = records.len() < most.records && size < most.bytes;
        Ok(is_whole)
    })?;
    let last = records.back().filter(|_| !is_whole);
    let end = last.map_or(end, |last: &Record| last.offset + 1);
    Ok(Page { from, end, records })
}

/// The first record that is kept from an offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) offset: Offset,
    pub(crate) at: Moment,
}

pub(crate) fn first(
    tx: &Tx<'_>,
    partition: i64,
    from: Offset,
) -> Result<Option<First>, StoreFault> {
    let sql = "SELECT place, at FROM records WHERE place BETWEEN ? AND ? ORDER BY place LIMIT 1";
    tx.row(sql, Place::from(partition, from), |row| {
        Ok(First {
            offset: row.get::<_, Place>(0)?.offset(),
            at: moment(row.get(1)?),
        })
    })
}

/// The offset of the first record that was written at that moment or later; the end if there is none.
pub(crate) fn since(tx: &Tx<'_>, shelf: &Shelf, at: Moment) -> Result<Offset, StoreFault> {
    // Records are in the order of time, so the place is found by halving.
    let (mut low, mut high) = (0, shelf.next);
    while low < high {
        let middle = low + (high - low) / 2;
        match first(tx, shelf.number, middle)? {
            Some(first) if first.at < at => low = first.offset + 1,
            Some(_) | None => high = middle,
        }
    }
    let found = first(tx, shelf.number, low)?;
    Ok(found.map_or(shelf.next, |first| first.offset))
}

/// Removes the record at an offset; the shelf tells of it, and is to be [saved](save_shelf).
pub(crate) fn remove(tx: &Tx<'_>, shelf: &mut Shelf, offset: Offset) -> Result<(), StoreFault> {
    let sql = "DELETE FROM records WHERE place = ? RETURNING bytes";
    let bytes: Option<u64> = tx.row(sql, [Place::of(shelf.number, offset)], |row| row.get(0))?;
    if let Some(bytes) = bytes {
        shelf.records = shelf.records.saturating_sub(1);
        shelf.bytes = shelf.bytes.saturating_sub(bytes);
    }
    Ok(())
}

/// The names of the groups of a stream.
pub(crate) fn groups(tx: &Tx<'_>, stream: i64) -> Result<Vec<String>, StoreFault> {
    let mut names = Vec::new();
    let sql = "SELECT DISTINCT name FROM groups WHERE stream = ? ORDER BY name";
    tx.rows(sql, [stream], |row| {
        names.push(row.get(0)?);
        Ok(true)
    })?;
    Ok(names)
}

/// A partition of a group, as it was kept.
pub(crate) type Before = (Kept, Vec<(Offset, Failed)>);

/// How far a group has come in each partition, and what has failed there.
pub(crate) fn group(
    tx: &Tx<'_>,
    (stream, name): (i64, &str),
    partitions: usize,
    now: Now,
) -> Result<Vec<Before>, StoreFault> {
    let mut all = vec![(Kept::default(), Vec::new()); partitions];
    let sql = "SELECT partition, mark, replayed, skipped, expired FROM groups \
               WHERE stream = ? AND name = ?";
    tx.rows(sql, params![stream, name], |row| {
        if let Some((kept, _)) = all.get_mut(row.get::<_, usize>(0)?) {
            *kept = Kept {
                mark: row.get(1)?,
                replayed: row.get(2)?,
                skipped: row.get(3)?,
                expired: row.get(4)?,
            };
        }
        Ok(true)
    })?;
    let sql = "SELECT partition, position, times, until, first FROM failures \
               WHERE stream = ? AND name = ?";
    tx.rows(sql, params![stream, name], |row| {
        if let Some((_, failures)) = all.get_mut(row.get::<_, usize>(0)?) {
            let failed = Failed {
                times: row.get(2)?,
                until: now.elapsed_at(moment(row.get(3)?)),
                first: moment(row.get(4)?),
            };
            failures.push((row.get(1)?, failed));
        }
        Ok(true)
    })?;
    Ok(all)
}

/// Writes how far a group has come in a partition.
pub(crate) fn save_group(
    tx: &Tx<'_>,
    (stream, name): (i64, &str),
    unsaved: &Unsaved,
    now: Now,
) -> Result<(), StoreFault> {
    let Unsaved {
        partition,
        state,
        failures,
    } = unsaved;
    let Kept {
        mark,
        replayed,
        skipped,
        expired,
    } = state;
    let sql = "INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?, ?, ?)";
    tx.execute(
        sql,
        params![stream, name, partition, mark, replayed, skipped, expired],
    )?;
    for (offset, failed) in failures {
        match failed {
            Some(failed) => {
                let (until, first) = (millis(now.wall_at(failed.until)), millis(failed.first));
                let times = failed.times;
                tx.execute(
                    "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)",
                    params![stream, name, partition, offset, times, until, first],
                )?
            }
            None => tx.execute(
                "DELETE FROM failures WHERE stream = ? AND name = ? AND partition = ? AND position = ?",
                params![stream, name, partition, offset],
            )?,
        };
    }
    Ok(())
}

/// A copy that is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delayed {
    /// Where the copy lies.
    pub(crate) copy: Place,
    /// The partition it comes back to.
    pub(crate) partition: usize,
    /// The group it failed in.
    pub(crate) group: String,
    /// Where the record lies that it is a copy of.
    pub(crate) origin: Place,
    /// Which delivery the next one is.
    pub(crate) attempt: u32,
    /// By time that only goes on.
    pub(crate) due: Duration,
}

/// All copies that are to come back to a stream.
pub(crate) fn delayed(tx: &Tx<'_>, stream: i64, now: Now) -> Result<Vec<Delayed>, StoreFault> {
    let mut all = Vec::new();
    let sql = "SELECT copy, partition, name, origin, attempt, due FROM delays WHERE stream = ?";
    tx.rows(sql, [stream], |row| {
        all.push(Delayed {
            copy: row.get(0)?,
            partition: row.get(1)?,
            group: row.get(2)?,
            origin: row.get(3)?,
            attempt: row.get(4)?,
            due: now.elapsed_at(moment(row.get(5)?)),
        });
        Ok(true)
    })?;
    Ok(all)
}

/// Writes that a copy is to come back. False when one of the same record of the same group is already.
pub(crate) fn delay(
    tx: &Tx<'_>,
    stream: i64,
    delayed: &Delayed,
    now: Now,
) -> Result<bool, StoreFault> {
    let Delayed {
        copy,
        partition,
        group,
        origin,
        attempt,
        due,
    } = delayed;
    let sql = "INSERT OR IGNORE INTO delays VALUES (?, ?, ?, ?, ?, ?, ?)";
    let due = millis(now.wall_at(*due));
    let values = params![copy, stream, partition, group, origin, attempt, due];
    Ok(tx.execute(sql, values)? > 0)
}

/// The copy has come back.
pub(crate) fn undelay(tx: &Tx<'_>, copy: Place) -> Result<(), StoreFault> {
    tx.execute("DELETE FROM delays WHERE copy = ?", [copy])?;
    Ok(())
}
