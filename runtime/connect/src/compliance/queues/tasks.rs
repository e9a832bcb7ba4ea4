//! Messages come, are received, and are gone.

use std::collections::BTreeSet;

use paperflow_core::connector::{ConnectorKind, Disposition, Sent};
use paperflow_core::message::{Id, Message, Part};
use paperflow_core::{Headers, Packet};

use super::{Case, Worker, queue, text, texts};
use crate::compliance::{Bench, ODD_NAME, consumer, oddities_pass};

pub(super) const CASES: &[Case] = &[
    ("q1: tasks wait for a worker that is not there yet", waiting),
    ("q4: what is done is gone", gone),
    ("q8: what was sent before is left out", known),
    ("q10: consumers compete", competing),
    ("q11: there is nothing to replay", no_replay),
    ("what is sent is safe", safe),
    (
        "a message comes as it went: body, headers, kind and identity",
        the_same,
    ),
    ("whatever a packet holds comes as it went", oddities),
    ("what a group is stays one message", group),
    ("order is that of sending", order),
    ("consumers are called when there is something new", called),
    ("a run that finished well is followed by another one", runs),
];

/// Without a payload, with every byte and every header, under an odd name.
fn oddities(bench: &mut dyn Bench) {
    let tasks = queue(bench, ODD_NAME, 3);
    let reader = tasks.subscribe(consumer(ODD_NAME, "")).unwrap();
    oddities_pass(&tasks, &reader);
}

fn waiting(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a", "b", "c"])).unwrap();
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    assert_eq!(worker.receive_all(), ["a:1", "b:1", "c:1"]);
}

fn gone(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a", "b"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(2);
    worker.settle("a", Disposition::Done);
    worker.flush();
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    assert_eq!(worker.receive_all(), ["b:2"]);
    worker.settle_all(Disposition::Done);
    worker.flush();
    let outlook = worker.outlook();
    assert_eq!((outlook.due, outlook.unsettled), (None, 0));
}

fn known(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let sent = |written, known| Sent { written, known };
    assert_eq!(tasks.send(&texts(&["a", "b", "a"])).unwrap(), sent(2, 1));
    let mut worker = Worker::of(&tasks, "w");
    worker.receive_all();
    worker.settle_all(Disposition::Done);
    worker.flush();
    assert_eq!(tasks.send(&texts(&["b", "c"])).unwrap(), sent(1, 1));
    bench.crash();
    let tasks = queue(bench, "q", 3);
    assert_eq!(tasks.send(&texts(&["a", "c", "d"])).unwrap(), sent(1, 2));
    let other = queue(bench, "other", 3);
    assert_eq!(other.send(&texts(&["a"])).unwrap(), sent(1, 0));
}

fn competing(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let names: Vec<String> = (0..40).map(|at| at.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    tasks.send(&texts(&names)).unwrap();
    let mut workers: Vec<Worker> = (0..4)
        .map(|at| Worker::of(&tasks, &at.to_string()))
        .collect();
    let mut all = Vec::new();
    while all.len() < 40 {
        let before = all.len();
        for worker in &mut workers {
            all.extend(worker.receive(3));
            worker.settle_all(Disposition::Done);
        }
        assert!(all.len() > before, "{} of 40", all.len());
    }
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (40, 40));
}

fn no_replay(bench: &mut dyn Bench) {
    let able = bench.store().capabilities(ConnectorKind::Queue).unwrap();
    assert!(!able.replays);
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive_all();
    worker.settle_all(Disposition::Done);
    worker.flush();
    assert_eq!(Worker::of(&tasks, "late").receive_all(), [""; 0]);
}

fn safe(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let names: Vec<String> = (0..1_000).map(|at| at.to_string()).collect();
    for some in names.chunks(100) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        assert_eq!(tasks.send(&texts(&some)).unwrap().written, 100);
    }
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    let expected: Vec<String> = names.iter().map(|name| format!("{name}:1")).collect();
    assert_eq!(worker.receive_all(), expected);
}

/// One of each kind.
fn packets() -> Vec<Packet> {
    vec![
        Packet::null(),
        Packet::bool(true),
        Packet::int(-7),
        Packet::float(f64::NEG_INFINITY),
        Packet::text("grün; \"'\u{0}"),
        Packet::bytes((0..=255).collect::<Vec<u8>>()),
        Packet::json(serde_json::json!({"b": [1, null], "a": {"x": "y"}})),
        Packet::text(""),
    ]
}

fn the_same(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let packets = packets().into_iter().enumerate();
    let messages = packets.map(|(at, packet)| {
        let packet = packet.with_header("tenant", "ä\n1").with_header("a", "");
        Message::of(Id::of(&at.to_string()), &packet).unwrap()
    });
    let messages: Vec<Message> = messages.chain([text("bare")]).collect();
    tasks.send(&messages).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive_all();
    let received = worker.held.iter().map(|delivery| &delivery.message);
    assert!(received.eq(&messages), "{:?}", worker.held);
    drop(worker);
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    worker.receive_all();
    let received = worker.held.iter().map(|delivery| &delivery.message);
    assert!(received.eq(&messages), "{:?}", worker.held);
}

fn group(bench: &mut dyn Bench) {
    let inside = Packet::bytes(vec![0, 159]).with_header("line", "1");
    let packets = [Packet::open(), Packet::int(3), inside, Packet::close()];
    let parts = packets.iter().map(|packet| Part::inside(packet).unwrap());
    let message = Message {
        id: Id::of("group"),
        headers: Headers::default(),
        parts: parts.collect(),
    };
    let tasks = queue(bench, "q", 3);
    tasks.send(std::slice::from_ref(&message)).unwrap();
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    worker.receive_all();
    assert_eq!(worker.held[0].message, message);
}

fn order(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let mut worker = Worker::of(&tasks, "w");
    let mut received = Vec::new();
    for at in 0..30 {
        let (one, two) = (format!("{at} a"), format!("{at} b"));
        tasks.send(&texts(&[&one, &two])).unwrap();
        received.extend(worker.receive(1));
    }
    received.extend(worker.receive_all());
    let expected = (0..30).flat_map(|at| [format!("{at} a:1"), format!("{at} b:1")]);
    assert!(received.iter().cloned().eq(expected), "{received:?}");
}

fn called(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let mut one = Worker::of(&tasks, "one");
    let mut two = Worker::of(&tasks, "two");
    one.outlook();
    tasks.send(&texts(&["a"])).unwrap();
    assert_eq!(one.calls.count(), 1, "a message");
    assert_eq!(one.receive(1), ["a:1"]);
    let outlook = two.outlook();
    assert_eq!((outlook.unsettled, outlook.elsewhere), (0, 1));
    let outlook = one.outlook();
    assert_eq!((outlook.unsettled, outlook.elsewhere), (1, 0));
    one.settle("a", Disposition::Done);
    assert_eq!(two.calls.count(), 1, "a settlement");
    assert_eq!(two.outlook(), paperflow_core::connector::Outlook::default());
    one.outlook();
}

fn runs(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    let first = bench.store().epoch("g").unwrap();
    assert_eq!(bench.store().epoch("g").unwrap(), first);
    tasks.send(&texts(&["a"])).unwrap();
    bench.crash();
    let tasks = queue(bench, "q", 3);
    assert_eq!(bench.store().epoch("g").unwrap(), first);
    bench.store().finish("g", first).unwrap();
    assert_ne!(bench.store().epoch("g").unwrap(), first);
    assert_eq!(tasks.send(&texts(&["a"])).unwrap().written, 1);
    let other = bench.store().epoch("other").unwrap();
    let again = bench.store().epoch("g").unwrap();
    bench.store().finish("g", again).unwrap();
    assert_eq!(bench.store().epoch("other").unwrap(), other);
}
