//! Following packets from each source, and what weakens their way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::expand::AUTOMATIC;
use crate::plan::{ConnectorKind, OnError};

use super::{Grounds, Guarantee, Hop, Path, Weakness};

/// What brings a packet back that a crash has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    /// Nothing.
    None,
    /// The source sends the same again, if a store then leaves out what it has.
    Source,
    /// A store delivers it again.
    Store,
}

/// Where a packet is and what holds so far. Two ways to the same state are equally good.
type State = (usize, Cover, Guarantee);

/// How a state was reached: the state before, the arc, and what has weakened it on the whole way.
#[derive(Clone)]
struct Reached {
    before: Option<(State, Hop)>,
    weakness: Option<Weakness>,
    /// The first memory arc on the way, which a crash empties if no store follows.
    memory: Option<Hop>,
}

/// The weakest way from each source to each of its sinks, in the order of the processes.
#[must_use]
pub fn paths(grounds: Grounds<'_>) -> Vec<Path> {
    let walk = Walk::new(grounds);
    let sources = walk.sources();
    let paths = sources.flat_map(|source| {
        let name = match source.exported {
            Some(public) => format!("the exported {public}"),
            None => String::from(grounds.address(source.process)),
        };
        walk.ends(&walk.reached(source), &name)
    });
    paths.collect()
}

/// The processes that begin at nothing after a crash, while a store gives them only those packets again that
/// had not been handled: a component that [forgets](crate::Component::forgets), and one with a table that no
/// store keeps.
#[must_use]
pub fn forgetful(grounds: Grounds<'_>) -> Vec<Weakness> {
    let walk = Walk::new(grounds);
    let states = walk
        .sources()
        .flat_map(|source| walk.reached(source).into_keys());
    let again = states.filter_map(|(process, cover, _)| (cover == Cover::Store).then_some(process));
    let again: BTreeSet<usize> = again.collect();
    again
        .into_iter()
        .filter_map(|process| walk.forgets(process))
        .collect()
}

struct Walk<'a> {
    grounds: Grounds<'a>,
    /// By process: the arcs that leave it.
    leaving: Vec<Vec<Hop>>,
    /// By process: whether arcs lead to it.
    fed: Vec<bool>,
}

/// Where packets come from.
#[derive(Clone, Copy)]
struct Source<'a> {
    process: usize,
    /// What covers a packet there.
    cover: Cover,
    /// The exported in-port, if it comes from there.
    exported: Option<&'a str>,
}

impl<'a> Walk<'a> {
    fn new(grounds: Grounds<'a>) -> Self {
        let plan = grounds.plan;
        let mut walk = Self {
            grounds,
            leaving: vec![Vec::new(); plan.processes.len()],
            fed: vec![false; plan.processes.len()],
        };
        for (at, link) in plan.links.iter().enumerate() {
            for (number, writer) in link.writers().enumerate() {
                if link.to.port != AUTOMATIC && writer.end.port != AUTOMATIC {
                    let hop = Hop {
                        link: at,
                        writer: number,
                    };
                    walk.leaving[writer.end.process].push(hop);
                    walk.fed[link.to.process] = true;
                }
            }
        }
        for export in &plan.inports {
            walk.fed[export.end.process] = true;
        }
        walk
    }

    /// Processes that nothing leads to, in their order, and then exported in-ports.
    fn sources(&self) -> impl Iterator<Item = Source<'a>> {
        let plan = self.grounds.plan;
        let is_source = |process: &usize| !self.fed[*process] && !self.leaving[*process].is_empty();
        let processes = (0..plan.processes.len()).filter(is_source);
        let exports = plan.inports.iter().map(|export| Source {
            process: export.end.process,
            cover: Cover::None,
            exported: Some(&*export.public),
        });
        processes.map(|process| self.begin(process)).chain(exports)
    }

    fn begin(&self, process: usize) -> Source<'a> {
        let grounds = self.grounds;
        let name = &grounds.plan.processes[process].component;
        let component = grounds.catalogue.find(name);
        let cover = match component {
            _ if grounds.has_desk(process) => Cover::Store,
            Some(component) if component.repeats => Cover::Source,
            _ => Cover::None,
        };
        Source {
            process,
            cover,
            exported: None,
        }
    }

    /// Where packets of a source come, and how.
    fn reached(&self, source: Source<'_>) -> BTreeMap<State, Reached> {
        let start = (source.process, source.cover, Guarantee::OnceOnly);
        let begun = Reached {
            before: None,
            weakness: None,
            memory: None,
        };
        let mut reached = BTreeMap::from([(start, begun)]);
        let mut queue = VecDeque::from([start]);
        while let Some(state) = queue.pop_front() {
            for hop in &self.leaving[state.0] {
                let (next, way) = self.step(state, &reached[&state], *hop, source.exported);
                if let std::collections::btree_map::Entry::Vacant(free) = reached.entry(next) {
                    free.insert(way);
                    queue.push_back(next);
                }
            }
        }
        reached
    }

    /// Where an arc leads and what it does to the guarantee.
    fn step(
        &self,
        (process, cover, level): State,
        way: &Reached,
        hop: Hop,
        exported: Option<&str>,
    ) -> (State, Reached) {
        let link = &self.grounds.plan.links[hop.link];
        let mut so_far = SoFar {
            level,
            weakness: way.weakness.clone(),
        };
        let is_memory = link.connector.is_none();
        let memory = way.memory.or_else(|| is_memory.then_some(hop));
        let mut next = cover;
        if is_memory {
            self.over_memory(hop, cover, &mut so_far);
        } else {
            if cover == Cover::None {
                so_far.lower(Guarantee::AtMostOnce, || self.source(process, exported));
            }
            self.over_connector(hop, &mut so_far);
            next = Cover::Store;
        }
        let reader = link.to.process;
        if self.grounds.has_desk(reader) {
            next = Cover::Store;
        } else if next != Cover::None && !self.leaving[reader].is_empty() {
            self.through(reader, &mut so_far);
        }
        let state = (reader, next, so_far.level);
        let reached = Reached {
            before: Some(((process, cover, level), hop)),
            weakness: so_far.weakness,
            memory,
        };
        (state, reached)
    }

    fn over_memory(&self, hop: Hop, cover: Cover, so_far: &mut SoFar) {
        let link = &self.grounds.plan.links[hop.link];
        if Grounds::sheds(link) {
            so_far.lower(Guarantee::AtMostOnce, || {
                let fix = "let its writers wait: leave `full` out";
                self.grounds
                    .weak_arc(hop, "it sheds packets when it is full", fix)
            });
        }
        if cover == Cover::None {
            so_far.lower(Guarantee::AtMostOnce, || self.lost(hop));
        }
    }

    fn lost(&self, hop: Hop) -> Weakness {
        let reason = "it is memory: a crash loses what is in it";
        let fix = "make it a queue or a stream: `->(queue)`";
        self.grounds.weak_arc(hop, reason, fix)
    }

    fn over_connector(&self, hop: Hop, so_far: &mut SoFar) {
        let link = &self.grounds.plan.links[hop.link];
        let Some(connector) = &link.connector else {
            return;
        };
        let weak = |reason: &str, fix: &str| self.grounds.weak_arc(hop, reason, fix);
        if connector.kind == ConnectorKind::Pubsub {
            so_far.lower(Guarantee::AtMostOnce, || {
                weak(
                    "a subscriber that is not there gets no copy",
                    "make it a stream, of which each reader has an offset",
                )
            });
        }
        if connector.on_error == Some(OnError::Skip) {
            so_far.lower(Guarantee::AtMostOnce, || {
                weak(
                    "a message that fails is left behind",
                    "write `on-error=retry`",
                )
            });
        }
        if !self.grounds.knows_ids(link) && !self.grounds.has_desk(link.to.process) {
            so_far.lower(Guarantee::AtLeastOnce, || {
                weak(
                    "its store does not know a message again that is sent twice",
                    "let the embedded store keep it, or give its reader a table in a store",
                )
            });
        }
    }

    /// A process that packets pass which come again after a crash, and that keeps nothing in a store.
    fn through(&self, process: usize, so_far: &mut SoFar) {
        let grounds = self.grounds;
        let name = &grounds.plan.processes[process].component;
        let component = grounds.catalogue.find(name);
        if component.is_none_or(|component| !component.one_by_one) {
            so_far.lower(Guarantee::AtLeastOnce, || {
                let reason = "after a crash it may send the same with other ids";
                grounds.weak_process(process, reason, grounds.table_fix(process))
            });
        }
    }

    /// A source of which nobody knows what it had read.
    fn source(&self, process: usize, exported: Option<&str>) -> Weakness {
        let reason = "what it has read and no store has yet is lost in a crash";
        let fix = match exported {
            Some(port) => {
                format!("feed {port} from a file, or let another graph send it by a queue")
            }
            None => String::from(
                "read from what can be read again, such as a file or a stream, or let it keep a table in a store",
            ),
        };
        self.grounds.weak_process(process, reason, fix)
    }

    /// What is lost when a process begins again.
    fn forgets(&self, process: usize) -> Option<Weakness> {
        let grounds = self.grounds;
        let name = &grounds.plan.processes[process].component;
        let component = grounds.catalogue.find(name)?;
        let mut tables = component.tables.iter();
        let (what, fix) = if let Some(table) =
            tables.find(|table| !grounds.plan.keeps(process, table))
        {
            (
                format!("its table {table}"),
                grounds.keep_fix(process, table),
            )
        } else if component.forgets {
            let fix = "let a source that sends the same in each run feed it over memory, or use a component with \
                       a table that a store keeps";
            (
                String::from("what it knows of former packets"),
                String::from(fix),
            )
        } else {
            return None;
        };
        let reason = format!(
            "it keeps {what} in memory; a crash forgets that, and a store gives nothing again that was handled"
        );
        Some(grounds.weak_process(process, &reason, fix))
    }

    /// The weakest way to each sink.
    fn ends(&self, reached: &BTreeMap<State, Reached>, from: &str) -> Vec<Path> {
        let plan = self.grounds.plan;
        let mut found = Vec::new();
        for process in 0..plan.processes.len() {
            let exported = plan.outports.iter();
            let exported = exported.filter(|export| export.end.process == process);
            let names = exported.map(|export| format!("the exported {}", export.public));
            let mut sinks: Vec<_> = names.map(|name| (name, true)).collect();
            if self.leaving[process].is_empty() && sinks.is_empty() {
                sinks.push((plan.processes[process].address.clone(), false));
            }
            let states = || {
                let first = (process, Cover::None, Guarantee::AtMostOnce);
                let last = (process, Cover::Store, Guarantee::OnceOnly);
                reached.range(first..=last)
            };
            for (to, is_export) in sinks {
                let ways = states().filter(|(_, way)| way.before.is_some() || is_export);
                let ended = ways.map(|(state, way)| (state, self.end(*state, way, is_export)));
                let weakest = ended.min_by_key(|(_, end)| end.level);
                found.extend(weakest.map(|(state, end)| Path {
                    from: String::from(from),
                    to,
                    over: way_to(reached, *state),
                    guarantee: end.level,
                    weakness: end.weakness,
                }));
            }
        }
        found
    }

    /// What holds when a packet ends here.
    fn end(&self, (process, cover, level): State, way: &Reached, is_export: bool) -> SoFar {
        let mut so_far = SoFar {
            level,
            weakness: way.weakness.clone(),
        };
        if cover != Cover::Store
            && let Some(hop) = way.memory
        {
            so_far.lower(Guarantee::AtMostOnce, || self.lost(hop));
        }
        if cover == Cover::Store
            && !is_export
            && let Some(fix) = self.grounds.renewal_fix(process)
        {
            so_far.lower(Guarantee::AtMostOnce, || {
                let reason = "after a crash it begins anew what it has written, and a store gives nothing again that was handled";
                self.grounds.weak_process(process, reason, fix)
            });
        }
        if is_export || !self.grounds.has_desk(process) {
            so_far.lower(Guarantee::AtLeastOnce, || {
                let reason = if is_export {
                    "who reads the exported port may be given a packet again"
                } else {
                    "what it does with a packet may be done again after a crash"
                };
                let fix = self.grounds.table_fix(process);
                self.grounds.weak_process(process, reason, fix)
            });
        }
        so_far
    }
}

/// What holds so far, and what has weakened it.
struct SoFar {
    level: Guarantee,
    weakness: Option<Weakness>,
}

impl SoFar {
    fn lower(&mut self, to: Guarantee, weakness: impl FnOnce() -> Weakness) {
        if to < self.level {
            self.level = to;
            self.weakness = Some(weakness());
        }
    }
}

/// The arcs to a state, from its source.
fn way_to(reached: &BTreeMap<State, Reached>, mut state: State) -> Vec<Hop> {
    let mut over = Vec::new();
    while let Some((before, hop)) = reached.get(&state).and_then(|way| way.before) {
        over.push(hop);
        state = before;
    }
    over.reverse();
    over
}
