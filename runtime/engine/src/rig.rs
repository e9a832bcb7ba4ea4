//! Tests a component alone.
//!
//! ```
//! # use paperflow_core::{Out, Text, component};
//! # use paperflow_engine::rig::Rig;
//! /// Emits every word of a text as a packet of its own.
//! #[component("text/words", work = compute)]
//! fn words(
//!     /// A line of text.
//!     line: Text,
//!     /// One word per packet, in order.
//!     words: &mut Out<Text>,
//! ) {
//!     for word in line.split_whitespace() {
//!         words.put(word);
//!     }
//! }
//!
//! Rig::of(words).feed("line", ["to be", " or  not"]).expect("words", ["to", "be", "or", "not"]);
//! ```
//!
//! Every expectation runs the component under both schedulers, at capacities 1 and 64, in virtual time.
//!
//! The examples of a component's description are run by [`try_example`], and each packet of them twice
//! by [`try_twice`], for a component that says it is idempotent; [`try_crashes`] cuts them off and goes on
//! with them.

mod crash;
mod examples;
mod tables;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Context;

use paperflow_core::{
    Activity, Catalogue, Component, Example, Fault, Give, IntoPort, Packet, Params, PortSpec, Spec,
    Step, Take, Turn, Work,
};
use paperflow_graph::Sources;
use paperflow_graph::plan::{self, Plan};
use parking_lot::Mutex;
use serde_json::Value as Json;

use crate::build::{BuildError, Network};
use crate::options::{Options, Scheduler};
use crate::report::{Outcome, Verdict};

pub use crash::try_crashes;
pub use examples::{Difference, Mismatch, try_example, try_twice};
use tables::Tables;

/// Schedulers and capacities that everything is run with.
pub const DRIVERS: [(Scheduler, usize); 5] = [
    (Scheduler::Threads, 1),
    (Scheduler::Threads, 64),
    (Scheduler::Pool(1), 1),
    (Scheduler::Pool(1), 64),
    (Scheduler::Pool(2), 2),
];

/// A component on the bench.
#[derive(Clone)]
pub struct Rig {
    component: Arc<dyn Component>,
    params: Vec<(String, Json)>,
    feeds: Vec<(String, Vec<Packet>)>,
    metadata: Vec<(String, Json)>,
    keeps_tables: bool,
}

/// One run: what came out by port, and how it ended.
#[derive(Debug)]
pub struct Ran {
    outputs: Vec<(String, Vec<Packet>)>,
    rows: BTreeMap<String, BTreeMap<String, String>>,
    /// How it ended, with statistics.
    pub outcome: Outcome,
}

impl Ran {
    /// What came out of a port.
    #[must_use]
    pub fn output(&self, port: &str) -> &[Packet] {
        let found = self
            .outputs
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(port));
        found.map_or(&[], |(_, packets)| packets)
    }

    /// The rows of each table at the end, keys and rows as JSON, of a rig that
    /// [keeps tables](Rig::keep_tables).
    #[must_use]
    pub const fn rows(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.rows
    }
}

impl Rig {
    /// Puts a component on the bench.
    #[must_use]
    pub fn of(component: impl Component + 'static) -> Self {
        Self::of_shared(Arc::new(component))
    }

    /// Puts a component of a catalogue on the bench.
    #[must_use]
    pub fn of_shared(component: Arc<dyn Component>) -> Self {
        Self {
            component,
            params: Vec::new(),
            feeds: Vec::new(),
            metadata: Vec::new(),
            keeps_tables: false,
        }
    }

    /// Keeps its tables as a store would, so that they can be looked at: [`Ran::rows`].
    #[must_use]
    pub const fn keep_tables(mut self) -> Self {
        self.keeps_tables = true;
        self
    }

    /// Gives it a parameter.
    #[must_use]
    pub fn set(mut self, param: &str, value: impl Into<Json>) -> Self {
        self.params.push((param.to_uppercase(), value.into()));
        self
    }

    /// Gives its process node metadata, such as `fault=park`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.push((key.to_owned(), value.into()));
        self
    }

    /// Feeds an in-port, `IN` or `IN[2]`, and ends it.
    #[must_use]
    pub fn feed<T: IntoPort<Packet>>(
        mut self,
        port: &str,
        packets: impl IntoIterator<Item = T>,
    ) -> Self {
        let packets = packets.into_iter().map(IntoPort::into_port).collect();
        self.feeds.push((port.to_uppercase(), packets));
        self
    }

    /// Runs it every way and compares what comes out of a port, in order.
    ///
    /// # Panics
    /// When it differs, or the run does not finish.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the comparison is what it is called for"
    )]
    pub fn expect<T: IntoPort<Packet>>(
        self,
        port: &str,
        packets: impl IntoIterator<Item = T>,
    ) -> Self {
        let expected: Vec<Packet> = packets.into_iter().map(IntoPort::into_port).collect();
        for (scheduler, capacity) in DRIVERS {
            let ran = self.run(&[port], scheduler, capacity);
            let name = &self.component.spec().name;
            let way = format!("{name} with {scheduler:?} at capacity {capacity}");
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
            assert_eq!(ran.output(port), expected, "{port} of {way}");
            assert!(
                ran.outcome.leaks.is_empty(),
                "{way} leaks: {:?}",
                ran.outcome.leaks
            );
            assert!(
                ran.outcome.statistics.totals.is_conserved(),
                "{way}: {:?}",
                ran.outcome.statistics.totals
            );
        }
        self
    }

    /// Runs it every way and expects a fault whose message contains this.
    ///
    /// # Panics
    /// When there is none, or another one.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the comparison is what it is called for"
    )]
    pub fn expect_fault(self, part: &str) -> Self {
        for (scheduler, capacity) in DRIVERS {
            let ports: Vec<String> = self.outputs().map(|port| port.name.clone()).collect();
            let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
            let outcome = self.run(&ports, scheduler, capacity).outcome;
            match &outcome.verdict {
                Verdict::Failed(report) if report.message.contains(part) => {}
                other => {
                    panic!("expected a fault with {part:?} under {scheduler:?}, got {other:?}")
                }
            }
        }
        self
    }

    fn outputs(&self) -> impl Iterator<Item = &PortSpec> {
        self.component
            .spec()
            .outputs
            .iter()
            .filter(|port| port.name != paperflow_core::spec::ERROR && !port.array)
    }

    /// Runs it once and collects these out-ports.
    ///
    /// # Panics
    /// When the component has no such port.
    #[must_use]
    pub fn run(&self, ports: &[&str], scheduler: Scheduler, capacity: usize) -> Ran {
        let ran = self.try_run(ports, scheduler, capacity);
        ran.unwrap_or_else(|error| panic!("the rig cannot be built: {error}"))
    }

    /// Runs it once and collects these out-ports.
    ///
    /// # Errors
    /// The component has no such port.
    pub fn try_run(
        &self,
        ports: &[&str],
        scheduler: Scheduler,
        capacity: usize,
    ) -> Result<Ran, BuildError> {
        let tables = self.keeps_tables.then(|| Tables::of(self.component.spec()));
        let mut bench = Bench::new(self, tables.clone());
        let collected: Vec<_> = ports
            .iter()
            .map(|port| (port.to_uppercase(), bench.collect(port)))
            .collect();
        let options = Options {
            scheduler,
            capacity,
            virtual_time: true,
            ..Options::default()
        };
        let network = Network::new(bench.plan, &bench.catalogue, &Sources::new(), options);
        let outcome = network.start()?.running.wait();
        let take =
            |(port, packets): (String, Collected)| (port, std::mem::take(&mut *packets.lock()));
        Ok(Ran {
            outputs: collected.into_iter().map(take).collect(),
            rows: tables.map(|tables| tables.rows()).unwrap_or_default(),
            outcome,
        })
    }

    /// Runs an example of the component's spec every way, with all the ports it expects connected.
    ///
    /// # Panics
    /// When something else comes out.
    pub fn check_example(component: &Arc<dyn Component>, example: &Example) {
        let found = try_example(component, example);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        let name = &component.spec().name;
        assert!(found.is_empty(), "{name}, {example:?}: {found:#?}");
    }
}

type Collected = Arc<Mutex<Vec<Packet>>>;

/// The network around the component: feeders before it, collectors behind it.
struct Bench {
    plan: Plan,
    catalogue: Catalogue,
}

const TESTED: usize = 0;

impl Bench {
    fn new(rig: &Rig, tables: Option<Tables>) -> Self {
        let name = rig.component.spec().name.clone();
        let component = Arc::clone(&rig.component);
        let mut bench = Self {
            plan: Plan::default(),
            catalogue: Catalogue::new().with(Shared { component, tables }),
        };
        bench.add("Tested", &name);
        bench.plan.processes[TESTED]
            .metadata
            .clone_from(&rig.metadata);
        for (param, value) in &rig.params {
            let to = plan::End {
                process: TESTED,
                port: param.clone(),
                ..plan::End::default()
            };
            bench.plan.initials.push(plan::Initial {
                to,
                value: value.clone(),
                ..plan::Initial::default()
            });
        }
        for (at, (port, packets)) in rig.feeds.iter().enumerate() {
            bench.feed(at, port, packets);
        }
        bench
    }

    fn add(&mut self, address: &str, component: &str) -> usize {
        self.plan.processes.push(plan::Process {
            address: address.to_owned(),
            component: component.to_owned(),
            ..plan::Process::default()
        });
        self.plan.processes.len() - 1
    }

    fn feed(&mut self, at: usize, port: &str, packets: &[Packet]) {
        let component = format!("rig/feed-{at}");
        let spec = Spec::new(&component, "Sends what it was given.")
            .work(Work::Compute)
            .output(PortSpec::new("OUT", "All of it.", Vec::new()));
        let feeder = Feeder {
            spec,
            packets: Mutex::new(packets.iter().cloned().collect()),
        };
        self.catalogue = std::mem::take(&mut self.catalogue).with(feeder);
        let process = self.add(&component, &component);
        self.link(
            plan::End {
                process,
                port: String::from("OUT"),
                ..plan::End::default()
            },
            end(port),
        );
    }

    fn collect(&mut self, port: &str) -> Collected {
        let component = format!("rig/collect-{port}");
        let spec = Spec::new(&component, "Keeps what comes.")
            .work(Work::Compute)
            .input(PortSpec::new("IN", "Anything.", Vec::new()));
        let collected = Collected::default();
        let collector = Collector {
            spec,
            into: Arc::clone(&collected),
        };
        self.catalogue = std::mem::take(&mut self.catalogue).with(collector);
        let process = self.add(&component, &component);
        self.link(
            end(&port.to_uppercase()),
            plan::End {
                process,
                port: String::from("IN"),
                ..plan::End::default()
            },
        );
        collected
    }

    fn link(&mut self, from: plan::End, to: plan::End) {
        let from = vec![plan::Writer {
            end: from,
            ..plan::Writer::default()
        }];
        self.plan.links.push(plan::Link {
            to,
            from,
            ..plan::Link::default()
        });
    }
}

/// `PORT` or `PORT[2]` of the tested component.
fn end(port: &str) -> plan::End {
    let element = port.strip_suffix(']').and_then(|port| port.split_once('['));
    let (port, index) = match element {
        Some((port, index)) => (port, index.parse().ok()),
        None => (port, None),
    };
    plan::End {
        process: TESTED,
        port: port.to_owned(),
        index,
        ..plan::End::default()
    }
}

/// The component, with the tables that the rig keeps for it.
struct Shared {
    component: Arc<dyn Component>,
    tables: Option<Tables>,
}

impl Component for Shared {
    fn spec(&self) -> &Spec {
        self.component.spec()
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        match &self.tables {
            Some(tables) => self.component.open(&tables.beside(params)),
            None => self.component.open(params),
        }
    }
}

/// Position of a plain port's only element.
const ONLY: usize = 0;

struct Feeder {
    spec: Spec,
    /// They leave with its one activation, so that nobody else holds what they follow from.
    packets: Mutex<VecDeque<Packet>>,
}

impl Component for Feeder {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Feeding {
            packets: std::mem::take(&mut self.packets.lock()),
            are_adopted: false,
        }))
    }
}

struct Feeding {
    packets: VecDeque<Packet>,
    /// They have been counted as packets of this process.
    are_adopted: bool,
}

impl Activity for Feeding {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        if !std::mem::replace(&mut self.are_adopted, true) {
            self.packets.iter().for_each(|_| turn.adopt());
        }
        while let Some(packet) = self.packets.pop_front() {
            match turn.give(ONLY, packet) {
                Give::Sent => {}
                Give::Closed(packet) => turn.drop_packet(packet),
                Give::Full(packet) => {
                    self.packets.push_front(packet);
                    return Ok(Step::Wait);
                }
            }
        }
        Ok(Step::Done)
    }
}

struct Collector {
    spec: Spec,
    into: Collected,
}

impl Component for Collector {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Collecting(Arc::clone(&self.into))))
    }
}

struct Collecting(Collected);

impl Activity for Collecting {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        loop {
            match turn.take(ONLY) {
                Take::Packet(packet) => {
                    self.0.lock().push(packet.clone());
                    turn.drop_packet(packet);
                }
                Take::Empty if turn.is_spent() => return Ok(Step::More),
                Take::Empty => return Ok(Step::Wait),
                Take::End => return Ok(Step::Done),
            }
        }
    }
}
