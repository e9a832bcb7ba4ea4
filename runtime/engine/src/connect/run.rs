//! The run that a network belongs to: its number in each store that has a part in it, and the identity
//! from which those of all packets follow.
//!
//! Where the arcs of a graph are kept by a store that several programs can use, the run is the one that
//! this store knows of, whether the graph runs in one piece or in parts: so packets have the same
//! identities. Tables that a part keeps by itself belong to that run as well, and what was handled in an
//! earlier one is forgotten when the next begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::connector::{Connector, Desk, Notes, Row, Store, StoreFault, Work};
use paperflow_core::message::Id;
use paperflow_graph::plan::{self, Plan};

use crate::build::BuildError;
use crate::part::{Beginning, Part, key_of};

use super::{Stores, declaration, failed};

/// A run, and the stores that have a part in it.
pub(super) struct Run<'a> {
    stores: &'a Stores,
    /// The store that knows the number of the run, if it is one that several programs can use.
    keeper: Option<Keeper>,
    /// It is that of a part.
    is_share: bool,
    entered: BTreeMap<Option<String>, Entered>,
    pub(super) id: Id,
}

struct Keeper {
    notes: Arc<dyn Notes>,
    epoch: u64,
}

struct Entered {
    store: Arc<dyn Store>,
    epoch: u64,
    is_shared: bool,
}

/// A table of a desk, and its row: the run that the desk belongs to. Tables of components are in capitals.
const OF_RUN: &str = "run";
const RUN: &str = "\"run\"";

impl<'a> Run<'a> {
    /// The run of a plan, or of the whole graph that it is a part of.
    pub(super) fn of(plan: &Plan, stores: &'a Stores) -> Result<Self, BuildError> {
        let mut run = Self {
            stores,
            keeper: None,
            is_share: plan.share.is_some(),
            entered: BTreeMap::new(),
            id: Id::of(stores.graph()),
        };
        let whole = plan.share.as_ref().map_or(plan, |share| &share.whole);
        let connectors = whole
            .links
            .iter()
            .filter_map(|link| link.connector.as_deref());
        for connector in connectors {
            let Some(store) = stores.get(connector.store.as_deref()) else {
                continue;
            };
            let keeper = Keeper::of(&**store, stores.graph());
            if let Some(keeper) = keeper.map_err(|fault| failed(&connector.name, fault))? {
                run.id = run.id.derive(Id::of(store.name()), keeper.epoch);
                run.keeper = Some(keeper);
                break;
            }
        }
        Ok(run)
    }

    /// The store of that name, or the usual one; its run is a part of this one.
    pub(super) fn store(
        &mut self,
        name: Option<&str>,
        wanted: &str,
    ) -> Result<Arc<dyn Store>, BuildError> {
        let store = self.stores.get(name).ok_or_else(|| BuildError::NoStore {
            connector: wanted.to_owned(),
            store: name.map(str::to_owned),
        })?;
        let key = name.map(str::to_owned);
        if !self.entered.contains_key(&key) {
            let entered = self.enter(store).map_err(|fault| failed(wanted, fault))?;
            self.entered.insert(key, entered);
        }
        Ok(Arc::clone(store))
    }

    fn enter(&mut self, store: &Arc<dyn Store>) -> Result<Entered, StoreFault> {
        let graph = self.stores.graph();
        let is_shared = store.notes(graph)?.is_some();
        let mut epoch = store.epoch(graph)?;
        if self.keeper.is_none() {
            self.id = self.id.derive(Id::of(store.name()), epoch);
        } else if self.is_share && !is_shared {
            epoch = self.belong(&**store, epoch)?;
        }
        Ok(Entered {
            store: Arc::clone(store),
            epoch,
            is_shared,
        })
    }

    /// Lets a store that only this part has belong to this run; what it knows of another is over.
    fn belong(&self, store: &dyn Store, epoch: u64) -> Result<u64, StoreFault> {
        let graph = self.stores.graph();
        let desk = store.desk(&format!("{graph}/(run)"))?;
        let Some(own) = self.unknown_to(&*desk)? else {
            return Ok(epoch);
        };
        store.finish(graph, epoch)?;
        desk.commit(&Work {
            rows: vec![own],
            ..Work::default()
        })?;
        store.epoch(graph)
    }

    /// The row that tells which run a desk belongs to; nothing if it is this one already.
    fn unknown_to(&self, desk: &dyn Desk) -> Result<Option<Row>, StoreFault> {
        let own = format!("\"{}\"", self.id);
        let rows = desk.rows(OF_RUN)?;
        let is_known = rows.iter().any(|(key, row)| key == RUN && *row == own);
        Ok((!is_known).then(|| Row {
            table: String::from(OF_RUN),
            key: String::from(RUN),
            row: Some(own),
        }))
    }

    /// Lets tables that are kept for a run begin with nothing, unless they are this run's. Every store has to
    /// be entered before.
    pub(super) fn begin_tables(&self, desk: &dyn Desk, tables: &[&str]) -> Result<(), StoreFault> {
        let Some(own) = self.unknown_to(desk)? else {
            return Ok(());
        };
        let mut rows = vec![own];
        for table in tables {
            let old = desk.rows(table)?.into_iter().map(|(key, _)| Row {
                table: (*table).to_owned(),
                key,
                row: None,
            });
            rows.extend(old);
        }
        desk.commit(&Work {
            rows,
            ..Work::default()
        })
    }

    /// Makes a part known to the others.
    pub(super) fn begin(&mut self, plan: &Plan, copy: &str) -> Result<Option<Part>, BuildError> {
        let Some(share) = plan.share.as_deref() else {
            return Ok(None);
        };
        let connectors = self.connect_all(&share.whole)?;
        let Some(keeper) = self.keeper.take() else {
            return Ok(None);
        };
        let beginning = Beginning {
            graph: self.stores.graph().to_owned(),
            share: share.clone(),
            copy: copy.to_owned(),
            notes: Arc::clone(&keeper.notes),
            epoch: keeper.epoch,
        };
        self.keeper = Some(keeper);
        let shared = self.entered.values().filter(|entered| entered.is_shared);
        let shared = shared.map(|entered| (Arc::clone(&entered.store), entered.epoch));
        let part = Part::begin(beginning, shared.collect(), connectors);
        part.map(Some).map_err(|fault| failed(copy, fault))
    }

    /// All connectors of the graph that parts share, by name.
    fn connect_all(
        &mut self,
        whole: &Plan,
    ) -> Result<BTreeMap<String, Arc<dyn Connector>>, BuildError> {
        let mut all = BTreeMap::new();
        for wanted in whole
            .links
            .iter()
            .filter_map(|link| link.connector.as_deref())
        {
            let key = key_of(wanted);
            if !all.contains_key(&key) && self.may_share(wanted)? {
                all.insert(key, self.connect(wanted)?);
            }
        }
        Ok(all)
    }

    fn may_share(&self, wanted: &plan::Connector) -> Result<bool, BuildError> {
        let store = self.stores.get(wanted.store.as_deref());
        let notes = store
            .map(|store| store.notes(self.stores.graph()))
            .transpose();
        let notes = notes.map_err(|fault| failed(&wanted.name, fault))?;
        Ok(notes.flatten().is_some())
    }

    /// Opens a connector.
    pub(super) fn connect(
        &mut self,
        wanted: &plan::Connector,
    ) -> Result<Arc<dyn Connector>, BuildError> {
        let store = self.store(wanted.store.as_deref(), &wanted.name)?;
        let connector = store.connect(&declaration(wanted));
        connector.map_err(|fault| failed(&wanted.name, fault))
    }

    /// The stores that have a part in the run, each with its number there. The run is over when those that others
    /// can use say so, so they are told first: what the others keep is then of a run that is over.
    pub(super) fn into_stores(self) -> Vec<(Arc<dyn Store>, u64)> {
        let mut entered: Vec<_> = self.entered.into_values().collect();
        entered.sort_by_key(|entered| !entered.is_shared);
        entered
            .into_iter()
            .map(|entered| (entered.store, entered.epoch))
            .collect()
    }
}

impl Keeper {
    fn of(store: &dyn Store, graph: &str) -> Result<Option<Self>, StoreFault> {
        let Some(notes) = store.notes(graph)? else {
            return Ok(None);
        };
        let epoch = store.epoch(graph)?;
        Ok(Some(Self { notes, epoch }))
    }
}
