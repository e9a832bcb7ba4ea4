//! Mission row T15: the scenarios of the rows T5 to T8, which `streams.rs` plays over the embedded store, over
//! Kafka, with the same results.
#![cfg(feature = "kafka")]

mod brokers;
mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use kept::{Kept, Run};
use paperflow::{Packet, Scheduler};
use paperflow_connect::broker::Access;
use paperflow_connect::kafka::Kafka;
use paperflow_connect::streams::{Answer, At, GroupStatus, Request, StreamRecord};
use paperflow_core::connector::{ConnectorKind, Declaration, Store};
use serde_json::json;

/// A graph over a stream of Kafka, and somebody who asks about that stream.
struct Shop {
    kept: Kept,
    office: Kafka,
}

impl Shop {
    fn new(name: &str, partitions: u32, text: &str) -> Option<Self> {
        let url = brokers::corner(&brokers::url("kafka")?, name) + "&session=2";
        let office = Kafka::open(&Access::new(&url, false).expect("it is a URL"));
        let office = office.expect("the brokers answer");
        let mut facts = Declaration::new("facts", ConnectorKind::Stream);
        facts.partitions = partitions;
        office.connect(&facts).expect("the stream is made");
        let wiring = format!("[store.broker]\nurl = \"{url}\"\n");
        let kept = Kept::new(&format!("t15-{name}"), text).wired(&wiring);
        Some(Self { kept, office })
    }

    fn ask(&self, request: Request) -> Answer {
        self.office.ask_streams(request).expect("it answers")
    }

    fn group(&self) -> Option<GroupStatus> {
        let stream = String::from("facts");
        match self.ask(Request::Groups { stream }) {
            Answer::Groups(groups) => groups.into_iter().find(|group| group.name == "g"),
            other => panic!("{other:?}"),
        }
    }

    fn records(&self) -> Vec<StreamRecord> {
        let request = Request::Tail {
            stream: String::from("facts"),
            partition: None,
            from: At::Start,
            to: None,
            after: Vec::new(),
            most: 1_000,
        };
        match self.ask(request) {
            Answer::Records { records, .. } => records,
            other => panic!("{other:?}"),
        }
    }

    /// Starts it, and waits until so many readers have all partitions.
    fn start(&self, readers: usize) -> Run {
        let run = self.kept.start();
        let owners = || {
            let group = self.group();
            let partitions = group.map(|group| group.partitions).unwrap_or_default();
            let owners: Vec<_> = partitions.into_iter().map(|at| at.owner).collect();
            owners
        };
        kept::until("the group", owners, |owners| {
            let distinct: BTreeSet<_> = owners.iter().collect();
            owners.iter().all(Option::is_some) && distinct.len() == readers
        });
        run
    }

    /// Feeds it, and gives what comes out, sorted by nothing.
    fn run(&self, readers: usize, packets: Vec<Packet>) -> Vec<String> {
        let mut run = self.start(readers);
        let (input, output) = (run.input("IN"), run.output("OUT"));
        let shown = thread::spawn(move || output.map(|packet| packet.to_string()).collect());
        for packet in packets {
            input.send(packet).expect("it is taken");
        }
        drop(input);
        let outcome = run.finish();
        assert!(outcome.is_success(), "{outcome:#?}");
        shown.join().expect("it reads")
    }
}

/// Steps of the keys A, B and C in turn.
fn steps(of_each: u64) -> Vec<Packet> {
    let steps = (1..=of_each).flat_map(|step| ["A", "B", "C"].map(|key| (key, step)));
    steps
        .map(|(key, step)| Packet::record(json!({ "key": key, "step": step })))
        .collect()
}

fn numbers(to: u32) -> Vec<String> {
    (1..=to).map(|number| number.to_string()).collect()
}

/// Three readers of one group, each of which says who it is.
fn three_readers(partitions: u32) -> String {
    let reader = |name: &str| {
        format!(
            "Shop OUT ->(stream, via=broker, name=facts, group=g, key=key, partitions={partitions}) IN {name}(record/set) OUT -> IN All(flow/merge)\n\
             'by' -> FIELD {name}\n'{name}' -> VALUE {name}\n"
        )
    };
    let readers: String = ["R1", "R2", "R3"].map(reader).concat();
    format!("INPORT=Shop.IN:IN\nShop(flow/pass)\n{readers}OUTPORT=All.OUT:OUT")
}

/// The steps of each key in the order they came, and the readers of each.
fn by_key(lines: &[String]) -> BTreeMap<String, (Vec<u64>, BTreeSet<String>)> {
    let mut keys = BTreeMap::<_, (Vec<u64>, BTreeSet<String>)>::new();
    for line in lines {
        let record: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let (steps, readers) = keys.entry(text("key")).or_default();
        steps.push(record["step"].as_u64().expect("a number"));
        readers.insert(text("by"));
    }
    keys
}

#[test]
fn t15_each_reader_of_a_group_has_partitions_of_its_own_as_in_t05() {
    let Some(shop) = Shop::new("t05", 3, &three_readers(3)) else {
        return;
    };
    let lines = shop.run(3, steps(100));
    assert_eq!(lines.len(), 300, "the union is all");
    for (key, (steps, readers)) in by_key(&lines) {
        assert_eq!((steps.len(), readers.len()), (100, 1), "{key}");
    }
    assert_eq!(shop.records().len(), 300);
}

#[test]
fn t15_what_has_one_key_stays_in_order_as_in_t06() {
    let Some(shop) = Shop::new("t06", 4, &three_readers(4)) else {
        return;
    };
    for (key, (steps, _)) in by_key(&shop.run(3, steps(100))) {
        assert_eq!(steps.len(), 100, "{key}");
        assert!(
            steps.is_sorted_by(|one, next| one < next),
            "{key}: {steps:?}"
        );
    }
}

#[test]
fn t15_an_idle_reader_takes_over_from_one_that_leaves_as_in_t07() {
    let reader = |name: &str, component: &str| {
        format!(
            "Shop OUT ->(stream, via=broker, name=facts, group=g, key=key, partitions=2) IN {name}({component})\n"
        )
    };
    let readers =
        reader("R1", "flow/take") + &reader("R2", "flow/take") + &reader("R3", "flow/pass");
    let text = format!(
        "INPORT=Shop.IN:IN\nShop(flow/pass)\n{readers}'1' -> NUMBER R1\n'1' -> NUMBER R2\n\
         R1 ACC -> IN All(flow/merge)\nR2 ACC -> IN All\nR3 OUT -> IN All\nOUTPORT=All.OUT:OUT"
    );
    let Some(mut shop) = Shop::new("t07", 2, &text) else {
        return;
    };
    shop.kept = shop.kept.under(Scheduler::Pool(2));
    let lines = shop.run(2, steps(100));
    assert_eq!(lines.len(), 300, "nothing twice, nothing lost");
    for (key, (steps, _)) in by_key(&lines) {
        assert_eq!(steps.len(), 100, "{key}");
    }
    let group = shop.group().expect("it has read");
    assert!(group.partitions.iter().all(|at| at.lag == 0), "{group:?}");
}

#[test]
fn t15_a_group_reads_again_and_the_log_stays_as_it_is_as_in_t08() {
    let text = "INPORT=Shop.IN:IN\nShop(flow/pass) OUT ->(stream, via=broker, name=facts, group=g) IN R(flow/pass)\nOUTPORT=R.OUT:OUT";
    let Some(shop) = Shop::new("t08", 1, text) else {
        return;
    };
    let facts = numbers(10).into_iter().map(Packet::text).collect();
    assert_eq!(shop.run(1, facts), numbers(10));
    let before = shop.records();
    assert_eq!(before.len(), 10);
    let replayed = shop.ask(Request::Replay {
        stream: String::from("facts"),
        group: String::from("g"),
        partition: None,
        from: At::Offset(0),
    });
    let Answer::Groups(groups) = replayed else {
        panic!("{replayed:?}");
    };
    assert_eq!(groups[0].partitions[0].lag, 10);
    assert_eq!(shop.run(1, Vec::new()), numbers(10));
    assert_eq!(format!("{before:?}"), format!("{:?}", shop.records()));
}
