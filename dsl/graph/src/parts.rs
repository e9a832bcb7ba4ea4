//! Parts: the shares of a graph that run as processes of the operating system, and the arcs between them.
//!
//! Parts are declared: by `host=` on processes or subnets, or by `[part.NAME]` in the wiring file, which
//! goes before. What is declared nowhere belongs to the part it is joined with by arcs that cannot be
//! between two parts: memory, and what is kept by a store that one program at a time has. What is joined
//! with none of them makes parts of its own, named by their first process.

mod cut;
mod propose;
mod share;
#[cfg(test)]
mod tests;

pub use cut::{Arcs, Cut, Undivided, cut, find, shown, unkept};
pub use propose::{Why, propose};
pub use share::share;

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::capabilities::EMBEDDED;
use crate::diagnostic::{Diagnostic, Severity};
use crate::diagnostics::joined_parts;
use crate::guarantee::Hop;
use crate::places::Places;
use crate::plan::{Connector, Link, Part, Plan, Process};
use crate::wiring::Wiring;

/// Where a process is to run: those with the same host make a part.
pub const HOST: &str = "host";

/// To whom a process belongs. Where packets change hands is a good place for a cut.
pub const ORG: &str = "org";

/// A graph and its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Division {
    /// Its parts, each with its processes in text order; none when none is declared.
    pub parts: Vec<Part>,
    /// Arcs between two parts that keep them from running apart.
    pub joints: Vec<Hop>,
}

/// The parts of a graph; `is_shared` tells of a connector whether several programs can reach its store.
#[must_use]
pub fn divide(plan: &Plan, is_shared: impl Fn(&Connector) -> bool) -> Division {
    let mut names: Vec<String> = plan.parts.iter().map(|part| part.name.clone()).collect();
    let mut owners = declared(plan, &mut names);
    if names.is_empty() {
        return Division::default();
    }
    let can_part = |link: &Link| link.connector.as_deref().is_some_and(&is_shared);
    let bound = Neighbours::of(plan, |link| !can_part(link));
    let all = Neighbours::of(plan, |_| true);
    let known = (0..owners.len())
        .filter(|process| owners[*process].is_some())
        .collect();
    bound.spread(&mut owners, known);
    for process in 0..owners.len() {
        if owners[process].is_none() {
            owners[process] = Some(names.len());
            names.push(plan.processes[process].address.clone());
            all.spread(&mut owners, VecDeque::from([process]));
        }
    }
    let joints = hops(plan).filter(|hop| {
        let link = &plan.links[hop.link];
        let writer = link.writers().nth(hop.writer);
        let apart = writer.is_some_and(|from| owners[from.end.process] != owners[link.to.process]);
        apart && !can_part(link)
    });
    Division {
        joints: joints.collect(),
        parts: gathered(names, &owners),
    }
}

/// Parts by the names of their owners; a part without processes is left out.
fn gathered(names: Vec<String>, owners: &[Option<usize>]) -> Vec<Part> {
    let mut parts: Vec<Part> = names
        .into_iter()
        .map(|name| Part {
            name,
            processes: Vec::new(),
        })
        .collect();
    for (process, owner) in owners.iter().enumerate() {
        if let Some(owner) = owner {
            parts[*owner].processes.push(process);
        }
    }
    parts.retain(|part| !part.processes.is_empty());
    parts
}

/// By process: the part that is declared for it. Parts that are only named by a host are added.
fn declared(plan: &Plan, names: &mut Vec<String>) -> Vec<Option<usize>> {
    let mut owners = vec![None; plan.processes.len()];
    for (at, part) in plan.parts.iter().enumerate() {
        for process in &part.processes {
            owners[*process] = Some(at);
        }
    }
    let mut places = Places::of(names.len(), |at| names[at].as_str());
    for (process, owner) in plan.processes.iter().zip(&mut owners) {
        if let (None, Some(host)) = (&owner, said(process, HOST)) {
            let at = places.enter(&host.as_str(), names.len(), |at| names[at].as_str());
            if at == names.len() {
                names.push(host);
            }
            *owner = Some(at);
        }
    }
    owners
}

/// What is written of a process in its metadata.
pub(crate) fn said(process: &Process, key: &str) -> Option<String> {
    let mut pairs = process.metadata.iter().rev();
    let (_, value) = pairs.find(|(name, _)| name == key)?;
    let text = value.as_str();
    let text = text.map_or_else(|| value.to_string(), String::from);
    (!text.is_empty()).then_some(text)
}

/// Every arc of a plan.
pub(crate) fn hops(plan: &Plan) -> impl Iterator<Item = Hop> + '_ {
    let links = plan.links.iter().enumerate();
    links.flat_map(|(link, found)| {
        (0..found.writers().count()).map(move |writer| Hop { link, writer })
    })
}

/// By process: those it is joined with, in either direction.
pub(crate) struct Neighbours(Vec<Vec<usize>>);

impl Neighbours {
    /// Over some of the links; what starts anew for each group stays together.
    pub(crate) fn of(plan: &Plan, joins: impl Fn(&Link) -> bool) -> Self {
        let mut all = Self(vec![Vec::new(); plan.processes.len()]);
        for link in plan.links.iter().filter(|link| joins(link)) {
            for writer in link.writers() {
                all.join(writer.end.process, link.to.process);
            }
        }
        for (first, second) in together(plan) {
            all.join(first, second);
        }
        all
    }

    pub(crate) fn join(&mut self, first: usize, second: usize) {
        self.0[first].push(second);
        self.0[second].push(first);
    }

    /// Gives the owner of these, nearest first, to whatever they are joined with and has none.
    pub(crate) fn spread(&self, owners: &mut [Option<usize>], mut from: VecDeque<usize>) {
        while let Some(process) = from.pop_front() {
            for next in &self.0[process] {
                if owners[*next].is_none() {
                    owners[*next] = owners[process];
                    from.push_back(*next);
                }
            }
        }
    }
}

/// Pairs of processes that cannot be apart: those that start anew together for each group.
pub(crate) fn together(plan: &Plan) -> Vec<(usize, usize)> {
    let outermost = |process: &Process| {
        let mut scope = process.scope?;
        while let Some(parent) = plan.scopes[scope].parent {
            scope = parent;
        }
        Some(scope)
    };
    let scopes = plan.processes.iter().map(outermost).enumerate();
    let mut firsts = HashMap::new();
    scopes
        .filter_map(|(process, scope)| {
            let first = *firsts.entry(scope?).or_insert(process);
            (first < process).then_some((first, process))
        })
        .collect()
}

/// Whether several programs can reach the store of a connector at a time.
#[must_use]
pub fn is_shared(wiring: &Wiring, connector: &Connector) -> bool {
    let named = connector.store.as_deref();
    let store = named.and_then(|name| wiring.store(name));
    store.is_some_and(|store| !EMBEDDED.schemes.contains(&store.scheme()))
}

/// The arcs between the parts of a plan.
pub fn between(plan: &Plan) -> impl Iterator<Item = Hop> + '_ {
    let mut owners = vec![None; plan.processes.len()];
    for (at, part) in plan.parts.iter().enumerate() {
        part.processes
            .iter()
            .for_each(|process| owners[*process] = Some(at));
    }
    hops(plan).filter(move |hop| {
        let link = &plan.links[hop.link];
        let writer = link.writers().nth(hop.writer);
        writer.is_some_and(|from| owners[from.end.process] != owners[link.to.process])
    })
}

/// What keeps parts that a wiring file declares from running apart. All in one they can run.
#[must_use]
pub fn check(plan: &Plan, wiring: &Wiring) -> Vec<Diagnostic> {
    if wiring.parts.is_empty() {
        return Vec::new();
    }
    let division = divide(plan, |connector| is_shared(wiring, connector));
    let found = joined(plan, &division).into_iter();
    let warning = |found| Diagnostic {
        severity: Severity::Warning,
        ..found
    };
    found.map(warning).collect()
}

/// What keeps the parts of a graph from running apart.
#[must_use]
pub fn joined(plan: &Plan, division: &Division) -> Vec<Diagnostic> {
    let joints = division.joints.iter();
    joints
        .map(|hop| joined_parts::at(plan, division, *hop))
        .collect()
}

/// The shortest list of addresses for a part: a subnet that is in it as a whole is named as such.
#[must_use]
pub fn addresses(plan: &Plan, part: &Part) -> Vec<String> {
    let inside = |subnet: &str, address: &str| {
        let rest = address.strip_prefix(subnet);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let is_whole = |subnet: &&str| {
        let mut all = plan.processes.iter().enumerate();
        all.all(|(at, process)| !inside(subnet, &process.address) || part.processes.contains(&at))
    };
    let subnets = plan.subnets.iter().map(|subnet| subnet.address.as_str());
    let whole: Vec<&str> = subnets.filter(is_whole).collect();
    let mut names: Vec<String> = Vec::new();
    for process in &part.processes {
        let address = plan.processes[*process].address.as_str();
        // Outer ones come first.
        let outermost = whole.iter().find(|subnet| inside(subnet, address));
        let name = outermost.map_or(address, |subnet| subnet);
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

impl Division {
    /// The part of a process.
    #[must_use]
    pub fn of(&self, process: usize) -> Option<usize> {
        let mut parts = self.parts.iter();
        parts.position(|part| part.processes.contains(&process))
    }
}
