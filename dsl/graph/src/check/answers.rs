//! Whether what is asked along an arrow can be answered: a channel has one direction.

use petgraph::algo::kosaraju_scc;
use petgraph::visit::{Dfs, IntoNeighbors, NodeCount, Reversed, VisitMap, Visitable};

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::{AUTOMATIC, Question, Side};

use super::View;
use super::start::{Arrows, arrows};

pub(super) fn check(view: &View<'_>, questions: &[Question], found: &mut Vec<Diagnostic>) {
    if questions.is_empty() {
        return;
    }
    let arrows = arrows(view, |link, writer| {
        link.to.port != AUTOMATIC && writer.end.port != AUTOMATIC
    });
    let circles = circles(&arrows, view.plan.processes.len());
    let outside = Outside::of(view, &arrows);
    // The arrow itself leads there, so that any way back makes a circle of both.
    let open = questions
        .iter()
        .filter(|asked| circles[asked.from] != circles[asked.to]);
    for asked in open {
        if !outside.may_answer(asked) {
            let (from, to) = (view.address(asked.from), view.address(asked.to));
            found.push(diagnostics::no_answer::at(from, to, asked.span));
        }
    }
}

/// For each process the circle it is in, by number.
fn circles(arrows: &Arrows, processes: usize) -> Vec<usize> {
    let mut circles = vec![0; processes];
    for (number, circle) in kosaraju_scc(arrows).into_iter().enumerate() {
        for process in circle {
            circles[process] = number;
        }
    }
    circles
}

/// Where an answer may take a way that is not in the plan, by process.
struct Outside {
    /// Who is asked there may send it to an arrow that has been reported already.
    strays: Vec<bool>,
    /// It may come from such an arrow to who asks there.
    is_strayed_to: Vec<bool>,
    /// It may leave the network.
    leaves: Vec<bool>,
    /// It may come from outside the network.
    enters: Vec<bool>,
}

impl Outside {
    fn of(view: &View<'_>, arrows: &Arrows) -> Self {
        let loose = |side| {
            let ends = view.loose.iter().filter(move |(other, _)| *other == side);
            ends.map(|(_, end)| end.process)
        };
        let out = view.plan.outports.iter().map(|export| export.end.process);
        let into = view.plan.inports.iter().map(|export| export.end.process);
        Self {
            strays: reached(Reversed(arrows), loose(Side::Out)),
            is_strayed_to: reached(arrows, loose(Side::In)),
            leaves: reached(Reversed(arrows), out),
            enters: reached(arrows, into),
        }
    }

    /// Outside the network an answer goes if one side is exported there and the other here.
    fn may_answer(&self, asked: &Question) -> bool {
        let is_loose = self.strays[asked.to] || self.is_strayed_to[asked.from];
        is_loose || self.leaves[asked.to] && self.enters[asked.from]
    }
}

/// By process, whether there is a way to it from one of these.
fn reached<G>(arrows: G, from: impl Iterator<Item = usize>) -> Vec<bool>
where
    G: IntoNeighbors<NodeId = usize> + Visitable<NodeId = usize> + NodeCount,
    G::Map: VisitMap<usize>,
{
    let mut reached = vec![false; arrows.node_count()];
    let mut search = Dfs::empty(arrows);
    search.stack.extend(from);
    while let Some(process) = search.next(arrows) {
        reached[process] = true;
    }
    reached
}
