//! A shape as a network of Paperflow.

use paperflow::graph::Sources;
use paperflow::graph::plan::{End, Export, Initial, Link, Plan, Process, Writer};
use paperflow::{Input, Network, Options, Running, Scheduler, Verdict};

use crate::components::catalogue;
use crate::shape::{Flow, Manner, Node, Payload, Shape};
use crate::stopwatch::{self, Sample};
use crate::work::rounds;
use crate::{Contestant, Error};

/// A network that runs and waits to be told how many packets to send.
pub struct Net {
    running: Option<Running>,
    inputs: Vec<Input>,
    flow: Flow,
    payload: Payload,
    /// Hops that there should have been so far.
    hops: f64,
}

impl Net {
    /// Builds and starts it.
    ///
    /// # Errors
    /// The engine refuses it.
    pub fn start(shape: &Shape, scheduler: Scheduler, capacity: usize) -> Result<Self, Error> {
        let options = Options {
            scheduler,
            capacity,
            ..Options::default()
        };
        let mut network = Network::new(plan(shape), &catalogue(), &Sources::new(), options);
        for source in shape.sources() {
            network.input(&go(source))?;
        }
        let started = network.start()?;
        Ok(Self {
            running: Some(started.running),
            inputs: started.inputs,
            flow: shape.flow(),
            payload: shape.payload,
            hops: 0.0,
        })
    }

    fn states(&self) -> String {
        let states = self
            .running
            .iter()
            .flat_map(|running| running.observer().states());
        let lines = states.map(|(address, state)| format!("\n  {address} {state}"));
        lines.take(40).collect()
    }
}

impl Contestant for Net {
    fn burst(&mut self, packets: u64) -> Result<Sample, Error> {
        stopwatch::arm(self.flow);
        let count = i64::try_from(packets)?;
        for input in &self.inputs {
            input.send(count)?;
        }
        self.hops += self.payload.packets(packets) as f64 * self.flow.hops;
        stopwatch::wait().map_err(|error| format!("{error}{}", self.states()).into())
    }

    fn end(mut self: Box<Self>) -> Result<(), Error> {
        self.inputs.clear();
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        let outcome = running.wait();
        if outcome.verdict != Verdict::Finished {
            return Err(format!("it ended so: {:?}", outcome.verdict).into());
        }
        let totals = outcome.statistics.totals;
        let received = totals.received.saturating_sub(totals.fed) as f64;
        if received != self.hops || !totals.is_conserved() {
            return Err(format!("{} hops were expected: {totals:?}", self.hops).into());
        }
        Ok(())
    }
}

/// The public name of a source's in-port.
fn go(source: usize) -> String {
    format!("GO{source}")
}

fn end(process: usize, port: &str) -> End {
    End {
        process,
        port: port.into(),
        ..End::default()
    }
}

fn component(node: Node, payload: Payload) -> &'static str {
    let manner = match node {
        Node::Pass(manner) => manner,
        _ => Manner::default(),
    };
    match (node, payload) {
        (Node::Source, Payload::Number) => "bench/source",
        (Node::Source, Payload::Text(_)) => "bench/text-source",
        (Node::Source, Payload::Group(_)) => "bench/group-source",
        (Node::Copy, _) => "bench/copy",
        (Node::Deal, _) => "bench/deal",
        (Node::SlowSink, _) => "bench/slow-sink",
        (Node::Sink, Payload::Number) => "bench/sink",
        (Node::Sink, Payload::Text(_)) => "bench/text-sink",
        (Node::Sink, Payload::Group(_)) => "bench/any-sink",
        (Node::Pass(_), _) => match (manner.work > 0, manner.is_looper, manner.on_thread) {
            (false, false, false) => "bench/pass",
            (false, false, true) => "bench/pass-on-thread",
            (false, true, false) => "bench/walk",
            (false, true, true) => "bench/walk-on-thread",
            (true, false, false) => "bench/toil",
            (true, false, true) => "bench/toil-on-thread",
            (true, true, _) => "bench/walk-and-toil",
        },
    }
}

/// The shape as the engine wants it.
#[must_use]
pub fn plan(shape: &Shape) -> Plan {
    let processes = shape.nodes.iter().enumerate().map(|(at, node)| Process {
        address: format!("N{at}"),
        component: component(*node, shape.payload).into(),
        ..Process::default()
    });
    let exports = shape.sources().map(|source| Export {
        public: go(source),
        end: end(source, "GO"),
        ..Export::default()
    });
    Plan {
        processes: processes.collect(),
        links: links(shape),
        initials: initials(shape),
        inports: exports.collect(),
        ..Plan::default()
    }
}

fn links(shape: &Shape) -> Vec<Link> {
    let mut element = vec![0; shape.nodes.len()];
    let mut into: Vec<Vec<Writer>> = vec![Vec::new(); shape.nodes.len()];
    for (from, to) in &shape.links {
        let is_array = matches!(shape.nodes[*from], Node::Copy | Node::Deal);
        let end = End {
            index: is_array.then_some(element[*from]),
            ..end(*from, "OUT")
        };
        element[*from] += 1;
        into[*to].push(Writer {
            end,
            ..Writer::default()
        });
    }
    let links = into.into_iter().enumerate();
    let links = links.filter(|(_, writers)| !writers.is_empty());
    links
        .map(|(to, from)| Link {
            to: end(to, "IN"),
            from,
            ..Link::default()
        })
        .collect()
}

fn initials(shape: &Shape) -> Vec<Initial> {
    let size = match shape.payload {
        Payload::Number => None,
        Payload::Text(size) => Some(size as u64),
        Payload::Group(size) => Some(size),
    };
    let nodes = shape.nodes.iter().enumerate();
    let initials = nodes.filter_map(|(at, node)| {
        let (port, value) = match node {
            Node::Source => ("SIZE", size?),
            Node::Pass(manner) if manner.work > 0 => ("ROUNDS", rounds(manner.work)),
            _ => return None,
        };
        Some(Initial {
            to: end(at, port),
            value: value.into(),
            ..Initial::default()
        })
    });
    initials.collect()
}
