//! Opening subnets: which processes there are, and what each name of a graph stands for.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::catalogue::{Catalogue, Component, Lookup};
use crate::check::drawing;
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::cannot_share::Reason;
use crate::instances::INSTANCES;
use crate::model::{self, Graph, Origin};
use crate::parts::{HOST, ORG};
use crate::places::Places;
use crate::plan::{End, Plan, Process, Scope, Subnet};
use crate::similar::suggest;
use crate::source::{FileId, Span};
use crate::wiring;

use super::connectors::Names;
use super::exports::Exports;
use super::links::Links;
use super::wired::Wired;
use super::{Expanded, Question, Resolve, Side, Surroundings};

/// Subnets nested deeper than this are taken for a mistake.
const MOST_LEVELS: usize = 64;

/// Subnets that open to more processes and subnets than this are taken for a mistake: each is a
/// drawing of its own, and nobody draws so many.
const MOST_OPENED: usize = 100_000;

/// What a process name of one opened graph stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A process of the plan.
    Process(usize),
    /// An opened subnet.
    Subnet(usize),
    /// A classic border, which leaves no process.
    Border(Side),
}

/// One use of a graph.
pub(super) struct Opened {
    pub(super) graph: Arc<Graph>,
    /// Its address; empty for the top graph.
    pub(super) address: String,
    /// Where its processes are in the graph, by name.
    names: Places,
    /// What they stand for, in the order of the graph.
    nodes: Vec<Node>,
    /// The arrows that go on inside from each classic border, by its place in the graph.
    beyond: HashMap<usize, Vec<usize>>,
    inports: Exports,
    outports: Exports,
    /// Its processes in the plan, those of inner subnets included.
    pub(super) processes: Range<usize>,
    component: String,
    span: Span,
    /// Where all that is in it runs, and whose it is.
    placed: Vec<(String, Value)>,
    /// What unknown names were probably meant to be.
    meant: HashMap<String, Option<String>>,
}

impl Opened {
    pub(super) fn exports(&self, side: Side) -> &Exports {
        match side {
            Side::In => &self.inports,
            Side::Out => &self.outports,
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        let processes = &self.graph.processes;
        self.names.find(&name, |at| processes[at].name.as_str())
    }

    /// What a name stands for.
    pub(super) fn node(&self, name: &str) -> Option<Node> {
        self.nodes.get(self.place(name)?).copied()
    }

    /// The arrows that go on inside from a classic border.
    pub(super) fn arrows_beyond(&self, border: &str) -> &[usize] {
        let place = self.place(border);
        let arrows = place.and_then(|place| self.beyond.get(&place));
        arrows.map_or(&[], Vec::as_slice)
    }

    /// Notes the arrows beyond each border, if there is one.
    fn look_beyond(&mut self) {
        let mut nodes = self.nodes.iter();
        if !nodes.any(|node| matches!(node, Node::Border(_))) {
            return;
        }
        let graph = Arc::clone(&self.graph);
        for (at, arrow) in graph.connections.iter().enumerate() {
            let Origin::Port(from) = &arrow.from else {
                continue;
            };
            for (near, side) in [(from, Side::In), (&arrow.to, Side::Out)] {
                let place = self.place(&near.process);
                if let Some(place) = place.filter(|at| self.nodes[*at] == Node::Border(side)) {
                    self.beyond.entry(place).or_default().push(at);
                }
            }
        }
    }

    /// The process that an unknown name was probably meant to be.
    pub(super) fn meant(&mut self, name: &str) -> Option<String> {
        if let Some(meant) = self.meant.get(name) {
            return meant.clone();
        }
        let is_looked_up = self.meant.len() < drawing::SUGGESTIONS;
        let meant = is_looked_up.then(|| {
            let processes = self.graph.processes.iter();
            let mut names: Vec<_> = processes.map(|process| process.name.as_str()).collect();
            names.sort_unstable();
            suggest(name, names)
        });
        let meant = meant.flatten();
        self.meant.insert(String::from(name), meant.clone());
        meant
    }
}

/// The work of one expansion.
pub(super) struct Tree<'a> {
    catalogue: &'a Catalogue,
    known: Lookup<'a>,
    /// The component of each process of the plan, where it is known.
    pub(super) components: Vec<Option<&'a Component>>,
    resolver: &'a mut dyn Resolve,
    pub(super) around: Surroundings<'a>,
    pub(super) wired: Wired,
    pub(super) plan: Plan,
    pub(super) opened: Vec<Opened>,
    pub(super) links: Links,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) loose: Vec<(Side, End)>,
    pub(super) rules: Vec<(String, Span)>,
    pub(super) questions: Vec<Question>,
    /// The graphs being opened, outermost first, by index.
    chain: Vec<usize>,
    /// What each graph that is used opens to, by its name and the file that uses it.
    sizes: HashMap<(String, FileId), usize>,
    /// Where components were looked for in vain; a subnet that is used often looks there once.
    unknown: HashSet<Span>,
    /// How many targets of diverts there are not; only the first of them are compared with all names.
    pub(super) lost_diverts: usize,
    /// The graph is known to be too big; no more is said about that.
    is_too_big: bool,
}

/// Where a graph is used.
struct Use {
    address: String,
    component: String,
    span: Span,
    scope: Option<usize>,
    /// What is written of the subnet and holds for all that is in it.
    placed: Vec<(String, Value)>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(
        catalogue: &'a Catalogue,
        resolver: &'a mut dyn Resolve,
        around: Surroundings<'a>,
    ) -> Self {
        Self {
            catalogue,
            known: Lookup::new(catalogue),
            components: Vec::new(),
            resolver,
            around,
            wired: Wired::of(around.wiring),
            plan: Plan::default(),
            opened: Vec::new(),
            links: Links::default(),
            diagnostics: Vec::new(),
            loose: Vec::new(),
            rules: Vec::new(),
            questions: Vec::new(),
            chain: Vec::new(),
            sizes: HashMap::new(),
            unknown: HashSet::new(),
            lost_diverts: 0,
            is_too_big: false,
        }
    }

    pub(super) fn open_top(&mut self, graph: Arc<Graph>) {
        self.plan.name.clone_from(&graph.name);
        let id = graph.property("app-id").and_then(|id| id.as_str());
        let id = id.filter(|id| !id.is_empty());
        self.plan.id = String::from(id.or(self.around.stem).unwrap_or(&graph.name));
        let span = graph
            .processes
            .first()
            .map_or_else(Span::default, |first| first.span);
        let used = Use {
            address: String::new(),
            component: graph.name.clone(),
            span: Span::new(span.file, 0, 0),
            scope: None,
            placed: Vec::new(),
        };
        self.open(graph, used);
    }

    /// Adds every process of a graph, and of the subnets in it, to the plan.
    fn open(&mut self, graph: Arc<Graph>, used: Use) -> usize {
        let names = drawing::names(&graph);
        self.diagnostics.extend(drawing::check(&graph, &names));
        let scope = self.scope_of(&graph, &used);
        let start = self.plan.processes.len();
        self.plan.processes.reserve(graph.processes.len());
        let index = self.opened.len();
        self.opened.push(Opened {
            inports: Exports::of(&graph, &names, Side::In),
            outports: Exports::of(&graph, &names, Side::Out),
            graph: Arc::clone(&graph),
            address: used.address,
            names,
            nodes: Vec::with_capacity(graph.processes.len()),
            beyond: HashMap::new(),
            processes: start..start,
            component: used.component,
            span: used.span,
            placed: used.placed,
            meant: HashMap::new(),
        });
        self.chain.push(index);
        for process in &graph.processes {
            let node = self.node(index, process, scope);
            self.opened[index].nodes.push(node);
        }
        self.chain.pop();
        self.opened[index].look_beyond();
        self.opened[index].processes.end = self.plan.processes.len();
        index
    }

    /// A graph with substream-sensitive borders is a scope.
    fn scope_of(&mut self, graph: &Graph, used: &Use) -> Option<usize> {
        let sensitive = graph
            .processes
            .iter()
            .any(|process| scoped(process).is_some());
        if !sensitive {
            return used.scope;
        }
        self.plan.scopes.push(Scope {
            address: used.address.clone(),
            parent: used.scope,
            span: used.span,
        });
        Some(self.plan.scopes.len() - 1)
    }

    fn node(&mut self, index: usize, process: &model::Process, scope: Option<usize>) -> Node {
        if let Some(side) = plain(process) {
            self.check_border(index, process, side);
            return Node::Border(side);
        }
        let known = process
            .component
            .as_deref()
            .filter(|name| !self.resolver.is_local(name, file_of(process)))
            .and_then(|name| self.known.find(name));
        if known.is_some() {
            return self.add(index, process, known, scope);
        }
        match self.subnet(index, process, scope) {
            Some(inner) => Node::Subnet(inner),
            None => self.add(index, process, None, scope),
        }
    }

    /// A border that neither has a name nor is exported leads nowhere.
    fn check_border(&mut self, index: usize, process: &model::Process, side: Side) {
        let exports = self.opened[index].exports(side);
        if !exports.has(&process.name) {
            self.diagnostics
                .push(diagnostics::nameless_border::at(process));
        }
    }

    fn add(
        &mut self,
        index: usize,
        process: &model::Process,
        component: Option<&'a Component>,
        scope: Option<usize>,
    ) -> Node {
        self.components.push(component);
        self.plan.processes.push(Process {
            address: self.address(index, &process.name),
            component: component.map_or_else(String::new, |known| known.name.clone()),
            metadata: self.placed(index, &process.metadata),
            trace: process.trace,
            scope,
            span: process.span,
            component_span: process.component_span.unwrap_or(process.span),
        });
        Node::Process(self.plan.processes.len() - 1)
    }

    /// Metadata, with what holds for all of the subnet around it first: the process's own goes before.
    fn placed(&self, index: usize, own: &[(String, Value)]) -> Vec<(String, Value)> {
        let around = self.opened[index].placed.iter();
        around.chain(own).cloned().collect()
    }

    fn address(&self, index: usize, name: &str) -> String {
        let outer = &self.opened[index].address;
        if outer.is_empty() {
            String::from(name)
        } else {
            format!("{outer}/{name}")
        }
    }

    /// Opens the subnet a process names; `None`, with the reason reported, when there is none.
    fn subnet(
        &mut self,
        index: usize,
        process: &model::Process,
        scope: Option<usize>,
    ) -> Option<usize> {
        let span = process.component_span.unwrap_or(process.span);
        let name = process
            .component
            .as_deref()
            .filter(|name| !name.is_empty())?;
        if self.unknown.contains(&span) {
            return None;
        }
        let Some(graph) = self.resolver.subnet(name, span.file) else {
            // Where nothing is known about places, all are equal.
            if span.start < span.end {
                self.unknown.insert(span);
            }
            self.report_unknown(name, span);
            return None;
        };
        if !self.may_open(name, span, &graph) {
            return None;
        }
        let address = self.address(index, &process.name);
        let component = String::from(name);
        self.check_single(&address, process);
        let mut placed = self.placed(index, &process.metadata);
        placed.retain(|(key, _)| [HOST, ORG].contains(&key.as_str()));
        Some(self.open(
            graph,
            Use {
                address,
                component,
                span: process.span,
                scope,
                placed,
            },
        ))
    }

    /// A subnet cannot be several.
    fn check_single(&mut self, address: &str, process: &model::Process) {
        let several = process.metadata.iter().any(|(key, _)| key == INSTANCES);
        if several {
            let span = process.component_span.unwrap_or(process.span);
            let found = diagnostics::cannot_share::at(address, &Reason::Subnet, span);
            self.diagnostics.push(found);
        }
    }

    fn report_unknown(&mut self, name: &str, span: Span) {
        let files = self.resolver.names(span.file);
        let names = self
            .catalogue
            .names()
            .chain(files.iter().map(String::as_str));
        self.diagnostics
            .push(diagnostics::unknown_component::at(name, span, names));
    }

    /// Whether a subnet is neither inside itself nor beyond all measure; reports it if so.
    fn may_open(&mut self, name: &str, span: Span, graph: &Arc<Graph>) -> bool {
        let same = |index: &usize| {
            let outer = &self.opened[*index].graph;
            Arc::ptr_eq(outer, graph) || outer == graph
        };
        if let Some(from) = self.chain.iter().position(same) {
            let names = self.chain[from..]
                .iter()
                .map(|at| self.opened[*at].component.as_str());
            let chain: Vec<_> = names.chain([name]).collect();
            self.diagnostics
                .push(diagnostics::recursive_subnet::at(&chain, span));
            return false;
        }
        let size = self.size_of(name, span.file, self.chain.len());
        let all = size.saturating_add(self.in_subnets());
        let small = self.chain.len() < MOST_LEVELS && all <= MOST_OPENED;
        if !small && !self.is_too_big {
            self.is_too_big = true;
            let size = Some(size).filter(|_| all > MOST_OPENED);
            self.diagnostics
                .push(diagnostics::too_big::at(name, size, span));
        }
        small
    }

    /// How many processes are in subnets so far.
    fn in_subnets(&self) -> usize {
        let drawn = self
            .opened
            .first()
            .map_or(0, |top| top.graph.processes.len());
        self.plan.processes.len().saturating_sub(drawn)
    }

    /// How many processes and subnets a graph opens to that is used at some level; what is inside
    /// itself counts once.
    fn size_of(&mut self, name: &str, from: FileId, level: usize) -> usize {
        let key = (String::from(name), from);
        if let Some(size) = self.sizes.get(&key) {
            return *size;
        }
        self.sizes.insert(key.clone(), 0);
        let graph = self.resolver.subnet(name, from);
        let size = graph.map_or(0, |graph| self.size(&graph, level));
        self.sizes.insert(key, size);
        size
    }

    fn size(&mut self, graph: &Graph, level: usize) -> usize {
        if level >= MOST_LEVELS {
            return 0;
        }
        let mut size: usize = 0;
        for process in &graph.processes {
            let inner = process.component.as_deref().filter(|name| {
                let known = plain(process).is_some()
                    || self.catalogue.find(name).is_some()
                        && !self.resolver.is_local(name, file_of(process));
                !known && !name.is_empty()
            });
            let file = file_of(process);
            let inner = inner.map_or(0, |name| self.size_of(name, file, level + 1));
            size = size.saturating_add(1).saturating_add(inner);
        }
        size
    }

    pub(super) fn finish(mut self) -> Expanded {
        let names = Names::of(&self.plan);
        let links = std::mem::take(&mut self.links);
        self.plan.links = links.finish(&names, &mut self.diagnostics);
        if let Some(wiring) = self.around.wiring {
            self.wired.report(wiring, &mut self.diagnostics);
            let found = &mut self.diagnostics;
            wiring::apply(&mut self.plan, wiring, self.catalogue, found);
        }
        Expanded {
            plan: self.plan,
            diagnostics: self.diagnostics,
            loose: self.loose,
            rules: self.rules,
            questions: self.questions,
        }
    }

    /// The record of an opened subnet, its exports resolved.
    pub(super) fn record(&mut self, index: usize) -> Subnet {
        let inports = self.exported(index, Side::In);
        let outports = self.exported(index, Side::Out);
        let opened = &self.opened[index];
        Subnet {
            address: opened.address.clone(),
            component: opened.component.clone(),
            inports,
            outports,
            span: opened.span,
        }
    }
}

/// The side a classic border stands on.
pub(super) fn plain(process: &model::Process) -> Option<Side> {
    match process.component.as_deref()? {
        "SubIn" | "subnet/in" => Some(Side::In),
        "SubOut" | "subnet/out" => Some(Side::Out),
        _ => None,
    }
}

/// The side a substream-sensitive border stands on.
pub(super) fn scoped(process: &model::Process) -> Option<Side> {
    match process.component.as_deref()? {
        "SubInSS" | "subnet/in-ss" => Some(Side::In),
        "SubOutSS" | "subnet/out-ss" => Some(Side::Out),
        _ => None,
    }
}

/// The text that names a process's component.
fn file_of(process: &model::Process) -> FileId {
    process.component_span.unwrap_or(process.span).file
}
