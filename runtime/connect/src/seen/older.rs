//! Ids that were sent a while ago. They lie in the file, in runs.
//!
//! A run has ids that were sent after each other, sorted, many in a row; it is written once and never
//! changed, so that an id takes its 16 bytes and no more work when there are many. Whether an id may be in
//! any run a filter in memory tells: it says no to nearly all that are new, so that the file is rarely asked.
//! Where one is found its neighbours are likely to be asked for next, so that run is asked first.

use paperflow_core::connector::StoreFault;
use paperflow_core::message::Id;
use rusqlite::params;

use crate::writer::Tx;

/// Ids of a row: four rows fit a page.
const ROW: usize = 60;

/// The ids of one place.
pub(super) struct Older {
    place: i64,
    /// That in which something was found last is the last.
    runs: Vec<i64>,
    filter: Filter,
}

impl Older {
    /// A place without any.
    pub(super) fn none(place: i64) -> Self {
        Self {
            place,
            runs: Vec::new(),
            filter: Filter::default(),
        }
    }

    /// What the file has.
    pub(super) fn open(tx: &Tx<'_>, place: i64) -> Result<Self, StoreFault> {
        let (mut runs, mut count) = (Vec::new(), 0);
        let sql = "SELECT run, ids FROM seen_runs WHERE place = ? ORDER BY run";
        tx.rows(sql, [place], |row| {
            runs.push(row.get(0)?);
            count += row.get::<_, usize>(1)?;
            Ok(true)
        })?;
        let mut filter = Filter::for_so_many(count);
        tx.rows("SELECT ids FROM seen WHERE place = ?", [place], |row| {
            ids(row.get_ref(0)?.as_blob()?).for_each(|id| filter.add(id));
            Ok(true)
        })?;
        Ok(Self {
            place,
            runs,
            filter,
        })
    }

    /// Whether it has an id.
    pub(super) fn has(&mut self, tx: &Tx<'_>, id: Id) -> Result<bool, StoreFault> {
        if !self.filter.may_have(id) {
            return Ok(false);
        }
        for at in (0..self.runs.len()).rev() {
            if self.is_in(tx, self.runs[at], id)? {
                let last = self.runs.len() - 1;
                self.runs.swap(at, last);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_in(&self, tx: &Tx<'_>, run: i64, id: Id) -> Result<bool, StoreFault> {
        let sql = "SELECT ids FROM seen WHERE place = ? AND run = ? AND first <= ? \
                   ORDER BY first DESC LIMIT 1";
        let key = id.to_bytes();
        let found = tx.row(sql, params![self.place, run, key], |row| {
            let (ids, _) = row.get_ref(0)?.as_blob()?.as_chunks::<16>();
            Ok(ids.binary_search(&key).is_ok())
        })?;
        Ok(found.unwrap_or(false))
    }

    /// Writes a run of ids, the last of which was sent at that time. It is to be [added](Self::add) once that
    /// is safe.
    pub(super) fn write(
        tx: &Tx<'_>,
        (place, run): (i64, i64),
        at: i64,
        sorted: &[Id],
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO seen_runs VALUES (?, ?, ?, ?)";
        tx.execute(sql, params![place, run, at, sorted.len()])?;
        for row in sorted.chunks(ROW) {
            let ids: Vec<_> = row.iter().map(|id| id.to_bytes()).collect();
            let sql = "INSERT INTO seen VALUES (?, ?, ?, ?)";
            tx.execute(sql, params![place, run, ids[0], ids.as_flattened()])?;
        }
        Ok(())
    }

    /// Whether the filter would be too small for so many more.
    pub(super) fn is_too_small_for(&self, more: usize) -> bool {
        self.filter.is_too_small_for(more)
    }

    /// There is one more run.
    pub(super) fn add(&mut self, run: i64, ids: &[Id]) {
        self.runs.push(run);
        ids.iter().for_each(|id| self.filter.add(*id));
    }

    /// A run is gone.
    pub(super) fn remove(&mut self, run: i64) {
        self.runs.retain(|other| *other != run);
        if self.runs.is_empty() {
            self.filter = Filter::default();
        }
    }
}

/// Ids that lie one after the other.
pub(super) fn ids(bytes: &[u8]) -> impl Iterator<Item = Id> {
    let (ids, _) = bytes.as_chunks();
    ids.iter().map(|id| Id::from_bytes(*id))
}

/// Deletes some rows of a run, and tells how many; the run itself when there are no more.
pub(super) fn delete_some(
    tx: &Tx<'_>,
    (place, run): (i64, i64),
    most: usize,
) -> Result<usize, StoreFault> {
    let sql = "DELETE FROM seen WHERE (place, run, first) IN \
               (SELECT place, run, first FROM seen WHERE place = ? AND run = ? LIMIT ?)";
    let deleted = tx.execute(sql, params![place, run, most])?;
    if deleted < most {
        let sql = "DELETE FROM seen_runs WHERE place = ? AND run = ?";
        tx.execute(sql, [place, run])?;
    }
    Ok(deleted)
}

/// Bits of a block of the filter: a line of the processor's cache.
const BLOCK: usize = 512;
/// Blocks of the smallest filter, 64 KiB, and of the largest, 64 MiB.
const BLOCKS: [usize; 2] = [1 << 10, 1 << 20];
/// Bits for each id, at least: a filter that has fewer is made anew, twice as large.
const BITS: usize = 8;

/// A Bloom filter whose bits for an id lie in one block, one in each word: with 16 bits for each id it
/// errs about once in 1,000, with 8 once in 40.
#[derive(Default)]
struct Filter {
    /// None, or a power of two.
    blocks: Vec<[u64; BLOCK / 64]>,
    count: usize,
}

impl Filter {
    fn for_so_many(count: usize) -> Self {
        let blocks = (count * BITS).div_ceil(BLOCK).next_power_of_two();
        let [least, most] = BLOCKS;
        Self {
            blocks: vec![[0; BLOCK / 64]; blocks.clamp(least, most)],
            count: 0,
        }
    }

    fn is_too_small_for(&self, more: usize) -> bool {
        let bits = self.blocks.len() * BLOCK;
        (self.count + more) * BITS > bits && self.blocks.len() < BLOCKS[1]
    }

    fn add(&mut self, id: Id) {
        let (block, bits) = self.place(id);
        if let Some(block) = self.blocks.get_mut(block) {
            block
                .iter_mut()
                .zip(bits)
                .for_each(|(word, bit)| *word |= bit);
            self.count += 1;
        }
    }

    fn may_have(&self, id: Id) -> bool {
        let (block, bits) = self.place(id);
        let block = self.blocks.get(block);
        block.is_some_and(|block| block.iter().zip(bits).all(|(word, bit)| word & bit != 0))
    }

    /// The block of an id, and its bit in each word: ids are hashes.
    fn place(&self, id: Id) -> (usize, impl Iterator<Item = u64> + use<>) {
        let bytes = id.to_bytes();
        let half = |half: &[u8]| half.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (high, low) = (half(&bytes[..8]), half(&bytes[8..]));
        let block = high as usize & self.blocks.len().saturating_sub(1);
        (
            block,
            (0..BLOCK / 64).map(move |word| 1 << (low >> (6 * word) & 63)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_all_and_says_yes_to_few_others() {
        let ids = |from: u32| (from..from + 100_000).map(|number| Id::of(&number.to_string()));
        let mut filter = Filter::for_so_many(200_000);
        assert!(!filter.is_too_small_for(200_000));
        ids(0).for_each(|id| filter.add(id));
        assert!(ids(0).all(|id| filter.may_have(id)));
        let wrong = ids(100_000).filter(|id| filter.may_have(*id)).count();
        assert!(wrong < 400, "{wrong} of 100,000");
        assert!(filter.is_too_small_for(400_000));
    }

    #[test]
    fn a_filter_of_nothing_has_nothing() {
        let mut filter = Filter::default();
        filter.add(Id::of("a"));
        assert!(!filter.may_have(Id::of("a")) && filter.is_too_small_for(1));
    }
}
