//! The book of a prefix: a topic of one partition in which programs write what all of them must know, which
//! runs of graphs have finished and the notes of their parts. Whoever asks reads to its end first, so what
//! was written before is seen, and all come to the same from it. Kafka keeps the last record of each key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use paperflow_core::connector::{Notes, StoreFault};
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message as _, TopicPartitionList};

use super::Inner;
use super::health::Ear;
use super::line::Line;
use super::press::{Press, Sheet};
use super::topic::topic;
use super::wire::{Raw, raw_offset};
use crate::broker::patience::{PATIENCE, insist};
use crate::fault::unavailable;
use crate::stream::mark::Offset;

/// What the book is called.
pub(super) const NAME: &str = "paperflow.book";
/// So many runs of a graph are remembered beside the last one.
const REMEMBERED: u64 = 8;

pub(super) struct Book {
    topic: String,
    state: Mutex<State>,
}

/// What has been read of it.
#[derive(Default)]
struct State {
    reader: Option<BaseConsumer<Ear>>,
    next: Offset,
    graphs: BTreeMap<String, Graph>,
}

/// What is known of a graph.
#[derive(Default)]
struct Graph {
    /// The last run that has finished.
    finished: u64,
    /// What its parts have noted since.
    notes: BTreeMap<String, String>,
}

impl Book {
    /// Opens the book, which is made if it is not there.
    pub(super) fn open(line: &Line) -> Result<Self, StoreFault> {
        let topic = topic(&line.settings.prefix, NAME)?;
        let terms = [("cleanup.policy", "compact"), ("segment.bytes", "16777216")];
        let terms = terms.map(|(name, value)| (name, value.to_owned()));
        line.make(&topic, 1, &terms)?;
        Ok(Self {
            topic,
            state: Mutex::default(),
        })
    }

    /// Reads to its end.
    fn read<T>(
        &self,
        line: &Line,
        graph: &str,
        look: impl FnOnce(&mut Graph) -> T,
    ) -> Result<T, StoreFault> {
        let mut state = self.state.lock();
        if let Err(fault) = self.catch_up(line, &mut state) {
            // What was missed is not known, so it is read anew.
            *state = State::default();
            return Err(fault);
        }
        Ok(look(state.graphs.entry(graph.to_owned()).or_default()))
    }

    fn catch_up(&self, line: &Line, state: &mut State) -> Result<(), StoreFault> {
        let part = (self.topic.as_str(), 0);
        let ends = line.ends(&[part])?;
        let end = ends.first().copied().unwrap_or_default();
        if state.reader.is_none() {
            let starts = line.starts(&[part])?;
            state.next = starts.first().copied().unwrap_or_default();
            let reader = line.browser()?;
            let mut list = TopicPartitionList::new();
            let begun = list
                .add_partition_offset(&self.topic, 0, raw_offset(state.next))
                .and_then(|()| reader.assign(&list));
            begun.map_err(|error| line.health.fault(&error))?;
            state.reader = Some(reader);
        }
        let State {
            reader: Some(reader),
            next,
            graphs,
        } = state
        else {
            return Ok(());
        };
        let last = Instant::now() + line.settings.answer;
        while *next < end {
            if Instant::now() >= last {
                return Err(unavailable(format!(
                    "`{}` cannot be read to its end",
                    self.topic
                )));
            }
            if let Some(Ok(record)) = reader.poll(last - Instant::now()) {
                *next = record.offset().unsigned_abs() + 1;
                let key = String::from_utf8_lossy(record.key().unwrap_or_default());
                let value = record.payload().map(String::from_utf8_lossy);
                apply(graphs, &key, value.as_deref());
            }
        }
        Ok(())
    }

    fn write(
        &self,
        (line, press): (&Line, &Press),
        key: &str,
        value: Option<&str>,
    ) -> Result<(), StoreFault> {
        let sheet = Sheet {
            topic: &self.topic,
            partition: 0,
            raw: Raw {
                key: Some(key.into()),
                value: value.map(|value| value.as_bytes().into()),
                headers: Vec::new(),
            },
        };
        press.print(line, &[sheet]).1
    }

    /// The number of a graph's run.
    pub(super) fn run(&self, line: &Line, graph: &str) -> Result<u64, StoreFault> {
        self.read(line, graph, |known| known.finished + 1)
    }

    /// A run of a graph has finished, unless it had before.
    pub(super) fn finish(
        &self,
        (line, press): (&Line, &Press),
        graph: &str,
        epoch: u64,
    ) -> Result<(), StoreFault> {
        if self.run(line, graph)? != epoch {
            return Ok(());
        }
        self.write((line, press), &key_of_run(graph, epoch), Some("finished"))?;
        match epoch.checked_sub(REMEMBERED) {
            Some(old) => self.write((line, press), &key_of_run(graph, old), None),
            None => Ok(()),
        }
    }
}

fn key_of_run(graph: &str, epoch: u64) -> String {
    format!("run\n{graph}\n{epoch}")
}

/// What a record of the book says.
fn apply(graphs: &mut BTreeMap<String, Graph>, key: &str, value: Option<&str>) {
    let mut key = key.splitn(3, '\n');
    let (Some(what), Some(graph), Some(name)) = (key.next(), key.next(), key.next()) else {
        return;
    };
    let known = graphs.entry(graph.to_owned()).or_default();
    match (what, value, name.parse()) {
        ("note", Some(text), _) => {
            known.notes.insert(name.to_owned(), text.to_owned());
        }
        // The notes of a run end with it. One that had finished before ends nothing.
        ("run", Some(_), Ok(epoch)) if epoch > known.finished => {
            known.finished = epoch;
            known.notes.clear();
        }
        _ => {}
    }
}

/// The notes of a graph.
pub(super) struct Board {
    pub(super) inner: Arc<Inner>,
    pub(super) graph: String,
}

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        let Inner {
            line, press, book, ..
        } = &*self.inner;
        let key = format!("note\n{}\n{name}", self.graph);
        insist(&self.graph, PATIENCE, || {
            book.write((line, press), &key, Some(text))
        })
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let Inner { line, book, .. } = &*self.inner;
        insist(&self.graph, PATIENCE, || {
            book.read(line, &self.graph, |known| {
                let notes = known.notes.iter();
                notes
                    .map(|(name, text)| (name.clone(), text.clone()))
                    .collect()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_once_and_its_notes_with_it() {
        let mut graphs = BTreeMap::new();
        apply(&mut graphs, "note\ng\na/1", Some("first"));
        apply(&mut graphs, "note\ng\na/1", Some("second"));
        apply(&mut graphs, "note\nh\na/1", Some("another"));
        assert_eq!(graphs["g"].notes["a/1"], "second");
        apply(&mut graphs, "run\ng\n1", Some("finished"));
        assert_eq!((graphs["g"].finished, graphs["g"].notes.len()), (1, 0));
        apply(&mut graphs, "note\ng\na/1", Some("third"));
        // Whoever says so late ends nothing, nor does what is remembered no more.
        apply(&mut graphs, "run\ng\n1", Some("finished"));
        apply(&mut graphs, "run\ng\n1", None);
        apply(&mut graphs, "else", Some("x"));
        assert_eq!((graphs["g"].finished, graphs["g"].notes.len()), (1, 1));
        assert_eq!(graphs["h"].notes.len(), 1);
    }
}
