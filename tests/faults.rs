//! Who hears of a fault: the rows R4 and after, over the embedded store.
#![cfg(feature = "sqlite")]

mod kept;

use std::thread;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use kept::Kept;
use paperflow::{
    Fault, Network, Options, Out, Outcome, Scheduler, Text, Verdict, component, describe,
    load_wired, standard,
};

/// Finds what is in stock, and fails on one notification.
#[component("test/search", work = compute)]
fn search(
    /// Notifications.
    changed: Text,
    /// The same, once the index knows of it.
    found: &mut Out<Text>,
) -> Result<(), Fault> {
    if &*changed == "000002abcd" {
        return Err(Fault::new("the index is torn"));
    }
    found.put(changed);
    Ok(())
}

#[test]
fn r4_a_fault_of_a_subscriber_is_nobody_elses_business() {
    let text = "'3' -> COUNT Stock(flow/generate)
        Stock OUT ->(pubsub, retries=0) CHANGED Search(test/search)
        Stock OUT ->(pubsub, retries=0) IN Sales(flow/pass)
        OUTPORT=Search.FOUND:FOUND
        OUTPORT=Sales.OUT:SOLD";
    for scheduler in [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)] {
        let kept = Kept::new("r4", text).with(search).under(scheduler);
        let mut run = kept.start();
        let [found, sold] = ["FOUND", "SOLD"].map(|port| run.output(port));
        let read = |out: paperflow::Output| {
            thread::spawn(move || out.map(|packet| packet.to_string()).collect::<Vec<_>>())
        };
        let [found, sold] = [found, sold].map(read);
        let outcome = run.finish();
        assert_eq!(outcome.verdict, Verdict::Finished, "{scheduler}");
        assert!(outcome.is_success(), "{scheduler}: {outcome:#?}");
        let [found, sold] = [found, sold].map(|reader| reader.join().expect("it reads"));
        assert_eq!(
            sold,
            ["000003abcd", "000002abcd", "000001abcd"],
            "{scheduler}"
        );
        assert_eq!(found, ["000003abcd", "000001abcd"], "{scheduler}");
        let processes = outcome.statistics.processes.iter();
        let stock = processes.filter(|process| process.address == "Stock");
        let stock: Vec<_> = stock.map(|stock| (stock.received, stock.sent)).collect();
        assert_eq!(stock, [(0, 3)], "{scheduler}: nothing comes back");
        let dead = kept
            .admin()
            .peek("g.Stock.OUT.dead", 10)
            .expect("it is kept");
        assert_eq!(dead.len(), 1, "{scheduler}: {dead:?}");
    }
}

/// One network at a time counts.
static ALONE: Mutex<()> = Mutex::new(());

/// How often the one packet has been tried that cannot be handled.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Fails on one packet.
#[component("test/picky", work = compute)]
fn picky(
    /// Packets.
    input: Text,
    /// Those that can be handled.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if &*input == "000002abcd" {
        TRIED.fetch_add(1, Ordering::Relaxed);
        return Err(Fault::new("too bitter"));
    }
    out.put(input);
    Ok(())
}

/// Runs a graph whose only fault happens in a subnet, or in a worker, with this wiring; how often the
/// packet was tried comes beside.
fn under_policy(graph: &str, wiring: &str, scheduler: Scheduler) -> (Outcome, u32) {
    let folder = tempfile::tempdir().expect("there is room");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    };
    write(
        "table.fbp",
        "INPORT=Eat.IN:IN\nOUTPORT=Eat.OUT:OUT\nEat(test/picky)",
    );
    let (graph, wiring) = (write("g.fbp", graph), write("wiring.toml", wiring));
    let catalogue = standard().with(picky);
    let loaded = load_wired(graph, wiring, &describe(&catalogue)).expect("it can be read");
    assert!(!loaded.has_errors(), "{}", loaded.report());
    let options = Options {
        scheduler,
        ..Options::default()
    };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    TRIED.store(0, Ordering::Relaxed);
    let network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
    let outcome = network.start().expect("it is sound").running.wait();
    (outcome, TRIED.load(Ordering::Relaxed))
}

const SUBNET: &str =
    "'3' -> COUNT Make(flow/generate) OUT -> IN Lunch(table) OUT -> IN End(flow/drop)";
const WORKERS: &str = "'3' -> COUNT Make(flow/generate) OUT -> IN Eat(test/picky:instances=2) OUT -> IN End(flow/drop)";

#[test]
fn policies_of_the_wiring_file_hold_also_inside_subnets_and_for_workers() {
    for scheduler in [Scheduler::Threads, Scheduler::Pool(2)] {
        for (graph, eater) in [(SUBNET, "Lunch/Eat"), (WORKERS, "Eat")] {
            let run = |policy: &str| {
                let wiring = format!("[policy.\"{eater}\"]\n{policy}");
                under_policy(graph, &wiring, scheduler)
            };
            let (outcome, tried) = run("fault = \"retry\"\nretries = 2");
            assert_eq!(outcome.verdict, Verdict::Finished, "{scheduler} {eater}");
            assert_eq!((tried, outcome.faults.len()), (3, 1), "{scheduler} {eater}");
            let (outcome, tried) = run("fault = \"park\"\nretries = 2");
            assert_eq!(outcome.verdict, Verdict::Finished, "{scheduler} {eater}");
            assert_eq!((tried, outcome.faults.len()), (1, 1), "{scheduler} {eater}");
            let (outcome, _) = run("fault = \"stop-network\"");
            assert!(matches!(outcome.verdict, Verdict::Failed(_)), "{scheduler}");
        }
    }
}

#[test]
fn a_policy_of_the_wiring_file_goes_before_that_of_the_graph() {
    let graph = SUBNET.replace("Lunch(table)", "Lunch(test/picky:fault=park,retries=5)");
    let wiring = "[policy.\"Lunch\"]\nfault = \"stop-network\"";
    let (outcome, _) = under_policy(&graph, wiring, Scheduler::Auto);
    assert!(matches!(outcome.verdict, Verdict::Failed(_)));
}
