//! From links to processes: each gets its turn, its parameters and its place in the network.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::task::Waker;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};
use paperflow_core::component::{Deskside, Elements, Layout};
use paperflow_core::message::Id;
use paperflow_core::settle::Identity;
use paperflow_core::turn::{Inlet, Manner, Outlet, Outside};
use paperflow_core::{Packet, Spec, Turn, Work, spec};
use paperflow_graph::{Plan, plan};

use crate::build::Started;
use crate::by_port::Form;
use crate::clock::NetClock;
use crate::door::{Door, House};
use crate::embed::{Feed, Input, Output};
use crate::initial::Template;
use crate::link::{Link, Writer};
use crate::network::{Event, Net, Running};
use crate::process::{Body, LifeCell, Origin, ParamSource, Process, Socket, Tally};
use crate::resume::{self, Fate, Role};
use crate::roster::Who;
use crate::scope::Scope;
use crate::shape::Shape;
use crate::sync::{Apart, Brief, Mutex};
use crate::unread::Reading;
use crate::wiring::Wiring;

impl Wiring {
    pub(crate) fn start(mut self) -> Started {
        let (events, heard) = unbounded();
        let clock = NetClock::new(self.network.options.virtual_time);
        let fates = self.fates();
        let house = House::new(&self.roster);
        let processes = (0..self.components.len())
            .map(|at| self.process(at, Door::new(&house, at), fates[at]))
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
            events,
            judging: Mutex::new(()),
            receivers: self.network.receivers.clone(),
            stores: self.network.stores.clone(),
            entered: std::mem::take(&mut self.network.entered),
            part: self.network.part.take(),
            idle: self.network.options.idle,
            still: AtomicU64::new(0),
            reading: Reading::default(),
            shape: self.shape(),
            blocked: Apart::default(),
            outside: AtomicUsize::new(0),
            judged: AtomicUsize::new(0),
            started: Instant::now(),
            is_stopping: Arc::clone(&self.stop),
            leaks: Mutex::default(),
            watch: self.network.options.watch,
            told: Arc::clone(&self.network.told),
            patience: self.network.patience(),
            watched: AtomicUsize::new(0),
            notes: Mutex::default(),
        });
        house.build(&net);
        // Given back when everybody has been looked at once: a store may call a receiver before that.
        net.roster.resume();
        if let Some(part) = &net.part {
            part.close(&net.links);
        }
        for (at, station) in &net.receivers {
            station.subscribe(&net.processes[*at].waker);
        }
        net.mark_borders();
        self.handles(net, heard)
    }

    fn handles(&self, net: Arc<Net>, events: Receiver<Event>) -> Started {
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
        let running = Running::launch(net, events);
        Started {
            running,
            inputs,
            outputs,
        }
    }

    /// Nobody else needs what it takes out of the wiring.
    // Long: it lists all that a process is made of.
    fn process(&mut self, index: usize, door: Arc<Door>, fate: Fate) -> Process {
        let component = Arc::clone(&self.components[index]);
        let is_drawn = index < self.network.drawn;
        let drawn = &mut self.network.plan.processes[index];
        let (address, scope) = (std::mem::take(&mut drawn.address), drawn.scope);
        let origin = Origin {
            sources: Arc::clone(&self.network.sources),
            span: is_drawn.then_some(drawn.span),
        };
        let spec = Arc::clone(&self.specs[index]);
        let InElements {
            sockets: inputs,
            elements: in_elements,
            templates,
            inlets,
        } = self.in_elements(index, &spec);
        let (outputs, out_elements, outlets) = self.all_out_elements(index, &spec);
        let is_receiver = self.is_receiver(index);
        let is_source = is_receiver || inputs.iter().all(|socket| socket.link.is_none());
        let is_origin = is_receiver || self.into[index].is_empty() && scope.is_none();
        let error = (0..outputs.len())
            .find(|at| *outputs[*at].name == *spec::ERROR && outlets[*at].is_some());
        let policy = self.policies[index];
        let identity = self
            .identity(index, &address, (&spec, &out_elements))
            .filter(|_| !is_receiver);
        let keep = error.is_some() || identity.is_some() || policy.keeps_packets();
        let bypass = bypass(&spec, &out_elements);
        let Form { layout, passing } = self.form(&spec, in_elements, out_elements);
        let desk = self.network.desks.remove(&index).map(|side| {
            let waker = Waker::from(Arc::clone(&door));
            Arc::new(Deskside { waker, ..side })
        });
        let manner = Manner {
            desk: desk.clone(),
            passing,
            bypass,
            keep,
            identity,
            is_in_groups: scope.is_some(),
            ..self.manner(index, &spec, is_origin, &door)
        };
        let params = self.params(index, &spec);
        let body = Body::new(Turn::new(inlets, outlets, manner), params.len());
        Process {
            index,
            address,
            origin,
            gates: self.gates(index).into(),
            signals: self.signals(index).into(),
            body: Brief::new(body),
            layout,
            policy,
            scope,
            is_outside: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            life: LifeCell::default(),
            tally: Tally::default(),
            component,
            spec,
            inputs: inputs.into(),
            outputs: outputs.into(),
            templates: templates.into(),
            params: params.into(),
            error,
            desk,
            fate,
            is_source,
            is_origin,
            is_receiver,
            has_own_thread: self.own_thread[index],
            waker: door.into(),
        }
    }

    /// What each process is over the end of a run that is cut short; the links into those that outlast it
    /// do not end then.
    fn fates(&self) -> Vec<Fate> {
        if self.network.entered.is_empty() && self.network.part.is_none() {
            return vec![Fate::default(); self.specs.len()];
        }
        let inputs = &self.network.inputs;
        let senders = self.senders();
        let roles = self.specs.iter().enumerate().map(|(at, spec)| Role {
            spec,
            has_desk: self.network.desks.contains_key(&at),
            is_receiver: self.is_receiver(at),
            is_sender: senders.contains(&at),
            is_fed: inputs.iter().any(|(end, _)| end.process == at),
        });
        let roles: Vec<_> = roles.collect();
        let fates = resume::fates(&self.network.plan, &roles);
        for link in &self.links {
            if let Who::Process(reader) = link.reader
                && fates[reader].outlasts
            {
                link.outlast(&self.stop);
            }
        }
        fates
    }

    /// The processes that write to connectors.
    fn senders(&self) -> BTreeSet<usize> {
        let bells = self.network.plan.links.iter();
        let bells = bells.filter(|link| self.is_receiver(link.to.process));
        let ringing = bells.flat_map(|link| link.from.iter().map(|writer| writer.end.process));
        let parts = self.network.part.iter().flat_map(|part| &part.senders);
        ringing.chain(parts.map(|(_, sender)| *sender)).collect()
    }

    fn is_receiver(&self, process: usize) -> bool {
        let receivers = &self.network.receivers;
        let found = receivers.binary_search_by_key(&process, |(receiver, _)| *receiver);
        found.is_ok()
    }

    fn form(&mut self, spec: &Arc<Spec>, inputs: Vec<Elements>, outputs: Vec<Elements>) -> Form {
        let form = Form {
            passing: passing(spec, &outputs),
            layout: Arc::new(Layout { inputs, outputs }),
        };
        self.shared.form(spec, form)
    }

    fn manner(&self, process: usize, spec: &Spec, is_origin: bool, door: &Arc<Door>) -> Manner {
        Manner {
            eager: spec.work == Work::Thread,
            is_threaded: self.own_thread[process],
            stop: is_origin.then(|| Arc::clone(&self.stop)),
            outside: Some(Arc::clone(door) as Arc<dyn Outside>),
            ..Manner::default()
        }
    }

    /// Who the process is, in a network whose packets have identities. The workers that share the work
    /// of a process, `P[1]` and so on, are one and the same to what they handle.
    fn identity(
        &self,
        process: usize,
        address: &str,
        (spec, outputs): (&Spec, &[Elements]),
    ) -> Option<Arc<Identity>> {
        let run = self.network.run?;
        let origin = run.derive(Id::of(address), 1);
        let ports = spec.outputs.iter().zip(outputs);
        let asking = ports.filter(|(port, _)| port.afresh).map(|(_, all)| all);
        Some(Arc::new(Identity {
            address: address.to_owned(),
            component: spec.name.clone(),
            place: run.derive(Id::of(plan::without_worker(address)), 0),
            origin: origin.derive(self.distinction(process, spec), 0),
            chance: self.chance.derive(Id::of(address), 0),
            afresh: asking
                .flat_map(|all| all.first..all.first + all.numbers.len())
                .collect(),
            settle: spec.settle,
        }))
    }

    /// What tells apart the packets that a process sends of its own accord in two runs: its parameters,
    /// if it sends the same with the same ones; else chance.
    fn distinction(&self, process: usize, spec: &Spec) -> Id {
        if !spec.repeats {
            return self.chance;
        }
        let initials = self.initials[process].iter();
        let initials = initials.map(|at| &self.network.plan.initials[*at]);
        let given = initials.map(|initial| format!("{}={}\n", initial.to.port, initial.value));
        Id::of(&given.collect::<String>())
    }

    /// Links to the automatic in-port.
    fn gates(&self, process: usize) -> Vec<usize> {
        let links = self.into[process].iter();
        let gates = links.filter(|(port, ..)| *port == "*");
        gates.map(|(.., link)| *link).collect()
    }

    /// Links from the automatic out-port.
    fn signals(&self, process: usize) -> Vec<Writer> {
        let signals = self.signals[process].iter();
        signals
            .map(|(link, index)| self.writer(*link, *index))
            .collect()
    }

    /// Links on which this process tells for its whole re-armed subnet that a group has ended.
    fn group_ends(&self, process: usize) -> Vec<(usize, usize)> {
        if self.signals[process].is_empty() {
            return Vec::new();
        }
        let herald = |scope: &usize| self.herald(*scope) == Some(process);
        let Some(scope) = self.network.plan.processes[process].scope.filter(herald) else {
            return Vec::new();
        };
        let signals = self.signals[process].iter().copied();
        signals
            .filter(|(link, _)| self.is_group_end(scope, *link))
            .collect()
    }

    /// The process that speaks for a re-armed subnet: its first.
    fn herald(&self, scope: usize) -> Option<usize> {
        let processes = &self.network.plan.processes;
        processes
            .iter()
            .position(|process| process.scope == Some(scope))
    }

    /// Whether the link leads from the automatic out-port of this re-armed subnet, that is from those
    /// of all its processes, to a port that takes packets.
    fn is_group_end(&self, scope: usize, link: usize) -> bool {
        let Who::Process(reader) = self.links[link].reader else {
            return false;
        };
        let takes_packets = |(port, _, at): (&str, u32, &usize)| *at == link && port != "*";
        let mut processes = self.network.plan.processes.iter().enumerate();
        self.into[reader].iter().any(takes_packets)
            && processes.all(|(at, process)| {
                let signals = self.signals[at].iter().any(|(to, _)| *to == link);
                signals == self.is_within(process.scope, scope)
            })
    }

    fn writer(&self, link: usize, index: usize) -> Writer {
        Writer {
            link: Arc::clone(&self.links[link]),
            index,
        }
    }

    fn in_elements(&mut self, process: usize, spec: &Spec) -> InElements {
        let mut found = InElements::default();
        for port in &spec.inputs {
            let initials = self.initials(process, &port.name);
            let linked = self.into[process].iter();
            let linked = linked.filter(|(name, ..)| **name == port.name);
            let linked = linked.map(|(_, element, _)| element);
            let used = linked.chain(initials.iter().map(|(number, _)| *number));
            let numbers = numbers(port.array, used);
            let first = found.sockets.len();
            for number in &numbers {
                let name = self.element_name(&port.name, port.array, *number);
                let link = self.into[process].get(&port.name, *number);
                let initial = initials.iter().find(|(at, _)| at == number);
                match (link, initial) {
                    (Some(link), _) => found.connect(name, *link, &self.links[*link]),
                    (None, Some((_, packet))) => found.preset(name, packet.clone()),
                    (None, None) => found.leave(name),
                }
            }
            let numbers = numbers.into();
            found.elements.push(Elements { first, numbers });
        }
        found
    }

    /// The elements of its out-ports, and behind them those that tell of the end of each group.
    fn all_out_elements(
        &mut self,
        process: usize,
        spec: &Spec,
    ) -> (Vec<Socket>, Vec<Elements>, Outlets) {
        let (mut outputs, out_elements, mut outlets) = self.out_elements(process, spec);
        for (link, writer) in self.group_ends(process) {
            outlets.push(Some(self.writer(link, writer).outlet()));
            outputs.push(Socket {
                name: self.shared.name("*"),
                link: Some(link),
                writer,
                ..Socket::default()
            });
        }
        (outputs, out_elements, outlets)
    }

    fn out_elements(
        &mut self,
        process: usize,
        spec: &Spec,
    ) -> (Vec<Socket>, Vec<Elements>, Outlets) {
        let (mut sockets, mut elements, mut outlets) = (Vec::new(), Vec::new(), Vec::new());
        for port in &spec.outputs {
            let linked = self.out_of[process].iter();
            let linked = linked.filter(|(name, ..)| **name == port.name);
            let linked = linked.map(|(_, element, _)| element);
            let numbers = numbers(port.array, linked);
            let first = sockets.len();
            for number in &numbers {
                let link = self.out_of[process].get(&port.name, *number).copied();
                outlets.push(link.map(|(link, index)| self.writer(link, index).outlet()));
                let name = self.element_name(&port.name, port.array, *number);
                sockets.push(Socket {
                    name,
                    link: link.map(|(link, _)| link),
                    writer: link.map_or(0, |(_, writer)| writer),
                    ..Socket::default()
                });
            }
            elements.push(Elements {
                first,
                numbers: numbers.into(),
            });
        }
        (sockets, elements, outlets)
    }

    /// The name of a port element in reports.
    fn element_name(&mut self, port: &str, array: bool, number: u32) -> Arc<str> {
        if array {
            self.shared.name(&format!("{port}[{number}]"))
        } else {
            self.shared.name(port)
        }
    }

    fn params(&self, process: usize, spec: &Spec) -> Vec<ParamSource> {
        let source = |name: &str| {
            if let Some(link) = self.into[process].get(name, 0) {
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
        let initials = self.initials[process].iter();
        let initials = initials.map(|at| &self.network.plan.initials[*at]);
        initials
            .filter(|initial| initial.to.port == port)
            .map(|initial| {
                let number = initial.to.index.unwrap_or(0);
                (number, Packet::json(initial.value.clone()))
            })
            .collect()
    }

    /// A re-armed subnet joins all that is in it.
    fn shape(&self) -> Shape {
        let plan = &self.network.plan;
        let mut joined = vec![Vec::new(); plan.scopes.len()];
        for (at, process) in plan.processes.iter().enumerate() {
            let Some(mut scope) = process.scope else {
                continue;
            };
            while let Some(parent) = plan.scopes[scope].parent {
                scope = parent;
            }
            joined[scope].push(at);
        }
        joined.retain(|members| !members.is_empty());
        let links = self.links.iter().map(|link| &**link);
        Shape::new(self.components.len(), links, &joined)
    }

    fn scopes(&self) -> Vec<Scope> {
        let plan = &self.network.plan;
        let members = by_scope(plan, plan.processes.iter().map(|process| process.scope));
        let children = by_scope(plan, plan.scopes.iter().map(|scope| scope.parent));
        let links = by_scope(plan, self.links.iter().map(|link| link.home));
        let parents = plan.scopes.iter().map(|scope| scope.parent);
        let inside = members.into_iter().zip(children).zip(links);
        parents
            .zip(inside)
            .enumerate()
            .map(|(at, (parent, ((members, children), links)))| {
                let herald = self
                    .herald(at)
                    .filter(|process| !self.group_ends(*process).is_empty());
                Scope::new(parent, members, children, links, herald)
            })
            .collect()
    }
}

/// For each scope, the positions of what belongs to it.
fn by_scope(plan: &Plan, scopes: impl Iterator<Item = Option<usize>>) -> Vec<Vec<usize>> {
    let mut sorted = vec![Vec::new(); plan.scopes.len()];
    for (at, scope) in scopes.enumerate() {
        if let Some(scope) = scope {
            sorted[scope].push(at);
        }
    }
    sorted
}

/// The element numbers of a port, in order; a plain port has one element even when nothing leads there.
fn numbers(array: bool, used: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = if array { used.collect() } else { vec![0] };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
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

/// Where each out-port element leads.
type Outlets = Vec<Option<Arc<dyn Outlet>>>;

/// The in-port elements of a process.
#[derive(Default)]
struct InElements {
    sockets: Vec<Socket>,
    elements: Vec<Elements>,
    templates: Vec<Arc<Template>>,
    inlets: Vec<Option<Arc<dyn Inlet>>>,
}

impl InElements {
    fn connect(&mut self, name: Arc<str>, at: usize, link: &Arc<Link>) {
        self.add(name, Some(at), Some(Arc::clone(link) as Arc<dyn Inlet>));
    }

    fn preset(&mut self, name: Arc<str>, packet: Packet) {
        let template = Arc::new(Template::new(packet));
        self.templates.push(Arc::clone(&template));
        self.add(name, None, Some(template));
    }

    fn leave(&mut self, name: Arc<str>) {
        self.add(name, None, None);
    }

    fn add(&mut self, name: Arc<str>, link: Option<usize>, inlet: Option<Arc<dyn Inlet>>) {
        self.sockets.push(Socket {
            name,
            link,
            ..Socket::default()
        });
        self.inlets.push(inlet);
    }
}
