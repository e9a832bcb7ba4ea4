//! Runs of graphs, and what their parts tell each other: one document for each graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::connector::{Notes, StoreFault};
use serde::{Deserialize, Serialize};

use super::docs::Docs;
use super::names::key;
use crate::broker::patience::{PATIENCE, insist};

/// What is known of a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// The number of the run that has not finished well, from 1; 0 where there never was one.
    number: u64,
    notes: BTreeMap<String, String>,
}

fn key_of(graph: &str) -> String {
    key(&["run", graph])
}

/// The number of a graph's run.
pub(super) fn begin(docs: &Docs, graph: &str) -> Result<u64, StoreFault> {
    docs.change(&key_of(graph), |run: &mut Run| {
        run.number = run.number.max(1);
        run.number
    })
}

/// The run of this number is over, and what its parts have told each other is gone; nothing happens when it
/// was over before.
pub(super) fn finish(docs: &Docs, graph: &str, number: u64) -> Result<(), StoreFault> {
    docs.change(&key_of(graph), |run: &mut Run| {
        if run.number == number {
            *run = Run {
                number: number + 1,
                notes: BTreeMap::new(),
            };
        }
    })
}

/// The notes of a graph.
pub(super) struct Board {
    docs: Arc<Docs>,
    graph: String,
}

impl Board {
    pub(super) fn of(docs: &Arc<Docs>, graph: &str) -> Self {
        Self {
            docs: Arc::clone(docs),
            graph: graph.to_owned(),
        }
    }
}

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        insist(&self.graph, PATIENCE, || {
            self.docs.change(&key_of(&self.graph), |run: &mut Run| {
                run.notes.insert(name.to_owned(), text.to_owned());
            })
        })
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let run = insist(&self.graph, PATIENCE, || {
            self.docs.get::<Run>(&key_of(&self.graph))
        })?;
        Ok(run.value.notes.into_iter().collect())
    }
}
