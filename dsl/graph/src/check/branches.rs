//! Ways that part and meet again at a process that reads its in-ports in an order: which can fill.
//!
//! While such a process waits for one in-port, the ways to the others fill. When one is full their
//! common source waits too, and if what is waited for can only come from that source, nothing moves
//! any more. Whether that can happen is told by the words in the descriptions of the components:
//!
//! - A reader of streams to their end (`Reads::ToEnd`) leaves the ways to its later in-ports alone
//!   until the first stream has ended, which is when the source ends. The whole stream has to fit
//!   there, whatever the capacities are: unless the source closes one before it uses the next, or
//!   somebody on the way takes all and sends at the end.
//! - A reader in step (`Reads::InStep`) waits for packets that are late: somebody on the way sends
//!   at the end, chooses another way for many packets in a row, or may hold packets back while the
//!   other way has less room. In the last case only written capacities count as chosen.
//!
//! A written capacity that is larger than all the room of the other way is taken as the author's
//! word that everything fits.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::{HashMap, HashSet};

use crate::catalogue::{Component, Reads, Sends};
use crate::diagnostic::Diagnostic;
use crate::diagnostics::uneven_branches::{self, Branch, Late};
use crate::expand::{AUTOMATIC, Side};
use crate::plan::{End, Full, Link, USUAL_CAPACITY, Writer};

use super::View;

/// Ways are followed back over no more out-ports than this, from each in-port.
const MOST_STEPS: usize = 64;

/// No more in-ports of one process than this are compared, pair by pair.
const MOST_PORTS: usize = 16;

/// No more ways than this from one process to one in-port are compared.
const MOST_WAYS: usize = 4;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let mut merging: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, link) in view.plan.links.iter().enumerate() {
        if reads(view, link.to.process) != Reads::Freely && is_travelled(view, link) {
            merging.entry(link.to.process).or_default().push(at);
        }
    }
    merging.retain(|_, links| links.len() > 1);
    if merging.is_empty() {
        return;
    }
    let arrows = Arrows::of(view);
    for (process, links) in &mut merging {
        links.sort_by_key(|link| place(view, Side::In, &view.plan.links[*link].to));
        let links = links.iter().take(MOST_PORTS);
        let ways: Vec<_> = links.map(|link| Ways::to(view, &arrows, *link)).collect();
        found.extend(match reads(view, *process) {
            Reads::ToEnd => read_to_end(view, &ways),
            _ => read_in_step(view, &arrows, &ways),
        });
    }
}

/// Whether packets travel along a link while its reader works.
fn is_travelled(view: &View<'_>, link: &Link) -> bool {
    let port = view.port(Side::In, &link.to);
    link.to.port != AUTOMATIC && port.is_none_or(|port| !port.param)
}

fn reads(view: &View<'_>, process: usize) -> Reads {
    view.components[process].map_or(Reads::Freely, |component| component.reads)
}

fn sends(view: &View<'_>, process: usize) -> Sends {
    view.components[process].map_or(Sends::Freely, |component| component.sends)
}

/// Where a port comes among those of its process: as declared, then by number.
fn place(view: &View<'_>, side: Side, end: &End) -> (usize, Option<u32>) {
    let component = view.components[end.process];
    let ports = component.map_or(&[][..], |component| super::declared(component, side));
    let at = ports.iter().position(|port| port.name == end.port);
    (at.unwrap_or(ports.len()), end.index)
}

/// A piece of a way: an out-port and the link it writes to.
#[derive(Clone, Copy)]
struct Hop<'a> {
    writer: &'a Writer,
    link: usize,
}

/// A way that ends at one in-port, by its hops; there is at least one.
#[derive(Clone)]
struct Way<'a>(Vec<Hop<'a>>);

impl<'a> Way<'a> {
    fn first(&self) -> &'a Writer {
        self.0[0].writer
    }

    /// The processes it passes, without those at its ends.
    fn between(&self) -> impl Iterator<Item = usize> {
        let behind = self.0.iter().skip(1);
        behind.map(|hop| hop.writer.end.process)
    }

    fn links<'b>(&'b self, view: &View<'b>) -> impl DoubleEndedIterator<Item = &'b Link> {
        let links = &view.plan.links;
        self.0.iter().map(|hop| &links[hop.link])
    }

    /// How many packets fit: in its links, and one in the hand of each process on it.
    fn room(&self, view: &View<'_>) -> usize {
        let fits = self
            .links(view)
            .map(|link| link.capacity.unwrap_or(USUAL_CAPACITY));
        fits.fold(self.0.len() - 1, usize::saturating_add)
    }

    /// Whether its source ever has to wait for room on it: nothing is shed, and nobody takes all
    /// there is before sending anything.
    fn fills(&self, view: &View<'_>) -> bool {
        self.links(view).all(|link| link.full == Full::Wait) && self.collects(view).is_none()
    }

    /// Who sends nothing down this way before the end.
    fn collects(&self, view: &View<'_>) -> Option<usize> {
        let ends = self.0.iter().map(|hop| &hop.writer.end);
        let mut late = ends.filter(|end| {
            let port = view.port(Side::Out, end);
            port.is_some_and(|port| port.at_end)
        });
        late.next().map(|end| end.process)
    }

    /// The largest capacity that is written on it.
    fn promised(&self, view: &View<'_>) -> Option<usize> {
        self.links(view).filter_map(|link| link.capacity).max()
    }

    /// Whether a capacity was written to hold more than the other way.
    fn outdoes(&self, view: &View<'_>, other: &Self) -> bool {
        self.promised(view)
            .is_some_and(|most| most >= other.room(view).saturating_add(1))
    }

    fn told(&self, view: &View<'_>) -> Branch {
        let last = self.0[self.0.len() - 1];
        let hops = self.0.iter().map(|hop| {
            let link = &view.plan.links[hop.link];
            let capacity = link.capacity.unwrap_or(USUAL_CAPACITY);
            (capacity, view.address(link.to.process))
        });
        let hops: Vec<_> = hops.collect();
        Branch {
            from: view.name(&self.first().end),
            to: view.name(&view.plan.links[last.link].to),
            path: uneven_branches::path(&view.name(&self.first().end), &hops, || {
                view.name(&view.plan.links[last.link].to)
            }),
            room: self.room(view),
            first: self.first().span,
            last: last.writer.span,
        }
    }
}

/// What tells one out-port element from another.
type Key<'a> = (usize, &'a str, Option<u32>);

fn key(end: &End) -> Key<'_> {
    (end.process, &end.port, end.index)
}

/// The arrows that packets travel along.
#[derive(Default)]
struct Arrows<'a> {
    /// The links into each process, but for its parameters.
    into: HashMap<usize, Vec<usize>>,
    /// The out-ports of each process that are connected, some more than once.
    out: HashMap<usize, Vec<Key<'a>>>,
}

impl<'a> Arrows<'a> {
    fn of(view: &View<'a>) -> Self {
        let mut arrows = Self::default();
        let links = view.plan.links.iter().enumerate();
        for (at, link) in links.filter(|(_, link)| is_travelled(view, link)) {
            for writer in real(link) {
                let own = arrows.out.entry(writer.end.process).or_default();
                own.push(key(&writer.end));
            }
            arrows.into.entry(link.to.process).or_default().push(at);
        }
        arrows
    }
}

/// The ways to one in-port, the shortest first, by the process they leave.
struct Ways<'a> {
    by_source: BTreeMap<usize, Vec<Way<'a>>>,
    /// Every out-port that leads there, unless there are too many.
    leading: HashSet<Key<'a>>,
}

impl<'a> Ways<'a> {
    fn to(view: &View<'a>, arrows: &Arrows<'_>, last: usize) -> Self {
        let plan = view.plan;
        let mut ways = Self {
            by_source: BTreeMap::new(),
            leading: HashSet::new(),
        };
        let target = plan.links[last].to.process;
        let mut queue = VecDeque::from([(last, Vec::<Hop<'a>>::new())]);
        while let Some((link, rest)) = queue.pop_front() {
            for writer in real(&plan.links[link]) {
                let process = writer.end.process;
                let passed = rest.iter().any(|hop| hop.writer.end.process == process);
                if process == target || passed {
                    continue;
                }
                let hops = [&[Hop { writer, link }], rest.as_slice()].concat();
                let known = ways.by_source.entry(process).or_default();
                if known.len() < MOST_WAYS {
                    known.push(Way(hops.clone()));
                }
                if ways.leading.len() < MOST_STEPS && ways.leading.insert(key(&writer.end)) {
                    let further = arrows.into.get(&process).into_iter().flatten();
                    queue.extend(further.map(|link| (*link, hops.clone())));
                }
            }
        }
        ways
    }

    /// Who on the way may send many packets in a row elsewhere.
    fn astray(&self, view: &View<'_>, arrows: &Arrows<'_>, way: &Way<'_>) -> Option<usize> {
        let mut between = way.between();
        between.find(|process| {
            let component = view.components[*process];
            let choosing = component.filter(|component| component.sends == Sends::ByChoice);
            choosing.is_some_and(|component| self.misses(arrows, *process, component))
        })
    }

    /// Whether an out-port leads elsewhere, or nowhere.
    fn misses(&self, arrows: &Arrows<'_>, process: usize, component: &Component) -> bool {
        if self.leading.len() >= MOST_STEPS {
            return false;
        }
        let ends = arrows.out.get(&process).map_or(&[][..], Vec::as_slice);
        let all_lead = |name: &str| {
            let mut elements = ends.iter().filter(|(_, port, _)| *port == name).peekable();
            elements.peek().is_some() && elements.all(|end| self.leading.contains(end))
        };
        let ports = component.outputs.iter();
        let mut ports = ports.filter(|port| port.name != "ERROR");
        ports.any(|port| !all_lead(&port.name))
    }
}

/// The writers that send packets along arrows.
fn real(link: &Link) -> impl Iterator<Item = &Writer> {
    let writers = link.from.iter();
    writers.filter(|writer| writer.end.port != AUTOMATIC)
}

/// Ways to two in-ports that leave one process by different out-ports and do not meet between.
fn parted<'a, 'b>(one: &'b Ways<'a>, two: &'b Ways<'a>) -> Vec<(&'b Way<'a>, &'b Way<'a>)> {
    let mut found = Vec::new();
    for (process, ones) in &one.by_source {
        for first in ones {
            for second in two.by_source.get(process).into_iter().flatten() {
                let differ = key(&first.first().end) != key(&second.first().end);
                if differ
                    && second
                        .between()
                        .all(|at| !first.between().any(|on| on == at))
                {
                    found.push((first, second));
                }
            }
        }
    }
    found
}

/// The in-ports that fill while an earlier one is read, as one warning.
fn read_to_end(view: &View<'_>, ways: &[Ways<'_>]) -> Option<Diagnostic> {
    let mut filling = Vec::new();
    for late in 1..ways.len() {
        let pairs = (0..late).flat_map(|early| parted(&ways[early], &ways[late]));
        let mut pairs = pairs.filter(|(early, late)| overtakes(view, early, late));
        filling.extend(
            pairs
                .next()
                .map(|(early, late)| (early.told(view), late.told(view))),
        );
    }
    let (early, late) = filling.first()?;
    let others: Vec<_> = filling[1..].iter().map(|(_, late)| late).collect();
    Some(uneven_branches::to_end(early, late, &others))
}

/// Whether a later way can be full before an earlier one has ended.
fn overtakes(view: &View<'_>, early: &Way<'_>, late: &Way<'_>) -> bool {
    let (one, two) = (&early.first().end, &late.first().end);
    let in_turn = sends(view, one.process) == Sends::ToEnd
        && place(view, Side::Out, one) < place(view, Side::Out, two);
    late.fills(view) && !in_turn && !late.outdoes(view, early)
}

/// The pair of ways that differ most, if one of them can fill.
fn read_in_step(view: &View<'_>, arrows: &Arrows<'_>, ways: &[Ways<'_>]) -> Option<Diagnostic> {
    let mut worst: Option<(Late, &Way<'_>, &Way<'_>)> = None;
    for (one, two) in (0..ways.len()).flat_map(|one| (0..ways.len()).map(move |two| (one, two))) {
        if one == two {
            continue;
        }
        for (short, long) in parted(&ways[one], &ways[two]) {
            let why = lateness(view, arrows, &ways[two], short, long);
            let is_worse = |why: &Late| worst.as_ref().is_none_or(|(known, ..)| why > known);
            if let Some(why) = why.filter(is_worse) {
                worst = Some((why, short, long));
            }
        }
    }
    let (why, short, long) = worst?;
    let (short, long) = (short.told(view), long.told(view));
    Some(uneven_branches::in_step(&short, &long, &why))
}

/// Why packets on the long way may be late while the short one fills.
fn lateness(
    view: &View<'_>,
    arrows: &Arrows<'_>,
    to: &Ways<'_>,
    short: &Way<'_>,
    long: &Way<'_>,
) -> Option<Late> {
    if !short.fills(view) || short.outdoes(view, long) {
        return None;
    }
    let name = |process| String::from(view.address(process));
    let source = long.first().end.process;
    let chooses = (sends(view, source) == Sends::ByChoice).then_some(source);
    let collects = long
        .collects(view)
        .map(|process| Late::Collects(name(process)));
    collects
        .or_else(|| {
            let astray = chooses.or_else(|| to.astray(view, arrows, long))?;
            Some(Late::Chooses(name(astray)))
        })
        .or_else(|| needed(view, short, long).map(Late::Narrow))
}

/// The capacity the last link of a short way should have, if it was given less.
fn needed(view: &View<'_>, short: &Way<'_>, long: &Way<'_>) -> Option<usize> {
    let source = long.first().end.process;
    if sends(view, source) == Sends::InStep && long.0.len() == 1 {
        return None;
    }
    let chosen = short.links(view).all(|link| link.capacity.is_some());
    let lacks = long.room(view).checked_sub(short.room(view))?;
    let last = short.links(view).next_back()?.capacity?;
    (chosen && lacks > 0).then(|| last.saturating_add(lacks))
}

#[cfg(test)]
mod tests;
