//! Links that are not memory: each becomes a process that writes to its connector and, for each of its
//! readers, one that reads from it.
//!
//! What leads into the sender and out of the receivers is memory. The sender's port BELL leads to those
//! of the receivers and never carries a packet: it tells a receiver that nobody sends any more, and shows
//! whoever judges the network that what is sent there comes out here. In a part of a graph, a connector
//! may have a sender alone, when only other parts read it, or receivers alone.

mod declared;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use paperflow_core::component::Deskside;
use paperflow_core::connector::{
    Connector, ConnectorKind, Contact, Declaration, Delay, OnError, Retain, Store, StoreFault,
};
use paperflow_core::message::Id;
use paperflow_core::table::Journal;
use paperflow_core::{Catalogue, Component};
use paperflow_graph::plan::{self, End, Link, Plan, Process, Writer};

use crate::build::BuildError;
use crate::options::Options;
use crate::part::{Part, Shore, key_of};
use crate::patience::Patience;
use crate::receiver::{Receiver, Station};
use crate::sender::Sender;
use crate::watch::{Notice, Told};
use crate::ways::Ways;
use crate::wiring::{chance, same};

pub use declared::{Declared, declared};
use run::Run;

/// The stores that keep a network's connectors.
#[derive(Clone, Default)]
pub struct Stores {
    graph: String,
    usual: Option<Arc<dyn Store>>,
    named: BTreeMap<String, Arc<dyn Store>>,
}

impl Stores {
    /// Those of a graph, by the name that ids are made from.
    #[must_use]
    pub fn new(graph: impl Into<String>) -> Self {
        Self {
            graph: graph.into(),
            ..Self::default()
        }
    }

    /// The store of connectors that name none.
    #[must_use]
    pub fn usual(mut self, store: Arc<dyn Store>) -> Self {
        self.usual = Some(store);
        self
    }

    /// The store of connectors that say `via=NAME`.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>, store: Arc<dyn Store>) -> Self {
        self.named.insert(name.into(), store);
        self
    }

    pub(crate) fn graph(&self) -> &str {
        &self.graph
    }

    /// The store of this name, or that of connectors that name none.
    #[must_use]
    pub fn get(&self, name: Option<&str>) -> Option<&Arc<dyn Store>> {
        match name {
            Some(name) => self.named.get(name),
            None => self.usual.as_ref(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        self.usual.iter().chain(self.named.values())
    }

    /// Whether they can be reached is told.
    pub(crate) fn listen(&self, told: &Arc<Told>) {
        let usual = self.usual.iter().map(|store| (store.name(), store));
        let named = self.named.iter().map(|(name, store)| (&**name, store));
        for (name, store) in usual.chain(named) {
            let (told, name) = (Arc::clone(told), name.to_owned());
            store.on_contact(Box::new(move |contact| {
                let store = name.clone();
                told.notify(match contact.clone() {
                    Contact::Lost(message) => Notice::Away { store, message },
                    Contact::Back(time) => Notice::Back { store, time },
                });
            }));
        }
    }
}

/// Port of a sender and of its receivers that joins them.
pub(crate) const BELL: &str = "BELL";

/// What a network has instead of its connectors.
pub(crate) struct Lowered {
    pub(crate) plan: Plan,
    pub(crate) catalogue: Catalogue,
    /// From which the identities of all packets follow.
    pub(crate) run: Id,
    /// The processes that read from connectors.
    pub(crate) receivers: Vec<(usize, Arc<Station>)>,
    /// What stores keep for processes, by process.
    pub(crate) desks: BTreeMap<usize, Deskside>,
    /// The stores that have a part in the run, with its number there.
    pub(crate) entered: Vec<(Arc<dyn Store>, u64)>,
    /// What the network is of a graph that is cut.
    pub(crate) part: Option<Part>,
}

/// Puts a sender and receivers in the place of each connector, and finds the desks of the processes whose
/// tables are kept by a store; nothing when there is neither.
pub(crate) fn lower(
    plan: &Plan,
    catalogue: &Catalogue,
    stores: &Stores,
    options: &Options,
    patience: &Patience,
) -> Result<Option<Lowered>, BuildError> {
    let is_memory = plan.links.iter().all(|link| link.connector.is_none());
    if plan.tables.is_empty() && is_memory && plan.share.is_none() {
        return Ok(None);
    }
    let mut run = Run::of(plan, stores)?;
    let mut lowering = Lowering {
        patience,
        capacity: options.capacity,
        graph: stores.graph(),
        drawn: &plan.links,
        part: run.begin(plan, &options.copy)?,
        run,
        plan: Plan {
            links: Vec::new(),
            ..plan.clone()
        },
        catalogue: catalogue.clone(),
        places: vec![None; plan.links.len()],
        connected: BTreeMap::new(),
        receivers: Vec::new(),
        arriving: Vec::new(),
    };
    for departure in plan.share.iter().flat_map(|share| &share.departures) {
        lowering.connected(&departure.from, &departure.connector)?;
    }
    for (at, link) in plan.links.iter().enumerate() {
        match &link.connector {
            None => lowering.memory(at, link),
            Some(connector) => lowering.connector(link, connector)?,
        }
    }
    lowering.arrive();
    lowering.renumber_diverts();
    if let Some(part) = &mut lowering.part {
        part.begin_anew(&lowering.plan, &lowering.catalogue);
    }
    let desks = lowering.desks()?;
    Ok(Some(Lowered {
        desks,
        plan: lowering.plan,
        catalogue: lowering.catalogue,
        run: lowering.run.id,
        entered: lowering.run.into_stores(),
        part: lowering.part,
        receivers: lowering.receivers,
    }))
}

struct Lowering<'a> {
    patience: &'a Patience,
    /// Of links that have none written.
    capacity: usize,
    graph: &'a str,
    /// The links as they are drawn.
    drawn: &'a [Link],
    run: Run<'a>,
    part: Option<Part>,
    plan: Plan,
    catalogue: Catalogue,
    /// Where each memory link of the plan lies now.
    places: Vec<Option<usize>>,
    /// By name of the store and of the connector.
    connected: BTreeMap<(Option<String>, String), Connected>,
    receivers: Vec<(usize, Arc<Station>)>,
    /// Receivers, and the links that they stand for.
    arriving: Vec<(usize, Link)>,
}

/// A connector that is open.
#[derive(Clone)]
struct Connected {
    connector: Arc<dyn Connector>,
    /// Its sender and the link into it; nothing in a part that only reads it.
    sends: Option<(usize, usize)>,
}

impl Lowering<'_> {
    fn memory(&mut self, at: usize, link: &Link) {
        self.places[at] = Some(self.plan.links.len());
        self.plan.links.push(link.clone());
    }

    fn connector(&mut self, link: &Link, wanted: &plan::Connector) -> Result<(), BuildError> {
        let connected = self.connected(&link.from, wanted)?;
        self.receive(link, wanted, &connected);
        Ok(())
    }

    /// The connector with these among its writers.
    fn connected(
        &mut self,
        from: &[Writer],
        wanted: &plan::Connector,
    ) -> Result<Connected, BuildError> {
        let key = (wanted.store.clone(), wanted.name.clone());
        let mut connected = match self.connected.get(&key) {
            Some(connected) => connected.clone(),
            None => Connected {
                connector: self.run.connect(wanted)?,
                sends: None,
            },
        };
        // A part that only reads it has no sender.
        if !from.is_empty() && connected.sends.is_none() {
            connected.sends = Some(self.send(&connected.connector, from, wanted));
        }
        if let Some((_, link)) = connected.sends {
            let known = &mut self.plan.links[link].from;
            for writer in from {
                if !known.iter().any(|other| same(&other.end, &writer.end)) {
                    known.push(writer.clone());
                }
            }
        }
        self.connected.insert(key, connected.clone());
        Ok(connected)
    }

    /// Makes the sender of a connector, and the link into it.
    fn send(
        &mut self,
        connector: &Arc<dyn Connector>,
        from: &[Writer],
        wanted: &plan::Connector,
    ) -> (usize, usize) {
        let address = format!("{}[send]", wanted.name);
        let shore = self.shore(wanted);
        let is_shared = shore.is_some();
        let sends = Sender::new(
            &address,
            Arc::clone(connector),
            chance(),
            shore,
            self.patience,
        );
        let sender = self.process(sends, &address, from);
        if let Some(part) = self.part.as_mut().filter(|_| is_shared) {
            part.senders.push((key_of(wanted), sender));
        }
        let link = self.plan.links.len();
        self.plan.links.push(Link {
            to: end(sender, "IN"),
            ..Link::default()
        });
        (sender, link)
    }

    /// What a connector has to do with other parts.
    fn shore(&self, wanted: &plan::Connector) -> Option<Arc<Shore>> {
        self.part.as_ref()?.shore(wanted)
    }

    /// What stores keep for the processes with tables there.
    fn desks(&mut self) -> Result<BTreeMap<usize, Deskside>, BuildError> {
        let mut tables: BTreeMap<usize, Vec<&plan::Table>> = BTreeMap::new();
        let receivers: Vec<usize> = self.receivers.iter().map(|(process, _)| *process).collect();
        let ways = Ways::new(&self.plan, &self.catalogue);
        let owe_all = self.plan.tables.iter().map(|table| table.process);
        let owe_all: BTreeSet<usize> = owe_all
            .filter(|process| ways.may_come_as_another(*process, &receivers))
            .collect();
        let kept = std::mem::take(&mut self.plan.tables);
        for table in &kept {
            tables.entry(table.process).or_default().push(table);
        }
        let mut desks = BTreeMap::new();
        for (process, tables) in tables {
            let address = self.plan.processes[process].address.clone();
            let store = self.run.store(tables[0].store.as_deref(), &address)?;
            let desk = store.desk(&format!("{}/{address}", self.graph));
            let side = Deskside {
                desk: desk.map_err(|fault| failed(&address, fault))?,
                tables: tables.iter().map(|table| table.name.clone()).collect(),
                journal: Journal::default(),
                owes_all: owe_all.contains(&process),
                // Its own when it is made.
                waker: Waker::noop().clone(),
            };
            desks.insert(process, side);
        }
        for (process, side) in &desks {
            let own = kept.iter().filter(|table| table.process == *process);
            let of_run = own.filter(|table| table.keep == plan::Keep::Run);
            let of_run: Vec<&str> = of_run.map(|table| table.name.as_str()).collect();
            if !of_run.is_empty() {
                let begun = self.run.begin_tables(&*side.desk, &of_run);
                begun.map_err(|fault| failed(&self.plan.processes[*process].address, fault))?;
            }
        }
        Ok(desks)
    }

    /// Makes a receiver for the reader of a link.
    fn receive(&mut self, link: &Link, wanted: &plan::Connector, connected: &Connected) {
        let reader = &self.plan.processes[link.to.process].address;
        let element = link
            .to
            .index
            .map_or_else(String::new, |at| format!("[{at}]"));
        let address = format!(
            "{}[receive {reader}.{}{element}]",
            wanted.name, link.to.port
        );
        let connector = Arc::clone(&connected.connector);
        let competes = self.competes(wanted);
        let shore = self.shore(wanted).map(|shore| (key_of(wanted), shore));
        let receives = Receiver::new(
            &address,
            &wanted.group,
            connector,
            competes,
            (shore, self.patience, self.capacity),
        );
        let station = receives.station();
        let receiver = self.process(receives, &address, &link.from);
        let number = u32::try_from(self.receivers.len()).unwrap_or(u32::MAX);
        self.receivers.push((receiver, station));
        if let Some((sender, _)) = connected.sends {
            self.plan.links.push(Link {
                to: end(receiver, BELL),
                from: vec![Writer {
                    end: End {
                        index: Some(number),
                        ..end(sender, BELL)
                    },
                    ..Writer::default()
                }],
                capacity: Some(1),
                ..Link::default()
            });
        }
        self.arriving.push((receiver, link.clone()));
    }

    /// Whether several processes read this queue.
    fn competes(&self, wanted: &plan::Connector) -> bool {
        let is_same =
            |other: &plan::Connector| other.name == wanted.name && other.store == wanted.store;
        let links = self.drawn.iter();
        let connectors = links.filter_map(|link| link.connector.as_deref());
        let readers = connectors.filter(|other| is_same(other)).count();
        wanted.kind == plan::ConnectorKind::Queue && readers > 1
    }

    /// What the receivers give arrives with what comes by memory.
    fn arrive(&mut self) {
        let key = |end: &End| (end.process, end.port.clone(), end.index.unwrap_or(0));
        let links = self.plan.links.iter().enumerate();
        let mut into: BTreeMap<_, _> = links.map(|(at, link)| (key(&link.to), at)).collect();
        for (receiver, link) in std::mem::take(&mut self.arriving) {
            let at = *into.entry(key(&link.to)).or_insert(self.plan.links.len());
            let writer = Writer {
                end: end(receiver, "OUT"),
                ..link.from.first().cloned().unwrap_or_default()
            };
            if at == self.plan.links.len() {
                self.plan.links.push(Link {
                    to: link.to,
                    ..Link::default()
                });
            }
            self.plan.links[at].from.push(writer);
        }
    }

    fn renumber_diverts(&mut self) {
        for link in &mut self.plan.links {
            link.divert = link.divert.and_then(|target| self.places[target]);
        }
    }

    fn process(
        &mut self,
        component: impl Component + 'static,
        address: &str,
        from: &[Writer],
    ) -> usize {
        let at = self.plan.processes.len();
        let span = from.first().map(|writer| writer.span);
        self.catalogue = std::mem::take(&mut self.catalogue).with(component);
        self.plan.processes.push(Process {
            component: address.to_owned(),
            address: address.to_owned(),
            span: span.unwrap_or_default(),
            ..Process::default()
        });
        at
    }
}

fn failed(wanted: &str, fault: StoreFault) -> BuildError {
    BuildError::Store {
        connector: wanted.to_owned(),
        fault,
    }
}

fn end(process: usize, port: &str) -> End {
    End {
        process,
        port: port.to_owned(),
        ..End::default()
    }
}

/// What a drawing asks of a store, with the usual for what it leaves open.
fn declaration(wanted: &plan::Connector) -> Declaration {
    let kind = match wanted.kind {
        plan::ConnectorKind::Queue => ConnectorKind::Queue,
        plan::ConnectorKind::Stream => ConnectorKind::Stream,
        plan::ConnectorKind::Pubsub => ConnectorKind::Pubsub,
    };
    let usual = Declaration::new(&wanted.name, kind);
    let on_error = match &wanted.on_error {
        Some(plan::OnError::Skip) => OnError::Skip,
        Some(plan::OnError::Copy(stream)) => OnError::Copy(stream.clone()),
        Some(plan::OnError::Retry) | None => OnError::Retry,
    };
    Declaration {
        capacity: wanted.capacity.unwrap_or(usual.capacity),
        capacity_bytes: wanted.bytes.unwrap_or(usual.capacity_bytes),
        retries: wanted.retries.unwrap_or(usual.retries),
        delay: Delay {
            first: wanted.delay.unwrap_or(usual.delay.first),
            factor: wanted.backoff.unwrap_or(usual.delay.factor),
            ..usual.delay
        },
        lease: wanted.lease.unwrap_or(usual.lease),
        dead_letter: wanted.dead_letter.clone(),
        invalid: wanted.invalid.clone(),
        key: wanted.key.clone(),
        partitions: wanted.partitions.unwrap_or(usual.partitions),
        on_error,
        retain: Retain {
            age: wanted.retain.age,
            bytes: wanted.retain.bytes,
            messages: wanted.retain.messages,
        },
        lag: wanted.capacity,
        retained: wanted.retained,
        ..usual
    }
}
