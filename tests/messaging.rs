//! Messaging patterns over a store in a folder.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use paperflow::graph::plan::Table;
use paperflow::{
    Loaded, Network, Observer, Options, Packet, Started, Verdict, describe, load_text,
};
use paperflow_connect::Embedded;
use paperflow_connect::clock::ManualClock;
use paperflow_engine::Stores;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A store whose time goes on when it is told to.
struct Bench {
    folder: TempDir,
    clock: ManualClock,
}

impl Bench {
    fn new() -> Self {
        // For the network, which has the time of the machine, what rests is always due: it asks again and
        // again until it is due here too.
        let clock = ManualClock::at(Duration::from_secs(1_700_000_000));
        let folder = tempfile::tempdir().expect("there is room");
        Self { folder, clock }
    }

    /// A network with the tables of some processes kept here.
    fn network(&self, text: &str, tables: &[(&str, &str)]) -> Network {
        let catalogue = paperflow::standard();
        let loaded = load_text(
            Path::new("test.fbp"),
            text.to_owned(),
            &describe(&catalogue),
        );
        assert!(!loaded.has_errors(), "{:#?}", loaded.diagnostics);
        let Loaded {
            mut plan, sources, ..
        } = loaded;
        for (process, name) in tables {
            let process = plan.process(process).expect("it is drawn");
            plan.tables.push(Table {
                process,
                name: (*name).to_owned(),
                ..Table::default()
            });
        }
        let store = Embedded::open_with(self.folder.path(), Arc::new(self.clock.clone()));
        let store = Arc::new(store.expect("nobody else has it"));
        let mut network = Network::new(plan, &catalogue, &sources, Options::default());
        network.keep(Stores::new("test").usual(store));
        network
    }
}

fn started(mut network: Network, inputs: &[&str], outputs: &[&str]) -> Started {
    for port in inputs {
        network.input(port).expect("the graph exports it");
    }
    for port in outputs {
        network.output(port).expect("the graph exports it");
    }
    network.start().expect("the graph is sound")
}

/// Looks again and again until there is an answer.
fn until<T>(observer: &Observer, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        let is_hopeless = start.elapsed() > Duration::from_secs(60);
        assert!(
            !is_hopeless,
            "it hangs after {}: {:#?}",
            observer.received(),
            observer.states()
        );
        thread::yield_now();
    }
}

#[test]
fn f10_an_order_whose_version_is_missing_goes_back_to_its_queue_and_is_completed_when_it_comes() {
    let text = r#"'{"id":"R-77","version":1,"name":"Pizza"}' -> IN Open(record/from-text)
        Open OUT -> ROWS Look(messaging/lookup-versioned)
        INPORT=Order.IN:ORDERS
        Order(Pass) OUT ->(queue, delay=1s, retries=3) REQUESTS Look
        INPORT=Look.CHANGES:CHANGES
        OUTPORT=Look.OUT:OUT"#;
    let bench = Bench::new();
    let network = bench.network(text, &[("Look", "KNOWN")]);
    let Started {
        running,
        mut inputs,
        mut outputs,
    } = started(network, &["ORDERS", "CHANGES"], &["OUT"]);
    let (changes, orders, out) = (inputs.remove(1), inputs.remove(0), outputs.remove(0));
    let observer = running.observer();
    let received = |count| until(&observer, || (observer.received() >= count).then_some(()));
    let order = json!({"order": 5, "id": "R-77", "version": 2});
    orders.send(Packet::record(order)).expect("it listens");
    // By Order, by its queue, and twice by Look, which has a row already.
    received(4);
    let row = json!({"id": "R-77", "version": 2, "name": "Pizza Now"});
    changes.send(Packet::record(row)).expect("it listens");
    received(5);
    let found = until(&observer, || {
        bench.clock.advance(Duration::from_secs(1));
        out.try_recv().ok().flatten()
    });
    let expected = json!({"order": 5, "id": "R-77", "version": 2, "name": "Pizza Now"});
    assert_eq!(found.to_json(), expected);
    let attempt = found.headers().and_then(|headers| headers.get("attempt"));
    assert_eq!(attempt, Some("2"), "it went back once");
    drop((found, orders, changes));
    assert_eq!(out.recv(), None);
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

/// Ids that pass, and how many did not.
fn passed(bench: &Bench, ids: &[i64]) -> (Vec<Json>, i64) {
    let text = "INPORT=Order.IN:ORDERS
        Order(Pass) OUT ->(queue) IN Once(messaging/dedup)
        'order' -> FIELD Once
        OUTPORT=Once.OUT:OUT
        OUTPORT=Once.DUPLICATES:DUPLICATES";
    let network = bench.network(text, &[("Once", "SEEN")]);
    let Started {
        running,
        mut inputs,
        mut outputs,
    } = started(network, &["ORDERS"], &["OUT", "DUPLICATES"]);
    let orders = inputs.remove(0);
    for id in ids {
        let order = json!({ "order": id });
        orders.send(Packet::record(order)).expect("it listens");
    }
    drop(orders);
    let duplicates = outputs.remove(1);
    let duplicates = thread::spawn(move || duplicates.recv().and_then(|count| count.as_int()));
    let passed = outputs
        .remove(0)
        .map(|order| order.to_json()["order"].clone());
    let passed = passed.collect();
    assert_eq!(running.wait().verdict, Verdict::Finished);
    let duplicates = duplicates.join().expect("it reads");
    (passed, duplicates.expect("it is told"))
}

#[test]
fn r11_what_was_seen_in_an_earlier_run_is_a_duplicate() {
    let bench = Bench::new();
    let ids = |ids: &[i64]| ids.iter().map(|id| json!(id)).collect::<Vec<_>>();
    assert_eq!(passed(&bench, &[1, 1, 2]), (ids(&[1, 2]), 1));
    assert_eq!(passed(&bench, &[2, 3, 1]), (ids(&[3]), 2));
}
