//! What the parts of a graph tell each other: a hash of the server, with a field for each note.

use std::sync::Arc;

use ::redis::{Pipeline, pipe};
use paperflow_core::connector::{Notes, StoreFault};

use super::line::Line;
use super::wire::{list, lossy};
use crate::broker::patience::{PATIENCE, insist};
use crate::fault::damaged;

pub(super) struct Board {
    line: Arc<Line>,
    key: String,
}

impl Board {
    pub(super) fn of(line: &Arc<Line>, graph: &str) -> Self {
        Self {
            line: Arc::clone(line),
            key: format!("{}paperflow:notes:{graph}", line.prefix),
        }
    }

    /// Asks the server, which may be away for a while.
    fn query(&self, pipeline: &Pipeline) -> Result<::redis::Value, StoreFault> {
        let ask = || self.line.query(pipeline);
        let mut answers = insist(&self.key, PATIENCE, ask)?;
        answers
            .pop()
            .ok_or_else(|| damaged("a server gave no answer"))
    }
}

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        let mut pipeline = pipe();
        pipeline.cmd("HSET").arg(&self.key).arg(name).arg(text);
        self.query(&pipeline).map(|_| ())
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let mut pipeline = pipe();
        pipeline.cmd("HGETALL").arg(&self.key);
        let answer = self.query(&pipeline)?;
        let pairs = list(&answer)?.chunks_exact(2);
        Ok(pairs
            .map(|pair| (lossy(&pair[0]), lossy(&pair[1])))
            .collect())
    }
}
