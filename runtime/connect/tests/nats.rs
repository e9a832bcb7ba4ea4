//! A NATS server as a store, by the suite that every store passes, in real time.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use paperflow_connect::broker::Access;
use paperflow_connect::compliance::record::recorded;
use paperflow_connect::compliance::{Bench, Case, check, pubsub, queues, streams};
use paperflow_connect::nats::Nats;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::Packet;
use paperflow_core::connector::{ConnectorKind, Consumer, Declaration, Store, StoreFault};
use paperflow_core::message::{Id, Message};
use programs::{end_once, see_notes};

/// A server whose names begin with a prefix that nobody else has.
struct Server {
    access: Access,
    store: Option<Arc<Nats>>,
}

/// How long a process that has died is believed to live.
const LEASE: Duration = Duration::from_millis(600);
/// How much later than that the server may see it.
const LATE: Duration = Duration::from_millis(200);

impl Server {
    fn new(url: &str, is_structured: bool) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let url = format!("{url}?prefix=t{}-{made}.", std::process::id());
        let mut server = Self {
            access: Access::new(&url, is_structured).unwrap(),
            store: None,
        };
        server.open();
        server
    }

    fn open(&mut self) {
        self.store = Some(Arc::new(Nats::open(&self.access).unwrap()));
    }

    fn opened(&self) -> &Arc<Nats> {
        self.store.as_ref().unwrap()
    }
}

/// A time of the cases, as it is here: less and less of what is longer than four seconds, since what is
/// waited for is hardly ever as long.
fn here(time: Duration) -> Duration {
    let first = time.min(Duration::from_secs(4));
    first + (time - first) / 40
}

impl Bench for Server {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.opened()) as Arc<dyn Store>
    }

    fn tuned(&self, declaration: &Declaration) -> Declaration {
        let mut tuned = declaration.clone();
        tuned.lease = LEASE;
        tuned.delay.first = here(tuned.delay.first);
        tuned.delay.most = here(tuned.delay.most);
        tuned.retain.age = tuned.retain.age.map(here);
        tuned
    }

    fn has_gone(&self, gone: Duration, wanted: Duration) -> bool {
        gone >= here(wanted)
    }

    fn nearly(&self, all: Duration) -> Duration {
        all / 2
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    /// Nothing is heard of the process any more, and its leases end.
    fn crash(&mut self) {
        self.opened().cut();
        self.store = None;
        thread::sleep(LEASE + LATE);
        self.open();
    }

    fn advance(&self, by: Duration) {
        // The server is not late by more.
        thread::sleep(here(by).mul_f64(1.04));
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.opened().ask_streams(request)
    }
}

/// Why cases do not apply.
const NO_TABLES: &str = "tables are kept by the embedded store; a broker refuses them";
const WITH_HEADERS: &str = "the server counts the bytes of a message with its headers";

/// The suite of queues, for messages of this form.
fn queues_comply(is_structured: bool) {
    let Some(url) = brokers::url("nats") else {
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
        (
            "a queue has room for as many bytes as it says",
            WITH_HEADERS,
        ),
    ];
    let cases = (ConnectorKind::Queue, &*queues::cases());
    comply(&url, is_structured, cases, &left_out);
}

/// Cases mostly wait, so several run at a time.
fn comply(
    url: &str,
    is_structured: bool,
    (kind, cases): (ConnectorKind, &[Case]),
    left_out: &[(&str, &str)],
) {
    let run = |some: &[Case]| {
        let is_in = |(name, _): &&(&str, &str)| some.iter().any(|(own, _)| own == name);
        let left_out: Vec<_> = left_out.iter().filter(is_in).copied().collect();
        check(some, &left_out, || {
            Box::new(Server::new(url, is_structured))
        })
    };
    let lines = thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let running: Vec<_> = parts.map(|some| scope.spawn(move || run(some))).collect();
        let lines = running.into_iter().map(|part| part.join().unwrap());
        lines.collect::<Vec<_>>().concat()
    });
    recorded("nats", kind, &lines);
}

#[test]
fn queues_of_binary_messages_comply() {
    queues_comply(false);
}

#[test]
fn queues_of_structured_messages_comply() {
    queues_comply(true);
}

#[test]
fn channels_comply() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    comply(&url, false, (ConnectorKind::Pubsub, pubsub::CASES), &[]);
}

#[test]
fn streams_comply() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let left_out = [("records_go_by_number_and_size", WITH_HEADERS)];
    comply(
        &url,
        false,
        (ConnectorKind::Stream, streams::CASES),
        &left_out,
    );
}

fn messages(range: std::ops::Range<u32>) -> Vec<Message> {
    let names = range.map(|at| format!("message {at}"));
    names
        .map(|name| Message::of(Id::of(&name), &Packet::text(name.as_str())).unwrap())
        .collect()
}

/// What stands in the place of the cases that are left out, with bytes as the server counts them.
#[test]
fn bytes_bound_queues_and_streams_with_their_headers() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let server = Server::new(&url, false);
    let mut declaration = Declaration::new("q", ConnectorKind::Queue);
    declaration.capacity_bytes = 2_000;
    let queue = server.connect(&declaration).unwrap();
    let mut sent = 0;
    while queue.room(Waker::noop()).unwrap() > 0 {
        queue.send(&messages(sent..sent + 1)).unwrap();
        sent += 1;
    }
    assert!((2..20).contains(&sent), "{sent} messages in 2000 bytes");
    let reader = queue
        .subscribe(Consumer {
            name: String::from("r"),
            group: String::new(),
            waker: Waker::noop().clone(),
        })
        .unwrap();
    reader.receive(1, &mut Vec::new()).unwrap();
    assert!(
        queue.room(Waker::noop()).unwrap() > 0,
        "what is held takes none"
    );
    for (messages_kept, bytes_kept) in [(Some(100), None), (None, Some(20_000))] {
        let mut declaration = Declaration::new("facts", ConnectorKind::Stream);
        declaration.name = format!("facts {messages_kept:?}");
        declaration.partitions = 2;
        declaration.retain.messages = messages_kept;
        declaration.retain.bytes = bytes_kept;
        let stream = server.connect(&declaration).unwrap();
        stream.send(&messages(0..1_000)).unwrap();
        let Answer::Streams(all) = server.ask(Request::List).unwrap() else {
            panic!("no streams");
        };
        let status = all.iter().find(|one| one.name == declaration.name);
        let partitions = &status.unwrap().partitions;
        let records: u64 = partitions.iter().map(|at| at.records).sum();
        let bytes: u64 = partitions.iter().map(|at| at.bytes).sum();
        assert!((20..=100).contains(&records), "{records} records");
        assert!(bytes_kept.is_none_or(|most| bytes <= most), "{bytes} bytes");
    }
}

/// What the parts of a graph that run apart need of a store.
#[test]
fn parts_see_each_others_notes_and_a_run_ends_once() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let mut server = Server::new(&url, false);
    let one = server.store();
    server.open();
    let other = server.store();
    let notes = see_notes(&*one, &*other, ("g", "a/1"));
    let asked: Vec<u64> = thread::scope(|scope| {
        let ask = |store: Arc<dyn Store>| scope.spawn(move || store.epoch("g").unwrap());
        let threads: Vec<_> = (0..8)
            .map(|at| ask(Arc::clone(if at % 2 == 0 { &one } else { &other })))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(asked.iter().all(|run| *run == asked[0]), "{asked:?}");
    let run = asked[0];
    end_once(&*one, &*other, ("g", run), &notes);
}
