//! Who hears of a fault: the rows R4 and after, over the embedded store.
#![cfg(feature = "sqlite")]

mod kept;

use std::thread;

use kept::Kept;
use paperflow::{Fault, Out, Scheduler, Text, Verdict, component};

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
