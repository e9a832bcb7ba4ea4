//! Runs a network every way and keeps what it showed.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Context;
use std::thread;
use std::time::Duration;

use paperflow::graph::{Diagnostic, Severity};
use paperflow::report::{LinkStatistics, ProcessStatistics};
use paperflow::{
    Activity, Catalogue, Component, Fault, Give, Kind, Loaded, Network, Options, Outcome, Packet,
    Params, PortSpec, Running, Scheduler, Spec, Started, Step, Take, Turn, Verdict, Work, describe,
    load_text, open_wired_stores,
};

/// How a network is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) scheduler: Scheduler,
    pub(crate) capacity: usize,
}

const SCHEDULERS: [Scheduler; 3] = [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)];
const CAPACITIES: [usize; 3] = [1, 2, 1000];

/// Every scheduler with every capacity.
pub(crate) fn ways() -> impl Iterator<Item = Way> {
    SCHEDULERS.into_iter().flat_map(|scheduler| {
        CAPACITIES.into_iter().map(move |capacity| Way {
            scheduler,
            capacity,
        })
    })
}

/// A network on the bench, with the components it may use.
#[derive(Clone)]
pub(crate) struct Bench {
    path: PathBuf,
    text: String,
    catalogue: Catalogue,
}

impl Bench {
    /// A network written in a test.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            path: PathBuf::from("test.fbp"),
            text: text.to_owned(),
            catalogue: paperflow::standard().with(Say::default()),
        }
    }

    /// A network in a file, relative to the root.
    pub(crate) fn file(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            path: path.to_path_buf(),
            ..Self::of(&text)
        }
    }

    /// Gives it one more component.
    pub(crate) fn with(mut self, component: impl Component + 'static) -> Self {
        self.catalogue = self.catalogue.with(component);
        self
    }

    /// Changes its text.
    pub(crate) fn change(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.text = change(self.text);
        self
    }

    fn load(&self, catalogue: &Catalogue) -> Loaded {
        load_text(&self.path, self.text.clone(), &describe(catalogue))
    }

    /// What is wrong with it, without running it.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        self.load(&self.catalogue).diagnostics
    }

    /// The one error it has.
    pub(crate) fn error(&self) -> Diagnostic {
        let mut errors = self.diagnostics();
        errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        errors.remove(0)
    }

    /// Starts it, all in memory; whoever asks for ports must read and feed them.
    pub(crate) fn start(&self, way: Way, inputs: &[&str], outputs: &[&str]) -> Started {
        let nowhere = Path::new("no store");
        let mut network = self.network(way, &self.catalogue, nowhere);
        for port in inputs {
            network.input(port).expect("the graph exports it");
        }
        for port in outputs {
            network.output(port).expect("the graph exports it");
        }
        network.start().expect("the graph is sound")
    }

    fn network(&self, way: Way, catalogue: &Catalogue, data: &Path) -> Network {
        let loaded = self.load(catalogue);
        assert!(!loaded.has_errors(), "{:#?}", loaded.diagnostics);
        let options = Options {
            scheduler: way.scheduler,
            capacity: way.capacity,
            // A store has the time of the machine.
            virtual_time: !is_kept(&loaded.plan),
            ..Options::default()
        };
        let stores = open_wired_stores(&loaded.plan, &loaded.wiring, data, |_| None);
        let mut network = Network::new(loaded.plan, catalogue, &loaded.sources, options);
        network.keep(stores.expect("the store opens"));
        network
    }

    /// Runs it once, on a store of its own if it needs one; every exported out-port is read.
    pub(crate) fn run(&self, way: Way) -> Ran {
        let data = tempfile::tempdir().expect("there is room");
        self.run_on(way, data.path())
    }

    /// Runs it once; what is kept is kept in this folder.
    pub(crate) fn run_on(&self, way: Way, data: &Path) -> Ran {
        let console = Console::like(&self.catalogue);
        let shown = Arc::clone(&console.shown);
        let catalogue = self.catalogue.clone().with(console);
        let outports = self.load(&catalogue).plan.outports;
        let ports: Vec<String> = outports.into_iter().map(|export| export.public).collect();
        let mut network = self.network(way, &catalogue, data);
        for port in &ports {
            network.output(port).expect("the graph exports it");
        }
        let started = network.start().expect("the graph is sound");
        let readers: Vec<_> = started
            .outputs
            .into_iter()
            .map(|output| thread::spawn(move || output.collect::<Vec<Packet>>()))
            .collect();
        let outcome = finish(started.running, way);
        let read =
            |reader: thread::JoinHandle<Vec<Packet>>| words(reader.join().expect("it reads"));
        let ran = Ran {
            way,
            shown: std::mem::take(&mut *shown.lock().expect("nobody panics here")),
            out: ports
                .into_iter()
                .zip(readers.into_iter().map(read))
                .collect(),
            outcome,
        };
        ran.obeys_the_law();
        ran
    }

    /// Runs it every way.
    pub(crate) fn every_way(&self, check: impl Fn(&Ran)) {
        ways().for_each(|way| check(&self.run(way)));
    }

    /// Runs it every way; it must finish, and this must come out of OUT.
    pub(crate) fn expect(&self, expected: &[&str]) {
        self.every_way(|ran| {
            ran.succeeds();
            assert_eq!(ran.out["OUT"], expected, "{:?}", ran.way);
        });
    }
}

fn is_kept(plan: &paperflow::graph::Plan) -> bool {
    !plan.tables.is_empty() || plan.links.iter().any(|link| link.connector.is_some())
}

/// Waits for the end of a run. A run that does not end fails the test and says who hangs.
pub(crate) fn finish(running: Running, way: Way) -> Outcome {
    let observer = running.observer();
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens once the watchdog has given up.
        let _unheard = done.send(running.wait());
    });
    outcome
        .recv_timeout(Duration::from_secs(60))
        .unwrap_or_else(|_| panic!("{way:?} does not end: {:#?}", observer.states()))
}

fn words(packets: Vec<Packet>) -> Vec<String> {
    packets.iter().map(word).collect()
}

fn word(packet: &Packet) -> String {
    match packet.kind() {
        Kind::Open => String::from("("),
        Kind::Close => String::from(")"),
        _ => packet.to_string(),
    }
}

/// One run.
pub(crate) struct Ran {
    pub(crate) way: Way,
    /// Lines on the console.
    pub(crate) shown: Vec<String>,
    /// What came out of each exported port, with `(` and `)` for brackets.
    pub(crate) out: BTreeMap<String, Vec<String>>,
    pub(crate) outcome: Outcome,
}

impl Ran {
    /// It finished, and nothing is odd about it.
    pub(crate) fn succeeds(&self) {
        let Self { way, outcome, .. } = self;
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert!(outcome.is_success(), "{way:?}: {outcome:#?}");
    }

    pub(crate) fn process(&self, address: &str) -> &ProcessStatistics {
        let mut all = self.outcome.statistics.processes.iter();
        all.find(|process| process.address == address)
            .unwrap_or_else(|| panic!("no process {address}"))
    }

    pub(crate) fn link(&self, to: &str) -> &LinkStatistics {
        let mut all = self.outcome.statistics.links.iter();
        all.find(|link| link.to == to)
            .unwrap_or_else(|| panic!("no link to {to}: {:#?}", self.outcome.statistics.links))
    }

    fn obeys_the_law(&self) {
        let (way, statistics) = (self.way, &self.outcome.statistics);
        assert!(statistics.totals.is_conserved(), "{way:?}: {statistics:#?}");
        // What waits for this program when the run ends is handed out, and received later.
        let inner = statistics
            .links
            .iter()
            .filter(|link| link.to != "(outside)");
        for link in inner {
            let counts = link.counts;
            let gone = counts.received + counts.shed + counts.lost_on_close;
            assert_eq!(counts.sent, gone, "{way:?}: {link:?}");
            assert!(counts.high_water <= link.capacity, "{way:?}: {link:?}");
        }
    }
}

type Shown = Arc<Mutex<Vec<String>>>;

/// `console/write`, with a list in place of the screen.
struct Console {
    spec: Spec,
    shown: Shown,
}

impl Console {
    fn like(catalogue: &Catalogue) -> Self {
        let console = catalogue.get("console/write").expect("it is standard");
        Self {
            spec: console.spec().clone(),
            shown: Shown::default(),
        }
    }
}

impl Component for Console {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Showing {
            shown: Arc::clone(&self.shown),
            level: 0,
            hand: None,
        }))
    }
}

struct Showing {
    shown: Shown,
    level: u64,
    hand: Option<Packet>,
}

impl Showing {
    fn show(&mut self, packet: &Packet) {
        let line = match packet.kind() {
            Kind::Open => {
                self.level += 1;
                format!("OPEN({})", self.level)
            }
            Kind::Close => {
                self.level = self.level.saturating_sub(1);
                format!("CLOSE({})", self.level + 1)
            }
            _ => packet.to_string(),
        };
        self.shown.lock().expect("nobody panics here").push(line);
    }
}

impl Activity for Showing {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        loop {
            if let Some(packet) = self.hand.take() {
                match turn.give(0, packet) {
                    Give::Sent => {}
                    Give::Full(packet) => {
                        self.hand = Some(packet);
                        return Ok(Step::Wait);
                    }
                    Give::Closed(packet) => {
                        turn.drop_packet(packet);
                        return Ok(Step::Done);
                    }
                }
            }
            match turn.take(0) {
                Take::Packet(packet) => {
                    self.show(&packet);
                    self.hand = Some(packet);
                }
                Take::Empty if turn.is_spent() => return Ok(Step::More),
                Take::Empty => return Ok(Step::Wait),
                Take::End => return Ok(Step::Done),
            }
        }
    }

    fn end(&mut self, turn: &mut Turn) {
        if let Some(packet) = self.hand.take() {
            turn.drop_packet(packet);
        }
    }
}

/// `test/say`: sends the words of WHAT, with brackets for `(` and `)` and numbers as numbers.
struct Say(Spec);

impl Default for Say {
    fn default() -> Self {
        let what = paperflow_core::ParamSpec {
            name: String::from("WHAT"),
            parses: String::from("text"),
            ..paperflow_core::ParamSpec::default()
        };
        let out = PortSpec::new("OUT", "What it says.", Vec::new());
        let spec = Spec::new("test/say", "Says something.").work(Work::Compute);
        Self(spec.param(what).output(out))
    }
}

impl Component for Say {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        let what = params.param::<String>("WHAT")?;
        let mut said: Vec<Packet> = what.split_whitespace().map(packet).collect();
        said.reverse();
        Ok(Box::new(Saying(said)))
    }
}

fn packet(word: &str) -> Packet {
    match (word, word.parse()) {
        ("(", _) => Packet::open(),
        (")", _) => Packet::close(),
        (_, Ok(number)) => Packet::int(number),
        _ => Packet::text(word),
    }
}

struct Saying(Vec<Packet>);

impl Activity for Saying {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        while let Some(packet) = self.0.pop() {
            match turn.give_new(0, packet) {
                Give::Sent => {}
                Give::Closed(_) => return Ok(Step::Done),
                Give::Full(packet) => {
                    self.0.push(packet);
                    return Ok(Step::Wait);
                }
            }
        }
        Ok(Step::Done)
    }
}
