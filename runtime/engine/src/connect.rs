//! Links that are not memory: each becomes a process that writes to its connector and, for each of its
//! readers, one that reads from it.
//!
//! What leads into the sender and out of the receivers is memory. The sender's port BELL leads to those
//! of the receivers and never carries a packet: it tells a receiver that nobody sends any more, and shows
//! whoever judges the network that what is sent there comes out here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use paperflow_core::component::Deskside;
use paperflow_core::connector::{
    Connector, ConnectorKind, Declaration, Delay, OnError, Retain, Store, StoreFault,
};
use paperflow_core::message::Id;
use paperflow_core::table::Journal;
use paperflow_core::{Catalogue, Component};
use paperflow_graph::plan::{self, End, Link, Plan, Process, Writer};

use crate::build::BuildError;
use crate::patience::Patience;
use crate::receiver::{Receiver, Station};
use crate::sender::Sender;
use crate::wiring::{chance, same};

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

    pub(crate) fn get(&self, name: Option<&str>) -> Option<&Arc<dyn Store>> {
        match name {
            Some(name) => self.named.get(name),
            None => self.usual.as_ref(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        self.usual.iter().chain(self.named.values())
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
}

/// Puts a sender and receivers in the place of each connector, and finds the desks of the processes whose
/// tables are kept by a store; nothing when there is neither.
pub(crate) fn lower(
    plan: &Plan,
    catalogue: &Catalogue,
    stores: &Stores,
    patience: &Patience,
) -> Result<Option<Lowered>, BuildError> {
    if plan.tables.is_empty() && plan.links.iter().all(|link| link.connector.is_none()) {
        return Ok(None);
    }
    let mut lowering = Lowering {
        stores,
        patience,
        drawn: &plan.links,
        run: Id::of(stores.graph()),
        plan: Plan {
            links: Vec::new(),
            ..plan.clone()
        },
        catalogue: catalogue.clone(),
        places: vec![None; plan.links.len()],
        connected: BTreeMap::new(),
        entered: BTreeSet::new(),
        receivers: Vec::new(),
        arriving: Vec::new(),
    };
    for (at, link) in plan.links.iter().enumerate() {
        match &link.connector {
            None => lowering.memory(at, link),
            Some(connector) => lowering.connector(link, connector)?,
        }
    }
    lowering.arrive();
    lowering.renumber_diverts();
    let desks = lowering.desks()?;
    Ok(Some(Lowered {
        desks,
        plan: lowering.plan,
        catalogue: lowering.catalogue,
        run: lowering.run,
        receivers: lowering.receivers,
    }))
}

struct Lowering<'a> {
    stores: &'a Stores,
    patience: &'a Patience,
    /// The links as they are drawn.
    drawn: &'a [Link],
    run: Id,
    plan: Plan,
    catalogue: Catalogue,
    /// Where each memory link of the plan lies now.
    places: Vec<Option<usize>>,
    /// By name of the store and of the connector.
    connected: BTreeMap<(Option<String>, String), Connected>,
    /// The stores whose run is a part of this one.
    entered: BTreeSet<Option<String>>,
    receivers: Vec<(usize, Arc<Station>)>,
    /// Receivers, and the links that they stand for.
    arriving: Vec<(usize, Link)>,
}

/// A connector that has its sender.
#[derive(Clone)]
struct Connected {
    connector: Arc<dyn Connector>,
    sender: usize,
    /// The link into its sender.
    link: usize,
}

impl Lowering<'_> {
    fn memory(&mut self, at: usize, link: &Link) {
        self.places[at] = Some(self.plan.links.len());
        self.plan.links.push(link.clone());
    }

    fn connector(&mut self, link: &Link, wanted: &plan::Connector) -> Result<(), BuildError> {
        let key = (wanted.store.clone(), wanted.name.clone());
        let connected = match self.connected.get(&key) {
            Some(connected) => connected.clone(),
            None => self.connect(link, wanted)?,
        };
        let known = &mut self.plan.links[connected.link].from;
        for writer in &link.from {
            if !known.iter().any(|other| same(&other.end, &writer.end)) {
                known.push(writer.clone());
            }
        }
        self.receive(link, wanted, &connected);
        self.connected.insert(key, connected);
        Ok(())
    }

    /// Opens the connector and makes its sender.
    fn connect(&mut self, link: &Link, wanted: &plan::Connector) -> Result<Connected, BuildError> {
        let store = self.store(wanted.store.as_deref(), &wanted.name)?;
        let connector = store.connect(&declaration(wanted));
        let connector = connector.map_err(|fault| failed(&wanted.name, fault))?;
        let address = format!("{}[send]", wanted.name);
        let sender = self.process(
            Sender::new(&address, Arc::clone(&connector), chance(), self.patience),
            &address,
            link,
        );
        let link = self.plan.links.len();
        self.plan.links.push(Link {
            to: end(sender, "IN"),
            ..Link::default()
        });
        Ok(Connected {
            connector,
            sender,
            link,
        })
    }

    /// The store of that name, or the usual one; its run is a part of this one.
    fn store(&mut self, name: Option<&str>, wanted: &str) -> Result<Arc<dyn Store>, BuildError> {
        let store = self.stores.get(name).ok_or_else(|| BuildError::NoStore {
            connector: wanted.to_owned(),
            store: name.map(str::to_owned),
        })?;
        if self.entered.insert(name.map(str::to_owned)) {
            let epoch = store.epoch(self.stores.graph());
            let epoch = epoch.map_err(|fault| failed(wanted, fault))?;
            self.run = self.run.derive(Id::of(store.name()), epoch);
        }
        Ok(Arc::clone(store))
    }

    /// What stores keep for the processes with tables there.
    fn desks(&mut self) -> Result<BTreeMap<usize, Deskside>, BuildError> {
        let mut tables: BTreeMap<usize, Vec<&plan::Table>> = BTreeMap::new();
        let plan = std::mem::take(&mut self.plan.tables);
        for table in &plan {
            tables.entry(table.process).or_default().push(table);
        }
        let mut desks = BTreeMap::new();
        for (process, tables) in tables {
            let address = self.plan.processes[process].address.clone();
            let store = self.store(tables[0].store.as_deref(), &address)?;
            let desk = store.desk(&format!("{}/{address}", self.stores.graph()));
            let side = Deskside {
                desk: desk.map_err(|fault| failed(&address, fault))?,
                tables: tables.iter().map(|table| table.name.clone()).collect(),
                journal: Journal::default(),
                // Its own when it is made.
                waker: Waker::noop().clone(),
            };
            desks.insert(process, side);
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
        let receives = Receiver::new(&address, &wanted.group, connector, competes, self.patience);
        let station = receives.station();
        let receiver = self.process(receives, &address, link);
        let number = u32::try_from(self.receivers.len()).unwrap_or(u32::MAX);
        self.receivers.push((receiver, station));
        self.plan.links.push(Link {
            to: end(receiver, BELL),
            from: vec![Writer {
                end: End {
                    index: Some(number),
                    ..end(connected.sender, BELL)
                },
                ..Writer::default()
            }],
            capacity: Some(1),
            ..Link::default()
        });
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
        link: &Link,
    ) -> usize {
        let at = self.plan.processes.len();
        let span = link.from.first().map(|writer| writer.span);
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
