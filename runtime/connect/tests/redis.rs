//! A Redis server as a store, by the suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use paperflow_connect::broker::Access;
use paperflow_connect::clock::ManualClock;
use paperflow_connect::compliance::record::recorded;
use paperflow_connect::compliance::{Bench, check, pubsub, queues, streams};
use paperflow_connect::redis::Redis;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::Packet;
use paperflow_core::connector::{ConnectorKind, Declaration, Store, StoreFault};
use paperflow_core::message::{Id, Message};
use programs::{done, end_once, message, read, see_notes, take};
use redis::cmd;

/// A server whose keys begin with a prefix that nobody else has, and whose time is told.
struct Server {
    access: Access,
    prefix: String,
    clock: ManualClock,
    store: Option<Arc<Redis>>,
}

/// How long a process that has died is believed to live.
const LEASE: Duration = Duration::from_millis(100);

impl Server {
    fn new(url: &str, is_structured: bool) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("t{}.{made}:", std::process::id());
        let url = format!("{url}?prefix={prefix}");
        let mut server = Self {
            access: Access::new(&url, is_structured).unwrap(),
            prefix,
            clock: ManualClock::at(Duration::from_secs(1_700_000_000)),
            store: None,
        };
        server.open();
        server
    }

    fn open(&mut self) {
        let store = Redis::open_at(&self.access, Arc::new(self.clock.clone()));
        self.store = Some(Arc::new(store.unwrap()));
    }

    fn opened(&self) -> &Arc<Redis> {
        self.store.as_ref().unwrap()
    }
}

impl Bench for Server {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.opened()) as Arc<dyn Store>
    }

    fn tuned(&self, declaration: &Declaration) -> Declaration {
        Declaration {
            lease: LEASE,
            ..declaration.clone()
        }
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    /// Nothing is heard of the process any more, and its leases end.
    fn crash(&mut self) {
        self.opened().cut();
        self.store = None;
        self.clock.advance(LEASE);
        self.open();
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.opened().ask_streams(request)
    }
}

/// Why cases do not apply.
const NO_TABLES: &str = "tables are kept by the embedded store; a broker refuses them";

#[test]
fn queues_comply() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let left_out = [
        "s5: rows, what was handled and what followed are kept together",
        "what was sent of its own accord is owed until it is paid",
        "what has arrived is not sent again",
        "desks do not see each other",
    ]
    .map(|name| (name, NO_TABLES));
    let lines = check(&queues::cases(), &left_out, || {
        Box::new(Server::new(&url, false))
    });
    recorded("redis", ConnectorKind::Queue, &lines);
    let in_documents = (
        "a queue has room for as many bytes as it says",
        "the bytes of a whole document count, not those of the payload in it",
    );
    let left_out = [&left_out[..], &[in_documents]].concat();
    check(&queues::cases(), &left_out, || {
        Box::new(Server::new(&url, true))
    });
}

#[test]
fn channels_comply() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let lines = check(pubsub::CASES, &[], || Box::new(Server::new(&url, false)));
    recorded("redis", ConnectorKind::Pubsub, &lines);
}

#[test]
fn streams_comply() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let lines = check(streams::CASES, &[], || Box::new(Server::new(&url, false)));
    recorded("redis", ConnectorKind::Stream, &lines);
}

/// What the parts of a graph that run apart need of a store.
#[test]
fn parts_see_each_others_notes_and_a_run_ends_once() {
    let Some(url) = brokers::url("redis") else {
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

#[test]
fn the_end_of_a_run_forgets_the_ids_of_what_was_connected_in_it() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let store = Server::new(&url, false).store();
    let run = store.epoch("g").unwrap();
    let declaration = Declaration::new("after", ConnectorKind::Queue);
    let queue = store.connect(&declaration).unwrap();
    let message = Message::of(Id::of("one"), &Packet::text("one")).unwrap();
    let sent = || queue.send(std::slice::from_ref(&message)).unwrap();
    assert_eq!((sent().written, sent().known), (1, 1));
    store.finish("g", run).unwrap();
    assert_eq!(sent().written, 1, "nobody knows it any more");
}

/// A server that knows ten ids of each connector at least, and for a minute.
fn forgetful(url: &str) -> Server {
    let mut server = Server::new(url, false);
    let few = format!("{url}?prefix={}&ids=10&window=60", server.prefix);
    server.access = Access::new(&few, false).unwrap();
    server.open();
    server
}

/// Somebody who sends to a connector of a kind: 1 if an id is new, 0 if it is known.
fn sending(server: &Server, kind: ConnectorKind) -> impl Fn(&str) -> usize {
    let connector = server.store().connect(&Declaration::new("known", kind));
    let connector = connector.unwrap();
    move |name| {
        let message = Message::of(Id::of(name), &Packet::text(name)).unwrap();
        connector.send(&[message]).unwrap().written
    }
}

/// How many ids are kept in each of the sets, the old sorted one last.
fn kept(url: &str, server: &Server) -> [usize; 3] {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut count = |command: &str, part: &str| {
        let key = format!("{}paperflow:known:{part}", server.prefix);
        cmd(command).arg(key).query(&mut connection).unwrap()
    };
    [
        count("SCARD", "ids"),
        count("SCARD", "ids-before"),
        count("ZCARD", "seen"),
    ]
}

const KINDS: [ConnectorKind; 3] = [
    ConnectorKind::Queue,
    ConnectorKind::Stream,
    ConnectorKind::Pubsub,
];

#[test]
fn ids_are_known_until_so_many_others_were_sent() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    for kind in KINDS {
        let server = forgetful(&url);
        let sent = sending(&server, kind);
        for at in 0..45 {
            assert_eq!(sent(&at.to_string()), 1, "{at}");
            for before in (0..=at).rev().take(10) {
                assert_eq!(sent(&before.to_string()), 0, "{before} after {at}");
            }
            let [last, before, _] = kept(&url, &server);
            assert!(last <= 10 && before <= 10, "{last} and {before}");
        }
        assert_eq!(sent("24"), 1, "so many others came since");
    }
}

#[test]
fn ids_of_one_send_that_are_more_than_are_to_be_known_are_known() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let server = forgetful(&url);
    let queue = Declaration::new("known", ConnectorKind::Queue);
    let queue = server.store().connect(&queue).unwrap();
    let all: Vec<Message> = (0..50).map(message).collect();
    assert_eq!(queue.send(&all[..25]).unwrap().written, 25);
    assert_eq!(queue.send(&all).unwrap().written, 25);
    assert_eq!(queue.send(&all).unwrap().written, 0);
    let twice = [message(50), message(0), message(50)];
    assert_eq!(queue.send(&twice).unwrap().written, 1);
}

#[test]
fn ids_are_known_for_as_long_as_is_said() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    for kind in KINDS {
        let server = forgetful(&url);
        let sent = sending(&server, kind);
        assert_eq!(["a", "b"].map(&sent), [1, 1]);
        server.advance(Duration::from_secs(59));
        assert_eq!(["a", "c"].map(&sent), [0, 1]);
        // The second set begins.
        server.advance(Duration::from_secs(1));
        assert_eq!(["b", "d"].map(&sent), [0, 1]);
        server.advance(Duration::from_secs(58));
        assert_eq!(["c", "d", "e"].map(&sent), [0, 0, 1]);
        // The first set is gone, and a third begins.
        server.advance(Duration::from_secs(2));
        assert_eq!(["f", "d", "e"].map(&sent), [1, 0, 0]);
        assert_eq!(["a", "c"].map(&sent), [1, 1], "that was long ago");
    }
}

/// It kept them in a sorted set, with the time when each was sent.
#[test]
fn ids_that_an_older_version_has_sent_are_known_as_long_as_others() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    for kind in KINDS {
        let server = forgetful(&url);
        let sent = sending(&server, kind);
        let mut older = redis::Client::open(url.as_str())
            .unwrap()
            .get_connection()
            .unwrap();
        let mut sent_before = |id: &str, moment: u64| {
            let key = format!("{}paperflow:known:seen", server.prefix);
            let mut add = cmd("ZADD");
            add.arg(key).arg(moment).arg(&Id::of(id).to_bytes());
            let () = add.query(&mut older).unwrap();
        };
        sent_before("old", 1_699_999_999_000);
        assert_eq!(["old", "new", "old", "new"].map(&sent), [0, 1, 0, 0]);
        server.advance(Duration::from_secs(59));
        assert_eq!(sent("old"), 0);
        // It still sends.
        sent_before("late", 1_700_000_059_000);
        server.advance(Duration::from_secs(1));
        assert_eq!(["one", "late", "old"].map(&sent), [1, 0, 0]);
        // It sends no more.
        server.advance(Duration::from_secs(60));
        assert_eq!(["two", "late"].map(&sent), [1, 1]);
        assert_eq!(kept(&url, &server)[2], 0);
    }
}

/// Fields are packed, and how depends on how long they are.
#[test]
fn packets_and_headers_of_every_length_come_as_they_were_sent() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let lengths = [0, 31, 32, 255, 256, 0xffff, 0x1_0000, 300_000];
    for (kind, is_structured) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
    {
        let server = Server::new(&url, is_structured);
        let connector = server.store().connect(&Declaration::new("long", kind));
        let connector = connector.unwrap();
        let reader = read(&connector, "r");
        assert!(take(&reader, 1).is_empty());
        let sent: Vec<Message> = lengths
            .iter()
            .map(|length| {
                let packet = Packet::text("\u{e9}".repeat(*length));
                let packet = packet.with_header("long", &"h".repeat(*length));
                Message::of(Id::of(&length.to_string()), &packet).unwrap()
            })
            .collect();
        assert_eq!(connector.send(&sent).unwrap().written, sent.len());
        let mut found = Vec::new();
        while found.len() < sent.len() {
            let some = take(&reader, sent.len());
            assert!(!some.is_empty());
            done(&reader, &some);
            found.extend(some.into_iter().map(|one| one.message));
        }
        for (sent, found) in sent.iter().zip(&found) {
            assert_eq!(sent.id, found.id);
            assert_eq!(sent.body().unwrap(), found.body().unwrap());
            assert_eq!(sent.headers.get("long"), found.headers.get("long"));
        }
    }
}

/// A sign of life that is given while somebody joins does not know whether the server has heard of it.
#[test]
fn who_joins_while_signs_of_life_are_given_is_not_taken_for_lost() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let server = Server::new(&url, false);
    let queue = server.store();
    let queue = queue.connect(&Declaration::new("joined", ConnectorKind::Queue));
    let queue = queue.unwrap();
    let messages: Vec<Message> = (0..500).map(message).collect();
    queue.send(&messages).unwrap();
    let has_joined = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !has_joined.load(Ordering::Acquire) {
                server.clock.advance(Duration::ZERO);
            }
        });
        for at in 0..500 {
            let reader = read(&queue, &format!("reader {at}"));
            let found = take(&reader, 1);
            assert_eq!(found.len(), 1, "{at}");
            done(&reader, &found);
            reader.flush().unwrap();
        }
        has_joined.store(true, Ordering::Release);
    });
    let mut asked = redis::Client::open(url.as_str()).unwrap().get_connection();
    let key = format!("{}paperflow:joined:consumers", server.prefix);
    let left: Vec<String> = cmd("ZRANGE")
        .arg(key)
        .arg(0)
        .arg(-1)
        .query(asked.as_mut().unwrap())
        .unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(queue.unfinished("").unwrap(), Some(0));
}
