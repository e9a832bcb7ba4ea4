//! What the smallest steps cost: packets, tables, links.
//!
//! ```sh
//! cargo bench -p paperflow-bench --features small
//! ```

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use paperflow::graph::Sources;
use paperflow::graph::plan::{End, Export, Plan, Process};
use paperflow::{Network, Options, Packet, Scheduler, Table};
use paperflow_bench::components::catalogue;
use serde_json::json;

fn main() {
    divan::main();
}

/// Packets of every kind, by name.
const KINDS: [&str; 6] = ["int", "bracket", "text-8", "text-16", "text-256", "record"];

fn packet(kind: &str) -> Packet {
    match kind {
        "int" => Packet::int(7),
        "bracket" => Packet::open(),
        "record" => Packet::record(json!({ "customer": "ann", "dish": "soup", "price": 5 })),
        text => {
            let length = text.trim_start_matches("text-").parse().unwrap_or(0);
            Packet::text("x".repeat(length))
        }
    }
}

/// Makes a packet and drops it.
#[divan::bench(args = [0, 8, 16, 256, 4096])]
fn packet_of_text(bencher: Bencher<'_, '_>, length: usize) {
    let text = "x".repeat(length);
    bencher.bench_local(|| drop(Packet::text(black_box(text.as_str()))));
}

/// Makes a packet and drops it.
#[divan::bench]
fn packet_of_int() {
    drop(black_box(Packet::int(black_box(7))));
}

/// Clones a packet and drops the clone.
#[divan::bench(args = KINDS)]
fn clone_and_drop(bencher: Bencher<'_, '_>, kind: &str) {
    let packet = packet(kind);
    bencher.bench_local(|| drop(black_box(black_box(&packet).clone())));
}

/// Drops the last of its kind.
#[divan::bench(args = KINDS)]
fn drop_the_last(bencher: Bencher<'_, '_>, kind: &str) {
    bencher
        .with_inputs(|| packet(kind))
        .bench_local_values(drop);
}

fn table(rows: i64) -> Table<i64, i64> {
    let mut table = Table::default();
    for key in 0..rows {
        table.put(key, key);
    }
    table
}

/// Looks up a row.
#[divan::bench(args = [10, 1000, 100_000])]
fn table_get(bencher: Bencher<'_, '_>, rows: i64) {
    let table = table(rows);
    let mut key = 0;
    bencher.bench_local(|| {
        key = (key + 7919) % rows;
        table.get(&key)
    });
}

/// Writes a row that is there.
#[divan::bench(args = [10, 1000, 100_000])]
fn table_put(bencher: Bencher<'_, '_>, rows: i64) {
    let mut table = table(rows);
    let mut key = 0;
    bencher.bench_local(|| {
        key = (key + 7919) % rows;
        table.put(key, 1)
    });
}

/// Packets that fill a link.
const FULL: usize = 1024;

/// The program sends as many packets as a link holds, one at a time, through a plain function, and then
/// receives them.
///
/// Links have no public face of their own. What is measured is the program's side of two, with the
/// waking of the process between them.
#[divan::bench(args = [1, 2])]
fn push_and_pop(bencher: Bencher<'_, '_>, workers: usize) {
    let end = |port: &str| End {
        port: port.into(),
        ..End::default()
    };
    let export = |port: &str| Export {
        public: port.into(),
        end: end(port),
        ..Export::default()
    };
    let plan = Plan {
        processes: vec![Process {
            address: "P".into(),
            component: "bench/pass".into(),
            ..Process::default()
        }],
        inports: vec![export("IN")],
        outports: vec![export("OUT")],
        ..Plan::default()
    };
    let options = Options {
        scheduler: Scheduler::Pool(workers),
        capacity: FULL,
        ..Options::default()
    };
    let mut network = Network::new(plan, &catalogue(), &Sources::new(), options);
    network.input("IN").expect("it is exported");
    network.output("OUT").expect("it is exported");
    let started = network.start().expect("it can be built");
    let (input, output) = (&started.inputs[0], &started.outputs[0]);
    bencher.counter(ItemsCount::new(FULL)).bench_local(|| {
        for number in 0..FULL as i64 {
            input.send(number).expect("it runs");
        }
        for _ in 0..FULL {
            black_box(output.recv().expect("it runs"));
        }
    });
}
