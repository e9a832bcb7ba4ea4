//! A RabbitMQ server as a store, by the suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use paperflow_connect::amqp::Amqp;
use paperflow_connect::broker::Access;
use paperflow_connect::compliance::record::recorded;
use paperflow_connect::compliance::{Bench, check, pubsub, queues, streams};
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::connector::{ConnectorKind, Declaration, Store, StoreFault};
use programs::{end_once, see_notes};

/// A server on which all names begin with a prefix that nobody else has. Its time is what it is, and rests are
/// so long that opening the store once more takes less.
struct Server {
    access: Access,
    store: Option<Arc<Amqp>>,
}

/// How many times longer a rest is than declared.
const LONGER: u32 = 2;
/// No case has a rest that is longer.
const LONGEST: Duration = Duration::from_secs(4);
/// What rests comes so much later than it is due, at most.
const LATE: Duration = Duration::from_millis(100);

impl Server {
    fn new(url: &str, is_structured: bool) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let url = format!("{url}?prefix=t{}.{made}:", std::process::id());
        let mut server = Self {
            access: Access::new(&url, is_structured).unwrap(),
            store: None,
        };
        server.open();
        server
    }

    fn open(&mut self) {
        self.store = Some(Arc::new(Amqp::open(&self.access).unwrap()));
    }

    fn opened(&self) -> &Arc<Amqp> {
        self.store.as_ref().unwrap()
    }
}

impl Bench for Server {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.opened()) as Arc<dyn Store>
    }

    fn tuned(&self, declaration: &Declaration) -> Declaration {
        let mut declaration = declaration.clone();
        declaration.delay.first *= LONGER;
        declaration.delay.most *= LONGER;
        declaration
    }

    fn nearly(&self, all: Duration) -> Duration {
        all / 2
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    /// The connection ends, and with it all that the process held.
    fn crash(&mut self) {
        self.opened().cut();
        self.store = None;
        self.open();
    }

    fn advance(&self, by: Duration) {
        let late = if by < Duration::from_millis(500) {
            Duration::ZERO
        } else {
            LATE
        };
        thread::sleep(by.min(LONGEST) * LONGER + late);
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.opened().ask_streams(request)
    }
}

/// Why cases do not apply.
const NO_TABLES: &str = "tables are kept by the embedded store; a broker refuses them";
const COUNTS: &str = "the server counts whatever goes back to it, for whatever reason";
const NO_IDS: &str = "the server knows no identities: what is sent twice lies there twice";

#[test]
fn queues_comply() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let left_out = [
        (
            "s5: rows, what was handled and what followed are kept together",
            NO_TABLES,
        ),
        (
            "what was sent of its own accord is owed until it is paid",
            NO_TABLES,
        ),
        ("what has arrived is not sent again", NO_TABLES),
        ("desks do not see each other", NO_TABLES),
        ("s3: a release does not count", COUNTS),
        ("q8: what was sent before is left out", NO_IDS),
    ];
    let lines = check(&queues::cases(), &left_out, || {
        Box::new(Server::new(&url, false))
    });
    recorded("amqp", ConnectorKind::Queue, &lines);
}

#[test]
fn channels_comply() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let left_out = [
        (
            "a_new_subscriber_gets_the_last_message",
            "the server keeps no last message",
        ),
        ("what_was_sent_before_a_crash_is_known", NO_IDS),
    ];
    let lines = check(pubsub::CASES, &left_out, || {
        Box::new(Server::new(&url, false))
    });
    recorded("amqp", ConnectorKind::Pubsub, &lines);
}

#[test]
fn streams_comply() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let left_out = [
        ("a_message_sent_again_is_known", NO_IDS),
        ("a_finished_run_is_followed_by_another", NO_IDS),
        (
            "records_go_by_age",
            "the server removes whole pieces of a file, and the last one never",
        ),
        (
            "records_go_by_number_and_size",
            "the server removes whole pieces of a file, and knows no bound of number",
        ),
        (
            "t04_a_range_can_be_read_by_offset_and_by_time",
            "it wants times to be exact, and these are what they are",
        ),
    ];
    let lines = check(streams::CASES, &left_out, || {
        Box::new(Server::new(&url, false))
    });
    recorded("amqp", ConnectorKind::Stream, &lines);
}

/// What the parts of a graph that run apart need of a store.
#[test]
fn parts_see_each_others_notes_and_a_run_ends_once() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let mut server = Server::new(&url, false);
    let one = server.store();
    server.open();
    let other = server.store();
    let notes = see_notes(&*one, &*other, ("g", "a/1"));
    let run = one.epoch("g").unwrap();
    end_once(&*one, &*other, ("g", run), &notes);
}

/// However many ask for the number of a run at once, they get the same.
#[test]
fn whoever_asks_at_once_has_the_same_run() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let mut server = Server::new(&url, false);
    let mut stores = Vec::new();
    for _ in 0..4 {
        server.open();
        stores.push(server.store());
    }
    for run in 1..=3 {
        let asked: Vec<u64> = thread::scope(|scope| {
            let asking = stores
                .iter()
                .map(|store| scope.spawn(|| store.epoch("g").unwrap()));
            let asking: Vec<_> = asking.collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(asked, [run; 4]);
        thread::scope(|scope| {
            for store in &stores {
                scope.spawn(|| store.finish("g", run).unwrap());
            }
        });
    }
}
