//! Messages that fail.

use std::time::Duration;

use paperflow_core::Packet;
use paperflow_core::connector::{Disposition, StoreFaultKind};
use paperflow_core::message::{Id, Message};

use super::{Case, Worker, body, declared, queue, text, texts};
use crate::compliance::Bench;
use crate::names;

pub(super) const CASES: &[Case] = &[
    (
        "q5: what failed goes to any consumer, and says which delivery it is",
        again,
    ),
    ("q6: what failed rests, and others pass it", rests),
    ("q6: a rest outlasts the process", rests_on),
    (
        "q7: n retries are n + 1 deliveries, and then it is set aside",
        set_aside,
    ),
    ("q7: what killed its consumers is set aside as well", killer),
    ("q12: a rest bounds the attempts", bounded),
    ("s9: what is set aside is the same, byte for byte", the_same),
    (
        "s10: what is rejected or cannot be read is set aside at once, apart",
        apart,
    ),
    ("rests grow, and not without end", growing),
    ("a queue is not its own dead-letter queue", itself),
];

fn second() -> Duration {
    Duration::from_secs(1)
}

fn again(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let (mut one, mut two) = (Worker::of(&tasks, "one"), Worker::of(&tasks, "two"));
    one.receive(1);
    one.settle("a", Disposition::Retry);
    bench.advance(second());
    assert_eq!(two.receive(1), ["a:2"]);
}

fn rests(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["1", "2", "3"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(1);
    worker.settle("1", Disposition::Retry);
    assert_eq!(worker.receive_all(), ["2:1", "3:1"]);
    worker.settle_all(Disposition::Done);
    let outlook = worker.outlook();
    assert!(
        outlook.due.is_some() && outlook.unsettled == 0,
        "{outlook:?}"
    );
    bench.advance(second());
    assert_eq!(worker.receive_all(), ["1:2"]);
}

fn rests_on(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(1);
    worker.settle("a", Disposition::Retry);
    worker.flush();
    bench.crash();
    let mut worker = Worker::of(&queue(bench, "q", 3), "w");
    assert!(worker.outlook().due.is_some());
    bench.advance(second());
    assert_eq!(worker.receive(1), ["a:2"]);
}

fn set_aside(bench: &mut dyn Bench) {
    let tasks = queue(bench, "q", 3);
    tasks.send(&texts(&["a"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    for attempt in 1..=4 {
        assert_eq!(worker.receive(1), [format!("a:{attempt}")]);
        worker.settle("a", Disposition::Retry);
        bench.advance(second() * 60);
    }
    assert_eq!(worker.receive(1), [""; 0]);
    worker.flush();
    bench.crash();
    let mut dead = Worker::of(&queue(bench, "q.dead", 3), "dead");
    assert_eq!(dead.receive_all(), ["a:1"]);
    let headers = &dead.held[0].message.headers;
    for (name, value) in [
        (names::REASON, "delivery-error"),
        (names::ERROR, "no luck"),
        (names::PROCESS, "Pay"),
        (names::COMPONENT, "shop/pay"),
        (names::PORT, "IN"),
        (names::CONNECTOR, "q"),
        (names::ATTEMPTS, "4"),
        (names::ID, &Id::of("a").to_string()),
    ] {
        assert_eq!(headers.get(name), Some(value), "{name}");
    }
    assert!(headers.get(names::FIRST) < headers.get(names::LAST));
    assert_eq!(Worker::of(&queue(bench, "q", 3), "w").receive(1), [""; 0]);
}

fn killer(bench: &mut dyn Bench) {
    queue(bench, "q", 1).send(&texts(&["a"])).unwrap();
    for attempt in 1..=2 {
        let mut worker = Worker::of(&queue(bench, "q", 1), "w");
        assert_eq!(worker.receive(1), [format!("a:{attempt}")]);
        bench.crash();
    }
    let mut worker = Worker::of(&queue(bench, "q", 1), "w");
    assert_eq!(worker.receive(1), [""; 0]);
    let mut dead = Worker::of(&queue(bench, "q.dead", 3), "dead");
    assert_eq!(dead.receive_all(), ["a:1"]);
    let headers = &dead.held[0].message.headers;
    assert_eq!(headers.get(names::ATTEMPTS), Some("2"));
}

fn bounded(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 10);
    declaration.delay.factor = 1.0;
    let tasks = bench.connect(&declaration).unwrap();
    tasks.send(&texts(&["a"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    let mut attempts = 0;
    for _ in 0..30 {
        if !worker.receive(1).is_empty() {
            attempts += 1;
            worker.settle("a", Disposition::Retry);
        }
        bench.advance(second() / 10);
    }
    assert!(attempts <= 4, "{attempts} attempts in 3 s");
}

fn the_same(bench: &mut dyn Bench) {
    let packet = Packet::bytes((0..=255).rev().collect::<Vec<u8>>());
    let packet = packet.with_header("Tenant", "ü").with_header("a", "1");
    let message = Message::of(Id::of("m"), &packet).unwrap();
    let tasks = queue(bench, "q", 0);
    tasks.send(std::slice::from_ref(&message)).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(1);
    worker.settle_all(Disposition::Retry);
    worker.flush();
    let mut dead = Worker::of(&queue(bench, "q.dead", 0), "dead");
    dead.receive(1);
    let copy = &dead.held[0].message;
    assert_eq!((copy.id, &copy.parts), (message.id, &message.parts));
    let own = copy.headers.iter();
    let own = own.filter(|(name, _)| !name.starts_with("failure-"));
    assert!(own.eq(message.headers.iter()), "{:?}", copy.headers);
}

fn apart(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.dead_letter = Some("bad".to_owned());
    let tasks = bench.connect(&declaration).unwrap();
    tasks.send(&texts(&["r", "i", "fine"])).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    worker.receive(3);
    worker.settle("r", Disposition::Reject);
    worker.settle("i", Disposition::Invalid);
    worker.settle("fine", Disposition::Done);
    worker.flush();
    bench.crash();
    for (name, message, reason) in [("bad", "r", "rejected"), ("q.invalid", "i", "invalid")] {
        let mut worker = Worker::of(&queue(bench, name, 3), "w");
        worker.receive_all();
        let [delivery] = &worker.held[..] else {
            panic!("{name} has {:?}", worker.held);
        };
        assert_eq!(body(&delivery.message), message);
        let found = delivery.message.headers.get(names::REASON);
        assert_eq!(found, Some(reason), "{name}");
    }
}

fn growing(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 10);
    declaration.delay.most = second() * 3;
    let tasks = bench.connect(&declaration).unwrap();
    tasks.send(&[text("a")]).unwrap();
    let mut worker = Worker::of(&tasks, "w");
    for rest in [1, 2, 3, 3] {
        assert_eq!(worker.receive(1).len(), 1);
        worker.settle("a", Disposition::Retry);
        bench.advance(second() * rest - second() / 2);
        assert_eq!(worker.receive(1).len(), 0, "after less than {rest} s");
        bench.advance(second() / 2);
    }
}

fn itself(bench: &mut dyn Bench) {
    let mut declaration = declared("q", 3);
    declaration.dead_letter = Some("q".to_owned());
    let fault = bench.connect(&declaration).err().unwrap();
    assert_eq!(fault.kind(), StoreFaultKind::Unsupported);
}
