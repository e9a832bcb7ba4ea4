//! Queues of the embedded store.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_connect::Embedded;
use paperflow_connect::clock::ManualClock;
use paperflow_core::Packet;
use paperflow_core::connector::*;
use paperflow_core::message::{Id, Message};

fn message(name: &str) -> Message {
    Message::of(Id::of(name), &Packet::text(name)).unwrap()
}

fn consumer(name: &str) -> Consumer {
    Consumer {
        name: name.to_owned(),
        group: String::new(),
        waker: Waker::noop().clone(),
    }
}

struct Bench {
    folder: tempfile::TempDir,
    clock: ManualClock,
    store: Embedded,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Duration::from_secs(1_700_000_000));
        let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
        Self {
            folder,
            clock,
            store,
        }
    }

    fn again(self) -> Self {
        let Self {
            folder,
            clock,
            store,
        } = self;
        drop(store);
        let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
        Self {
            folder,
            clock,
            store,
        }
    }

    fn queue(&self, name: &str, retries: u32) -> Arc<dyn Connector> {
        self.store.connect(&declaration(name, retries)).unwrap()
    }
}

fn declaration(name: &str, retries: u32) -> Declaration {
    let mut declaration = Declaration::new(name, ConnectorKind::Queue);
    declaration.retries = retries;
    declaration.delay.jitter = 0.0;
    declaration
}

fn take(reader: &Arc<dyn Subscription>, most: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    reader.receive(most, &mut found).unwrap();
    found
}

fn names(deliveries: &[Delivery]) -> Vec<String> {
    let name = |delivery: &Delivery| {
        let body = delivery.message.body().unwrap();
        format!(
            "{}:{}",
            String::from_utf8(body.into_owned()).unwrap(),
            delivery.attempt
        )
    };
    deliveries.iter().map(name).collect()
}

fn settle(reader: &Arc<dyn Subscription>, delivery: &Delivery, disposition: Disposition) {
    let failure = Some(Failure {
        message: "no luck".to_owned(),
        process: "P".to_owned(),
        component: "c/p".to_owned(),
        port: Some("IN".to_owned()),
    });
    let settlement = Settlement {
        disposition,
        failure: failure.filter(|_| disposition != Disposition::Done),
    };
    reader.settle(delivery.ticket, settlement);
}

#[test]
fn what_is_sent_is_received_settled_and_gone() {
    let bench = Bench::new();
    let queue = bench.queue("q", 3);
    let sent = queue
        .send(&[message("a"), message("b"), message("a")])
        .unwrap();
    assert_eq!(
        sent,
        Sent {
            written: 2,
            known: 1
        }
    );
    let reader = queue.subscribe(consumer("one")).unwrap();
    let found = take(&reader, 10);
    assert_eq!(names(&found), ["a:1", "b:1"]);
    found
        .iter()
        .for_each(|one| settle(&reader, one, Disposition::Done));
    reader.flush().unwrap();
    drop((reader, queue));
    let bench = bench.again();
    let reader = bench.queue("q", 3).subscribe(consumer("one")).unwrap();
    assert_eq!(names(&take(&reader, 10)), [""; 0]);
}

#[test]
fn attempts_are_known_after_a_crash() {
    let bench = Bench::new();
    let queue = bench.queue("q", 3);
    queue
        .send(&[message("a"), message("b"), message("c")])
        .unwrap();
    let reader = queue.subscribe(consumer("one")).unwrap();
    assert_eq!(names(&take(&reader, 2)), ["a:1", "b:1"]);
    drop((reader, queue));
    let bench = bench.again();
    let queue = bench.queue("q", 3);
    let reader = queue.subscribe(consumer("one")).unwrap();
    assert_eq!(names(&take(&reader, 1)), ["a:2"]);
    drop((reader, queue));
    let bench = bench.again();
    let reader = bench.queue("q", 3).subscribe(consumer("one")).unwrap();
    assert_eq!(names(&take(&reader, 10)), ["a:3", "b:2", "c:1"]);
}

#[test]
fn a_message_that_fails_rests_and_is_set_aside() {
    let bench = Bench::new();
    let queue = bench.queue("q", 1);
    queue.send(&[message("a"), message("b")]).unwrap();
    let reader = queue.subscribe(consumer("one")).unwrap();
    let found = take(&reader, 1);
    settle(&reader, &found[0], Disposition::Retry);
    assert_eq!(names(&take(&reader, 9)), ["b:1"]);
    bench.clock.advance(Duration::from_millis(999));
    assert!(take(&reader, 9).is_empty());
    bench.clock.advance(Duration::from_millis(1));
    let found = take(&reader, 9);
    assert_eq!(names(&found), ["a:2"]);
    settle(&reader, &found[0], Disposition::Retry);
    reader.flush().unwrap();
    let dead = bench.queue("q.dead", 1);
    let found = take(&dead.subscribe(consumer("two")).unwrap(), 9);
    assert_eq!(names(&found), ["a:1"]);
    let headers = &found[0].message.headers;
    assert_eq!(headers.get("failure-reason"), Some("delivery-error"));
    assert_eq!(headers.get("failure-attempts"), Some("2"));
    assert_eq!(
        headers.get("failure-first"),
        Some("2023-11-14T22:13:20.000Z")
    );
    assert_eq!(
        headers.get("failure-last"),
        Some("2023-11-14T22:13:21.000Z")
    );
}

#[test]
fn a_process_that_was_stopped_for_longer_than_a_lease_has_lost_it() {
    let bench = Bench::new();
    let queue = bench.queue("q", 3);
    queue.send(&[message("a")]).unwrap();
    let one = queue.subscribe(consumer("one")).unwrap();
    let two = queue.subscribe(consumer("two")).unwrap();
    let held = take(&one, 1);
    for _ in 0..9 {
        bench.clock.advance(Duration::from_secs(15));
    }
    assert!(take(&two, 1).is_empty(), "renewed");
    bench.clock.advance(Duration::from_secs(31));
    let found = take(&two, 1);
    assert_eq!(names(&found), ["a:2"]);
    settle(&one, &held[0], Disposition::Reject);
    settle(&two, &found[0], Disposition::Done);
    two.flush().unwrap();
    assert!(
        take(
            &bench.queue("q.dead", 1).subscribe(consumer("x")).unwrap(),
            1
        )
        .is_empty()
    );
}

#[test]
fn a_store_serves_one_process_and_says_which() {
    let bench = Bench::new();
    let fault = Embedded::open(bench.folder.path()).err().unwrap();
    assert_eq!(fault.kind(), StoreFaultKind::Taken);
    let pid = std::process::id().to_string();
    assert!(fault.to_string().contains(&pid), "{fault}");
}

#[test]
fn a_run_that_has_finished_is_followed_by_another() {
    let bench = Bench::new();
    let queue = bench.queue("q", 3);
    assert_eq!(bench.store.epoch("g").unwrap(), 0);
    queue.send(&[message("a")]).unwrap();
    assert_eq!(queue.send(&[message("a")]).unwrap().known, 1);
    bench.store.finish("g", 0).unwrap();
    assert_eq!(bench.store.epoch("g").unwrap(), 1);
    assert_eq!(queue.send(&[message("a")]).unwrap().known, 0);
}

#[test]
fn what_a_process_has_done_is_kept_together() {
    let bench = Bench::new();
    let desk = bench.store.desk("g/P").unwrap();
    let row = |key: &str, row: Option<&str>| Row {
        table: "orders".to_owned(),
        key: key.to_owned(),
        row: row.map(str::to_owned),
    };
    let bytes = Message::of(Id::of("x"), &Packet::bytes(vec![255, 0])).unwrap();
    let handled = Handled {
        id: Id::of("in"),
        sent: vec![(1, message("out")), (0, bytes)],
        own: false,
    };
    let own = Handled {
        id: Id::of("own"),
        sent: vec![(0, message("tick"))],
        own: true,
    };
    let work = Work {
        handled: vec![handled.clone(), own.clone()],
        rows: vec![row("1", Some("{}")), row("2", Some("[]")), row("1", None)],
    };
    desk.commit(&work).unwrap();
    let look = |desk: &dyn Desk| {
        assert_eq!(
            desk.handled(Id::of("in")).unwrap(),
            Some(handled.sent.clone())
        );
        assert_eq!(desk.handled(Id::of("other")).unwrap(), None);
        assert_eq!(
            desk.rows("orders").unwrap(),
            [("2".to_owned(), "[]".to_owned())]
        );
        assert_eq!(desk.owed().unwrap(), std::slice::from_ref(&own));
    };
    look(&*desk);
    drop(desk);
    let bench = bench.again();
    let desk = bench.store.desk("g/P").unwrap();
    look(&*desk);
    desk.paid(Id::of("own"));
    assert_eq!(desk.owed().unwrap(), []);
    bench.store.finish("g", 0).unwrap();
    bench.store.desk("g/Q").unwrap();
    assert_eq!(desk.handled(Id::of("in")).unwrap(), None);
    assert_eq!(desk.rows("orders").unwrap().len(), 1);
}
