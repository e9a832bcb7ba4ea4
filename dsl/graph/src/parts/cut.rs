//! Cutting a graph at arcs.

use std::collections::{BTreeSet, VecDeque};

use crate::catalogue::Catalogue;
use crate::guarantee::Hop;
use crate::instances::{INSTANCES, number};
use crate::plan::{Part, Plan, Process};
use crate::similar::suggest;
use crate::wiring::{Named, named};

use super::{Division, HOST, Neighbours, hops, said, together};

/// A graph that is cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    /// Its parts.
    pub division: Division,
    /// The arcs between them.
    pub arcs: Vec<Hop>,
}

/// An arc whose ends are joined in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undivided {
    /// The arc.
    pub at: Hop,
    /// The fewest arcs that would have to be cut as well; none when no cut parts its ends.
    pub joining: Vec<Hop>,
}

/// Arcs that are named `A.OUT -> B.IN`, each with what it may have been meant to be when there is none.
pub type Arcs<'a> = Result<Vec<Hop>, (&'a str, Option<String>)>;

/// The arcs of these names; their ends may be public ports of subnets.
///
/// # Errors
/// The first name that is no arc, and the nearest one that is.
pub fn find<'a>(plan: &Plan, names: &[&'a str]) -> Arcs<'a> {
    let mut found = Vec::new();
    for name in names {
        let ends = named(name);
        let is_it = |hop: &Hop| ends.as_ref().is_some_and(|ends| is(plan, *hop, ends));
        let hits: Vec<Hop> = hops(plan).filter(is_it).collect();
        if hits.is_empty() {
            let known: Vec<String> = hops(plan).map(|hop| shown(plan, hop)).collect();
            let near = suggest(name, known.iter().map(String::as_str));
            return Err((name, near));
        }
        found.extend(hits);
    }
    Ok(found)
}

/// Tables that are in the memory of a program, and that a store could keep for it: `PROCESS.TABLE`. Workers that
/// share the work of a process, and what begins anew with each group, can have them in memory only.
#[must_use]
pub fn unkept(plan: &Plan, catalogue: &Catalogue) -> Vec<String> {
    let is_one = |process: &Process| {
        let is_shared = matches!(number(process, INSTANCES), Some(Ok(2..)));
        !is_shared && process.scope.is_none()
    };
    let mut unkept = Vec::new();
    for (at, process) in plan.processes.iter().enumerate() {
        let component = catalogue.find(&process.component);
        let Some(component) = component.filter(|_| is_one(process)) else {
            continue;
        };
        let tables = component
            .tables
            .iter()
            .filter(|table| !plan.keeps(at, table));
        unkept.extend(tables.map(|table| format!("{}.{table}", process.address)));
    }
    unkept
}

/// `A.OUT[1] -> B.IN`, as a wiring file names it.
#[must_use]
pub fn shown(plan: &Plan, hop: Hop) -> String {
    let link = &plan.links[hop.link];
    let end = |end: &crate::plan::End| {
        let element = end.index.filter(|index| *index > 0);
        let element = element
            .map(|index| format!("[{index}]"))
            .unwrap_or_default();
        format!(
            "{}.{}{element}",
            plan.processes[end.process].address, end.port
        )
    };
    let from = link.writers().nth(hop.writer);
    let from = from.map(|writer| end(&writer.end)).unwrap_or_default();
    format!("{from} -> {}", end(&link.to))
}

fn is(plan: &Plan, hop: Hop, (from, to): &(Named, Named)) -> bool {
    let link = &plan.links[hop.link];
    let address = |process: usize| plan.processes[process].address.as_str();
    let Some(writer) = link.writers().nth(hop.writer) else {
        return false;
    };
    let is_end = |named: &Named, end: &crate::plan::End, is_out: bool| {
        let mut subnets = plan.subnets.iter();
        named.is(address(end.process), &end.port, end.index)
            || subnets.any(|subnet| {
                let ports = if is_out {
                    &subnet.outports
                } else {
                    &subnet.inports
                };
                let mut ports = ports.iter();
                ports.any(|export| {
                    let same = (export.end.process, &export.end.port) == (end.process, &end.port);
                    same && named.is(&subnet.address, &export.public, None)
                })
            })
    };
    is_end(from, &writer.end, true) && is_end(to, &link.to, false)
}

/// Cuts a graph at arcs.
///
/// # Errors
/// The arcs whose ends are still joined.
pub fn cut(plan: &Plan, at: &[Hop]) -> Result<Cut, Vec<Undivided>> {
    let graph = Joined::new(plan, at);
    let owners = graph.pieces(plan);
    let apart = |hop: &Hop| {
        let (from, to) = ends(plan, *hop);
        owners[from] != owners[to]
    };
    let undivided = at.iter().filter(|hop| !apart(hop));
    let undivided: Vec<Undivided> = undivided
        .map(|hop| Undivided {
            at: *hop,
            joining: graph.fewest(plan, *hop),
        })
        .collect();
    if !undivided.is_empty() {
        return Err(undivided);
    }
    let count = owners.iter().max().map_or(0, |last| last + 1);
    let mut parts = vec![Part::default(); count];
    for (process, owner) in owners.iter().enumerate() {
        parts[*owner].processes.push(process);
    }
    for part in &mut parts {
        part.name = name(plan, part);
    }
    Ok(Cut {
        arcs: hops(plan).filter(apart).collect(),
        division: Division {
            parts,
            joints: Vec::new(),
        },
    })
}

/// A part is named by a host of its processes, or else by the first of them.
fn name(plan: &Plan, part: &Part) -> String {
    let processes = part
        .processes
        .iter()
        .map(|process| &plan.processes[*process]);
    let host = processes.clone().find_map(|process| said(process, HOST));
    let first = processes.map(|process| process.address.clone()).next();
    host.or(first).unwrap_or_default()
}

fn ends(plan: &Plan, hop: Hop) -> (usize, usize) {
    let link = &plan.links[hop.link];
    let from = link.writers().nth(hop.writer);
    let to = link.to.process;
    (from.map_or(to, |writer| writer.end.process), to)
}

/// What joins the processes of a graph that has been cut.
struct Joined {
    /// Both ends; an arc, or nothing for what cannot be cut.
    edges: Vec<(usize, usize, Option<Hop>)>,
    /// By process: its edges.
    at: Vec<Vec<usize>>,
}

impl Joined {
    fn new(plan: &Plan, cut: &[Hop]) -> Self {
        let cut: BTreeSet<(usize, usize)> = cut.iter().map(|hop| (hop.link, hop.writer)).collect();
        let mut graph = Self {
            edges: Vec::new(),
            at: vec![Vec::new(); plan.processes.len()],
        };
        for hop in hops(plan).filter(|hop| !cut.contains(&(hop.link, hop.writer))) {
            let (from, to) = ends(plan, hop);
            graph.join(from, to, Some(hop));
        }
        for (first, second) in together(plan) {
            graph.join(first, second, None);
        }
        graph
    }

    fn join(&mut self, from: usize, to: usize, hop: Option<Hop>) {
        self.at[from].push(self.edges.len());
        self.at[to].push(self.edges.len());
        self.edges.push((from, to, hop));
    }

    /// By process: the number of its piece.
    fn pieces(&self, plan: &Plan) -> Vec<usize> {
        let mut all = Neighbours::of(plan, |_| false);
        for (from, to, _) in &self.edges {
            all.join(*from, *to);
        }
        let mut owners = vec![None; plan.processes.len()];
        let mut count = 0;
        for process in 0..owners.len() {
            if owners[process].is_none() {
                owners[process] = Some(count);
                count += 1;
                all.spread(&mut owners, VecDeque::from([process]));
            }
        }
        owners.into_iter().flatten().collect()
    }

    /// The fewest arcs whose cut would part the ends of one, by as many ways between them as have no
    /// arc in common.
    fn fewest(&self, plan: &Plan, hop: Hop) -> Vec<Hop> {
        let (from, to) = ends(plan, hop);
        let mut flow = vec![0_i32; self.edges.len()];
        if from == to {
            return Vec::new();
        }
        loop {
            let came = self.reach(from, &flow);
            if came[to].is_none() {
                let crosses = self
                    .edges
                    .iter()
                    .filter(|(one, other, _)| came[*one].is_some() != came[*other].is_some());
                return crosses.filter_map(|(.., hop)| *hop).collect();
            }
            let mut at = to;
            let mut is_bound = true;
            while let Some(Some(edge)) = came[at] {
                let (one, other, hop) = self.edges[edge];
                is_bound &= hop.is_none();
                (at, flow[edge]) = if other == at {
                    (one, flow[edge] + 1)
                } else {
                    (other, flow[edge] - 1)
                };
            }
            if is_bound {
                return Vec::new();
            }
        }
    }

    /// By process: over which edge it can still be reached; the start over none.
    fn reach(&self, start: usize, flow: &[i32]) -> Vec<Option<Option<usize>>> {
        let mut came = vec![None; self.at.len()];
        came[start] = Some(None);
        let mut queue = VecDeque::from([start]);
        while let Some(process) = queue.pop_front() {
            for edge in &self.at[process] {
                let (one, other, hop) = self.edges[*edge];
                let (next, used) = if one == process {
                    (other, flow[*edge])
                } else {
                    (one, -flow[*edge])
                };
                if came[next].is_none() && (hop.is_none() || used < 1) {
                    came[next] = Some(Some(*edge));
                    queue.push_back(next);
                }
            }
        }
        came
    }
}
