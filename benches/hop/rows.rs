//! The networks that are measured.

use paperflow_bench::shape::Manner;
use paperflow_bench::{Node, Payload, Shape};

/// A network to be measured.
pub(crate) struct Row {
    /// What `--row` asks for.
    pub(crate) name: String,
    /// What it is, in one line.
    pub(crate) about: String,
    pub(crate) shape: Shape,
    pub(crate) capacities: &'static [usize],
}

impl Row {
    /// Packets of the shortest burst: many times what fits a link, so that filling and draining the
    /// network does not show.
    pub(crate) fn fewest(&self, capacity: usize) -> u64 {
        if self.shape.nodes.len() > 1000 {
            return 1000;
        }
        64.max(8 * capacity as u64)
    }
}

const ALL: &[usize] = &[1, 16, 128, 1024];
const USUAL: &[usize] = &[128];

const PLAIN: Manner = Manner {
    work: 0,
    is_looper: false,
    on_thread: false,
};
const LOOPER: Manner = Manner {
    is_looper: true,
    ..PLAIN
};
const ON_THREAD: Manner = Manner {
    on_thread: true,
    ..PLAIN
};

/// Every network there is.
pub(crate) fn all() -> Vec<Row> {
    [
        pipelines(),
        shapes(),
        manners(),
        payloads(),
        works(),
        chains(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn row(
    name: impl Into<String>,
    about: impl Into<String>,
    shape: Shape,
    capacities: &'static [usize],
) -> Row {
    Row {
        name: name.into(),
        about: about.into(),
        shape,
        capacities,
    }
}

fn pipelines() -> Vec<Row> {
    let row = |stages| {
        row(
            format!("pipeline-{stages}"),
            format!("source, {stages} plain functions, sink"),
            Shape::pipeline(stages, PLAIN),
            ALL,
        )
    };
    [1, 3, 8].map(row).into()
}

fn shapes() -> Vec<Row> {
    let deal = Shape::fan_out(Node::Deal, 4);
    let copy = Shape::fan_out(Node::Copy, 4);
    vec![
        row("fan-in-4", "4 sources, one sink", Shape::fan_in(4), ALL),
        row(
            "deal-4",
            "source, round-robin (a looper), 4 sinks",
            deal,
            ALL,
        ),
        row("copy-4", "source, replicate, 4 sinks", copy, ALL),
        row(
            "diamond",
            "source, replicate, 2 plain functions, one sink",
            Shape::diamond(),
            ALL,
        ),
        row(
            "tree-31",
            "source, 15 that replicate to their 2 children, 16 sinks",
            Shape::tree(5),
            ALL,
        ),
    ]
}

fn manners() -> Vec<Row> {
    let looper = Shape::pipeline(3, LOOPER);
    let by_turns = Shape::row((0..8).map(|at| if at % 2 == 0 { PLAIN } else { LOOPER }));
    let mixed = Shape::row((0..8).map(|at| if at % 2 == 0 { PLAIN } else { ON_THREAD }));
    vec![
        row("looper-3", "source, 3 loopers, sink", looper, ALL),
        row(
            "by-turns-8",
            "source, 8 nodes, plain function and looper by turns, sink",
            by_turns,
            USUAL,
        ),
        row(
            "mixed-8",
            "source, 8 plain functions, every other one on its own thread, sink",
            mixed,
            ALL,
        ),
    ]
}

fn payloads() -> Vec<Row> {
    let text = |size| {
        row(
            format!("text-{size}"),
            format!("source of texts of {size} bytes, 3 plain functions, sink"),
            Shape::pipeline(3, PLAIN).with(Payload::Text(size)),
            USUAL,
        )
    };
    let group = |size| {
        row(
            format!("group-{size}"),
            format!("source of groups of {size} numbers, 3 plain functions, sink; brackets count"),
            Shape::pipeline(3, PLAIN).with(Payload::Group(size)),
            USUAL,
        )
    };
    let texts = [16, 256, 4096].map(text).into_iter();
    texts.chain([2, 10].map(group)).collect()
}

fn works() -> Vec<Row> {
    let row = |(work, stages)| {
        let manner = Manner { work, ..PLAIN };
        row(
            format!("work-{work}-{stages}"),
            format!("source, {stages} plain functions of {work} ns, sink"),
            Shape::pipeline(stages, manner),
            USUAL,
        )
    };
    [100, 1000]
        .into_iter()
        .flat_map(|work| [1, 3, 8].map(|stages| (work, stages)))
        .map(row)
        .collect()
}

fn chains() -> Vec<Row> {
    let chain = |nodes: usize| {
        row(
            format!("chain-{nodes}"),
            format!("source, {nodes} plain functions, sink"),
            Shape::pipeline(nodes, PLAIN),
            USUAL,
        )
    };
    [1000, 10_000, 100_000].map(chain).into()
}
