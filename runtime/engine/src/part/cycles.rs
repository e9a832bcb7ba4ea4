//! Cycles that lead through several parts, and where they are entered.

use std::collections::{BTreeMap, BTreeSet};

use paperflow_graph::plan::{Connector, Plan};
use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

/// A cycle into which nothing comes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// The process at which it is entered, where it is to end: the first that something leads to from
    /// elsewhere; else the first.
    pub(super) entry: usize,
    /// All its processes.
    pub(super) members: BTreeSet<usize>,
}

/// The processes of a graph that are in a cycle through several parts.
pub(super) fn members(whole: &Plan) -> BTreeSet<usize> {
    let parts = parts(whole);
    let through_several = |circle: &Vec<usize>| {
        let within: BTreeSet<_> = circle.iter().map(|member| parts.get(member)).collect();
        within.len() > 1
    };
    let circles = kosaraju_scc(&drawing(whole, |_| false)).into_iter();
    circles.filter(through_several).flatten().collect()
}

/// Who sends to whom, but for connectors that are over.
fn drawing(whole: &Plan, is_over: impl Fn(&Connector) -> bool) -> DiGraphMap<usize, ()> {
    let mut graph = DiGraphMap::new();
    for link in &whole.links {
        if !link.connector.as_deref().is_some_and(&is_over) {
            for writer in link.writers() {
                graph.add_edge(writer.end.process, link.to.process, ());
            }
        }
    }
    graph
}

/// The cycles of a graph in which nothing moves, that lead through several parts and into which nothing
/// comes any more, while some processes and connectors are over. What is fed by nothing has ended, and so
/// have cycles within one part, which sees to them itself.
pub(super) fn foremost(
    whole: &Plan,
    over: &BTreeSet<usize>,
    is_over: impl Fn(&Connector) -> bool,
) -> Vec<Cycle> {
    let mut graph = drawing(whole, is_over);
    for process in over {
        graph.remove_node(*process);
    }
    let parts = parts(whole);
    loop {
        let circles = kosaraju_scc(&graph);
        let mut found = Vec::new();
        let mut ended = Vec::new();
        for circle in circles {
            let members: BTreeSet<usize> = circle.into_iter().collect();
            let comes_from =
                |member: &usize| graph.neighbors_directed(*member, petgraph::Direction::Incoming);
            if !members
                .iter()
                .flat_map(comes_from)
                .all(|from| members.contains(&from))
            {
                continue;
            }
            let within: BTreeSet<_> = members.iter().map(|member| parts.get(member)).collect();
            if within.len() > 1 {
                let entry = entry(whole, &members);
                found.push(Cycle { entry, members });
            } else {
                ended.extend(members);
            }
        }
        if ended.is_empty() {
            return found;
        }
        for process in ended {
            graph.remove_node(process);
        }
    }
}

/// By process: its part.
fn parts(whole: &Plan) -> BTreeMap<usize, usize> {
    let parts = whole.parts.iter().enumerate();
    let members = parts.flat_map(|(at, part)| part.processes.iter().map(move |one| (*one, at)));
    members.collect()
}

fn entry(whole: &Plan, members: &BTreeSet<usize>) -> usize {
    let is_entered = |member: &usize| {
        let mut links = whole.links.iter().filter(|link| link.to.process == *member);
        links.any(|link| {
            let mut writers = link.writers();
            writers.any(|writer| !members.contains(&writer.end.process))
        })
    };
    let mut all = members.iter().copied();
    let entered = all.find(is_entered);
    entered
        .or_else(|| members.first().copied())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use paperflow_graph::plan::{End, Link, Part, Process, Writer};

    use super::*;

    /// A graph of processes by the parts they are in, with arrows; those between parts are connectors
    /// named `FROM TO`.
    fn graph(parts: &[&[usize]], arrows: &[(usize, usize)]) -> Plan {
        let end = |process| End {
            process,
            ..End::default()
        };
        let part_of = |process| parts.iter().position(|part| part.contains(&process));
        let connector = |from: usize, to: usize| Connector {
            name: format!("{from} {to}"),
            ..Connector::default()
        };
        let link = |(from, to): &(usize, usize)| Link {
            to: end(*to),
            from: vec![Writer {
                end: end(*from),
                ..Writer::default()
            }],
            connector: (part_of(*from) != part_of(*to)).then(|| Box::new(connector(*from, *to))),
            ..Link::default()
        };
        let count = parts.iter().map(|part| part.len()).sum();
        Plan {
            processes: vec![Process::default(); count],
            links: arrows.iter().map(link).collect(),
            parts: parts
                .iter()
                .map(|part| Part {
                    processes: part.to_vec(),
                    ..Part::default()
                })
                .collect(),
            ..Plan::default()
        }
    }

    /// Entries and members of what is to end, while these connectors are over.
    fn found(plan: &Plan, over: &[&str]) -> Vec<(usize, Vec<usize>)> {
        found_without(plan, over, &[])
    }

    fn found_without(plan: &Plan, over: &[&str], gone: &[usize]) -> Vec<(usize, Vec<usize>)> {
        let gone = gone.iter().copied().collect();
        let cycles = foremost(plan, &gone, |connector| over.contains(&&*connector.name));
        let told = cycles
            .into_iter()
            .map(|cycle| (cycle.entry, cycle.members.into_iter().collect()));
        told.collect()
    }

    #[test]
    fn a_cycle_ends_where_it_is_entered() {
        let plan = graph(&[&[0, 1], &[2], &[3]], &[(0, 3), (1, 2), (2, 3), (3, 1)]);
        assert_eq!(found(&plan, &[]), [(3, vec![1, 2, 3])]);
        let closed = graph(&[&[0], &[1]], &[(0, 1), (1, 0)]);
        assert_eq!(found(&closed, &[]), [(0, vec![0, 1])]);
    }

    #[test]
    fn the_foremost_cycle_ends_first() {
        let plan = graph(
            &[&[0], &[1], &[2], &[3]],
            &[(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)],
        );
        assert_eq!(found(&plan, &[]), [(0, vec![0, 1])]);
        assert_eq!(found(&plan, &["1 0", "1 2"]), [(2, vec![2, 3])]);
    }

    #[test]
    fn a_cycle_within_one_part_ends_by_itself() {
        let plan = graph(
            &[&[0, 1], &[2], &[3]],
            &[(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)],
        );
        assert_eq!(found(&plan, &[]), [(2, vec![2, 3])]);
    }

    #[test]
    fn a_cycle_within_a_cycle_ends_after_what_it_was_entered_by() {
        let arrows = [(0, 1), (1, 2), (2, 3), (3, 2), (3, 1)];
        let plan = graph(&[&[0, 1, 2], &[3]], &arrows);
        assert_eq!(members(&plan), [1, 2, 3].into());
        assert_eq!(found(&plan, &[]), [(1, vec![1, 2, 3])]);
        assert_eq!(found_without(&plan, &[], &[1]), [(2, vec![2, 3])]);
    }

    #[test]
    fn a_row_has_no_cycle() {
        assert_eq!(found(&graph(&[&[0], &[1]], &[(0, 1)]), &[]), []);
    }
}
