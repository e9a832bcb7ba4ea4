//! Stores that do things wrong on purpose: nothing is lost for good, and nothing is done that was not asked.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_connect::chaos::{Chaos, Chaotic};
use paperflow_connect::compliance::{Bench, check, queues};
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::Packet;
use paperflow_core::connector::*;
use paperflow_core::message::{Id, Message};

/// A store in which everything could go wrong and nothing does.
struct Calm(bench::Folder);

impl Bench for Calm {
    fn store(&self) -> Arc<dyn Store> {
        let names = ["q", "q.dead", "other"];
        let calm = names.map(|name| (name.to_owned(), Chaos::default()));
        Arc::new(Chaotic::around(self.0.store(), calm.into()))
    }

    fn restart(&mut self) {
        self.0.restart();
    }

    fn crash(&mut self) {
        self.0.crash();
    }

    fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.0.ask(request)
    }
}

#[test]
fn without_chaos_a_store_complies_as_before() {
    check(&queues::cases(), &[], || {
        Box::new(Calm(bench::Folder::new()))
    });
}

const MANY: u32 = 2_000;

const WILD: Chaos = Chaos {
    drop: 0.2,
    dup: 0.2,
    reorder: 0.2,
    corrupt: 0.2,
    down: 0.2,
    seed: 1,
};

fn messages(range: std::ops::Range<u32>) -> Vec<Message> {
    let message = |at: u32| {
        let body = at.to_string();
        Message::of(Id::of(&body), &Packet::text(body)).unwrap()
    };
    range.map(message).collect()
}

/// A connector around which these things go wrong.
struct Scene {
    bench: bench::Folder,
    store: Arc<Chaotic>,
    connector: Arc<dyn Connector>,
    reader: Arc<dyn Subscription>,
}

impl Scene {
    fn new(kind: ConnectorKind, chaos: Chaos) -> Self {
        let bench = bench::Folder::new();
        let wanted = BTreeMap::from([("c".to_owned(), chaos)]);
        let store = Arc::new(Chaotic::around(bench.store(), wanted));
        let connector = store.connect(&Declaration::new("c", kind)).unwrap();
        let consumer = Consumer {
            name: "reader".to_owned(),
            group: "readers".to_owned(),
            waker: Waker::noop().clone(),
        };
        let reader = connector.subscribe(consumer).unwrap();
        Self {
            bench,
            store,
            connector,
            reader,
        }
    }

    /// Sends everything, as often as it takes.
    fn send_all(&self) {
        for some in messages(0..MANY).chunks(10) {
            while let Err(fault) = self.connector.send(some) {
                assert_eq!(fault.kind(), StoreFaultKind::Unavailable);
            }
        }
    }

    /// Receives and settles until nothing is left: what came, in order.
    fn take_all(&self) -> Vec<Delivery> {
        let mut all = Vec::new();
        loop {
            let before = all.len();
            match self.reader.receive(7, &mut all) {
                Ok(Found::Empty(outlook)) => {
                    assert_eq!(outlook.unsettled, 0, "{all:?}");
                    return all;
                }
                Ok(Found::Some) => {
                    for delivery in &all[before..] {
                        self.reader.settle(delivery.ticket, Settlement::default());
                    }
                }
                Err(fault) => assert_eq!(fault.kind(), StoreFaultKind::Unavailable),
            }
        }
    }

    fn told(&self) -> Disturbance {
        self.store.disturbances().remove(0)
    }
}

fn number(delivery: &Delivery) -> u32 {
    let body = delivery.message.body().unwrap();
    String::from_utf8(body.into_owned())
        .unwrap()
        .parse()
        .unwrap()
}

fn is_a_share(count: u64) -> bool {
    (u64::from(MANY) / 8..u64::from(MANY) / 3).contains(&count)
}

#[test]
fn a_queue_loses_nothing_for_good_and_counts_what_it_did() {
    let scene = Scene::new(ConnectorKind::Queue, WILD);
    scene.send_all();
    let all = scene.take_all();
    let numbers: BTreeSet<u32> = all.iter().map(number).collect();
    assert!(numbers.into_iter().eq(0..MANY));
    assert!(
        all.iter().all(|delivery| delivery.attempt == 1),
        "none failed"
    );
    let told = scene.told();
    assert_eq!(all.len() as u64, u64::from(MANY) + told.handed_out_twice);
    for count in [
        told.lost,
        told.damaged,
        told.overtaken,
        told.handed_out_twice,
    ] {
        assert!(is_a_share(count), "{told}");
    }
    assert!(is_a_share(told.written_twice), "{told}");
    assert!(told.unconfirmed > 10 && told.unanswered > 10, "{told}");
    assert!(!all.iter().map(number).is_sorted(), "some were overtaken");
}

#[test]
fn a_stream_keeps_its_order() {
    let scene = Scene::new(ConnectorKind::Stream, WILD);
    scene.send_all();
    let all = scene.take_all();
    assert!(all.iter().map(number).is_sorted());
    let numbers: BTreeSet<u32> = all.iter().map(number).collect();
    assert!(numbers.into_iter().eq(0..MANY));
    let told = scene.told();
    assert_eq!(told.overtaken, 0);
    assert!(is_a_share(told.handed_out_twice), "{told}");
}

#[test]
fn the_same_seed_does_the_same() {
    let run = |seed| {
        let scene = Scene::new(ConnectorKind::Queue, Chaos { seed, ..WILD });
        scene.send_all();
        let all: Vec<u32> = scene.take_all().iter().map(number).collect();
        (all, scene.told())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

#[test]
fn of_two_copies_the_worse_settlement_counts() {
    let dup = Chaos {
        dup: 1.0,
        ..Chaos::default()
    };
    let scene = Scene::new(ConnectorKind::Queue, dup);
    scene.connector.send(&messages(0..1)).unwrap();
    let mut two = Vec::new();
    while scene.reader.receive(1, &mut two).unwrap() == Found::Some {}
    assert_eq!(two.len(), 2);
    let failed = Settlement {
        disposition: Disposition::Retry,
        failure: None,
    };
    scene.reader.settle(two[0].ticket, failed);
    scene.reader.settle(two[1].ticket, Settlement::default());
    scene.bench.advance(Duration::from_secs(2));
    let again = scene.take_all();
    assert_eq!(again[0].attempt, 2, "one of them has failed");
}

#[test]
fn what_is_held_back_is_given_back_when_nobody_receives_any_more() {
    let reorder = Chaos {
        reorder: 0.5,
        ..Chaos::default()
    };
    let scene = Scene::new(ConnectorKind::Queue, reorder);
    scene.connector.send(&messages(0..20)).unwrap();
    let mut some = Vec::new();
    scene.reader.receive(20, &mut some).unwrap();
    assert!((1..20).contains(&some.len()), "{}", some.len());
    scene.reader.stop();
    for delivery in &some {
        scene.reader.settle(delivery.ticket, Settlement::default());
    }
    let mut rest = Vec::new();
    let consumer = Consumer {
        name: "other".to_owned(),
        group: "readers".to_owned(),
        waker: Waker::noop().clone(),
    };
    let other = scene.bench.store();
    let other = other.connect(&Declaration::new("c", ConnectorKind::Queue));
    let other = other.unwrap().subscribe(consumer).unwrap();
    while other.receive(20, &mut rest).unwrap() == Found::Some {}
    assert_eq!(some.len() + rest.len(), 20);
}
