//! From a plan to links: every port name is resolved here, once.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use paperflow_core::message::Id;
use paperflow_core::{Component, Spec, Work};
use paperflow_graph::Full;
use paperflow_graph::plan::{self, Plan};

use crate::build::{BuildError, MAX_THREADS, Network};
use crate::by_port::{ByPort, Shared};
use crate::link::Link;
use crate::options::{DEFAULT_RETRIES, Policy, Scheduler};
use crate::roster::{External, Roster, Who};

/// A network being wired.
pub(crate) struct Wiring {
    pub(crate) network: Network,
    pub(crate) components: Vec<Arc<dyn Component>>,
    /// By process; processes with the same component share its description.
    pub(crate) specs: Vec<Arc<Spec>>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) own_thread: Vec<bool>,
    pub(crate) links: Vec<Arc<Link>>,
    /// By process: its links in and out, by port and element.
    pub(crate) into: Vec<ByPort<usize>>,
    pub(crate) out_of: Vec<ByPort<(usize, usize)>>,
    pub(crate) signals: Vec<Vec<(usize, usize)>>,
    pub(crate) policies: Vec<Policy>,
    /// By process: which initial packets of the plan are its own.
    pub(crate) initials: Vec<Vec<usize>>,
    pub(crate) input_links: Vec<(usize, usize)>,
    pub(crate) output_links: Vec<usize>,
    pub(crate) stop: Arc<AtomicBool>,
    /// An identity that no other run has.
    pub(crate) chance: Id,
    pub(crate) shared: Shared,
}

impl Wiring {
    pub(crate) fn new(network: Network) -> Result<Self, BuildError> {
        let (components, specs) = kinds(&network)?;
        let policies = policies(&network.plan)?;
        let own_thread: Vec<bool> = components
            .iter()
            .enumerate()
            .map(|(at, component)| {
                network.options.scheduler == Scheduler::Threads
                    || component.spec().work == Work::Thread
                    // It waits for its store at the end of each turn.
                    || network.desks.contains_key(&at)
            })
            .collect();
        let threads = own_thread.iter().filter(|own| **own).count();
        if threads > MAX_THREADS {
            return Err(BuildError::TooManyThreads(threads));
        }
        let count = components.len();
        let mut wiring = Self {
            roster: Arc::new(Roster::new(
                &own_thread,
                workers(network.options.scheduler, &own_thread),
            )),
            specs,
            network,
            components,
            own_thread,
            links: Vec::new(),
            into: vec![ByPort::default(); count],
            out_of: vec![ByPort::default(); count],
            signals: vec![Vec::new(); count],
            policies,
            initials: vec![Vec::new(); count],
            input_links: Vec::new(),
            output_links: Vec::new(),
            stop: Arc::default(),
            chance: chance(),
            shared: Shared::default(),
        };
        for (at, initial) in wiring.network.plan.initials.iter().enumerate() {
            wiring.initials[initial.to.process].push(at);
        }
        wiring.link();
        wiring.check_ports()?;
        Ok(wiring)
    }

    // ---- links ----

    fn link(&mut self) {
        let plan = std::mem::take(&mut self.network.plan.links);
        let inputs = std::mem::take(&mut self.network.inputs);
        let outputs = std::mem::take(&mut self.network.outputs);
        for link in &plan {
            let fed = inputs.iter().position(|(end, _)| same(end, &link.to));
            self.add_link(link, fed.map(|at| &inputs[at].1));
        }
        self.join_diverts(&plan);
        for (end, external) in &inputs {
            if !plan.iter().any(|link| same(end, &link.to)) {
                let link = plan::Link {
                    to: end.clone(),
                    ..plan::Link::default()
                };
                self.add_link(&link, Some(external));
            }
            let link = self.into[end.process][(&*end.port, element(end))];
            self.input_links
                .push((link, self.links[link].writers.len() - 1));
        }
        for (end, external) in &outputs {
            self.add_output(end, external);
        }
        self.network.plan.links = plan;
        self.network.inputs = inputs;
        self.network.outputs = outputs;
    }

    fn add_link(&mut self, link: &plan::Link, external: Option<&Arc<External>>) {
        let at = self.links.len();
        for (index, writer) in link.from.iter().enumerate() {
            if writer.end.port == "*" {
                self.signals[writer.end.process].push((at, index));
            } else {
                let key = self.key(&writer.end);
                self.out_of[writer.end.process].insert(key, (at, index));
            }
        }
        let inside = link.writers();
        let inside = inside.map(|writer| Who::Process(writer.end.process));
        let writers = inside.chain(external.cloned().map(Who::External));
        let mut ends = link
            .writers()
            .map(|writer| writer.end.process)
            .chain([link.to.process]);
        let home = if external.is_some() {
            None
        } else {
            self.home(&mut ends)
        };
        let key = self.key(&link.to);
        self.into[link.to.process].insert(key, at);
        let capacity = link
            .capacity
            .unwrap_or(self.network.options.capacity)
            .max(1);
        let reader = Who::Process(link.to.process);
        let roster = Arc::clone(&self.roster);
        self.links.push(Link::new(
            capacity, link.full, reader, writers, home, roster,
        ));
    }

    fn key(&mut self, end: &plan::End) -> (Arc<str>, u32) {
        (self.shared.name(&end.port), element(end))
    }

    /// Links of the plan that divert are told where to.
    fn join_diverts(&self, plan: &[plan::Link]) {
        for (at, link) in plan.iter().enumerate() {
            let Some(target) = link.divert else { continue };
            let diverted = &plan[target].diverted;
            let number = |writer: &plan::Writer| {
                let same = |other: &plan::Writer| same(&other.end, &writer.end);
                let place = diverted.iter().position(same).unwrap_or_default();
                plan[target].from.len() + place
            };
            let writers = link.from.iter().map(number).collect();
            self.links[at].divert_to(&self.links[target], writers);
        }
    }

    fn add_output(&mut self, end: &plan::End, external: &Arc<External>) {
        let at = self.links.len();
        let key = self.key(end);
        self.out_of[end.process].insert(key, (at, 0));
        self.output_links.push(at);
        let (reader, writers) = (
            Who::External(Arc::clone(external)),
            [Who::Process(end.process)],
        );
        let capacity = self.network.options.capacity.max(1);
        let roster = Arc::clone(&self.roster);
        self.links.push(Link::new(
            capacity,
            Full::Wait,
            reader,
            writers,
            None,
            roster,
        ));
    }

    /// The innermost re-armed subnet that holds all these processes.
    fn home(&self, ends: &mut dyn Iterator<Item = usize>) -> Option<usize> {
        let scope_of = |process: usize| self.network.plan.processes[process].scope;
        let mut home = scope_of(ends.next()?)?;
        for end in ends {
            while !self.is_within(scope_of(end), home) {
                home = self.network.plan.scopes[home].parent?;
            }
        }
        Some(home)
    }

    pub(crate) fn is_within(&self, mut scope: Option<usize>, outer: usize) -> bool {
        while let Some(inner) = scope {
            if inner == outer {
                return true;
            }
            scope = self.network.plan.scopes[inner].parent;
        }
        false
    }

    /// Every port named by the plan is one that its component has.
    fn check_ports(&self) -> Result<(), BuildError> {
        for (index, process) in self.network.plan.processes.iter().enumerate() {
            let spec = self.components[index].spec();
            let unknown = |port: &str| BuildError::UnknownPort {
                address: process.address.clone(),
                port: port.to_owned(),
            };
            let is_input = |port: &str| {
                port == "*" || spec.input_index(port).is_some() || spec.param_index(port).is_some()
            };
            if let Some((port, ..)) = self.into[index].iter().find(|(port, ..)| !is_input(port)) {
                return Err(unknown(port));
            }
            if let Some((port, ..)) = self.out_of[index]
                .iter()
                .find(|(port, ..)| spec.output_index(port).is_none())
            {
                return Err(unknown(port));
            }
        }
        Ok(())
    }
}

/// How many workers the pool has.
/// An identity that no other run has: from the random keys of a hash map, and from the time.
pub(crate) fn chance() -> Id {
    let random = RandomState::new().hash_one(SystemTime::now());
    Id::of(&format!("{random}"))
}

fn workers(scheduler: Scheduler, own_thread: &[bool]) -> usize {
    let pooled = own_thread.iter().filter(|own| !**own).count();
    let wanted = match scheduler {
        Scheduler::Auto => std::thread::available_parallelism().map_or(1, usize::from),
        Scheduler::Pool(workers) => workers.max(1),
        Scheduler::Threads => 0,
    };
    wanted.min(pooled)
}

/// By process: its component and its description, which processes with the same component share.
type Kinds = (Vec<Arc<dyn Component>>, Vec<Arc<Spec>>);

fn kinds(network: &Network) -> Result<Kinds, BuildError> {
    let mut known: BTreeMap<&str, (Arc<dyn Component>, Arc<Spec>)> = BTreeMap::new();
    let kinds = network.plan.processes.iter().map(|process| {
        if let Some(kind) = known.get(&*process.component) {
            return Ok(kind.clone());
        }
        let component = network.catalogue.get(&process.component);
        let component = component.ok_or_else(|| BuildError::UnknownComponent {
            address: process.address.clone(),
            component: process.component.clone(),
        })?;
        let kind = (Arc::clone(component), Arc::new(component.spec().clone()));
        known.insert(&process.component, kind.clone());
        Ok(kind)
    });
    kinds.collect()
}

fn policies(plan: &Plan) -> Result<Vec<Policy>, BuildError> {
    plan.processes.iter().map(policy).collect()
}

fn policy(process: &plan::Process) -> Result<Policy, BuildError> {
    let text = |key: &str| {
        let value = process
            .metadata
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value);
        value.map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let retries = text("retries")
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_RETRIES);
    match text("fault").as_deref() {
        None => Ok(Policy::Usual),
        Some("stop-network") => Ok(Policy::StopNetwork),
        Some("reject") => Ok(Policy::Reject),
        Some("invalid") => Ok(Policy::Invalid),
        Some("stop-process") => Ok(Policy::StopProcess),
        Some("park") => Ok(Policy::Park),
        Some("retry") => Ok(Policy::Retry(retries)),
        Some("restart") => Ok(Policy::Restart(retries)),
        Some(other) => Err(BuildError::UnknownPolicy {
            address: process.address.clone(),
            policy: other.to_owned(),
        }),
    }
}

fn element(end: &plan::End) -> u32 {
    end.index.unwrap_or(0)
}

pub(crate) fn same(one: &plan::End, two: &plan::End) -> bool {
    one.process == two.process && one.port == two.port && element(one) == element(two)
}
