//! Ids that have been sent to a connector, so that what is sent again is known.
//!
//! Ids are hashes: in a table by themselves each would touch a page of its own. So those of one send are
//! written as one row, in the order in which they came, and the last quarter of a million is kept in
//! memory as well; what is older goes elsewhere ([`older`]), sorted, many at a time.

mod older;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;
use parking_lot::Mutex;
use rusqlite::{Row, params};

use crate::clock::millis;
use crate::seen::older::{Older, ids};
use crate::writer::{Orders, Tx};

/// Ids that are kept in memory, for each connector.
const RECENT: usize = if cfg!(test) { 300 } else { 1 << 18 };
/// Ids that one transaction moves: so many that there are few runs, and that nobody waits for long.
const MOVED: usize = if cfg!(test) { 100 } else { 1 << 17 };
/// Rows of them.
const MOVED_ROWS: usize = 1 << 15;
/// Rows that one transaction forgets.
const MOST: usize = 4_096;
/// How long ids are kept when no run finishes.
pub(crate) const WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Takes a hash for what it is, and makes one of a number.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Numbers that count differ in their lower bits only.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u128(&mut self, hash: u128) {
        // The lower half is as good as any.
        self.0 = hash as u64;
    }
}

pub(crate) type Ids = HashSet<Id, BuildHasherDefault<AsIs>>;

/// The ids of one connector.
#[derive(Clone)]
pub(crate) struct Seen(Arc<Mutex<Memory>>);

struct Memory {
    number: i64,
    generation: i64,
    recent: Ids,
    older: Older,
    /// The last row of ids that was given a number.
    last: i64,
    is_moving: bool,
}

impl Seen {
    /// The ids of a connector, by its number.
    pub(crate) fn of(tx: &mut Tx<'_>, number: i64) -> Result<Self, StoreFault> {
        if let Some(seen) = tx.opened.seen.get(&number) {
            return Ok(seen.clone());
        }
        let sql = "SELECT generation FROM connectors WHERE number = ?";
        let generation = tx.row(sql, [number], |row| row.get(0))?;
        let generation: i64 = generation.unwrap_or_default();
        let mut memory = Memory {
            number,
            generation,
            recent: Ids::default(),
            older: Older::open(tx, place(number, generation))?,
            last: number << 40,
            is_moving: false,
        };
        let sql = "SELECT slot, generation, ids FROM sent WHERE slot > ? AND slot < ?";
        tx.rows(sql, [number << 40, (number + 1) << 40], |row| {
            memory.last = row.get(0)?;
            if row.get::<_, i64>(1)? == generation {
                memory.recent.extend(ids(row.get_ref(2)?.as_blob()?));
            }
            Ok(true)
        })?;
        let seen = Self(Arc::new(Mutex::new(memory)));
        tx.opened.seen.insert(number, seen.clone());
        Ok(seen)
    }

    /// Remembers ids, and tells of each whether it is new.
    pub(crate) fn admit(
        &self,
        tx: &mut Tx<'_>,
        ids: impl Iterator<Item = Id>,
    ) -> Result<Vec<bool>, StoreFault> {
        let mut memory = self.0.lock();
        // What cannot be found out ends this before anything is remembered.
        let ids = ids.map(|id| Ok((id, memory.older.has(tx, id)?)));
        let ids = ids.collect::<Result<Vec<_>, StoreFault>>()?;
        let mut are_new = Vec::with_capacity(ids.len());
        let mut new = Vec::with_capacity(ids.len());
        for (id, is_older) in ids {
            let is_new = !is_older && memory.recent.insert(id);
            are_new.push(is_new);
            if is_new {
                new.push(id);
            }
        }
        if new.is_empty() {
            return Ok(are_new);
        }
        memory.last += 1;
        let (slot, generation) = (memory.last, memory.generation);
        drop(memory);
        let seen = self.clone();
        let orders = tx.opened.orders.clone();
        let bytes = new.iter().map(|id| id.to_bytes()).collect::<Vec<_>>();
        let bytes = bytes.into_flattened();
        tx.then(move |is_safe| match is_safe {
            true => seen.tidy(&orders),
            false => new.iter().for_each(|id| {
                seen.0.lock().recent.remove(id);
            }),
        });
        let at = millis(tx.opened.clock.wall());
        let sql = "INSERT INTO sent VALUES (?, ?, ?, ?)";
        tx.execute(sql, params![slot, generation, at, bytes])?;
        Ok(are_new)
    }

    /// Whether it was sent.
    pub(crate) fn knows(&self, tx: &Tx<'_>, id: Id) -> Result<bool, StoreFault> {
        let mut memory = self.0.lock();
        Ok(memory.recent.contains(&id) || memory.older.has(tx, id)?)
    }

    /// Nothing that was sent so far is known any more, from this generation on.
    pub(crate) fn begin(&self, generation: i64) {
        let mut memory = self.0.lock();
        memory.generation = generation;
        memory.recent.clear();
        memory.older = Older::none(place(memory.number, generation));
    }

    /// Moves the oldest ids from memory to a run, if there are too many.
    fn tidy(&self, orders: &Orders) {
        let mut memory = self.0.lock();
        if memory.is_moving || memory.recent.len() <= RECENT {
            return;
        }
        memory.is_moving = true;
        drop(memory);
        self.move_later(orders);
    }

    fn move_later(&self, orders: &Orders) {
        let seen = self.clone();
        let again = orders.clone();
        orders.later(move |tx| {
            let moving = seen.clone();
            tx.then(move |_| {
                let mut memory = moving.0.lock();
                memory.is_moving = memory.recent.len() > RECENT;
                let is_moving = memory.is_moving;
                drop(memory);
                if is_moving {
                    moving.move_later(&again);
                }
            });
            seen.move_some(tx)
        });
    }

    fn move_some(&self, tx: &mut Tx<'_>) -> Result<(), StoreFault> {
        let (number, generation) = {
            let memory = self.0.lock();
            (memory.number, memory.generation)
        };
        let (mut run, mut latest, mut rows) = (0, 0, 0);
        let mut moved = Vec::with_capacity(MOVED);
        let sql = "SELECT slot, at, ids FROM sent WHERE slot > ? AND slot < ? AND generation = ?";
        let range = [number << 40, (number + 1) << 40, generation];
        tx.rows(sql, range, |row| {
            run = row.get(0)?;
            latest = latest.max(row.get(1)?);
            moved.extend(ids(row.get_ref(2)?.as_blob()?));
            rows += 1;
            Ok(moved.len() < MOVED && rows < MOVED_ROWS)
        })?;
        if moved.is_empty() {
            return Ok(());
        }
        moved.sort_unstable();
        let place = place(number, generation);
        Older::write(tx, (place, run), latest, &moved)?;
        let sql = "DELETE FROM sent WHERE slot > ? AND slot <= ? AND generation = ?";
        tx.execute(sql, [number << 40, run, generation])?;
        let is_too_small = self.0.lock().older.is_too_small_for(moved.len());
        let grown = is_too_small.then(|| Older::open(tx, place)).transpose()?;
        let seen = self.clone();
        tx.then(move |is_safe| {
            let mut memory = seen.0.lock();
            if is_safe && memory.generation == generation {
                match grown {
                    Some(older) => memory.older = older,
                    None => memory.older.add(run, &moved),
                }
                moved.iter().for_each(|id| {
                    memory.recent.remove(id);
                });
            }
        });
        Ok(())
    }
}

/// What has ids of its own: a generation of a connector.
fn place(number: i64, generation: i64) -> i64 {
    (number << 32) + generation
}

/// Forgets some ids of generations that are over, and some that were sent too long ago; tells how many rows.
pub(crate) fn forget(tx: &mut Tx<'_>) -> Result<usize, StoreFault> {
    let mut generations = Vec::new();
    let sql = "SELECT number, generation FROM connectors";
    tx.rows(sql, [], |row| {
        generations.push((row.get(0)?, row.get(1)?));
        Ok(true)
    })?;
    let window = millis(tx.opened.clock.wall().saturating_sub(WINDOW));
    let mut forgotten = 0;
    for (number, generation) in generations {
        forgotten += forget_runs(tx, number, generation, window)?;
        forgotten += forget_sent(tx, number, generation, window)?;
    }
    Ok(forgotten)
}

/// Forgets some runs, the last of them perhaps in part.
fn forget_runs(
    tx: &mut Tx<'_>,
    number: i64,
    generation: i64,
    window: i64,
) -> Result<usize, StoreFault> {
    let sql = "SELECT place, run FROM seen_runs \
               WHERE place >= ? AND place <= ? AND (place < ? OR at < ?) LIMIT 1";
    let (first, own) = (place(number, 0), place(number, generation));
    let (mut forgotten, mut gone) = (0, Vec::new());
    while forgotten < MOST {
        let key = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let Some(run) = tx.row(sql, [first, own, own, window], key)? else {
            break;
        };
        // The run itself is one more.
        forgotten += 1 + older::delete_some(tx, run, MOST - forgotten)?;
        gone.push(run);
    }
    let seen = tx.opened.seen.get(&number).cloned();
    tx.then(move |is_safe| {
        if let Some(seen) = seen.filter(|_| is_safe) {
            let mut memory = seen.0.lock();
            let own = gone.iter().filter(|(place, _)| *place == own);
            own.for_each(|(_, run)| memory.older.remove(*run));
        }
    });
    Ok(forgotten)
}

/// Forgets some that were sent in one piece.
fn forget_sent(
    tx: &mut Tx<'_>,
    number: i64,
    generation: i64,
    window: i64,
) -> Result<usize, StoreFault> {
    let (mut last, mut old) = (0, HashMap::<i64, Vec<Id>>::new());
    let sql = "SELECT slot, generation, at, ids FROM sent WHERE slot > ? AND slot < ?";
    let mut forgotten = 0;
    tx.rows(sql, [number << 40, (number + 1) << 40], |row| {
        let (of, at): (i64, i64) = (row.get(1)?, row.get(2)?);
        if of >= generation && at >= window {
            return Ok(false);
        }
        last = row.get(0)?;
        let ids = ids(row.get_ref(3)?.as_blob()?);
        old.entry(of).or_default().extend(ids);
        forgotten += 1;
        Ok(forgotten < MOST)
    })?;
    let sql = "DELETE FROM sent WHERE slot > ? AND slot <= ?";
    tx.execute(sql, [number << 40, last])?;
    let seen = tx.opened.seen.get(&number).cloned();
    let old = old.remove(&generation).unwrap_or_default();
    tx.then(move |is_safe| {
        if let Some(seen) = seen.filter(|_| is_safe) {
            let mut memory = seen.0.lock();
            old.iter().for_each(|id| {
                memory.recent.remove(id);
            });
        }
    });
    Ok(forgotten)
}

#[cfg(test)]
mod tests;
