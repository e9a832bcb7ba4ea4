//! From a plan and a catalogue to a network: every name is resolved here, once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Instant;

use crossbeam_channel::unbounded;
use paperflow_core::component::{Elements, Layout};
use paperflow_core::turn::{Inlet, Manner, Outlet, Outside};
use paperflow_core::{Catalogue, Component, Packet, Spec, Turn, Work, spec};
use paperflow_graph::plan::{self, Plan};
use paperflow_graph::{Full, Sources};
use parking_lot::Mutex;
use serde_json::Value as Json;

use crate::clock::NetClock;
use crate::embed::{Feed, Input, Output};
use crate::initial::Template;
use crate::link::{Link, Writer};
use crate::network::{Event, Net, Running};
use crate::options::{DEFAULT_RETRIES, Options, Policy, Scheduler};
use crate::process::{Body, Door, ParamSource, Process, Socket, Status, Tally};
use crate::roster::{External, ProcessWaker, Roster, Who};
use crate::scope::Scope;

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
                "process `{address}` has the fault policy `{policy}`; it can be stop-network, stop-process, park or retry"
            ),
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
    plan: Plan,
    catalogue: Catalogue,
    options: Options,
    origins: Vec<String>,
    inputs: Vec<(plan::End, Arc<External>)>,
    outputs: Vec<(plan::End, Arc<External>)>,
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
        let origins = plan
            .processes
            .iter()
            .map(|process| sources.locate(process.span))
            .collect();
        let (inputs, outputs) = (Vec::new(), Vec::new());
        Self {
            plan,
            catalogue: catalogue.clone(),
            options,
            origins,
            inputs,
            outputs,
        }
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

    /// Wires the network and starts it.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn start(self) -> Result<Started, BuildError> {
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

/// A network being wired.
struct Wiring {
    network: Network,
    components: Vec<Arc<dyn Component>>,
    roster: Arc<Roster>,
    own_thread: Vec<bool>,
    links: Vec<Arc<Link>>,
    /// By process: its links in and out, by port and element.
    into: Vec<BTreeMap<(String, u32), usize>>,
    out_of: Vec<BTreeMap<(String, u32), (usize, usize)>>,
    signals: Vec<Vec<(usize, usize)>>,
    policies: Vec<Policy>,
    input_links: Vec<(usize, usize)>,
    output_links: Vec<usize>,
    stop: Arc<AtomicBool>,
}

impl Wiring {
    fn new(network: Network) -> Result<Self, BuildError> {
        let components = components(&network)?;
        let policies = policies(&network.plan)?;
        let own_thread: Vec<bool> = components
            .iter()
            .map(|component| {
                network.options.scheduler == Scheduler::Threads
                    || component.spec().work == Work::Thread
            })
            .collect();
        let threads = own_thread.iter().filter(|own| **own).count();
        if threads > MAX_THREADS {
            return Err(BuildError::TooManyThreads(threads));
        }
        let count = components.len();
        let mut wiring = Self {
            roster: Arc::new(Roster::new(&own_thread)),
            network,
            components,
            own_thread,
            links: Vec::new(),
            into: vec![BTreeMap::new(); count],
            out_of: vec![BTreeMap::new(); count],
            signals: vec![Vec::new(); count],
            policies,
            input_links: Vec::new(),
            output_links: Vec::new(),
            stop: Arc::default(),
        };
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
        for (end, external) in &inputs {
            if !plan.iter().any(|link| same(end, &link.to)) {
                let link = plan::Link {
                    to: end.clone(),
                    ..plan::Link::default()
                };
                self.add_link(&link, Some(external));
            }
            let key = key(end);
            let link = self.into[end.process][&key];
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
        let mut writers = Vec::new();
        for writer in &link.from {
            let index = writers.len();
            if writer.end.port == "*" {
                self.signals[writer.end.process].push((at, index));
            } else {
                self.out_of[writer.end.process].insert(key(&writer.end), (at, index));
            }
            writers.push(Who::Process(writer.end.process));
        }
        writers.extend(external.cloned().map(Who::External));
        let mut ends = link
            .from
            .iter()
            .map(|writer| writer.end.process)
            .chain([link.to.process]);
        let home = if external.is_some() {
            None
        } else {
            self.home(&mut ends)
        };
        self.into[link.to.process].insert(key(&link.to), at);
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

    fn add_output(&mut self, end: &plan::End, external: &Arc<External>) {
        let at = self.links.len();
        self.out_of[end.process].insert(key(end), (at, 0));
        self.output_links.push(at);
        let (reader, writers) = (
            Who::External(Arc::clone(external)),
            vec![Who::Process(end.process)],
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

    fn is_within(&self, mut scope: Option<usize>, outer: usize) -> bool {
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
            let unknown = |port: &String| BuildError::UnknownPort {
                address: process.address.clone(),
                port: port.clone(),
            };
            let is_input = |port: &str| {
                port == "*" || spec.input_index(port).is_some() || spec.param_index(port).is_some()
            };
            if let Some((port, _)) = self.into[index].keys().find(|(port, _)| !is_input(port)) {
                return Err(unknown(port));
            }
            if let Some((port, _)) = self.out_of[index]
                .keys()
                .find(|(port, _)| spec.output_index(port).is_none())
            {
                return Err(unknown(port));
            }
        }
        Ok(())
    }

    // ---- processes ----

    fn start(self) -> Started {
        let (events, heard) = unbounded();
        let clock = NetClock::new(self.network.options.virtual_time);
        let doors: Vec<Arc<Door>> = (0..self.components.len())
            .map(|process| {
                Arc::new(Door {
                    net: std::sync::OnceLock::new(),
                    process,
                })
            })
            .collect();
        let processes = (0..self.components.len())
            .map(|at| self.process(at, &doors[at]))
            .collect();
        let externals = self.network.inputs.iter().chain(&self.network.outputs);
        let net = Arc::new(Net {
            remaining: AtomicUsize::new(self.components.len()),
            processes,
            links: self.links.clone(),
            scopes: self.scopes(),
            roster: Arc::clone(&self.roster),
            clock,
            externals: externals
                .map(|(_, external)| Arc::clone(external))
                .collect(),
            fed: AtomicU64::new(0),
            events,
            judging: Mutex::new(()),
            started: Instant::now(),
            is_stopping: Arc::clone(&self.stop),
            leaks: Mutex::default(),
            notes: Mutex::default(),
        });
        for door in &doors {
            door.net.get_or_init(|| Arc::downgrade(&net));
        }
        self.handles(net, heard)
    }

    fn handles(&self, net: Arc<Net>, events: crossbeam_channel::Receiver<Event>) -> Started {
        let external = |at: usize| Arc::clone(&net.externals[at]);
        let inputs = self
            .input_links
            .iter()
            .enumerate()
            .map(|(at, (link, index))| {
                let writer = Writer {
                    link: Arc::clone(&self.links[*link]),
                    index: *index,
                };
                Input::new(
                    Feed {
                        net: Arc::clone(&net),
                        external: external(at),
                    },
                    writer,
                )
            });
        let fed = self.input_links.len();
        let outputs = self.output_links.iter().enumerate().map(|(at, link)| {
            let feed = Feed {
                net: Arc::clone(&net),
                external: external(fed + at),
            };
            Output::new(feed, Arc::clone(&self.links[*link]))
        });
        let (inputs, outputs) = (inputs.collect(), outputs.collect());
        let running = Running::launch(net, events, self.workers());
        Started {
            running,
            inputs,
            outputs,
        }
    }

    fn workers(&self) -> usize {
        let pooled = self.own_thread.iter().filter(|own| !**own).count();
        let wanted = match self.network.options.scheduler {
            Scheduler::Auto => std::thread::available_parallelism().map_or(1, usize::from),
            Scheduler::Pool(workers) => workers.max(1),
            Scheduler::Threads => 0,
        };
        wanted.min(pooled)
    }

    fn process(&self, index: usize, door: &Arc<Door>) -> Process {
        let component = Arc::clone(&self.components[index]);
        let drawn = &self.network.plan.processes[index];
        let spec = Arc::new(component.spec().clone());
        let (inputs, in_elements, templates, inlets) = self.in_elements(index, &spec);
        let (outputs, out_elements, outlets) = self.out_elements(index, &spec);
        let is_source = inputs.iter().all(|socket| socket.link.is_none());
        let error = (0..outputs.len())
            .find(|at| outputs[*at].name == spec::ERROR && outlets[*at].is_some());
        let has_own_thread = self.own_thread[index];
        let manner = Manner {
            eager: spec.work == Work::Thread,
            passing: passing(&spec, &out_elements),
            bypass: bypass(&spec, &out_elements),
            stop: is_source.then(|| Arc::clone(&self.stop)),
            outside: Some(Arc::clone(door) as Arc<dyn Outside>),
        };
        let params = self.params(index, &spec);
        let waker = Arc::new(ProcessWaker {
            roster: Arc::clone(&self.roster),
            process: index,
        })
        .into();
        Process {
            index,
            address: drawn.address.clone(),
            origin: self.network.origins.get(index).cloned().unwrap_or_default(),
            gates: self.into[index]
                .iter()
                .filter(|(key, _)| key.0 == "*")
                .map(|(_, link)| *link)
                .collect(),
            signals: self.signals[index]
                .iter()
                .map(|(link, index)| self.writer(*link, *index))
                .collect(),
            body: Mutex::new(Body::new(Turn::new(inlets, outlets, manner), params.len())),
            layout: Arc::new(Layout {
                inputs: in_elements,
                outputs: out_elements,
            }),
            policy: self.policies[index],
            scope: drawn.scope,
            is_outside: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            status: Mutex::new(Status::default()),
            tally: Tally::default(),
            component,
            spec,
            inputs,
            outputs,
            templates,
            params,
            error,
            is_source,
            has_own_thread,
            waker,
        }
    }

    fn writer(&self, link: usize, index: usize) -> Writer {
        Writer {
            link: Arc::clone(&self.links[link]),
            index,
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "four lists that run side by side, taken apart at once"
    )]
    fn in_elements(
        &self,
        process: usize,
        spec: &Spec,
    ) -> (
        Vec<Socket>,
        Vec<Elements>,
        Vec<Arc<Template>>,
        Vec<Option<Arc<dyn Inlet>>>,
    ) {
        let (mut sockets, mut elements, mut templates, mut inlets) = Default::default();
        let (sockets_, templates_, inlets_): (
            &mut Vec<Socket>,
            &mut Vec<_>,
            &mut Vec<Option<Arc<dyn Inlet>>>,
        ) = (&mut sockets, &mut templates, &mut inlets);
        for port in &spec.inputs {
            let initials = self.initials(process, &port.name);
            let linked = self.into[process]
                .keys()
                .filter(|key| key.0 == port.name)
                .map(|key| key.1);
            let numbers = numbers(
                port.array,
                linked.chain(initials.iter().map(|(number, _)| *number)),
            );
            let first = sockets_.len();
            for number in &numbers {
                let link = self.into[process]
                    .get(&(port.name.clone(), *number))
                    .copied();
                let initial = initials.iter().find(|(at, _)| at == number);
                let template = initial.map(|(_, packet)| Arc::new(Template::new(packet.clone())));
                inlets_.push(match (&template, link) {
                    (_, Some(link)) => Some(Arc::clone(&self.links[link]) as Arc<dyn Inlet>),
                    (Some(template), None) => Some(Arc::clone(template) as Arc<dyn Inlet>),
                    (None, None) => None,
                });
                templates_.extend(template);
                sockets_.push(Socket {
                    name: element_name(&port.name, port.array, *number),
                    link,
                });
            }
            let elements_: &mut Vec<Elements> = &mut elements;
            elements_.push(Elements {
                first,
                numbers: numbers.into(),
            });
        }
        (sockets, elements, templates, inlets)
    }

    fn out_elements(
        &self,
        process: usize,
        spec: &Spec,
    ) -> (Vec<Socket>, Vec<Elements>, Vec<Option<Arc<dyn Outlet>>>) {
        let (mut sockets, mut elements, mut outlets) = (Vec::new(), Vec::new(), Vec::new());
        for port in &spec.outputs {
            let linked = self.out_of[process]
                .keys()
                .filter(|key| key.0 == port.name)
                .map(|key| key.1);
            let numbers = numbers(port.array, linked);
            let first = sockets.len();
            for number in &numbers {
                let link = self.out_of[process].get(&(port.name.clone(), *number));
                outlets.push(
                    link.map(|(link, index)| {
                        Arc::new(self.writer(*link, *index)) as Arc<dyn Outlet>
                    }),
                );
                let name = element_name(&port.name, port.array, *number);
                sockets.push(Socket {
                    name,
                    link: link.map(|(link, _)| *link),
                });
            }
            elements.push(Elements {
                first,
                numbers: numbers.into(),
            });
        }
        (sockets, elements, outlets)
    }

    fn params(&self, process: usize, spec: &Spec) -> Vec<ParamSource> {
        let source = |name: &str| {
            if let Some(link) = self.into[process].get(&(name.to_owned(), 0)) {
                return ParamSource::Link(*link);
            }
            match self.initials(process, name).pop() {
                Some((_, packet)) => ParamSource::Initial(packet),
                None => ParamSource::Nowhere,
            }
        };
        spec.params
            .iter()
            .map(|param| source(&param.name))
            .collect()
    }

    fn initials(&self, process: usize, port: &str) -> Vec<(u32, Packet)> {
        let initials = self.network.plan.initials.iter();
        let mine =
            initials.filter(|initial| initial.to.process == process && initial.to.port == port);
        mine.map(|initial| {
            (
                initial.to.index.unwrap_or(0),
                Packet::json(initial.value.clone()),
            )
        })
        .collect()
    }

    fn scopes(&self) -> Vec<Scope> {
        let plan = &self.network.plan;
        let within = |scope: usize| {
            (0..plan.processes.len())
                .filter(move |at| plan.processes[*at].scope == Some(scope))
                .collect()
        };
        let children = |scope: usize| {
            (0..plan.scopes.len())
                .filter(|at| plan.scopes[*at].parent == Some(scope))
                .collect()
        };
        let scopes = plan.scopes.iter().enumerate();
        scopes
            .map(|(at, scope)| Scope::new(scope.parent, within(at), children(at)))
            .collect()
    }
}

fn components(network: &Network) -> Result<Vec<Arc<dyn Component>>, BuildError> {
    let find = |process: &plan::Process| {
        network
            .catalogue
            .get(&process.component)
            .cloned()
            .ok_or_else(|| BuildError::UnknownComponent {
                address: process.address.clone(),
                component: process.component.clone(),
            })
    };
    network.plan.processes.iter().map(find).collect()
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
        None | Some("stop-network") => Ok(Policy::StopNetwork),
        Some("stop-process") => Ok(Policy::StopProcess),
        Some("park") => Ok(Policy::Park),
        Some("retry") => Ok(Policy::Retry(retries)),
        Some(other) => Err(BuildError::UnknownPolicy {
            address: process.address.clone(),
            policy: other.to_owned(),
        }),
    }
}

fn key(end: &plan::End) -> (String, u32) {
    (end.port.clone(), end.index.unwrap_or(0))
}

fn same(one: &plan::End, two: &plan::End) -> bool {
    one.process == two.process && key(one) == key(two)
}

/// The element numbers of a port, in order; a plain port has one element even when nothing leads there.
fn numbers(array: bool, used: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = if array { used.collect() } else { vec![0] };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn element_name(port: &str, array: bool, number: u32) -> String {
    if array {
        format!("{port}[{number}]")
    } else {
        port.to_owned()
    }
}

/// Where brackets pass to: every out-port element but ERROR.
fn passing(spec: &Spec, elements: &[Elements]) -> Arc<[usize]> {
    let ports = spec
        .outputs
        .iter()
        .zip(elements)
        .filter(|(port, _)| port.name != spec::ERROR);
    ports
        .flat_map(|(_, elements)| elements.first..elements.first + elements.numbers.len())
        .collect()
}

/// A looper with one in-port and one out-port lets brackets pass there.
fn bypass(spec: &Spec, elements: &[Elements]) -> Option<usize> {
    let mut ports = spec
        .outputs
        .iter()
        .zip(elements)
        .filter(|(port, _)| port.name != spec::ERROR);
    let (port, elements) = ports.next()?;
    let single =
        ports.next().is_none() && spec.inputs.len() == 1 && !spec.inputs[0].array && !port.array;
    single.then_some(elements.first)
}

/// How the graph crate sees a core catalogue.
#[must_use]
pub fn describe(catalogue: &Catalogue) -> paperflow_graph::Catalogue {
    let components = catalogue
        .specs()
        .map(|spec| (spec.name.clone(), description(spec)))
        .collect();
    let aliases = catalogue
        .aliases()
        .map(|(alias, name)| (alias.to_owned(), name.to_owned()))
        .collect();
    paperflow_graph::Catalogue {
        components,
        aliases,
    }
}

fn description(spec: &Spec) -> paperflow_graph::Component {
    let port = |port: &spec::PortSpec| paperflow_graph::Port {
        name: port.name.clone(),
        about: port.about.clone(),
        kinds: paperflow_graph::Kinds(port.kinds.clone()),
        array: port.array,
        size: port.size,
        required: !port.optional,
        ..paperflow_graph::Port::default()
    };
    let param = |param: &spec::ParamSpec| paperflow_graph::Port {
        name: param.name.clone(),
        about: param.about.clone(),
        required: !param.optional && param.default.is_none(),
        param: true,
        parses: Some(param.parses.clone()),
        default: param.default.clone(),
        ..paperflow_graph::Port::default()
    };
    paperflow_graph::Component {
        name: spec.name.clone(),
        about: spec.about.clone(),
        inputs: spec
            .inputs
            .iter()
            .map(port)
            .chain(spec.params.iter().map(param))
            .collect(),
        outputs: spec.outputs.iter().map(port).collect(),
        must_run: spec.must_run,
    }
}

/// An initial packet's value in place of whatever the plan has at `ADDRESS.PORT` or `ADDRESS.PORT[i]`.
///
/// # Errors
/// The plan has no such process, or its component has no such port.
pub fn set_initial(
    plan: &mut Plan,
    catalogue: &paperflow_graph::Catalogue,
    address: &str,
    port: &str,
    value: Json,
) -> Result<(), BuildError> {
    let unknown = || BuildError::UnknownPort {
        address: address.to_owned(),
        port: port.to_owned(),
    };
    let process = plan.process(address).ok_or_else(unknown)?;
    let (name, index) = match port.strip_suffix(']').and_then(|port| port.split_once('[')) {
        Some((name, index)) => (name, Some(index.parse().map_err(|_| unknown())?)),
        None => (port, None),
    };
    let component = catalogue.find(&plan.processes[process].component);
    let declared = component
        .and_then(|component| component.input(name))
        .ok_or_else(unknown)?;
    let index = index.or_else(|| declared.array.then_some(0));
    let to = plan::End {
        process,
        port: declared.name.clone(),
        index,
        ..plan::End::default()
    };
    plan.initials.retain(|initial| !same(&initial.to, &to));
    plan.initials.push(plan::Initial {
        to,
        value,
        ..plan::Initial::default()
    });
    Ok(())
}
