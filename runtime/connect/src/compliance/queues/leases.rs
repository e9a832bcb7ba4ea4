//! Messages in the hands of consumers.

use paperflow_core::connector::Disposition;

use super::{Case, Worker, queue, texts};
use crate::compliance::Bench;

pub(super) const CASES: &[Case] = &[
    ("q2: what one consumer holds no other gets", exclusive),
    ("q3: others read past what is held", past),
    ("q9: what a consumer held goes to others when it dies", died),
    ("s3: deliveries are counted over crashes", counted),
    ("s3: a release does not count", released),
    ("s7: who gave back what it held is not heard", late),
    ("who closes gives back at once", closed),
];

fn exclusive(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let (mut one, mut two) = (Worker::of(&tasks, "one"), Worker::of(&tasks, "two"));
    assert_eq!(one.receive(1), ["a:1"]);
    assert_eq!(two.receive(1), [""; 0]);
    assert_eq!(one.receive(1), [""; 0]);
}

fn past(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["1", "2", "3"])).unwrap();
    let (mut one, mut two) = (Worker::of(&tasks, "one"), Worker::of(&tasks, "two"));
    assert_eq!(one.receive(1), ["1:1"]);
    assert_eq!(two.receive(1), ["2:1"]);
    one.settle("1", Disposition::Release);
    assert_eq!(two.receive(2), ["1:1", "3:1"]);
}

fn died(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a", "b"])).unwrap();
    let mut one = Worker::of(&tasks, "one");
    assert_eq!(one.receive(1), ["a:1"]);
    bench.crash();
    let mut two = Worker::of(&queue(bench, "q", 3), "two");
    assert_eq!(two.receive(2), ["a:2", "b:1"]);
}

fn counted(bench: &mut dyn Bench) {
    queue(bench, "q", 5).send(&texts(&["a", "b", "c"])).unwrap();
    for attempt in 1..=3 {
        let mut worker = Worker::of(&queue(bench, "q", 5), "w");
        assert_eq!(worker.receive(1), [format!("a:{attempt}")]);
        bench.crash();
    }
    let mut worker = Worker::of(&queue(bench, "q", 5), "w");
    assert_eq!(worker.receive_all(), ["a:4", "b:1", "c:1"]);
    worker.settle("b", Disposition::Retry);
    worker.flush();
    bench.crash();
    bench.advance(std::time::Duration::from_secs(2));
    let mut worker = Worker::of(&queue(bench, "q", 5), "w");
    let mut all = worker.receive_all();
    all.sort();
    assert_eq!(all, ["a:5", "b:2", "c:2"]);
}

fn released(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 0);
    tasks.send(&texts(&["a"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    for _ in 0..5 {
        assert_eq!(worker.receive(1), ["a:1"]);
        worker.settle("a", Disposition::Release);
    }
    worker.flush();
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 0), "w");
    assert_eq!(worker.receive(1), ["a:1"]);
}

fn late(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let (mut one, mut two) = (Worker::of(&tasks, "one"), Worker::of(&tasks, "two"));
    one.receive(1);
    one.subscription.close();
    assert_eq!(two.receive(1), ["a:2"]);
    one.settle("a", Disposition::Reject);
    assert_eq!(two.outlook().unsettled, 1);
    two.settle("a", Disposition::Done);
    two.flush();
    let mut dead = Worker::of(&queue(bench, "q.dead", 3), "dead");
    assert_eq!(dead.receive(1), [""; 0]);
}

fn closed(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a", "b"])).unwrap();
    let mut two = Worker::of(&tasks, "two");
    let mut one = Worker::of(&tasks, "one");
    one.receive(2);
    two.outlook();
    drop(one);
    assert!(two.calls.count() > 0, "it is told");
    assert_eq!(two.receive_all(), ["a:2", "b:2"]);
}
