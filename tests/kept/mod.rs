//! Graphs whose arcs are kept by the embedded store, run one after the other on the same folder.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use paperflow::graph::guarantee::Guarantee;
use paperflow::graph::plan::{Export, Table};
use paperflow::{
    Catalogue, Component, Control, Input, Network, Observer, Options, Outcome, Output, Scheduler,
    Started, Verdict, describe, load_text, load_wired, open_wired_stores,
};
use paperflow_connect::Admin;
use paperflow_connect::admin::Statistics;

/// A graph, and the folder of its store.
pub(crate) struct Kept {
    folder: PathBuf,
    text: String,
    catalogue: Catalogue,
    scheduler: Scheduler,
    tables: Vec<(String, String)>,
    /// A wiring file, if there is one.
    wiring: Option<String>,
}

/// How long a test waits for what must come.
const HOPELESS: Duration = Duration::from_secs(60);

impl Kept {
    /// A graph on an empty store; `name` is that of the test.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("kept")
            .join(name);
        drop(std::fs::remove_dir_all(&folder));
        Self {
            folder,
            text: text.to_owned(),
            catalogue: paperflow::standard(),
            scheduler: Scheduler::Auto,
            tables: Vec::new(),
            wiring: None,
        }
    }

    /// It has a wiring file of this text.
    pub(crate) fn wired(mut self, wiring: &str) -> Self {
        self.wiring = Some(wiring.to_owned());
        self
    }

    pub(crate) fn with(mut self, component: impl Component + 'static) -> Self {
        self.catalogue = self.catalogue.with(component);
        self
    }

    pub(crate) fn under(mut self, scheduler: Scheduler) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// A table of a process is kept in the store.
    pub(crate) fn keeping(mut self, process: &str, table: &str) -> Self {
        self.tables.push((process.to_owned(), table.to_owned()));
        self
    }

    /// Another graph on the same store, with the same components.
    pub(crate) fn text(&mut self, text: &str) {
        text.clone_into(&mut self.text);
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is said of the delivery on each of its paths.
    pub(crate) fn guarantees(&self) -> Vec<Guarantee> {
        let described = describe(&self.catalogue);
        let loaded = load_text(Path::new("g.fbp"), self.text.clone(), &described);
        loaded.paths.iter().map(|path| path.guarantee).collect()
    }

    /// Starts it; this program feeds its exported in-ports, and reads its exported out-ports.
    pub(crate) fn start(&self) -> Run {
        let described = describe(&self.catalogue);
        let mut loaded = match &self.wiring {
            None => load_text(Path::new("g.fbp"), self.text.clone(), &described),
            Some(wiring) => {
                let file = |name| self.folder.join(name);
                std::fs::create_dir_all(&self.folder).expect("there is room");
                std::fs::write(file("g.fbp"), &self.text).expect("there is room");
                std::fs::write(file("g.toml"), wiring).expect("there is room");
                load_wired(file("g.fbp"), file("g.toml"), &described).expect("they are there")
            }
        };
        assert!(!loaded.has_errors(), "{}", loaded.report());
        for (process, name) in &self.tables {
            loaded.plan.tables.push(Table {
                process: loaded.plan.process(process).expect("it is drawn"),
                name: name.clone(),
                ..Table::default()
            });
        }
        let stores = open_wired_stores(&loaded.plan, &loaded.wiring, &self.folder, |_| None);
        let stores = stores.expect("the store opens");
        let public = |exports: &[Export]| -> Vec<String> {
            let names = exports.iter().map(|port| port.public.clone());
            names.collect()
        };
        let (fed, ports) = (public(&loaded.plan.inports), public(&loaded.plan.outports));
        let options = Options {
            scheduler: self.scheduler,
            ..Options::default()
        };
        let mut network = Network::new(loaded.plan, &self.catalogue, &loaded.sources, options);
        network.keep(stores);
        for port in &fed {
            network.input(port).expect("the graph exports it");
        }
        for port in &ports {
            network.output(port).expect("the graph exports it");
        }
        let Started {
            running,
            inputs,
            outputs,
        } = network.start().expect("the graph is sound");
        let (control, observer) = (running.control(), running.observer());
        let waiter = thread::spawn(move || running.wait());
        Run {
            control,
            observer,
            inputs: fed.into_iter().zip(inputs).collect(),
            outputs: ports.into_iter().zip(outputs).collect(),
            waiter,
        }
    }

    /// Runs it to its end and gives what came out of OUT.
    pub(crate) fn run(&self) -> Vec<String> {
        let mut run = self.start();
        let out = run.output("OUT");
        let reader = thread::spawn(move || out.map(|packet| packet.to_string()).collect());
        let outcome = run.finish();
        assert_eq!(outcome.verdict, Verdict::Finished, "{outcome:#?}");
        reader.join().expect("it reads")
    }

    /// What the command asks of the store, whether a network runs or not.
    pub(crate) fn admin(&self) -> Admin {
        Admin::attach(&self.folder).expect("there is a store")
    }

    pub(crate) fn queue(&self, name: &str) -> Statistics {
        let queues = self.admin().queues().expect("it answers");
        let found = queues.into_iter().find(|queue| queue.queue == name);
        found.unwrap_or_else(|| panic!("no queue {name}"))
    }

    /// Waits until a queue is as it should be.
    pub(crate) fn until(&self, name: &str, is_so: impl Fn(&Statistics) -> bool) {
        until(name, || self.queue(name), is_so);
    }
}

/// Waits until something is as it should be.
pub(crate) fn until<T: std::fmt::Debug>(
    what: &str,
    look: impl Fn() -> T,
    is_so: impl Fn(&T) -> bool,
) {
    let start = Instant::now();
    loop {
        let found = look();
        if is_so(&found) {
            return;
        }
        assert!(start.elapsed() < HOPELESS, "{what} stays {found:?}");
        thread::yield_now();
    }
}

/// A graph that runs.
pub(crate) struct Run {
    pub(crate) control: Control,
    pub(crate) observer: Observer,
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    waiter: thread::JoinHandle<Outcome>,
}

impl Run {
    pub(crate) fn input(&mut self, port: &str) -> Input {
        self.inputs.remove(port).expect("the graph exports it")
    }

    pub(crate) fn output(&mut self, port: &str) -> Output {
        self.outputs.remove(port).expect("the graph exports it")
    }

    /// Waits until a process is in this state.
    pub(crate) fn until(&self, address: &str, state: &str) {
        let look = || {
            let states = self.observer.states();
            let found = states.into_iter().find(|(process, _)| process == address);
            found.map(|(_, state)| state.to_string())
        };
        until(address, look, |found| found.as_deref() == Some(state));
    }

    pub(crate) fn finish(self) -> Outcome {
        self.waiter.join().expect("it does not panic")
    }

    /// Ends it at once, as far as that can be done from within.
    pub(crate) fn kill(self) -> Outcome {
        self.control.kill();
        self.finish()
    }
}

/// Holds processes up until the test lets them go on.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    is_open: bool,
    passes: usize,
    waiting: Vec<String>,
}

impl Gate {
    /// A process comes with something, and waits.
    pub(crate) fn pass(&self, what: &str) {
        let (state, bell) = &*self.0;
        let mut state = state.lock().expect("nobody panics here");
        state.waiting.push(what.to_owned());
        bell.notify_all();
        while !state.is_open && state.passes == 0 {
            state = bell.wait(state).expect("nobody panics here");
        }
        if !state.is_open {
            state.passes -= 1;
        }
        state.waiting.retain(|other| other != what);
    }

    /// Waits until so many have come, and gives what they came with, sorted.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<String> {
        let (state, bell) = &*self.0;
        let mut state = state.lock().expect("nobody panics here");
        while state.waiting.len() < count {
            let (next, timeout) = bell
                .wait_timeout(state, HOPELESS)
                .expect("nobody panics here");
            state = next;
            assert!(!timeout.timed_out(), "only {:?} have come", state.waiting);
        }
        let mut waiting = state.waiting.clone();
        waiting.sort();
        waiting
    }

    pub(crate) fn let_one_pass(&self) {
        let (state, bell) = &*self.0;
        state.lock().expect("nobody panics here").passes += 1;
        bell.notify_all();
    }

    pub(crate) fn open(&self) {
        let (state, bell) = &*self.0;
        state.lock().expect("nobody panics here").is_open = true;
        bell.notify_all();
    }
}
