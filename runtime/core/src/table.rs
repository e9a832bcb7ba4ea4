//! A desk's file: keyed state that a component must not lose.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connector::{Desk, Row, StoreFault, StoreFaultKind};

/// Keyed state of one process, in key order.
///
/// What must outlive a crash belongs here and nowhere else: tables are in memory by default and may
/// be kept by a store without a change to the component. Values go in and come out whole.
///
/// A table that is kept by a store is read when the process is activated. What is written to it is
/// committed together with what the process has handled and with what it has sent meanwhile, or not
/// at all; so a component that may have such a table keeps in it, or in packets that it has not let go
/// of, whatever it must not lose.
#[derive(Clone)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    /// Notes what is written, if a store keeps the table.
    note: Option<Note<K, V>>,
}

/// Notes a row under its key, or that it was removed.
type Note<K, V> = Arc<dyn Fn(&K, Option<&V>) + Send + Sync>;

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            note: None,
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.rows).finish()
    }
}

/// The rows that a process has written since it last committed, in order.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Row>>>);

impl Journal {
    fn note(&self, row: Row) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.push(row);
    }

    /// Takes everything out.
    #[must_use]
    pub fn take(&self) -> Vec<Row> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<K, V> Table<K, V>
where
    K: Ord + Serialize + DeserializeOwned + 'static,
    V: Serialize + DeserializeOwned + 'static,
{
    /// The table of that name which a store keeps.
    ///
    /// # Errors
    /// The store cannot be reached, or has rows that are none of this table.
    pub(crate) fn kept(desk: &dyn Desk, name: &str, journal: &Journal) -> Result<Self, StoreFault> {
        let strange = |error: serde_json::Error| {
            let message = format!("table {name} has a row that is not its own: {error}");
            StoreFault::new(StoreFaultKind::Damaged, message)
        };
        let mut rows = BTreeMap::new();
        for (key, row) in desk.rows(name)? {
            let key = serde_json::from_str(&key).map_err(strange)?;
            rows.insert(key, serde_json::from_str(&row).map_err(strange)?);
        }
        let (name, journal) = (name.to_owned(), journal.clone());
        let note = move |key: &K, row: Option<&V>| {
            journal.note(Row {
                table: name.clone(),
                key: json(key),
                row: row.map(json),
            });
        };
        Ok(Self {
            rows,
            note: Some(Arc::new(note)),
        })
    }
}

/// As JSON. What cannot be written so could not be read again either, which the next activation tells.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("unwritable: {error}"))
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
        if let Some(note) = &self.note {
            note(&key, Some(&row));
        }
        self.rows.insert(key, row)
    }

    /// Removes a row.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, row) = self.rows.remove_entry(key)?;
        if let Some(note) = &self.note {
            note(&key, None);
        }
        Some(row)
    }

    /// Every row, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// The rows whose keys lie in a range, in key order.
    pub fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.rows.range(keys)
    }

    /// Whether a store keeps it: what is written is committed with what the process handles, and what
    /// was handled does not come again.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.note.is_some()
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
