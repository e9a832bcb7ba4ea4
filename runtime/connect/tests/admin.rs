//! What the command asks of a store, live and stopped.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_connect::admin::{Logged, Shown, Statistics, Status};
use paperflow_connect::clock::ManualClock;
use paperflow_connect::{Admin, Answer, Ask, Embedded};
use paperflow_core::Packet;
use paperflow_core::connector::*;
use paperflow_core::message::{Id, Message};

struct Shop {
    folder: tempfile::TempDir,
    clock: ManualClock,
    store: Embedded,
}

fn message(name: &str) -> Message {
    let packet = Packet::text(name).with_header("tenant", "one");
    Message::of(Id::of(name), &packet).unwrap()
}

fn id(name: &str) -> String {
    Id::of(name).to_string()
}

impl Shop {
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

    fn queue(&self, name: &str) -> Arc<dyn Connector> {
        let mut declaration = Declaration::new(name, ConnectorKind::Queue);
        declaration.retries = 1;
        declaration.delay.jitter = 0.0;
        self.store.connect(&declaration).unwrap()
    }

    fn reader(&self, name: &str) -> Arc<dyn Subscription> {
        let consumer = Consumer {
            name: format!("{name}-reader"),
            group: String::new(),
            waker: Waker::noop().clone(),
        };
        self.queue(name).subscribe(consumer).unwrap()
    }

    /// Five orders: one done, one dead, one that rests, one in somebody's hands, one that waits.
    fn busy(&self) -> Arc<dyn Subscription> {
        let names = ["done", "dead", "rests", "held", "waits"];
        let messages: Vec<Message> = names.into_iter().map(message).collect();
        self.queue("orders").send(&messages).unwrap();
        let reader = self.reader("orders");
        let mut held = Vec::new();
        reader.receive(4, &mut held).unwrap();
        self.clock.advance(Duration::from_millis(250));
        let fates = [Disposition::Done, Disposition::Reject, Disposition::Retry];
        for (delivery, disposition) in held.iter().zip(fates) {
            let failure = Failure {
                message: "no luck".to_owned(),
                process: "Pay".to_owned(),
                ..Failure::default()
            };
            let settlement = Settlement {
                disposition,
                failure: (disposition != Disposition::Done).then_some(failure),
            };
            reader.settle(delivery.ticket, settlement);
        }
        reader
    }

    /// The same question to the store itself and by its socket.
    fn ask(&self, ask: Ask) -> Answer {
        let own = self.store.ask(&ask);
        #[cfg(unix)]
        if !matches!(ask, Ask::Redrive { .. } | Ask::Purge { .. }) {
            let mut admin = Admin::attach(self.folder.path()).unwrap();
            assert!(admin.is_live());
            assert_eq!(admin.ask(&ask), own);
        }
        own.unwrap()
    }

    fn statistics(&self, queue: &str) -> Statistics {
        let queue = Some(queue.to_owned());
        match self.ask(Ask::Queues { queue }) {
            Answer::Queues(mut queues) => queues.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn peek(&self, queue: &str) -> Vec<Shown> {
        let queue = queue.to_owned();
        match self.ask(Ask::Peek { queue, most: 10 }) {
            Answer::Messages(messages) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn log(&self, errors: bool) -> Vec<Logged> {
        let connector = "orders".to_owned();
        let most = 10;
        match self.ask(Ask::Log {
            connector,
            errors,
            most,
        }) {
            Answer::Log(lines) => lines,
            other => panic!("{other:?}"),
        }
    }

    fn status(&self, name: &str) -> Vec<(String, String)> {
        let pair = |status: Status| (status.connector, status.state);
        match self.ask(Ask::Status { id: id(name) }) {
            Answer::Status(found) => found.into_iter().map(pair).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn redrive(queue: &str, ids: &[&str]) -> Ask {
    Ask::Redrive {
        queue: queue.to_owned(),
        ids: ids.iter().map(|name| id(name)).collect(),
        to: None,
    }
}

#[test]
fn a_queue_tells_how_it_is_doing() {
    let shop = Shop::new();
    let _reader = shop.busy();
    let expected = Statistics {
        queue: "orders".to_owned(),
        ready: 1,
        leased: 1,
        delayed: 1,
        bytes: 10,
        oldest_millis: Some(250),
        sent: 5,
        delivered: 4,
        done: 1,
        retried: 1,
        dead: 1,
        ..Statistics::default()
    };
    assert_eq!(shop.statistics("orders"), expected);
    shop.queue("orders").send(&[message("done")]).unwrap();
    assert_eq!(shop.statistics("orders").duplicates, 1);
    let Answer::Queues(all) = shop.ask(Ask::Queues { queue: None }) else {
        panic!("no queues");
    };
    let names: Vec<_> = all.iter().map(|queue| &*queue.queue).collect();
    assert_eq!(names, ["orders", "orders.dead"]);
}

#[test]
fn messages_are_shown_with_what_they_wait_for() {
    let shop = Shop::new();
    let _reader = shop.busy();
    let shown = shop.peek("orders");
    let states: Vec<_> = shown
        .iter()
        .map(|one| (&**one.body.as_ref().unwrap(), &*one.state, one.attempts))
        .collect();
    assert_eq!(
        states,
        [
            ("rests", "delayed", 1),
            ("held", "leased", 1),
            ("waits", "ready", 0)
        ]
    );
    assert_eq!(shown[0].headers.get("tenant"), Some("one"));
    let dead = shop.peek("orders.dead");
    assert_eq!(dead[0].cause.get("failure-process"), Some("Pay"));
    assert_eq!(dead[0].cause.get("failure-reason"), Some("rejected"));
    assert_eq!(dead[0].headers.iter().count(), 1);
    let Answer::Messages(one) = shop.ask(Ask::Show {
        queue: "orders.dead".to_owned(),
        id: id("dead"),
    }) else {
        panic!("no message");
    };
    assert_eq!(one, dead);
}

#[test]
fn r2_it_is_known_what_became_of_a_message() {
    let shop = Shop::new();
    let reader = shop.busy();
    let at = |queue: &str, state: &str| (queue.to_owned(), state.to_owned());
    assert_eq!(shop.status("done"), [at("orders", "processed")]);
    assert_eq!(
        shop.status("dead"),
        [at("orders", "dead"), at("orders.dead", "dead")]
    );
    assert_eq!(shop.status("rests"), [at("orders", "retrying")]);
    assert_eq!(shop.status("held"), [at("orders", "delivered")]);
    assert_eq!(shop.status("waits"), [at("orders", "sent")]);
    assert_eq!(shop.status("nobody"), []);
    // Its consumer dies: it was delivered, and not processed.
    let Shop { folder, store, .. } = shop;
    drop((reader, store));
    let mut admin = Admin::attach(folder.path()).unwrap();
    assert!(!admin.is_live());
    let Answer::Status(found) = admin.ask(&Ask::Status { id: id("held") }).unwrap() else {
        panic!("no status");
    };
    assert_eq!(
        (&*found[0].state, found[0].attempts),
        ("delivered", Some(1))
    );
}

#[test]
fn p13_every_settled_delivery_has_a_line_in_the_log() {
    let shop = Shop::new();
    let _reader = shop.busy();
    let lines = shop.log(false);
    let short: Vec<_> = lines
        .iter()
        .map(|line| (&*line.id, &*line.status, line.error.as_deref()))
        .collect();
    let (done, dead, rests) = (id("done"), id("dead"), id("rests"));
    assert_eq!(
        short,
        [
            (&*rests, "retry", Some("no luck")),
            (&*dead, "dead", Some("no luck")),
            (&*done, "done", None)
        ]
    );
    let line = &lines[0];
    assert_eq!(
        (line.attempt, line.bytes, line.micros, line.age_millis),
        (1, 5, 250_000, 250)
    );
    assert_eq!(
        (&*line.connector, &*line.consumer),
        ("orders", "orders-reader")
    );
    assert_eq!(shop.log(true).len(), 2);
}

#[test]
fn what_was_set_aside_is_sent_again_as_it_was() {
    let shop = Shop::new();
    let reader = shop.busy();
    let fault = shop.store.ask(&redrive("orders.dead", &["nobody"]));
    let fault = fault.unwrap_err().to_string();
    assert!(fault.contains("is not in `orders.dead`"), "{fault}");
    assert_eq!(
        shop.ask(redrive("orders.dead", &["dead"])),
        Answer::Changed(1)
    );
    assert_eq!(shop.statistics("orders.dead").ready, 0);
    assert_eq!(shop.statistics("orders").ready, 2);
    let mut found = Vec::new();
    reader.receive(9, &mut found).unwrap();
    assert_eq!(found[1].message, message("dead"));
    assert_eq!(found[1].attempt, 1);
    let fault = shop.store.ask(&redrive("orders", &[])).unwrap_err();
    assert_eq!(fault.kind(), StoreFaultKind::Unsupported);
}

#[test]
fn a_purge_takes_what_is_in_nobodys_hands() {
    let shop = Shop::new();
    let reader = shop.busy();
    let queue = "orders".to_owned();
    assert_eq!(shop.ask(Ask::Purge { queue }), Answer::Changed(2));
    let left = shop.statistics("orders");
    assert_eq!(
        (left.ready, left.delayed, left.leased, left.bytes),
        (0, 0, 1, 0)
    );
    shop.queue("orders").send(&[message("new")]).unwrap();
    shop.clock.advance(Duration::from_secs(9));
    let mut found = Vec::new();
    reader.receive(9, &mut found).unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn questions_that_cannot_be_answered_are_told_so() {
    let shop = Shop::new();
    for ask in [
        Ask::Queues {
            queue: Some("nobody".to_owned()),
        },
        Ask::Status { id: "x".to_owned() },
    ] {
        let mut admin = Admin::attach(shop.folder.path()).unwrap();
        let fault = admin.ask(&ask).unwrap_err();
        assert_eq!(fault.kind(), StoreFaultKind::Unsupported, "{fault}");
        assert_eq!(shop.store.ask(&ask).unwrap_err(), fault);
    }
    let empty = tempfile::tempdir().unwrap();
    let fault = Admin::attach(empty.path()).err().unwrap();
    assert!(
        fault.to_string().starts_with("there is no store in"),
        "{fault}"
    );
}
