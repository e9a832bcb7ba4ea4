//! From links to processes: each gets its turn, its parameters and its place in the network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::task::Waker;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};
use paperflow_core::component::Deskside;
use paperflow_core::message::Id;
use paperflow_core::settle::Identity;
use paperflow_core::turn::{Inlet, Manner, Outlet, Outside, Ties};
use paperflow_core::{Packet, Spec, Turn, Work};
use paperflow_graph::{Plan, plan};

use crate::build::Started;
use crate::clock::NetClock;
use crate::door::{Door, House};
use crate::embed::{Feed, Input, Output};
use crate::form::Form;
use crate::initial::Template;
use crate::link::Writer;
use crate::network::{Event, Net, Running};
use crate::process::{Body, LifeCell, Origin, ParamSource, Process, Socket, Special, Tally};
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
    fn process(&mut self, index: usize, door: Arc<Door>, fate: Fate) -> Process {
        let form = self.form(index);
        let is_drawn = index < self.network.drawn;
        let drawn = &mut self.network.plan.processes[index];
        let (address, scope) = (std::mem::take(&mut drawn.address), drawn.scope);
        let origin = Origin {
            sources: Arc::clone(&self.network.sources),
            span: is_drawn.then_some(drawn.span),
        };
        let presets = self.presets(index, &form);
        let sockets = self.sockets(index, &form);
        let (inputs, outputs) = sockets.split_at(form.inputs.len());
        let is_receiver = self.is_receiver(index);
        let is_source = is_receiver || inputs.iter().all(|socket| socket.link().is_none());
        let is_origin = is_receiver || self.into[index].is_empty() && scope.is_none();
        let is_connected = |at: &usize| outputs.get(*at).is_some_and(|to| to.link().is_some());
        let error = form.error().filter(is_connected);
        let ties = self.ties(index, &address, (&form, &door));
        let policy = self.policies[index];
        let keep = error.is_some() || ties.identity.is_some() || policy.keeps_packets();
        let manner = Manner {
            keep,
            is_in_groups: scope.is_some(),
            ..self.manner(index, &form, is_origin, &door)
        };
        let special = Special {
            gates: self.gates(index).into(),
            signals: self.signals(index).into(),
            params: self.params(index, &form.spec).into(),
            error,
            desk: ties.desk.clone(),
            scope,
            templates: presets.values().cloned().collect(),
        };
        let (inlets, outlets) = (self.inlets(inputs, &presets), self.outlets(outputs));
        let turn = Turn::new(inlets, outlets, manner, ties);
        Process {
            index,
            address: address.into(),
            origin,
            body: Brief::new(Body::new(turn, special.params.len())),
            special: self.shared.special(special),
            policy,
            is_outside: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            life: LifeCell::default(),
            tally: Tally::default(),
            form,
            sockets,
            fate,
            is_source,
            is_origin,
            is_receiver,
            has_own_thread: self.own_thread[index],
            waker: door.into(),
        }
    }

    /// What it has to do with stores.
    fn ties(&mut self, process: usize, address: &str, (form, door): (&Form, &Arc<Door>)) -> Ties {
        let identity = self.identity(process, address, form);
        let desk = self.network.desks.remove(&process).map(|side| {
            let waker = Waker::from(Arc::clone(door));
            Arc::new(Deskside { waker, ..side })
        });
        Ties {
            identity: identity.filter(|_| !self.is_receiver(process)),
            desk,
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

    fn manner(&self, process: usize, form: &Form, is_origin: bool, door: &Arc<Door>) -> Manner {
        Manner {
            eager: form.spec.work == Work::Thread,
            passing: Some(Arc::clone(&form.passing)),
            is_threaded: self.own_thread[process],
            stop: is_origin.then(|| Arc::clone(&self.stop)),
            outside: Some(Arc::clone(door) as Arc<dyn Outside>),
            ..Manner::default()
        }
    }

    /// Who the process is, in a network whose packets have identities. The workers that share the work
    /// of a process, `P[1]` and so on, are one and the same to what they handle.
    fn identity(&self, process: usize, address: &str, form: &Form) -> Option<Arc<Identity>> {
        let run = self.network.run?;
        let spec = &form.spec;
        let origin = run.derive(Id::of(address), 1);
        let ports = spec.outputs.iter().zip(&form.layout.outputs);
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

    /// The in-port elements that only an initial packet leads to.
    fn presets(&self, process: usize, form: &Form) -> BTreeMap<usize, Arc<Template>> {
        if self.initials[process].is_empty() {
            return BTreeMap::new();
        }
        let ports = form.ports_in().enumerate();
        let free =
            ports.filter(|(_, (port, number))| self.into[process].get(port, *number).is_none());
        let presets = free.filter_map(|(element, (port, number))| {
            let mut initials = self.initials(process, port).into_iter();
            let (_, packet) = initials.find(|(at, _)| *at == number)?;
            Some((element, Arc::new(Template::new(packet))))
        });
        presets.collect()
    }

    /// The elements of its in-ports, of its out-ports up to the last one that leads anywhere, and behind
    /// them those that tell of the end of each group.
    fn sockets(&self, process: usize, form: &Form) -> Box<[Socket]> {
        let (into, out_of) = (&self.into[process], &self.out_of[process]);
        let inputs = form.ports_in();
        let inputs = inputs.map(|(port, number)| Socket::reading(into.get(port, number).copied()));
        let group_ends = self.group_ends(process);
        let leads = |(port, number): (&str, u32)| out_of.get(port, number).is_some();
        let outputs = if group_ends.is_empty() {
            form.ports_out().rposition(leads).map_or(0, |last| last + 1)
        } else {
            form.outputs.len()
        };
        let outputs = form.ports_out().take(outputs);
        let outputs = outputs.map(|(port, number)| out_of.get(port, number).copied());
        let outputs = outputs.chain(group_ends.into_iter().map(Some));
        inputs.chain(outputs.map(Socket::writing)).collect()
    }

    fn inlets(
        &self,
        inputs: &[Socket],
        presets: &BTreeMap<usize, Arc<Template>>,
    ) -> impl Iterator<Item = Option<Arc<dyn Inlet>>> {
        inputs.iter().enumerate().map(|(at, socket)| {
            let preset = presets.get(&at);
            let preset = preset.map(|preset| Arc::clone(preset) as Arc<dyn Inlet>);
            let link = socket.link().map(|link| Arc::clone(&self.links[link]));
            link.map_or(preset, |link| Some(link))
        })
    }

    fn outlets(&self, outputs: &[Socket]) -> impl Iterator<Item = Option<Arc<dyn Outlet>>> {
        outputs.iter().map(|socket| {
            let writer = socket.link().map(|link| self.writer(link, socket.writer()));
            writer.map(Writer::outlet)
        })
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

    pub(crate) fn initials(&self, process: usize, port: &str) -> Vec<(u32, Packet)> {
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
        let links = by_scope(plan, self.links.iter().map(|link| link.home()));
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
