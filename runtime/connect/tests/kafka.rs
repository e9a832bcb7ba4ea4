//! Brokers of a Kafka as a store, by the suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use paperflow_connect::broker::Access;
use paperflow_connect::clock::ManualClock;
use paperflow_connect::compliance::record::recorded;
use paperflow_connect::compliance::{Bench, check, streams};
use paperflow_connect::kafka::Kafka;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Found, Sent, Settlement, Store,
    StoreFault, StoreFaultKind, Subscription,
};
use paperflow_core::message::Message;
use programs::{end_once, see_notes};

/// How long a group may take to give out its partitions.
const HOPELESS: Duration = Duration::from_secs(60);
/// How long one waits until the partitions of a group are shared out evenly while nothing changes: for ever, if
/// one is held.
const SHARED: Duration = Duration::from_secs(6);
/// How long records may take to all partitions of a consumer.
const FETCHED: Duration = Duration::from_millis(200);

/// Brokers with topics whose names begin with a prefix that nobody else has. When records rest, and when they
/// were written, is told; what their brokers and groups do takes its time.
struct Brokers {
    access: Access,
    clock: ManualClock,
    store: Option<Arc<Kafka>>,
}

impl Brokers {
    fn new(url: &str, is_structured: bool) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let url = brokers::corner(url, &format!("t{made}"));
        let now = std::time::UNIX_EPOCH.elapsed().unwrap();
        let mut brokers = Self {
            access: Access::new(&format!("{url}&session=1"), is_structured).unwrap(),
            clock: ManualClock::at(now),
            store: None,
        };
        brokers.open();
        brokers
    }

    fn open(&mut self) {
        let store = Kafka::open_at(&self.access, Arc::new(self.clock.clone()));
        self.store = Some(Arc::new(store.unwrap()));
    }

    fn opened(&self) -> &Arc<Kafka> {
        self.store.as_ref().unwrap()
    }
}

impl Bench for Brokers {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.opened()) as Arc<dyn Store>
    }

    fn aside(&self, name: &str) -> Declaration {
        Declaration::new(name, ConnectorKind::Stream)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let connector = self.store().connect(&self.tuned(declaration))?;
        Ok(Arc::new(Slow {
            connector,
            name: declaration.name.clone(),
            store: Arc::clone(self.opened()),
            readers: Mutex::default(),
        }))
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    /// No case for streams tells a process that dies from one that ends; `tests/cut_flow.rs` kills some.
    fn crash(&mut self) {
        self.restart();
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.opened().ask_streams(request)
    }
}

/// A connector whose groups take their time: who subscribes comes when all have heard of it, and what is
/// sent when it has come to those that are there.
struct Slow {
    connector: Arc<dyn Connector>,
    name: String,
    store: Arc<Kafka>,
    /// How many there are in each group.
    readers: Mutex<BTreeMap<String, usize>>,
}

impl Slow {
    /// How many consumers a group has, how many of them have partitions, and whether as many as can be have, of so
    /// many in it.
    fn shared_out(&self, group: &str, readers: usize) -> (usize, usize, bool) {
        let stream = self.name.clone();
        let groups = match self.store.ask_streams(Request::Groups { stream }) {
            Ok(Answer::Groups(groups)) => groups,
            // A topic that was made just now may have no leader yet.
            Err(fault) if fault.kind() == StoreFaultKind::Unavailable => return (0, 0, false),
            other => panic!("{other:?}"),
        };
        let Some(group) = groups.into_iter().find(|found| found.name == group) else {
            return (0, 0, false);
        };
        let owners = group.partitions.iter();
        let owners: BTreeSet<_> = owners.filter_map(|at| at.owner.as_ref()).collect();
        let most = readers.min(group.partitions.len());
        let (consumers, owners) = (group.consumers.len(), owners.len());
        (consumers, owners, (consumers, owners) == (readers, most))
    }
}

impl Connector for Slow {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        let sent = self.connector.send(messages)?;
        if !self.readers.lock().unwrap().is_empty() {
            thread::sleep(FETCHED);
        }
        Ok(sent)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.connector.room(waker)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        let group = consumer.group.clone();
        let reader = self.connector.subscribe(consumer)?;
        let mut readers = self.readers.lock().unwrap();
        let count = readers.entry(group.clone()).or_default();
        *count += 1;
        let (mut before, mut changed) = ((0, 0, false), Instant::now());
        while *count > 1 && !before.2 && changed.elapsed() < SHARED {
            let now = self.shared_out(&group, *count);
            if std::mem::replace(&mut before, now) != now {
                changed = Instant::now();
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Arc::new(Patient(reader)))
    }
}

/// Waits for what is moving, as the engine would until it is called.
struct Patient(Arc<dyn Subscription>);

impl Subscription for Patient {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let begun = Instant::now();
        loop {
            match self.0.receive(most, into)? {
                Found::Empty(outlook) if outlook.is_moving => {
                    assert!(begun.elapsed() < HOPELESS, "{outlook:?}");
                    thread::sleep(Duration::from_millis(20));
                }
                found => return Ok(found),
            }
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.0.settle(ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        self.0.requeue(ticket, rest)
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.0.flush()
    }

    fn stop(&self) {
        self.0.stop();
    }

    fn close(&self) {
        self.0.close();
    }
}

/// What does not apply to Kafka, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    (
        "t08_only_streams_can_be_read_again",
        "Kafka keeps nothing but streams",
    ),
    (
        "t11_a_copy_that_came_back_is_kept_no_more",
        "Kafka removes no single record: copies stay as long as their topic keeps them",
    ),
    (
        "records_go_by_age",
        "brokers remove whole segments, when they look for old ones, every five minutes",
    ),
    (
        "records_go_by_number_and_size",
        "brokers remove whole segments, and count no messages: `retain` in messages is refused",
    ),
    (
        "a_message_sent_again_is_known",
        "Kafka knows no ids; tables know what they have handled",
    ),
    (
        "a_finished_run_is_followed_by_another",
        "Kafka knows no ids; that runs follow each other is tested below",
    ),
];

fn comply(is_structured: bool) {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let lines = check(streams::CASES, &LEFT_OUT, || {
        Box::new(Brokers::new(&url, is_structured))
    });
    recorded("kafka", ConnectorKind::Stream, &lines);
}

#[test]
fn streams_comply() {
    comply(false);
}

#[test]
fn streams_comply_in_documents() {
    comply(true);
}

/// What the parts of a graph that run apart need of a store.
#[test]
fn parts_see_each_others_notes_and_a_run_ends_once() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let mut brokers = Brokers::new(&url, false);
    let one = brokers.store();
    brokers.open();
    let other = brokers.store();
    let notes = see_notes(&*one, &*other, ("g", "a/1"));
    let run = one.epoch("g").unwrap();
    assert_eq!(other.epoch("g").unwrap(), run, "both are in one run");
    end_once(&*one, &*other, ("g", run), &notes);
    brokers.open();
    assert_eq!(brokers.store().epoch("g").unwrap(), run + 1);
}

#[test]
fn what_kafka_cannot_keep_is_refused_with_the_reason() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let brokers = Brokers::new(&url, false);
    let refused = |declaration: &Declaration| {
        let refused = brokers.store().connect(declaration).err().unwrap();
        assert_eq!(refused.kind(), StoreFaultKind::Unsupported);
        refused.to_string()
    };
    for kind in [ConnectorKind::Queue, ConnectorKind::Pubsub] {
        let told = refused(&Declaration::new("tasks", kind));
        assert!(told.contains("on-error=copy"), "{told}");
    }
    let mut declaration = Declaration::new("facts", ConnectorKind::Stream);
    declaration.retain.messages = Some(10);
    assert!(refused(&declaration).contains("age and size"));
    declaration.retain.messages = None;
    declaration.dead_letter = Some(String::from("facts"));
    assert!(refused(&declaration).contains("set aside"));
    let told = brokers.store().desk("p").err().unwrap().to_string();
    assert!(told.contains("embedded"), "{told}");
}
