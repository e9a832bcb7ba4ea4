//! Which runs of a graph have finished, and what its parts tell each other in the one that has not.

use std::sync::Arc;

use paperflow_core::connector::{Notes, StoreFault};
use parking_lot::Mutex;

use super::line::Line;
use super::log::Log;
use crate::broker::patience::{PATIENCE, insist};

/// The runs of a graph.
pub(super) struct Run {
    log: Log,
    graph: String,
}

const FINISHED: &str = "finished/";

impl Run {
    pub(super) fn of(line: &Arc<Line>, graph: &str) -> Self {
        Self {
            log: Log::of(line, &format!("paperflow.run.{graph}")),
            graph: graph.to_owned(),
        }
    }

    /// The number behind the last one that has finished. Nobody writes anything to ask, so all who ask have
    /// the same.
    pub(super) fn number(&self) -> Result<u64, StoreFault> {
        let finished = self.log.read(FINISHED)?;
        let numbers = finished
            .iter()
            .filter_map(|(name, _)| name.strip_prefix(FINISHED)?.parse::<u64>().ok());
        Ok(numbers.max().unwrap_or(0) + 1)
    }

    /// The run of this number has finished, and its notes are gone with it.
    pub(super) fn finish(&self, number: u64) -> Result<(), StoreFault> {
        if self.number()? > number {
            return Ok(());
        }
        let finished = (format!("{FINISHED}{number}"), String::new());
        self.log.write(vec![finished], None)?;
        self.log.remove(&notes_of(number))
    }
}

fn notes_of(run: u64) -> String {
    format!("note/{run}/")
}

/// The notes of the parts of a graph.
pub(super) struct Board {
    run: Arc<Run>,
    /// The run that notes are of, as it was known last.
    number: Mutex<Option<u64>>,
}

impl Board {
    pub(super) fn of(run: Arc<Run>) -> Self {
        Self {
            run,
            number: Mutex::new(None),
        }
    }

    /// Asks the server, which may be away for a while.
    fn insist<T>(&self, what: impl FnMut() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        insist(&self.run.graph, PATIENCE, what)
    }
}

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        let mut number = self.number.lock();
        let known = match *number {
            Some(known) => known,
            None => self.insist(|| self.run.number())?,
        };
        *number = Some(known);
        let name = format!("{}{name}", notes_of(known));
        self.insist(|| {
            let note = (name.clone(), text.to_owned());
            self.run.log.write(vec![note], None)
        })
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let mut number = self.number.lock();
        let known = self.insist(|| self.run.number())?;
        *number = Some(known);
        let of_run = notes_of(known);
        let notes = self.run.log.known(&of_run).into_iter();
        let notes = notes.map(|(name, text)| (name[of_run.len()..].to_owned(), text));
        Ok(notes.collect())
    }
}
