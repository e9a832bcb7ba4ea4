//! Streams written as text, and components run every way.
#![allow(dead_code, reason = "each test file uses a part of it")]

use paperflow_core::Packet;
use paperflow_engine::rig::Rig;
use paperflow_engine::{Network, Options, Outcome, Scheduler, Verdict};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Initial, Link, Plan, Process, Writer};

/// Schedulers and capacities that everything is run with.
pub(crate) const DRIVERS: [(Scheduler, usize); 5] = [
    (Scheduler::Threads, 1),
    (Scheduler::Threads, 64),
    (Scheduler::Pool(1), 1),
    (Scheduler::Pool(1), 64),
    (Scheduler::Pool(2), 2),
];

/// A component of the catalogue on the bench.
pub(crate) fn rig(name: &str) -> Rig {
    let catalogue = paperflow_std::catalogue();
    let component = catalogue
        .get(name)
        .unwrap_or_else(|| panic!("there is no component {name}"));
    Rig::of_shared(component.clone())
}

/// A stream, with blanks between its packets: `( 1 -2.5 word )`. Brackets are brackets, what reads as
/// a number is one, all else is text; `''` is the empty text, and `_` in a text a blank.
pub(crate) fn stream(text: &str) -> Vec<Packet> {
    text.split_whitespace().map(packet).collect()
}

fn packet(word: &str) -> Packet {
    match word {
        "(" => Packet::open(),
        ")" => Packet::close(),
        "''" => Packet::text(""),
        _ => {
            let int = word.parse().ok().map(Packet::int);
            let float = || word.parse().ok().map(Packet::float);
            int.or_else(float)
                .unwrap_or_else(|| Packet::text(word.replace('_', " ")))
        }
    }
}

/// Texts, as they are.
pub(crate) fn texts(texts: &[&str]) -> Vec<Packet> {
    texts.iter().map(|text| Packet::text(*text)).collect()
}

/// Records, written as JSON in an array.
pub(crate) fn records(json: serde_json::Value) -> Vec<Packet> {
    let records = json.as_array().expect("records are written in an array");
    records
        .iter()
        .map(|record| Packet::json(record.clone()))
        .collect()
}

/// Runs a component every way and compares what comes out of all these ports in the same run.
pub(crate) fn check(rig: &Rig, expected: &[(&str, Vec<Packet>)]) {
    let ports: Vec<&str> = expected.iter().map(|(port, _)| *port).collect();
    for (scheduler, capacity) in DRIVERS {
        let ran = rig.run(&ports, scheduler, capacity);
        let way = format!("{scheduler:?} at capacity {capacity}");
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        for (port, packets) in expected {
            assert_eq!(ran.output(port), packets, "{port} with {way}");
        }
        assert!(
            ran.outcome.leaks.is_empty(),
            "{way} leaks: {:?}",
            ran.outcome.leaks
        );
        assert!(
            ran.outcome.statistics.totals.is_conserved(),
            "{way}: {:?}",
            ran.outcome.statistics
        );
    }
}

/// Runs a component every way: one stream into IN, one out of OUT, both written as text.
pub(crate) fn through(rig: Rig, input: &str, output: &str) {
    check(&rig.feed("IN", stream(input)), &[("OUT", stream(output))]);
}

/// A small network: processes with their components and parameters, and arrows.
pub(crate) fn network(
    processes: &[(&str, &str)],
    initials: &[(&str, &str)],
    arrows: &[(&str, &str)],
) -> Plan {
    let names: Vec<&str> = processes.iter().map(|(name, _)| *name).collect();
    let end = |text: &str| end(&names, text);
    let processes = processes.iter().map(|(name, component)| Process {
        address: (*name).to_owned(),
        component: (*component).to_owned(),
        ..Process::default()
    });
    let initials = initials.iter().map(|(value, to)| Initial {
        to: end(to),
        value: (*value).into(),
        ..Initial::default()
    });
    let links = arrows.iter().map(|(from, to)| Link {
        to: end(to),
        from: vec![Writer {
            end: end(from),
            ..Writer::default()
        }],
        ..Link::default()
    });
    Plan {
        initials: initials.collect(),
        links: links.collect(),
        processes: processes.collect(),
        ..Plan::default()
    }
}

fn end(names: &[&str], text: &str) -> End {
    let (name, port) = text
        .split_once('.')
        .expect("an end is written PROCESS.PORT");
    let process = names
        .iter()
        .position(|known| *known == name)
        .expect("a process that exists");
    let (port, index) = match port.strip_suffix(']').and_then(|port| port.split_once('[')) {
        Some((port, index)) => (port, index.parse().ok()),
        None => (port, None),
    };
    End {
        process,
        port: port.to_owned(),
        index,
        ..End::default()
    }
}

/// Runs a network in virtual time.
pub(crate) fn run(plan: &Plan, scheduler: Scheduler, capacity: usize) -> Outcome {
    let options = Options {
        scheduler,
        capacity,
        virtual_time: true,
        ..Options::default()
    };
    let network = Network::new(
        plan.clone(),
        &paperflow_std::catalogue(),
        &Sources::new(),
        options,
    );
    let started = network
        .start()
        .unwrap_or_else(|error| panic!("the network cannot be built: {error}"));
    started.running.wait()
}

/// Runs a network every way; it must finish with every packet accounted for.
pub(crate) fn run_every_way(plan: &Plan, check: impl Fn(&Outcome)) {
    for (scheduler, capacity) in DRIVERS {
        let outcome = run(plan, scheduler, capacity);
        assert_eq!(
            outcome.verdict,
            Verdict::Finished,
            "{scheduler:?} at capacity {capacity}"
        );
        assert!(
            outcome.statistics.totals.is_conserved(),
            "{:?}",
            outcome.statistics
        );
        assert!(outcome.leaks.is_empty(), "{:?}", outcome.leaks);
        check(&outcome);
    }
}

/// How many packets a process received.
pub(crate) fn received(outcome: &Outcome, address: &str) -> u64 {
    let of = |process: &&paperflow_engine::report::ProcessStatistics| process.address == address;
    outcome
        .statistics
        .processes
        .iter()
        .find(of)
        .map_or(0, |process| process.received)
}
