//! What the parts of a graph tell each other, and the number of its run: retained messages.
//!
//! | topic | what it is |
//! |---|---|
//! | `paperflow/runs/GRAPH` | the number of the run, as text |
//! | `paperflow/notes/GRAPH/NAME` | a note |
//!
//! A board subscribes to both, so it knows all of them as soon as it has asked the broker for a sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::connector::{Notes, StoreFault};
use parking_lot::Mutex;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Publish};

use super::Inner;
use super::line::{Ear, Line};
use super::wire::Packed;
use super::writer::{Way, Writer};
use crate::broker::patience::{PATIENCE, insist};
use crate::fault::damaged;

pub(super) struct Board {
    line: Line,
    writer: Arc<Writer>,
    run: String,
    notes: String,
    /// What is retained, by topic.
    known: Mutex<BTreeMap<String, String>>,
}

impl Board {
    pub(super) fn open(store: &Inner, graph: &str) -> Result<Arc<Self>, StoreFault> {
        let prefix = &store.settings.prefix;
        let graph = written(graph);
        let board = Arc::new(Self {
            line: store.settings.sender(&store.session)?,
            writer: Arc::clone(&store.writer),
            run: format!("{prefix}paperflow/runs/{graph}"),
            notes: format!("{prefix}paperflow/notes/{graph}/"),
            known: Mutex::default(),
        });
        let ear: Arc<dyn Ear> = Arc::clone(&board) as Arc<dyn Ear>;
        board.line.start(Arc::downgrade(&ear))?;
        Ok(board)
    }

    pub(super) fn cut(&self) {
        self.line.close();
    }

    /// What is known now. The broker may be away for a while.
    fn known(&self) -> Result<BTreeMap<String, String>, StoreFault> {
        insist(&self.run, PATIENCE, || self.line.fence())?;
        Ok(self.known.lock().clone())
    }

    fn retain(&self, topic: &str, text: &str) -> Result<(), StoreFault> {
        let packed = Packed::plain(text);
        let way = Way {
            topic,
            retain: true,
        };
        insist(topic, PATIENCE, || {
            self.writer.send(way, vec![packed.clone()])
        })
        .map(|_| ())
    }

    fn number(&self, known: &BTreeMap<String, String>) -> Result<u64, StoreFault> {
        let number = known.get(&self.run).map(|text| text.parse());
        let wrong = |_| damaged(format!("`{}` is no number of a run", self.run));
        number
            .transpose()
            .map(|number| number.unwrap_or_default())
            .map_err(wrong)
    }

    pub(super) fn epoch(&self) -> Result<u64, StoreFault> {
        let known = self.known()?;
        self.number(&known)
    }

    /// The run of this number is over, and so are its notes.
    pub(super) fn finish(&self, epoch: u64) -> Result<(), StoreFault> {
        let known = self.known()?;
        if self.number(&known)? != epoch {
            return Ok(());
        }
        self.retain(&self.run, &(epoch + 1).to_string())?;
        let notes = known.keys().filter(|topic| topic.starts_with(&self.notes));
        for topic in notes {
            self.retain(topic, "")?;
        }
        Ok(())
    }
}

impl Notes for Board {
    fn write(&self, name: &str, text: &str) -> Result<(), StoreFault> {
        self.retain(&format!("{}{}", self.notes, written(name)), text)
    }

    fn read(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let known = self.known()?.into_iter();
        let notes = known.filter_map(|(topic, text)| {
            let name = topic.strip_prefix(&self.notes)?;
            Some((read(name), text))
        });
        Ok(notes.collect())
    }
}

impl Ear for Board {
    fn begun(&self, _: bool) -> Vec<Filter> {
        self.known.lock().clear();
        vec![
            Filter::new(&*self.run, QoS::AtMostOnce),
            Filter::new(format!("{}#", self.notes), QoS::AtMostOnce),
        ]
    }

    fn heard(&self, publish: Publish) {
        let (topic, text) = (publish.topic.to_vec(), publish.payload.to_vec());
        // Only we write there.
        let (Ok(topic), Ok(text)) = (String::from_utf8(topic), String::from_utf8(text)) else {
            return;
        };
        let mut known = self.known.lock();
        match text.is_empty() {
            true => known.remove(&topic),
            false => known.insert(topic, text),
        };
    }
}

/// A name without what means something in a topic.
pub(super) fn written(name: &str) -> String {
    let name = name.replace('%', "%25").replace('+', "%2B");
    name.replace('#', "%23")
}

fn read(name: &str) -> String {
    let name = name.replace("%23", "#").replace("%2B", "+");
    name.replace("%25", "%")
}
