//! What the drawing alone says about judgement: where nobody can ever be stuck, nobody needs to look.
//!
//! The two ends of a link never wait for each other there: it is not full and empty at once. So waits
//! that go round in a circle lie where processes are joined in two ways, in a *mesh*: a largest set of
//! processes that stays joined when any one arrow is left out.

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use crate::link::Link;
use crate::roster::Who;

/// Which processes can wait for each other in a circle, in text order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Those in meshes in which something flows back to where it came from, or that live once per
    /// group: they may wait for each other at any time.
    turning: Vec<usize>,
    /// Those in any mesh. Where nothing flows back, somebody must wait for room before anybody can be
    /// stuck.
    meshed: Vec<usize>,
}

impl Shape {
    /// `joined` are the members of re-armed subnets: they wait for each other between two lives.
    pub(crate) fn new<'a>(
        processes: usize,
        links: impl Iterator<Item = &'a Link> + Clone,
        joined: &[Vec<usize>],
    ) -> Self {
        let arrows = links.flat_map(ends);
        let mut sets = Sets::new(processes);
        let mut is_forest = joined.is_empty();
        is_forest = is_forest && arrows.clone().all(|(from, to)| sets.join(from, to));
        if is_forest {
            return Self::default();
        }
        let mut edges: Vec<(usize, usize)> = arrows.clone().collect();
        for members in joined {
            let next = members.iter().cycle().skip(1);
            edges.extend(members.iter().copied().zip(next.copied()));
        }
        let mut meshes = Forest::new(processes, &edges).meshes();
        let mut drawing = DiGraphMap::<usize, ()>::new();
        for (from, to) in arrows {
            if meshes.root(from) == meshes.root(to) {
                drawing.add_edge(from, to, ());
            }
        }
        let is_loop =
            |group: &Vec<usize>| group.len() > 1 || drawing.contains_edge(group[0], group[0]);
        let mut turns = vec![false; processes];
        let loops = kosaraju_scc(&drawing).into_iter().filter(is_loop);
        for group in loops.chain(joined.iter().cloned()) {
            turns[meshes.root(group[0])] = true;
        }
        let mut sizes = vec![0_usize; processes];
        (0..processes).for_each(|at| sizes[meshes.root(at)] += 1);
        let mut within = |tells: &dyn Fn(usize) -> bool| {
            let members = (0..processes).filter(|at| tells(meshes.root(*at)));
            members.collect::<Vec<_>>()
        };
        Self {
            turning: within(&|mesh| turns[mesh]),
            meshed: within(&|mesh| turns[mesh] || sizes[mesh] > 1),
        }
    }

    /// Who is to be looked at, when this many processes wait for room.
    pub(crate) fn suspects(&self, blocked: usize) -> &[usize] {
        if blocked > 0 {
            &self.meshed
        } else {
            &self.turning
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

/// Trees that join all processes that are joined, and the edges that are left over.
struct Forest {
    parents: Vec<usize>,
    depths: Vec<usize>,
    rest: Vec<(usize, usize)>,
}

impl Forest {
    fn new(count: usize, edges: &[(usize, usize)]) -> Self {
        let mut edges_of = vec![Vec::new(); count];
        for (at, (one, two)) in edges.iter().enumerate() {
            edges_of[*one].push(at);
            edges_of[*two].push(at);
        }
        let mut forest = Self {
            parents: (0..count).collect(),
            depths: vec![0; count],
            rest: Vec::new(),
        };
        let mut is_found = vec![false; count];
        let mut is_used = vec![false; edges.len()];
        for root in 0..count {
            let mut todo = if std::mem::replace(&mut is_found[root], true) {
                Vec::new()
            } else {
                vec![root]
            };
            while let Some(at) = todo.pop() {
                for edge in &edges_of[at] {
                    if std::mem::replace(&mut is_used[*edge], true) {
                        continue;
                    }
                    let (one, two) = edges[*edge];
                    let other = if one == at { two } else { one };
                    if std::mem::replace(&mut is_found[other], true) {
                        forest.rest.push((at, other));
                    } else {
                        forest.parents[other] = at;
                        forest.depths[other] = forest.depths[at] + 1;
                        todo.push(other);
                    }
                }
            }
        }
        forest
    }

    /// Whatever lies between the two ends of an edge that is left over is joined twice. The root of a
    /// mesh is its member nearest to the root of the tree.
    fn meshes(&self) -> Sets {
        let mut meshes = Sets::new(self.parents.len());
        for (one, two) in &self.rest {
            let (mut one, mut two) = (meshes.root(*one), meshes.root(*two));
            while one != two {
                if self.depths[one] < self.depths[two] {
                    (one, two) = (two, one);
                }
                meshes.join(one, self.parents[one]);
                one = meshes.root(one);
            }
        }
        meshes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Roster;
    use paperflow_graph::Full;
    use std::sync::Arc;

    fn shape(arrows: &[(&[usize], usize)], joined: &[Vec<usize>]) -> Shape {
        let roster = Arc::new(Roster::new(&[], 0));
        let link = |(writers, reader): &(&[usize], usize)| {
            let writers = writers.iter().copied().map(Who::Process);
            let reader = Who::Process(*reader);
            Link::new(1, Full::Wait, reader, writers, None, Arc::clone(&roster))
        };
        let links: Vec<_> = arrows.iter().map(link).collect();
        Shape::new(9, links.iter().map(|link| &**link), joined)
    }

    fn suspects(turning: &[usize], meshed: &[usize]) -> Shape {
        Shape {
            turning: turning.to_vec(),
            meshed: meshed.to_vec(),
        }
    }

    #[test]
    fn the_drawing_tells_where_waits_can_go_round() {
        assert_eq!(shape(&[(&[0, 1], 2), (&[2], 3)], &[]), suspects(&[], &[]));
        let twice = shape(&[(&[0], 1), (&[0], 1)], &[]);
        assert_eq!(twice, suspects(&[], &[0, 1]));
        let back = shape(&[(&[0, 2], 1), (&[1], 2)], &[]);
        assert_eq!(back, suspects(&[1, 2], &[1, 2]));
        assert_eq!(shape(&[(&[0, 0], 0)], &[]), suspects(&[0], &[0]));
    }

    #[test]
    fn a_row_between_two_meshes_belongs_to_neither() {
        // A diamond of 0 to 3, a row over 4, a loop of 5 to 7 and what it feeds.
        let arrows: &[(&[usize], usize)] = &[
            (&[0], 1),
            (&[0], 2),
            (&[1, 2], 3),
            (&[3], 4),
            (&[4, 7], 5),
            (&[5], 6),
            (&[6], 7),
            (&[7], 8),
        ];
        let drawn = shape(arrows, &[]);
        assert_eq!(drawn, suspects(&[5, 6, 7], &[0, 1, 2, 3, 5, 6, 7]));
        assert_eq!(drawn.suspects(0), [5, 6, 7]);
    }

    #[test]
    fn those_who_live_together_wait_for_each_other() {
        let row: &[(&[usize], usize)] = &[(&[0], 1), (&[1], 2), (&[2], 3), (&[3], 4)];
        let drawn = shape(row, &[vec![1, 2, 3]]);
        assert_eq!(drawn, suspects(&[1, 2, 3], &[1, 2, 3]));
        assert_eq!(shape(row, &[vec![2]]), suspects(&[2], &[2]));
    }

    #[test]
    fn a_long_loop_is_one_mesh() {
        let arrows: Vec<([usize; 1], usize)> = (0..9).map(|at| ([at], (at + 1) % 9)).collect();
        let arrows: Vec<(&[usize], usize)> =
            arrows.iter().map(|(from, to)| (&from[..], *to)).collect();
        let all: Vec<usize> = (0..9).collect();
        assert_eq!(shape(&arrows, &[]), suspects(&all, &all));
    }
}
