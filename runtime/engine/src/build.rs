//! A network before it starts: what it is made of, and what its program wants to feed and read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use paperflow_core::Catalogue;
use paperflow_core::component::Deskside;
use paperflow_core::connector::{Store, StoreFault};
use paperflow_core::message::Id;
use paperflow_graph::Sources;
use paperflow_graph::plan::{self, Plan};

use crate::connect::{self, Stores};
use crate::embed::{Input, Output};
use crate::network::Running;
use crate::options::Options;
use crate::part::Part;
use crate::patience::Patience;
use crate::receiver::Station;
use crate::roster::External;
use crate::watch::Told;
use crate::wiring::Wiring;

/// A network with more thread processes than this is refused: the system refuses threads near 16,000.
pub const MAX_THREADS: usize = 10_000;

/// Why a network cannot be built from a plan. A plan that passed the checks gives only the last two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A process of the plan has a component that the catalogue does not have.
    UnknownComponent {
        /// The process.
        address: String,
        /// The component.
        component: String,
    },
    /// The component of a process has no such port.
    UnknownPort {
        /// The process.
        address: String,
        /// The port.
        port: String,
    },
    /// The graph exports no port of this name.
    UnknownExport(String),
    /// Node metadata has an unknown fault policy.
    UnknownPolicy {
        /// The process.
        address: String,
        /// What is written.
        policy: String,
    },
    /// More processes need threads than the system gives.
    TooManyThreads(usize),
    /// A connector is to be kept by a store that the network does not have.
    NoStore {
        /// The connector.
        connector: String,
        /// The store that it names.
        store: Option<String>,
    },
    /// A store cannot keep a connector, or cannot be reached.
    Store {
        /// The connector.
        connector: String,
        /// What the store says.
        fault: StoreFault,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownComponent { address, component } => {
                write!(
                    f,
                    "process `{address}` has the component `{component}`, which is not in the catalogue"
                )
            }
            Self::UnknownPort { address, port } => {
                write!(f, "process `{address}` has no port `{port}`")
            }
            Self::UnknownExport(port) => write!(f, "the graph exports no port `{port}`"),
            Self::UnknownPolicy { address, policy } => write!(
                f,
                "process `{address}` has the fault policy `{policy}`; it can be stop-network, stop-process, park, retry, restart, reject or invalid"
            ),
            Self::NoStore {
                connector,
                store: Some(store),
            } => write!(
                f,
                "`{connector}` is to be kept by the store `{store}`, which is not known"
            ),
            Self::NoStore { connector, .. } => {
                write!(
                    f,
                    "`{connector}` is to be kept by a store, and there is none"
                )
            }
            Self::Store { connector, fault } => write!(f, "`{connector}`: {fault}"),
            Self::TooManyThreads(threads) => write!(
                f,
                "{threads} processes need a thread of their own; at most {MAX_THREADS} can have one"
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// A network that has been wired and not yet started.
pub struct Network {
    pub(crate) plan: Plan,
    pub(crate) catalogue: Catalogue,
    pub(crate) options: Options,
    /// Where processes are written.
    pub(crate) sources: Arc<Sources>,
    /// So many of the processes are; others, behind them, stand for connectors.
    pub(crate) drawn: usize,
    pub(crate) inputs: Vec<(plan::End, Arc<External>)>,
    pub(crate) outputs: Vec<(plan::End, Arc<External>)>,
    /// From which the identities of all packets follow.
    pub(crate) run: Option<Id>,
    pub(crate) stores: Stores,
    /// The processes that read from connectors, in the order of the plan.
    pub(crate) receivers: Vec<(usize, Arc<Station>)>,
    /// What stores keep for processes, by process.
    pub(crate) desks: BTreeMap<usize, Deskside>,
    /// What is told while it runs.
    pub(crate) told: Arc<Told>,
    /// The stores that have a part in this run, with its number there.
    pub(crate) entered: Vec<(Arc<dyn Store>, u64)>,
    /// What it is of a graph that is cut.
    pub(crate) part: Option<Part>,
}

/// What the started network is driven by.
pub struct Started {
    /// The network itself.
    pub running: Running,
    /// Handles in the order of the [`Network::input`] calls.
    pub inputs: Vec<Input>,
    /// Handles in the order of the [`Network::output`] calls.
    pub outputs: Vec<Output>,
}

impl Network {
    /// Takes a plan that has passed the checks; `sources` tells reports where processes are written.
    #[must_use]
    pub fn new(plan: Plan, catalogue: &Catalogue, sources: &Sources, options: Options) -> Self {
        let (inputs, outputs) = (Vec::new(), Vec::new());
        let drawn = plan.processes.len();
        Self {
            plan,
            catalogue: catalogue.clone(),
            options,
            sources: Arc::new(sources.clone()),
            drawn,
            inputs,
            outputs,
            run: None,
            stores: Stores::default(),
            receivers: Vec::new(),
            desks: BTreeMap::new(),
            told: Arc::default(),
            entered: Vec::new(),
            part: None,
        }
    }

    /// Lets these stores keep the connectors of the plan.
    pub fn keep(&mut self, stores: Stores) {
        self.stores = stores;
    }

    /// Gives every packet an identity that follows from this one and from where it comes, the same in
    /// each run that gives the same, and keeps account of which deliveries of a store it follows from.
    /// A network without connectors needs neither, and is faster without.
    pub const fn identify(&mut self, run: Id) {
        self.run = Some(run);
    }

    /// Lets the embedding program feed an exported in-port.
    ///
    /// # Errors
    /// The graph exports no such in-port.
    pub fn input(&mut self, public: &str) -> Result<(), BuildError> {
        let end = export(&self.plan.inports, public)?;
        self.inputs.push((end, Arc::default()));
        Ok(())
    }

    /// Lets the embedding program read an exported out-port.
    ///
    /// # Errors
    /// The graph exports no such out-port.
    pub fn output(&mut self, public: &str) -> Result<(), BuildError> {
        let end = export(&self.plan.outports, public)?;
        self.outputs.push((end, Arc::default()));
        Ok(())
    }

    /// How long stores are tried again, and who hears of it.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            limit: self.options.patience,
            told: Arc::clone(&self.told),
        }
    }

    /// Wires the network and starts it.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn start(mut self) -> Result<Started, BuildError> {
        self.stores.listen(&self.told);
        let lowered = connect::lower(
            &self.plan,
            &self.catalogue,
            &self.stores,
            &self.options,
            &self.patience(),
        )?;
        if let Some(lowered) = lowered {
            self.plan = lowered.plan;
            self.catalogue = lowered.catalogue;
            self.receivers = lowered.receivers;
            self.desks = lowered.desks;
            self.entered = lowered.entered;
            self.part = lowered.part;
            self.run = Some(lowered.run);
        }
        let wiring = Wiring::new(self)?;
        Ok(wiring.start())
    }
}

fn export(exports: &[plan::Export], public: &str) -> Result<plan::End, BuildError> {
    let found = exports
        .iter()
        .find(|export| export.public.eq_ignore_ascii_case(public));
    found
        .map(|export| export.end.clone())
        .ok_or_else(|| BuildError::UnknownExport(public.to_owned()))
}
