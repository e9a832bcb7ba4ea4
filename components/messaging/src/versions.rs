//! Rows by id and version, each written once.

use paperflow_core::{Fault, Field, Table};
use serde_json::Value as Json;

/// An id and a version, as JSON.
pub(crate) type Key = (String, String);

/// Where a record has its id and its version.
pub(crate) struct Place {
    pub(crate) id: Field,
    pub(crate) version: Field,
}

impl Place {
    /// The id and the version of a record.
    pub(crate) fn key(&self, record: &Json) -> Result<Key, Fault> {
        let part = |field: &Field| field.get(record).map(Json::to_string);
        let key = part(&self.id).and_then(|id| Ok((id, part(&self.version)?)));
        key.map_err(Fault::invalid)
    }
}

/// The rows there are.
pub(crate) struct Versions {
    pub(crate) rows: Table<Key, Json>,
    pub(crate) place: Place,
}

/// What is known of an id and a version.
pub(crate) enum Known {
    /// The row.
    Row(Json),
    /// The id has other versions, and not this one.
    NotYet,
    /// The id has none.
    Nothing,
}

impl Versions {
    /// Adds a row; gives its key. The same row again changes nothing.
    ///
    /// # Errors
    /// It has no id or no version, or another row has the same.
    pub(crate) fn learn(&mut self, row: &Json) -> Result<Key, Fault> {
        let key = self.place.key(row)?;
        match self.rows.get(&key) {
            Some(known) if known != *row => {
                let (id, version) = key;
                let message = format!("there is another row of {id} with version {version}");
                return Err(Fault::new(message).rejected());
            }
            Some(_) => {}
            None => drop(self.rows.put(key.clone(), row.clone())),
        }
        Ok(key)
    }

    pub(crate) fn find(&self, key: &Key) -> Known {
        if let Some(row) = self.rows.get(key) {
            return Known::Row(row);
        }
        let first = (key.0.clone(), String::new());
        let mut from = self.rows.range(first..);
        match from.next() {
            Some(((id, _), _)) if *id == key.0 => Known::NotYet,
            _ => Known::Nothing,
        }
    }
}
