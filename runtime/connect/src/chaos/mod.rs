//! A store that does things wrong on purpose, around any other one: for trying what a network can bear.
//!
//! What is done is what happens to whoever has a store at the other end of a wire, and nothing else: a
//! network that is right gives the same with it and without it.
//!
//! - *drop*: a delivery is lost on its way. It is given back to the store, which gives it again, and does
//!   not count as a try, since nobody has seen it. A send is not confirmed: some of its messages are written,
//!   from the first on, or none, or all, and who sent them is told [`Unavailable`].
//! - *dup*: a delivery is handed out twice, and is settled when both have been, by the worse. A
//!   message is written twice; a store that knows ids leaves the second out.
//! - *reorder*: a delivery is held back until others have gone by; so is the second one of two. Where the
//!   order is kept, as in a stream, nothing is reordered, and what comes behind something that is lost is
//!   lost with it.
//! - *corrupt*: a bit of the copy that is handed out is changed. Its checksum tells; it is asked for again,
//!   like one that was lost. What is stored stays as it was, bit for bit. (What is damaged in a store
//!   itself cannot be asked for again, and is set aside as invalid, by the store.)
//! - *down*: a call is not answered, and neither are those that follow it: whoever calls is told
//!   [`Unavailable`]. What was settled is not lost.
//!
//! What goes wrong follows from the seed, the connector, the id of the message and how often it happened to
//! it before, and not from the order in which threads come: the same messages meet the same.
//!
//! [`Unavailable`]: StoreFaultKind::Unavailable

mod reading;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Desk,
    Disturbance, Notes, Sent, Standing, Store, StoreFault, StoreFaultKind, Subscription,
};
use paperflow_core::message::Message;
use parking_lot::Mutex;

use reading::Reading;
use trouble::{Count, Trouble};

/// What a connector does wrong; each is a share of 1, less than 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chaos {
    /// Deliveries that are lost on their way, and sends that are not confirmed.
    pub drop: f64,
    /// Messages that are handed out twice, or written twice.
    pub dup: f64,
    /// Deliveries that are overtaken by others.
    pub reorder: f64,
    /// Deliveries that are damaged on their way.
    pub corrupt: f64,
    /// Calls at which it stops to answer for a while.
    pub down: f64,
    /// Who starts with the same seed does the same wrong.
    pub seed: u64,
}

/// A store, some of whose connectors do things wrong.
pub struct Chaotic {
    store: Arc<dyn Store>,
    wanted: BTreeMap<String, Chaos>,
    troubles: Mutex<BTreeMap<String, Arc<Trouble>>>,
}

impl Chaotic {
    /// A store around another one; the connectors of these names do things wrong.
    #[must_use]
    pub fn around(store: Arc<dyn Store>, wanted: BTreeMap<String, Chaos>) -> Self {
        Self {
            store,
            wanted,
            troubles: Mutex::default(),
        }
    }

    /// The trouble with a connector, if there is any.
    fn trouble(&self, declaration: &Declaration) -> Option<Arc<Trouble>> {
        let name = &declaration.name;
        let chaos = self.wanted.get(name)?;
        let mut troubles = self.troubles.lock();
        let trouble = troubles.entry(name.clone());
        let is_ordered = declaration.kind == ConnectorKind::Stream;
        let trouble = trouble.or_insert_with(|| Arc::new(Trouble::new(name, *chaos, is_ordered)));
        Some(Arc::clone(trouble))
    }
}

impl Store for Chaotic {
    fn name(&self) -> &str {
        self.store.name()
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        self.store.capabilities(kind)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let connector = self.store.connect(declaration)?;
        Ok(match self.trouble(declaration) {
            Some(trouble) => Arc::new(Troubled { connector, trouble }),
            None => connector,
        })
    }

    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        self.store.inspect(declaration)
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        self.store.desk(process)
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.store.epoch(graph)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        self.store.finish(graph, epoch)
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        self.store.notes(graph)
    }

    fn on_contact(&self, listener: ContactListener) {
        self.store.on_contact(listener);
    }

    fn disturbances(&self) -> Vec<Disturbance> {
        let troubles = self.troubles.lock();
        troubles.values().map(|trouble| trouble.told()).collect()
    }

    fn close(&self) {
        self.store.close();
    }
}

/// A connector that does things wrong.
struct Troubled {
    connector: Arc<dyn Connector>,
    trouble: Arc<Trouble>,
}

impl Connector for Troubled {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        self.trouble.answer()?;
        let Some(first) = messages.first() else {
            return self.connector.send(messages);
        };
        if self.trouble.is_unconfirmed(first.id) {
            let written = self.trouble.pick(first.id, messages.len() + 1);
            if written > 0 {
                self.connector.send(&messages[..written])?;
            }
            let reason = "chaos: what was sent was not confirmed";
            return Err(StoreFault::new(StoreFaultKind::Unavailable, reason));
        }
        let sent = self.connector.send(messages)?;
        let twice = messages.iter();
        let twice = twice.filter(|message| self.trouble.is_written_twice(message.id));
        let twice: Vec<Message> = twice.cloned().collect();
        if !twice.is_empty() {
            self.connector.send(&twice)?;
            self.trouble.count(Count::WrittenTwice, twice.len());
        }
        Ok(sent)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.connector.room(waker)
    }

    fn is_shared(&self) -> bool {
        self.connector.is_shared()
    }

    fn unfinished(&self, group: &str) -> Result<Option<u64>, StoreFault> {
        self.connector.unfinished(group)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let subscription = self.connector.subscribe(consumer)?;
        let trouble = Arc::clone(&self.trouble);
        Ok(Arc::new(Reading::new(subscription, trouble)))
    }
}
