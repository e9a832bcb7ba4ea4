//! Whether everything gets going: cycles that nothing starts, processes that stand alone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;
use petgraph::visit::Dfs;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::{AUTOMATIC, Side};
use crate::plan::{Link, Writer};

use super::lists::Lists;
use super::{Used, View};

/// Processes by index, an edge from each writer to its reader.
pub(super) type Arrows = DiGraphMap<usize, ()>;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let dead = never_started(view);
    if !dead.is_empty() {
        let arrows = arrows(view, |_, _| true);
        for cycle in first_cycles(&arrows, &dead) {
            let behind = behind(&arrows, &cycle);
            found.extend(report(view, &arrows, &cycle, &behind));
        }
    }
    check_gates(view, &dead, found);
    check_alone(view, found);
}

pub(super) fn arrows(view: &View<'_>, wanted: impl Fn(&Link, &Writer) -> bool) -> Arrows {
    let mut arrows = Arrows::new();
    for process in 0..view.plan.processes.len() {
        arrows.add_node(process);
    }
    for link in &view.plan.links {
        for writer in link.writers().filter(|writer| wanted(link, writer)) {
            arrows.add_edge(writer.end.process, link.to.process, ());
        }
    }
    arrows
}

/// Processes that no packet from a self-starter, an export or an unresolved arrow can reach.
fn never_started(view: &View<'_>) -> BTreeSet<usize> {
    let links = &view.plan.links;
    let arrows = || {
        links.iter().flat_map(|link| {
            let writers = link.writers();
            writers.map(|writer| (writer.end.process, link.to.process))
        })
    };
    let readers = Lists::of(view.plan.processes.len(), arrows);
    let mut fed = vec![false; view.plan.processes.len()];
    links.iter().for_each(|link| fed[link.to.process] = true);
    let exported = view.plan.inports.iter().map(|export| export.end.process);
    let loose = view.loose.iter().filter(|(side, _)| *side == Side::In);
    let loose = loose.map(|(_, end)| end.process);
    let starters = (0..fed.len()).filter(|process| !fed[*process]);
    let mut next: Vec<usize> = starters.chain(exported).chain(loose).collect();
    let mut started = vec![false; fed.len()];
    while let Some(process) = next.pop() {
        if !mem::replace(&mut started[process], true) {
            next.extend(readers.at(process));
        }
    }
    let processes = 0..started.len();
    processes.filter(|process| !started[*process]).collect()
}

/// The cycles among these processes that no other of them leads to, in text order.
fn first_cycles(arrows: &Arrows, among: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
    let mut inner = Arrows::new();
    for (from, to, ()) in arrows.all_edges() {
        if among.contains(&from) && among.contains(&to) {
            inner.add_edge(from, to, ());
        }
    }
    let groups = kosaraju_scc(&inner).into_iter().map(BTreeSet::from_iter);
    let mut cycles: Vec<_> = groups.filter(|group| leads_itself(&inner, group)).collect();
    cycles.sort();
    cycles
}

/// Whether each arrow into the group comes from the group.
fn leads_itself(arrows: &Arrows, group: &BTreeSet<usize>) -> bool {
    let mut into = group
        .iter()
        .flat_map(|process| arrows.neighbors_directed(*process, petgraph::Direction::Incoming));
    into.all(|from| group.contains(&from))
}

/// What a packet from the cycle would reach outside it.
fn behind(arrows: &Arrows, cycle: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut search = Dfs::empty(arrows);
    search.stack.extend(cycle);
    let mut reached = BTreeSet::new();
    while let Some(process) = search.next(arrows) {
        reached.insert(process);
    }
    reached.difference(cycle).copied().collect()
}

fn report(
    view: &View<'_>,
    arrows: &Arrows,
    cycle: &BTreeSet<usize>,
    behind: &BTreeSet<usize>,
) -> Option<Diagnostic> {
    let round = round(arrows, cycle);
    let placed = round
        .iter()
        .map(|process| (view.address(*process), view.plan.processes[*process].span));
    let placed: Vec<_> = placed.collect();
    let behind: Vec<_> = behind
        .iter()
        .map(|process| view.address(*process))
        .collect();
    diagnostics::nothing_starts::at(&placed, &behind)
}

/// A shortest way round from the first process of the group back to it.
fn round(arrows: &Arrows, group: &BTreeSet<usize>) -> Vec<usize> {
    let Some(first) = group.first().copied() else {
        return Vec::new();
    };
    let mut before = HashMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(at) = queue.pop_front() {
        for next in arrows.neighbors(at).filter(|next| group.contains(next)) {
            if next == first {
                return way_back(&before, at);
            }
            if let Entry::Vacant(free) = before.entry(next) {
                free.insert(at);
                queue.push_back(next);
            }
        }
    }
    vec![first]
}

fn way_back(before: &HashMap<usize, usize>, last: usize) -> Vec<usize> {
    let mut way = vec![last];
    let mut at = last;
    while let Some(earlier) = before.get(&at) {
        way.push(*earlier);
        at = *earlier;
    }
    way.reverse();
    way
}

/// Processes that wait for each other's end, by `* -> *` arrows.
fn check_gates(view: &View<'_>, dead: &BTreeSet<usize>, found: &mut Vec<Diagnostic>) {
    if view.plan.links.iter().all(|link| link.to.port != AUTOMATIC) {
        return;
    }
    let gates = arrows(view, |link, writer| {
        link.to.port == AUTOMATIC && writer.end.port == AUTOMATIC
    });
    for group in kosaraju_scc(&gates).into_iter().map(BTreeSet::from_iter) {
        let cyclic = group
            .iter()
            .any(|process| gates.neighbors(*process).any(|next| group.contains(&next)));
        if cyclic && group.is_disjoint(dead) {
            found.extend(report(view, &gates, &group, &BTreeSet::new()));
        }
    }
}

/// Processes that could take packets, with nothing connected to them at all.
fn check_alone(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    if view.plan.processes.len() < 2 {
        return;
    }
    let links = view.plan.links.iter();
    let automatic = links.flat_map(|link| link.from.iter().map(|w| &w.end).chain([&link.to]));
    let ends = view.used().map(|Used { end, .. }| end).chain(automatic);
    let mut used = vec![false; view.plan.processes.len()];
    ends.for_each(|end| used[end.process] = true);
    for (process, component) in view.components.iter().enumerate() {
        let Some(component) = component else { continue };
        let mut ports = component.inputs.iter().chain(&component.outputs);
        let takes = component.inputs.iter().any(|port| !port.param);
        let reported = ports.any(|port| port.required);
        if takes && !reported && !used[process] {
            let span = view.plan.processes[process].span;
            found.push(diagnostics::unreachable::at(view.address(process), span));
        }
    }
}
