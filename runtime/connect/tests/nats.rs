//! A NATS server as a store, by the suite that every store passes, in real time.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use paperflow_connect::broker::Access;
use paperflow_connect::compliance::{Bench, Case, check, queues};
use paperflow_connect::nats::Nats;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::connector::{Declaration, Store, StoreFault, StoreFaultKind};

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

    fn ask(&self, _: Request) -> Result<Answer, StoreFault> {
        Err(StoreFault::new(StoreFaultKind::Unsupported, "no streams"))
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
        ("desks do not see each other", NO_TABLES),
        (
            "a queue has room for as many bytes as it says",
            WITH_HEADERS,
        ),
    ];
    comply(&url, is_structured, &queues::cases(), &left_out);
}

/// Cases mostly wait, so several run at a time.
fn comply(url: &str, is_structured: bool, cases: &[Case], left_out: &[(&str, &str)]) {
    thread::scope(|scope| {
        for some in cases.chunks(cases.len().div_ceil(4)) {
            let is_in = |(name, _): &&(&str, &str)| some.iter().any(|(own, _)| own == name);
            let left_out: Vec<_> = left_out.iter().filter(is_in).copied().collect();
            scope.spawn(move || {
                let lines = check(some, &left_out, || {
                    Box::new(Server::new(url, is_structured))
                });
                println!("{}", lines.join("\n"));
            });
        }
    });
}

#[test]
fn queues_of_binary_messages_comply() {
    queues_comply(false);
}

#[test]
fn queues_of_structured_messages_comply() {
    queues_comply(true);
}
