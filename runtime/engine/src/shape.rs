//! What the drawing alone says about judgement: where nobody can ever be stuck, nobody needs to look.

use petgraph::algo::is_cyclic_directed;
use petgraph::graphmap::DiGraphMap;

use crate::link::Link;
use crate::roster::Who;

/// Which waits can go round in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// No two processes are joined in two ways. The two ends of a link never wait for each other, so no
    /// wait leads back to where it began.
    Forest,
    /// Nothing flows back to where it came from: only those who wait for room can be stuck, and whoever
    /// waits for them.
    Forward,
    /// Anything may wait for anything.
    Any,
}

impl Shape {
    pub(crate) fn new<'a>(processes: usize, links: impl Iterator<Item = &'a Link> + Clone) -> Self {
        let mut sets = Sets::new(processes);
        let mut arrows = links.flat_map(ends);
        let others = arrows.clone();
        if arrows.all(|(writer, reader)| sets.join(writer, reader)) {
            return Self::Forest;
        }
        let mut drawing = DiGraphMap::<usize, ()>::new();
        others.for_each(|(writer, reader)| _ = drawing.add_edge(writer, reader, ()));
        if is_cyclic_directed(&drawing) {
            Self::Any
        } else {
            Self::Forward
        }
    }

    /// Whether it is worth looking, when this many processes wait for room.
    pub(crate) const fn may_stick(self, blocked: usize) -> bool {
        match self {
            Self::Forest => false,
            Self::Forward => blocked > 0,
            Self::Any => true,
        }
    }
}

/// Writer and reader of each arrow within the network.
fn ends(link: &Link) -> impl Iterator<Item = (usize, usize)> + Clone + '_ {
    let inside = |who: &Who| match who {
        Who::Process(process) => Some(*process),
        Who::External(_) => None,
    };
    let reader = inside(&link.reader);
    let writers = link.writers.iter().filter_map(inside);
    writers.filter_map(move |writer| Some((writer, reader?)))
}

/// Disjoint sets of processes.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    /// False: they were joined already.
    fn join(&mut self, one: usize, two: usize) -> bool {
        let (one, two) = (self.root(one), self.root(two));
        self.0[one] = two;
        one != two
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Roster;
    use paperflow_graph::Full;
    use std::sync::Arc;

    fn shape(arrows: &[(&[usize], usize)]) -> Shape {
        let roster = Arc::new(Roster::new(&[], 0));
        let link = |(writers, reader): &(&[usize], usize)| {
            let writers = writers.iter().copied().map(Who::Process).collect();
            let reader = Who::Process(*reader);
            Link::new(1, Full::Wait, reader, writers, None, Arc::clone(&roster))
        };
        let links: Vec<_> = arrows.iter().map(link).collect();
        Shape::new(4, links.iter().map(|link| &**link))
    }

    #[test]
    fn the_drawing_tells_where_waits_can_go_round() {
        assert_eq!(shape(&[(&[0, 1], 2), (&[2], 3)]), Shape::Forest);
        assert_eq!(shape(&[(&[0], 1), (&[0], 1)]), Shape::Forward);
        assert_eq!(shape(&[(&[0], 1), (&[0], 2), (&[1, 2], 3)]), Shape::Forward);
        assert_eq!(shape(&[(&[0, 2], 1), (&[1], 2)]), Shape::Any);
        assert_eq!(shape(&[(&[0, 0], 0)]), Shape::Any);
    }
}
