//! A desk's file: keyed state that a component must not lose.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Keyed state of one process, in key order.
///
/// What must outlive a crash belongs here and nowhere else: tables are in memory by default and may
/// be kept by a store without a change to the component. Values go in and come out whole.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
        }
    }
}

impl<K: Ord, V: Clone> Table<K, V> {
    /// The row under a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.rows.get(key).cloned()
    }

    /// Whether there is a row under a key.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.rows.contains_key(key)
    }

    /// Writes a row; gives back the former one.
    pub fn put(&mut self, key: K, row: V) -> Option<V> {
        self.rows.insert(key, row)
    }

    /// Removes a row.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.rows.remove(key)
    }

    /// Every row, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
