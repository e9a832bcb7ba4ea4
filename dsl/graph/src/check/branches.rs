//! Ways that part and meet again where they are read in an order: which of them can fill.
//!
//! A short way fills while packets on the long one have not arrived. It cannot if it has room for
//! as many packets as the long one can hold back: its capacities, and one packet in the hand of
//! each process on it. Only capacities that were written count as chosen; the rest is usual.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::uneven_branches::Branch;
use crate::expand::AUTOMATIC;
use crate::plan::{End, Full, Link, USUAL_CAPACITY, Writer};

use super::View;

/// Ways are followed back over no more processes than this, from each in-port.
const MOST_STEPS: usize = 64;

/// No more in-ports of one process than this are compared, pair by pair.
const MOST_PORTS: usize = 16;

/// No more ways than this from one process to one in-port are compared.
const MOST_WAYS: usize = 4;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let mut merging: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut into: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, link) in view.plan.links.iter().enumerate() {
        into.entry(link.to.process).or_default().push(at);
        let component = view.components[link.to.process];
        let ordered = component.is_some_and(crate::Component::reads_in_order);
        if ordered && link.to.port != AUTOMATIC {
            merging.entry(link.to.process).or_default().push(at);
        }
    }
    for links in merging.values_mut().filter(|links| links.len() > 1) {
        links.sort_by_key(|link| {
            let end = &view.plan.links[*link].to;
            (&end.port, end.index)
        });
        let ways: Vec<_> = links
            .iter()
            .take(MOST_PORTS)
            .map(|link| ways(view, &into, *link))
            .collect();
        found.extend(worst(view, &ways));
    }
}

/// A way that ends at one in-port: its links, the first one's writer first.
#[derive(Clone)]
struct Way<'a> {
    writer: &'a Writer,
    links: Vec<usize>,
}

/// The shortest way from each out-port to the in-port of a link, by the process it leaves.
type Ways<'a> = BTreeMap<usize, Vec<Way<'a>>>;

fn ways<'a>(view: &View<'a>, into: &HashMap<usize, Vec<usize>>, last: usize) -> Ways<'a> {
    let plan = view.plan;
    let mut ways = Ways::new();
    let mut queue = VecDeque::from([(last, vec![last])]);
    let mut seen = HashSet::from([plan.links[last].to.process]);
    while let Some((at, links)) = queue.pop_front() {
        for writer in real(&plan.links[at]) {
            let process = writer.end.process;
            if process == plan.links[last].to.process {
                continue;
            }
            let known = ways.entry(process).or_default();
            if known.len() < MOST_WAYS {
                let links = links.clone();
                known.push(Way { writer, links });
            }
            if seen.len() < MOST_STEPS && seen.insert(process) {
                let further = into.get(&process).into_iter().flatten();
                let longer = |link: &usize| (*link, [&[*link], links.as_slice()].concat());
                queue.extend(further.map(longer));
            }
        }
    }
    ways
}

/// The writers that send packets along arrows.
fn real(link: &Link) -> impl Iterator<Item = &Writer> {
    let writers = link.from.iter();
    writers.filter(|writer| writer.end.port != AUTOMATIC)
}

/// The pair of ways that differ most, if one of them can fill.
fn worst(view: &View<'_>, ways: &[Ways<'_>]) -> Option<Diagnostic> {
    let pairs = (0..ways.len()).flat_map(|one| (0..ways.len()).map(move |two| (one, two)));
    // What is read first cannot fill while a later one is waited for, but for components that take
    // from all in step; one word in their description cannot tell them apart, and silence is better
    // than a false alarm.
    let pairs = pairs.filter(|(one, two)| one > two);
    let pairs = pairs.flat_map(|(one, two)| parted(view, &ways[one], &ways[two]));
    let lacking = pairs.filter_map(|(short, long)| {
        let enough = needed(view, &short, &long)?;
        Some((enough, short, long))
    });
    let (enough, short, long) = lacking.max_by_key(|(enough, ..)| *enough)?;
    let (short, long) = (branch(view, &short), branch(view, &long));
    Some(diagnostics::uneven_branches::at(&short, &long, enough))
}

/// Ways to two in-ports that leave one process by different out-ports and do not meet between.
fn parted<'a>(view: &View<'a>, one: &Ways<'a>, two: &Ways<'a>) -> Vec<(Way<'a>, Way<'a>)> {
    let mut found = Vec::new();
    for (process, ones) in one {
        for first in ones {
            for second in two.get(process).into_iter().flatten() {
                if !same(&first.writer.end, &second.writer.end) && apart(view, first, second) {
                    found.push((first.clone(), second.clone()));
                }
            }
        }
    }
    found
}

fn same(one: &End, two: &End) -> bool {
    (&one.port, one.index) == (&two.port, two.index)
}

fn apart(view: &View<'_>, one: &Way<'_>, two: &Way<'_>) -> bool {
    let between = between(view, one);
    let mut others = self::between(view, two).into_iter();
    others.all(|process| !between.contains(&process))
}

/// The processes a way passes.
fn between(view: &View<'_>, way: &Way<'_>) -> Vec<usize> {
    let (_, passed) = way.links.split_last().unwrap_or((&0, &[]));
    let links = passed.iter().map(|link| &view.plan.links[*link]);
    links.map(|link| link.to.process).collect()
}

/// The capacity the last link of a short way should have, if it has less.
fn needed(view: &View<'_>, short: &Way<'_>, long: &Way<'_>) -> Option<usize> {
    let links = |way: &Way<'_>| way.links.clone().into_iter().map(|at| &view.plan.links[at]);
    let chosen = links(short).all(|link| link.capacity.is_some());
    let waits = links(short).all(|link| link.full == Full::Wait);
    let lacks = room(view, long).checked_sub(room(view, short))?;
    let last = links(short).next_back()?.capacity?;
    (chosen && waits && lacks > 0).then(|| last.saturating_add(lacks))
}

/// How many packets fit on a way: in its links, and one in the hand of each process on it.
fn room(view: &View<'_>, way: &Way<'_>) -> usize {
    let links = way.links.iter().map(|at| &view.plan.links[*at]);
    let fits = links.map(|link| link.capacity.unwrap_or(USUAL_CAPACITY));
    fits.fold(way.links.len() - 1, usize::saturating_add)
}

fn branch(view: &View<'_>, way: &Way<'_>) -> Branch {
    let links = &view.plan.links;
    let last = way.links.last().map_or(0, |last| *last);
    let arrow = real(&links[last])
        .next()
        .map_or(way.writer.span, |writer| writer.span);
    Branch {
        from: view.name(&way.writer.end),
        to: view.name(&links[last].to),
        room: room(view, way),
        first: way.writer.span,
        last: if way.links.len() == 1 {
            way.writer.span
        } else {
            arrow
        },
    }
}

#[cfg(test)]
mod tests;
