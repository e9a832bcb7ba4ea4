//! Short texts by name, which all who use the server see, in the order in which it has them.
//!
//! They are the records of one stream: the last one of a name counts, and the order of the stream decides
//! what is last, so that no two can write at once. Whoever reads writes a mark, and reads up to it: what
//! was written before is there. The server keeps only the end of the stream; so texts that are about
//! to go are written again. Such a copy counts only where nothing has been written since.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::connector::StoreFault;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::line::{Argument, Line, Link};
use super::outbox::{Fate, Outbox, To};
use super::page::{From, Pages};
use super::wire::Parcel;
use crate::fault::{damaged, unavailable};

/// Bytes of the stream that the server keeps at least.
const KEPT: i64 = 16 << 20;
/// It removes so many at a time.
const SEGMENT: i64 = 2 << 20;
/// A text that is further from the end, in records, is written again.
const OLD: u64 = 10_000;

/// What is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Record {
    /// A text under a name.
    Text { name: String, text: String },
    /// The text of a name as it was written at this offset.
    Copy { name: String, text: String, at: u64 },
    /// There is no text under such names any more: those that begin so.
    Remove { prefix: String },
    /// There is no text under this name any more.
    Forget { name: String },
    /// Somebody reads up to here.
    Mark { by: String, number: u64 },
}

/// A log on the server, as this process knows it.
pub(super) struct Log {
    line: Arc<Line>,
    queue: String,
    outbox: Outbox,
    pages: Pages,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_declared: bool,
    /// The first record that was not read.
    next: u64,
    /// By name: the text, and where it was written.
    texts: BTreeMap<String, (String, u64)>,
    marks: u64,
}

impl Log {
    pub(super) fn of(line: &Arc<Line>, name: &str) -> Self {
        let queue = line.named(name);
        Self {
            line: Arc::clone(line),
            outbox: Outbox::new(line),
            pages: Pages::of(line, queue.clone()),
            queue,
            state: Mutex::default(),
        }
    }

    fn declare(&self, state: &mut State) -> Result<(), StoreFault> {
        if state.is_declared {
            return Ok(());
        }
        let arguments = [
            ("x-queue-type", Argument::Text(String::from("stream"))),
            ("x-max-length-bytes", Argument::Number(KEPT)),
            ("x-stream-max-segment-size-bytes", Argument::Number(SEGMENT)),
        ];
        self.line.declare_stream(&self.queue, &arguments)?;
        state.is_declared = true;
        Ok(())
    }

    /// Writes texts under names, in the place of those that are there. They are seen by whoever reads from
    /// now on, when this returns. With a link: only over that one.
    pub(super) fn write(
        &self,
        texts: Vec<(String, String)>,
        link: Option<&Link>,
    ) -> Result<(), StoreFault> {
        let texts = texts.into_iter();
        let records = texts.map(|(name, text)| Record::Text { name, text });
        let records: Vec<Record> = records.collect();
        let mut state = self.state.lock();
        self.append(&mut state, &records, link)
    }

    /// Removes what is under names that begin so.
    pub(super) fn remove(&self, prefix: &str) -> Result<(), StoreFault> {
        let prefix = prefix.to_owned();
        let mut state = self.state.lock();
        self.append(&mut state, &[Record::Remove { prefix }], None)
    }

    /// Removes the text under a name.
    pub(super) fn remove_one(&self, name: &str) -> Result<(), StoreFault> {
        let name = name.to_owned();
        let mut state = self.state.lock();
        self.append(&mut state, &[Record::Forget { name }], None)
    }

    fn append(
        &self,
        state: &mut State,
        records: &[Record],
        link: Option<&Link>,
    ) -> Result<(), StoreFault> {
        self.declare(state)?;
        let parcels = records.iter().map(|record| {
            let body = serde_json::to_vec(record).map_err(|error| damaged(error.to_string()))?;
            let properties = lapin::BasicProperties::default().with_delivery_mode(2);
            Ok((To::queue(&self.queue), Parcel { properties, body }))
        });
        let parcels = parcels.collect::<Result<Vec<_>, StoreFault>>()?;
        let fates = match link {
            Some(link) => self.outbox.send_over(link, &parcels)?,
            None => self.outbox.send(&parcels)?,
        };
        if fates.iter().all(|fate| *fate == Fate::Safe) {
            return Ok(());
        }
        // It may have been removed.
        state.is_declared = false;
        Err(unavailable(format!("`{}` takes no records", self.queue)))
    }

    /// All texts under names that begin so, by their names. What was written before is there.
    pub(super) fn read(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreFault> {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.marks += 1;
        let mark = (self.line.session.clone(), state.marks);
        let (by, number) = mark.clone();
        self.append(state, &[Record::Mark { by, number }], None)?;
        let from = match state.next {
            0 => From::First,
            next => From::Offset(next),
        };
        self.pages.read(from, |offset, parcel| {
            state.next = state.next.max(offset + 1);
            match serde_json::from_slice(&parcel.body) {
                Ok(Record::Mark { by, number }) => (by, number) == mark,
                Ok(record) => {
                    fold(&mut state.texts, record, offset);
                    false
                }
                // Nothing that is not ours is written here.
                Err(_) => false,
            }
        })?;
        let is_old = |at: u64| at + OLD < state.next;
        let old = state.texts.iter().filter(|(_, (_, at))| is_old(*at));
        let copies = old.map(|(name, (text, at))| Record::Copy {
            name: name.clone(),
            text: text.clone(),
            at: *at,
        });
        let copies: Vec<Record> = copies.collect();
        if !copies.is_empty() {
            self.append(state, &copies, None)?;
        }
        Ok(under(&state.texts, prefix))
    }

    /// The same, as it was when somebody here has read last.
    pub(super) fn known(&self, prefix: &str) -> Vec<(String, String)> {
        under(&self.state.lock().texts, prefix)
    }
}

fn under(texts: &BTreeMap<String, (String, u64)>, prefix: &str) -> Vec<(String, String)> {
    let own = texts.iter().filter(|(name, _)| name.starts_with(prefix));
    let own = own.map(|(name, (text, _))| (name.clone(), text.clone()));
    own.collect()
}

fn fold(texts: &mut BTreeMap<String, (String, u64)>, record: Record, offset: u64) {
    match record {
        Record::Text { name, text } => {
            texts.insert(name, (text, offset));
        }
        Record::Copy { name, text, at } => {
            if texts.get(&name).is_none_or(|(_, own)| *own == at) {
                texts.insert(name, (text, offset));
            }
        }
        Record::Remove { prefix } => texts.retain(|name, _| !name.starts_with(&prefix)),
        Record::Forget { name } => drop(texts.remove(&name)),
        Record::Mark { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_takes_the_place_of_nothing_newer() {
        let mut texts = BTreeMap::new();
        let text = |text: &str| Record::Text {
            name: String::from("n"),
            text: text.to_owned(),
        };
        let copy = |text: &str, at| Record::Copy {
            name: String::from("n"),
            text: text.to_owned(),
            at,
        };
        fold(&mut texts, text("one"), 0);
        fold(&mut texts, copy("one", 0), 1);
        assert_eq!(texts["n"], (String::from("one"), 1));
        fold(&mut texts, text("two"), 2);
        fold(&mut texts, copy("one", 1), 3);
        assert_eq!(texts["n"], (String::from("two"), 2));
        let prefix = String::from("n");
        fold(&mut texts, Record::Remove { prefix }, 4);
        assert!(texts.is_empty());
        fold(&mut texts, copy("two", 2), 5);
        assert_eq!(
            texts["n"].0, "two",
            "whoever does not know better believes it"
        );
    }
}
