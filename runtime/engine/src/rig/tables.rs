//! Tables that the rig keeps, to look at them when the run is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::component::Deskside;
use paperflow_core::connector::{Desk, StoreFault, StoreFaultKind, Work};
use paperflow_core::message::{Id, Message};
use paperflow_core::table::Journal;
use paperflow_core::{Params, Spec};

/// What a component writes to its tables.
///
/// The component finds a desk, the engine none: its packets go on their way as over links in memory.
#[derive(Clone)]
pub(super) struct Tables(Deskside);

impl Tables {
    pub(super) fn of(spec: &Spec) -> Self {
        let names = spec.tables.iter().map(|table| table.name.clone());
        Self(Deskside {
            desk: Arc::new(Blank),
            tables: names.collect(),
            journal: Journal::default(),
            owes_all: false,
            waker: std::task::Waker::noop().clone(),
        })
    }

    /// What an activation starts from, whose tables are kept here. Those of an earlier one are
    /// forgotten, as in memory.
    pub(super) fn beside(&self, params: &Params) -> Params {
        drop(self.0.journal.take());
        params.clone().at_desk(Some(self.0.clone()))
    }

    /// The rows of each table.
    pub(super) fn rows(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let empty = self.0.tables.iter().cloned();
        let mut tables: BTreeMap<_, BTreeMap<_, _>> =
            empty.map(|name| (name, BTreeMap::new())).collect();
        for row in self.0.journal.take() {
            let rows = tables.entry(row.table).or_default();
            match row.row {
                Some(text) => rows.insert(row.key, text),
                None => rows.remove(&row.key),
            };
        }
        tables
    }
}

/// A desk with nothing in it.
struct Blank;

impl Desk for Blank {
    fn rows(&self, _: &str) -> Result<Vec<(String, String)>, StoreFault> {
        Ok(Vec::new())
    }

    fn handled(&self, _: Id) -> Result<Option<Vec<(usize, Message)>>, StoreFault> {
        Ok(None)
    }

    fn commit(&self, _: &Work) -> Result<(), StoreFault> {
        let message = "the rig commits nothing";
        Err(StoreFault::new(StoreFaultKind::Unsupported, message))
    }
}
