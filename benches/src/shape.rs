//! Graphs to be run, as data that any runner can build.

use std::time::Duration;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// Sends numbers, counting down to zero; told how many by the program.
    Source,
    /// Passes packets on, after some work.
    Pass(Manner),
    /// Sends each packet to every out-going link.
    Copy,
    /// Sends packets to its out-going links in turn.
    Deal,
    /// Receives packets and drops them.
    Sink,
    /// The same, on a thread of its own, asleep for [`PAUSE`] at each.
    SlowSink,
}

/// How long a slow sink sleeps at each packet.
pub const PAUSE: Duration = Duration::from_millis(1);

/// How a node that passes packets on is written and run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Nanoseconds of work for each packet.
    pub work: u32,
    /// Whether it is an async function that loops; else a plain function, called for each packet.
    pub is_looper: bool,
    /// Whether it insists on a thread of its own.
    pub on_thread: bool,
}

/// What the packets carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// A whole number.
    #[default]
    Number,
    /// A text of this many bytes, made anew for each packet.
    Text(usize),
    /// Whole numbers in groups of this many, with a bracket before and behind.
    Group(u64),
}

/// A graph of nodes. All links into one node are one link, with several writers.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// What the nodes do.
    pub nodes: Vec<Node>,
    /// Links, by number of the node: from, to.
    pub links: Vec<(usize, usize)>,
    /// What the packets carry.
    pub payload: Payload,
}

impl Shape {
    /// A source, `stages` nodes that pass packets on, a sink.
    #[must_use]
    pub fn pipeline(stages: usize, manner: Manner) -> Self {
        Self::row((0..stages).map(|_| manner))
    }

    /// A source, a node for each manner, a sink.
    #[must_use]
    pub fn row(manners: impl IntoIterator<Item = Manner>) -> Self {
        let mut shape = Self::default();
        let mut last = shape.add(Node::Source, &[]);
        for manner in manners {
            last = shape.add(Node::Pass(manner), &[last]);
        }
        shape.add(Node::Sink, &[last]);
        shape
    }

    /// A source, `stages` plain functions, a slow sink.
    #[must_use]
    pub fn throttled(stages: usize) -> Self {
        let mut shape = Self::pipeline(stages, Manner::default());
        shape.nodes[stages + 1] = Node::SlowSink;
        shape
    }

    /// As many sources, all into one sink.
    #[must_use]
    pub fn fan_in(sources: usize) -> Self {
        let mut shape = Self::default();
        let sources: Vec<_> = (0..sources).map(|_| shape.add(Node::Source, &[])).collect();
        shape.add(Node::Sink, &sources);
        shape
    }

    /// A source, a node that deals or copies, as many sinks.
    #[must_use]
    pub fn fan_out(node: Node, sinks: usize) -> Self {
        let mut shape = Self::default();
        let source = shape.add(Node::Source, &[]);
        let node = shape.add(node, &[source]);
        for _ in 0..sinks {
            shape.add(Node::Sink, &[node]);
        }
        shape
    }

    /// A source, a node that copies, two that pass the copies on, one sink for both.
    #[must_use]
    pub fn diamond() -> Self {
        let mut shape = Self::default();
        let source = shape.add(Node::Source, &[]);
        let copy = shape.add(Node::Copy, &[source]);
        let sides = [0, 1].map(|_| shape.add(Node::Pass(Manner::default()), &[copy]));
        shape.add(Node::Sink, &sides);
        shape
    }

    /// A source and a tree of 2^levels - 1 nodes: each copies to its two children, the last are sinks.
    #[must_use]
    pub fn tree(levels: u32) -> Self {
        let mut shape = Self::default();
        let source = shape.add(Node::Source, &[]);
        let mut level = vec![shape.add(Node::Copy, &[source])];
        for depth in 2..=levels {
            let node = if depth == levels {
                Node::Sink
            } else {
                Node::Copy
            };
            let parents = level.iter().flat_map(|parent| [*parent, *parent]);
            level = parents.collect::<Vec<_>>();
            level = level
                .iter()
                .map(|parent| shape.add(node, &[*parent]))
                .collect();
        }
        shape
    }

    /// The same with another payload.
    #[must_use]
    pub fn with(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    /// Nodes that insist on a thread of their own.
    #[must_use]
    pub fn own_threads(&self) -> usize {
        let is_own = |node: &&Node| match node {
            Node::Pass(manner) => manner.on_thread,
            Node::SlowSink => true,
            _ => false,
        };
        self.nodes.iter().filter(is_own).count()
    }

    fn add(&mut self, node: Node, from: &[usize]) -> usize {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.links.extend(from.iter().map(|from| (*from, number)));
        number
    }

    /// Nodes that send what the program tells them to.
    pub fn sources(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node] == Node::Source)
    }

    /// For each node, those it sends to, in order.
    #[must_use]
    pub fn outgoing(&self) -> Vec<Vec<usize>> {
        let mut outgoing = vec![Vec::new(); self.nodes.len()];
        for (from, to) in &self.links {
            outgoing[*from].push(*to);
        }
        outgoing
    }

    /// What comes of one packet from each source.
    ///
    /// Nodes stand behind those that send to them.
    #[must_use]
    pub fn flow(&self) -> Flow {
        let outgoing = self.outgoing();
        let fans = outgoing.iter().zip(&self.nodes);
        let deals = fans.filter(|(_, node)| **node == Node::Deal);
        let numbers: u64 = deals.map(|(outgoing, _)| outgoing.len() as u64).product();
        let mut weight = vec![0.0; self.nodes.len()];
        let mut last = vec![0; self.nodes.len()];
        let mut flow = Flow {
            hops: 0.0,
            numbers,
            lasts: 0,
        };
        for (at, node) in self.nodes.iter().enumerate() {
            let fan = outgoing[at].len().max(1);
            match node {
                Node::Source => (weight[at], last[at]) = (1.0, numbers),
                Node::Sink | Node::SlowSink => flow.lasts += last[at],
                _ => {}
            }
            let is_deal = *node == Node::Deal;
            let (share, lasts) = if is_deal {
                (fan as f64, fan as u64)
            } else {
                (1.0, 1)
            };
            for to in &outgoing[at] {
                flow.hops += weight[at] / share;
                weight[*to] += weight[at] / share;
                last[*to] += last[at] / lasts;
            }
        }
        flow
    }
}

/// What comes of one packet from each source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// How many links it crosses, with all its copies, summed over all sources.
    pub hops: f64,
    /// Packets with numbers below this are the last that some sink receives.
    pub numbers: u64,
    /// How many of those reach sinks; then everything has.
    pub lasts: u64,
}

impl Payload {
    /// Packets that a source sends for this many numbers.
    #[must_use]
    pub const fn packets(self, numbers: u64) -> u64 {
        match self {
            Self::Group(size) => numbers + 2 * numbers.div_ceil(size),
            _ => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(shape: &Shape) -> (f64, u64, u64) {
        let flow = shape.flow();
        (flow.hops, flow.numbers, flow.lasts)
    }

    #[test]
    fn hops_are_links_crossed() {
        assert_eq!(flow(&Shape::pipeline(3, Manner::default())), (4.0, 1, 1));
        assert_eq!(flow(&Shape::fan_in(4)), (4.0, 1, 4));
        assert_eq!(flow(&Shape::fan_out(Node::Deal, 4)), (2.0, 4, 4));
        assert_eq!(flow(&Shape::fan_out(Node::Copy, 4)), (5.0, 1, 4));
        assert_eq!(flow(&Shape::diamond()), (5.0, 1, 2));
        assert_eq!(flow(&Shape::tree(5)), (31.0, 1, 16));
        assert_eq!(Shape::tree(5).nodes.len(), 32);
    }
}
