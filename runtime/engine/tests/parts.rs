//! One graph, cut at some arcs and run as several networks on a store that they share: the same comes out
//! as from one network.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::DRIVERS;
use common::shelf::Shelf;
use paperflow_core::connector::{ConnectorKind, Declaration, Store};
use paperflow_core::*;
use paperflow_engine::{Control, Network, Options, Outcome, Scheduler, Stores, Verdict};
use paperflow_graph::Sources;
use paperflow_graph::parts::{divide, share};
use paperflow_graph::plan::Plan;

/// A graph, cut, and the store that its parts share.
struct Cut {
    whole: Plan,
    sources: Sources,
    shelf: Arc<Shelf>,
    options: Options,
}

impl Cut {
    fn new(text: &str, (scheduler, capacity): (Scheduler, usize)) -> Self {
        let (whole, sources) = common::planned(text, &common::catalogue());
        let options = Options {
            scheduler,
            capacity,
            ..Options::default()
        };
        Self {
            whole,
            sources,
            shelf: Shelf::shared(),
            options,
        }
    }

    fn part(&self, name: &str) -> Plan {
        let division = divide(&self.whole, |connector| connector.store.is_some());
        assert_eq!(division.joints, [], "the parts can run apart");
        let at = division.parts.iter().position(|part| part.name == name);
        let at = at.unwrap_or_else(|| panic!("{:?}", division.parts));
        share(self.whole.clone(), &division, at)
    }

    fn stores(&self) -> Stores {
        let own: Arc<dyn Store> = Arc::new(Shelf::default());
        let shared: Arc<dyn Store> = Arc::clone(&self.shelf) as Arc<dyn Store>;
        Stores::new("g").usual(own).named("s", shared)
    }

    fn start(&self, plan: Plan, options: Options) -> Run {
        let ports: Vec<String> = plan
            .outports
            .iter()
            .map(|port| port.public.clone())
            .collect();
        let mut network = Network::new(plan, &common::catalogue(), &self.sources, options);
        network.keep(self.stores());
        for port in &ports {
            network.output(port).unwrap();
        }
        let started = network.start().unwrap();
        let control = started.running.control();
        let readers = started
            .outputs
            .into_iter()
            .map(|output| thread::spawn(move || output.map(|packet| packet.to_string()).collect()));
        Run {
            control,
            readers: readers.collect(),
            waiter: thread::spawn(move || started.running.wait()),
        }
    }

    fn begin(&self, part: &str) -> Run {
        self.start(self.part(part), self.options.clone())
    }

    /// Runs some parts to their end, and gives all that came out, sorted.
    fn run(&self, parts: &[&str]) -> Vec<String> {
        let runs: Vec<Run> = parts.iter().map(|part| self.begin(part)).collect();
        let mut out: Vec<String> = runs.into_iter().flat_map(Run::out).collect();
        out.sort();
        out
    }

    /// Whether a part has told the others that it sends nothing more to a queue.
    fn has_told_an_end(&self, part: &str) -> bool {
        let notes = self.shelf.notes("g").unwrap().unwrap().read().unwrap();
        let mut notes = notes.iter().filter(|(name, _)| name.starts_with(part));
        notes.any(|(_, text)| text.contains("\"ended\":[\""))
    }

    /// What comes out of one network.
    fn in_one(&self) -> Vec<String> {
        let mut out = self.start(self.whole.clone(), self.options.clone()).out();
        out.sort();
        out
    }
}

struct Run {
    control: Control,
    readers: Vec<JoinHandle<Vec<String>>>,
    waiter: JoinHandle<Outcome>,
}

impl Run {
    fn outcome(self) -> (Outcome, Vec<String>) {
        let out = self
            .readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap());
        let out = out.collect();
        (self.waiter.join().unwrap(), out)
    }

    fn out(self) -> Vec<String> {
        let (outcome, out) = self.outcome();
        assert_eq!(outcome.verdict, Verdict::Finished, "{outcome:#?}");
        assert!(outcome.statistics.totals.is_conserved(), "{outcome:#?}");
        out
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::yield_now();
    }
}

const ROW: &str = "
    '40' -> COUNT Gen(t/emit:host=a) OUT -> IN Pass(t/pass:host=a)
    Pass OUT ->(kind=queue,via=s) IN Sort(t/sort:host=b) OUT -> IN More(t/pass)
    More OUT ->(queue,via=s) IN Last(t/pass:host=c)
    OUTPORT=Last.OUT:OUT";

#[test]
fn b15_a_row_that_is_cut_gives_the_same_and_ends() {
    for driver in DRIVERS {
        let cut = Cut::new(ROW, driver);
        let whole = cut.in_one();
        assert_eq!(whole.len(), 40);
        let cut = Cut::new(ROW, driver);
        assert_eq!(cut.run(&["a", "b", "c"]), whole, "{driver:?}");
        // A run that every part has ended is followed by another.
        assert_eq!(cut.shelf.epoch("g").unwrap(), 1);
        assert_eq!(cut.run(&["c", "a", "b"]), whole, "{driver:?}");
        assert_eq!(cut.shelf.epoch("g").unwrap(), 2);
    }
}

/// Each number goes round until nothing is left of it, over two parts; a third one collects.
const RING: &str = "
    '9' -> COUNT Gen(t/emit:host=a) OUT ->(kind=queue,via=s) IN Step(t/step:host=b)
    Step BACK ->(kind=queue,via=s) IN Pass(t/pass:host=c) OUT ->(kind=queue,via=s) IN Step
    Step OUT ->(kind=queue,via=s) IN Sort(t/sort:host=a)
    OUTPORT=Sort.OUT:OUT";

#[test]
fn a_cycle_through_several_parts_ends_when_nothing_moves_in_any() {
    for driver in DRIVERS {
        let cut = Cut::new(RING, driver);
        assert_eq!(cut.run(&["a", "b", "c"]), ["0"; 9], "{driver:?}");
        assert_eq!(cut.shelf.epoch("g").unwrap(), 1);
    }
}

/// How often each part has written its note, if nothing moves in any.
fn beats_while_still(cut: &Cut, parts: usize) -> Option<u64> {
    let notes = cut.shelf.notes("g").unwrap().unwrap().read().unwrap();
    let accounts = notes
        .iter()
        .map(|(_, text)| serde_json::from_str(text).unwrap());
    let accounts: Vec<serde_json::Value> = accounts.collect();
    let is_still = |account: &serde_json::Value| account["is_still"] == true;
    let beats = accounts.iter().filter(|account| is_still(account));
    let beats: Vec<u64> = beats
        .filter_map(|account| account["beat"].as_u64())
        .collect();
    let least = beats.iter().min().copied();
    least.filter(|_| beats.len() == parts)
}

#[test]
fn what_is_on_its_way_between_still_parts_keeps_them_from_ending() {
    let cut = Cut::new(RING, (Scheduler::Pool(2), 2));
    let name = "test.Pass.IN";
    let declaration = Declaration::new(name, ConnectorKind::Queue);
    cut.shelf.connect(&declaration).unwrap();
    cut.shelf.queues.lock()[name].slow(true);
    let runs = ["a", "b", "c"].map(|part| cut.begin(part));
    let begun = || beats_while_still(&cut, 3);
    until("all are still", || begun().is_some());
    let first = begun().unwrap();
    // Far more often than it takes to find that nothing moves.
    until("they go on", || {
        begun().is_some_and(|beat| beat > first + 8)
    });
    assert_eq!(cut.shelf.left(name).len(), 9);
    cut.shelf.queues.lock()[name].slow(false);
    let out: Vec<String> = runs.into_iter().flat_map(Run::out).collect();
    assert_eq!(out, ["0"; 9]);
}

/// A number that has gone round leads back to where the next one waits for it.
const TURNS: &str = "
    '5' -> COUNT Gen(t/emit:host=a) OUT -> IN Step(t/step:host=a)
    Step BACK ->(kind=queue,via=s) IN There(t/pass:host=b)
    There OUT ->(kind=queue,via=s) IN Back(t/pass:host=a) OUT -> IN Step
    Step OUT -> IN Sort(t/sort:host=a)
    OUTPORT=Sort.OUT:OUT";

#[test]
fn a_part_that_never_comes_keeps_the_others_from_ending_until_they_are_idle() {
    let mut cut = Cut::new(TURNS, (Scheduler::Pool(1), 2));
    assert_eq!(cut.run(&["a", "b"]), ["0"; 5]);
    let cut_short = Cut::new(TURNS, (Scheduler::Pool(1), 2));
    let alone = cut_short.begin("a");
    // Nobody is there to take it: what is on its way keeps it waiting, and what is done ends it.
    cut.options.idle = Some(Duration::from_millis(200));
    let waiting = cut.begin("a");
    let there = cut.begin("b");
    assert_eq!(waiting.out(), ["0"; 5]);
    there.out();
    alone.control.kill();
    assert!(matches!(alone.outcome().0.verdict, Verdict::Abandoned(_)));
}

#[test]
fn a_part_that_is_killed_and_comes_again_changes_nothing() {
    for kills in 1..6 {
        let cut = Cut::new(RING, (Scheduler::Pool(2), 2));
        let (a, c) = (cut.begin("a"), cut.begin("c"));
        for _ in 0..kills {
            let run = cut.begin("b");
            until("something has arrived", || {
                let queues = cut.shelf.queues.lock();
                let mut names = queues.keys().filter(|name| name.ends_with("Step.IN"));
                names.any(|name| queues[name].tickets() > 0)
            });
            run.control.kill();
            run.outcome();
        }
        let last = cut.begin("b");
        assert_eq!(a.out(), ["0"; 9], "{kills}");
        c.out();
        last.out();
        assert_eq!(cut.shelf.epoch("g").unwrap(), 1);
    }
}

/// More than the queue has room for, to one who leaves early.
const LEFT: &str = "
    '99' -> COUNT Gen(t/emit:host=a) OUT ->(5, kind=queue,via=s) IN Leave(t/leaver:host=b)
    Leave OUT -> IN Pass(t/pass)
    OUTPORT=Pass.OUT:OUT";

#[test]
fn who_writes_to_a_full_queue_ends_when_its_readers_in_other_parts_have_left() {
    for driver in DRIVERS {
        let whole = Cut::new(LEFT, driver).in_one();
        assert_eq!(whole.len(), 19);
        assert_eq!(Cut::new(LEFT, driver).run(&["a", "b"]), whole, "{driver:?}");
        // Copies: the last that leaves leaves nobody.
        let cut = Cut::new(LEFT, driver);
        let copy = |copy: &str| {
            let copy = copy.to_owned();
            let options = cut.options.clone();
            cut.start(cut.part("b"), Options { copy, ..options })
        };
        let (one, two) = (copy("one"), copy("two"));
        let source = cut.begin("a");
        assert_eq!(one.out().len() + two.out().len(), 38, "{driver:?}");
        source.out();
    }
}

#[test]
fn what_had_ended_before_a_kill_stays_ended() {
    // A source that never sends the same: no store would know it again.
    let row = ROW.replace("t/emit", "t/emit-slowly");
    let cut = Cut::new(&row, (Scheduler::Pool(2), 2));
    cut.begin("a").out();
    cut.begin("a").out();
    assert_eq!(cut.run(&["b", "c"]).len(), 40);
    assert_eq!(cut.shelf.epoch("g").unwrap(), 1);
}

/// Half of what is divided goes to another part and comes back; the rest is held until that has ended.
const DIVIDED: &str = "
    '40' -> COUNT Gen(t/emit:host=a) OUT -> IN Choose(t/choose:host=a)
    '0' -> FIRST Choose OUT[0] -> IN Near(t/pass:host=a)
    Near OUT ->(kind=queue,via=s) IN Far(t/pass:host=b)
    Far OUT ->(kind=queue,via=s) IN Sort(t/sort:host=a)
    Choose OUT[1] -> IN Here(t/pass:host=a) OUT -> IN Sort
    OUTPORT=Sort.OUT:OUT";

#[test]
fn what_is_divided_in_another_way_after_a_kill_is_not_sent_to_what_had_ended() {
    // What is divided is made in the same part, or comes from another one.
    let fed = DIVIDED.replace(
        "Gen(t/emit:host=a) OUT ->",
        "Gen(t/emit:host=c) OUT ->(kind=queue,via=s)",
    );
    for (driver, text) in DRIVERS
        .iter()
        .flat_map(|way| [(way, DIVIDED), (way, &*fed)])
    {
        let parts: &[&str] = if text == DIVIDED {
            &["a", "b"]
        } else {
            &["a", "b", "c"]
        };
        let cut = Cut::new(text, *driver);
        assert_eq!(cut.run(parts).len(), 40, "{driver:?}");
        let cut = Cut::new(text, *driver);
        let first = cut.begin("a");
        parts[2..]
            .iter()
            .for_each(|source| drop(cut.begin(source).out()));
        until("the end has been told", || cut.has_told_an_end("a/"));
        first.control.kill();
        first.outcome();
        // What went to the other part goes to this one, and the other way round.
        let text = text.replace("'0' -> FIRST", "'1' -> FIRST");
        let again = Cut {
            shelf: Arc::clone(&cut.shelf),
            ..Cut::new(&text, *driver)
        };
        let mut out = again.run(&["a", "b"]);
        out.dedup();
        assert_eq!(out.len(), 40, "{driver:?}: {out:?}");
    }
}

#[test]
fn p10_copies_of_a_part_compete_and_end_together() {
    let cut = Cut::new(ROW, (Scheduler::Pool(2), 2));
    let copy = |name: &str| Options {
        copy: name.to_owned(),
        ..cut.options.clone()
    };
    let runs = [
        cut.start(cut.part("b"), copy("one")),
        cut.start(cut.part("c"), copy("one")),
        cut.start(cut.part("c"), copy("two")),
        cut.start(cut.part("b"), copy("two")),
        cut.begin("a"),
    ];
    let mut out: Vec<String> = runs.into_iter().flat_map(Run::out).collect();
    out.sort();
    assert_eq!(out, Cut::new(ROW, (Scheduler::Auto, 7)).in_one());
    assert_eq!(cut.shelf.epoch("g").unwrap(), 1);
}

#[test]
fn a_program_that_takes_the_place_of_another_stops_it() {
    let cut = Cut::new(ROW, (Scheduler::Pool(2), 2));
    let old = cut.begin("b");
    let new = cut.begin("b");
    let (outcome, _) = old.outcome();
    let Verdict::Failed(report) = outcome.verdict else {
        panic!("{outcome:#?}");
    };
    assert!(report.message.contains("another program"), "{report:?}");
    new.control.kill();
    new.outcome();
}
