//! Whether what is asked along an arrow can be answered: a channel has one direction.

use std::collections::HashSet;
use std::iter;

use petgraph::algo::kosaraju_scc;
use petgraph::visit::{Dfs, Reversed};

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
    // The arrow itself leads there, so that any way back makes a circle of both.
    let open = questions
        .iter()
        .filter(|asked| circles[asked.from] != circles[asked.to]);
    for asked in open {
        if !may_be_answered(view, &arrows, asked) {
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

/// Whether the answer may take a way that is not in the plan: outside the network, if one side is
/// exported there and the other here, or an arrow that has been reported already.
fn may_be_answered(view: &View<'_>, arrows: &Arrows, asked: &Question) -> bool {
    let back = Reversed(arrows);
    let (mut ahead, mut behind) = (Dfs::new(arrows, asked.to), Dfs::new(back, asked.from));
    let after: HashSet<_> = iter::from_fn(|| ahead.next(arrows)).collect();
    let before: HashSet<_> = iter::from_fn(|| behind.next(back)).collect();
    let is_loose = view.loose.iter().any(|(side, end)| match side {
        Side::Out => after.contains(&end.process),
        Side::In => before.contains(&end.process),
    });
    let mut out = view.plan.outports.iter();
    let mut into = view.plan.inports.iter();
    let leaves = out.any(|export| after.contains(&export.end.process));
    let enters = into.any(|export| before.contains(&export.end.process));
    is_loose || leaves && enters
}
