//! Queues are bounded.

use std::task::Waker;

use paperflow_core::Packet;
use paperflow_core::connector::Disposition;
use paperflow_core::message::{Id, Message};

use super::{Calls, Case, Worker, declared, queue, texts};
use crate::compliance::Bench;

pub(super) const CASES: &[Case] = &[
    ("a queue has room for as many messages as it says", messages),
    ("what is held takes no room, what rests does", held),
    ("a queue has room for as many bytes as it says", bytes),
    (
        "a message that is larger than the queue passes alone",
        large,
    ),
    ("what is set aside finds room", aside),
];

fn messages(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.capacity = 3;
    let tasks = bench.connect(&declaration).unwrap();
    let (calls, waker) = Calls::new();
    assert_eq!(tasks.room(&waker).unwrap(), 3);
    tasks.send(&texts(&["a", "b"])).unwrap();
    assert_eq!(tasks.room(&waker).unwrap(), 1);
    tasks.send(&texts(&["c"])).unwrap();
    assert_eq!(tasks.room(&waker).unwrap(), 0);
    assert_eq!(calls.count(), 0);
    Worker::of(&tasks, "w").receive(1);
    assert_eq!(calls.count(), 1, "it is told that there is room");
    bench.crash();
    let tasks = bench.connect(&declaration).unwrap();
    assert_eq!(tasks.room(&waker).unwrap(), 0, "nobody holds anything");
}

fn held(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.capacity = 2;
    let tasks = bench.connect(&declaration).unwrap();
    tasks.send(&texts(&["a", "b"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(2);
    assert_eq!(tasks.room(Waker::noop()).unwrap(), 2);
    worker.settle("a", Disposition::Release);
    assert_eq!(tasks.room(Waker::noop()).unwrap(), 1);
    worker.settle("b", Disposition::Retry);
    assert_eq!(tasks.room(Waker::noop()).unwrap(), 0);
}

fn sized(name: &str, bytes: usize) -> Message {
    Message::of(Id::of(name), &Packet::text("x".repeat(bytes))).unwrap()
}

fn bytes(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.capacity_bytes = 100;
    let tasks = bench.connect(&declaration).unwrap();
    tasks.send(&[sized("a", 40)]).unwrap();
    assert!(tasks.room(Waker::noop()).unwrap() >= 1);
    tasks.send(&[sized("b", 60)]).unwrap();
    let (calls, waker) = Calls::new();
    assert_eq!(tasks.room(&waker).unwrap(), 0);
    Worker::of(&tasks, "w").receive(1);
    assert_eq!(calls.count(), 1);
}

fn large(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.capacity_bytes = 10;
    let tasks = bench.connect(&declaration).unwrap();
    for name in ["a", "b"] {
        assert!(tasks.room(Waker::noop()).unwrap() >= 1, "{name}");
        tasks.send(&[sized(name, 100_000)]).unwrap();
        assert_eq!(tasks.room(Waker::noop()).unwrap(), 0);
        let mut worker = Worker::of(&tasks, "w");
        assert_eq!(worker.receive(1).len(), 1);
        worker.settle_all(Disposition::Done);
    }
}

fn aside(bench: &mut dyn Bench) {
    let mut dead = declared("q.dead", 3);
    dead.capacity = 1;
    let dead = bench.connect(&dead).unwrap();
    let tasks = queue(bench, "q", 0);
    tasks.send(&texts(&["a", "b", "c"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive_all();
    worker.settle_all(Disposition::Reject);
    worker.flush();
    assert_eq!(dead.room(Waker::noop()).unwrap(), 0);
    assert_eq!(Worker::of(&dead, "d").receive_all(), ["a:1", "b:1", "c:1"]);
}
