//! A NATS server as several processes share it, in real time; strangers, and a server that dies.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap};
use paperflow_connect::broker::Access;
use paperflow_connect::nats::Nats;
use paperflow_core::Packet;
use paperflow_core::connector::{
    Connector, ConnectorKind, Declaration, Delivery, Disposition, Settlement, Store, Subscription,
};
use paperflow_core::message::{Id, Message};
use programs::{
    HOPELESS, body, done, finish_while_away, know_what_others_hold, message, outlast_their_leases,
    outlive_kills, perhaps, read, send, share_partitions, take, until, wake_each_other, waker,
};
use serde_json::json;

/// A part of a server that nobody else uses.
struct Corner {
    url: String,
    prefix: String,
}

impl Corner {
    fn of(server: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            url: server.to_owned(),
            prefix: format!("s{}-{made}.", std::process::id()),
        }
    }

    /// As one process has it.
    fn open(&self) -> Nats {
        self.open_in(false)
    }

    fn open_in(&self, is_structured: bool) -> Nats {
        let url = format!("{}?prefix={}&lease=1", self.url, self.prefix);
        Nats::open(&Access::new(&url, is_structured).unwrap()).unwrap()
    }

    fn subject(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Somebody who knows nothing of us.
struct Stranger {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Stranger {
    fn at(corner: &Corner) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async_nats::connect(&corner.url)).unwrap();
        Self { runtime, client }
    }

    fn run<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Publishes, and waits until the server has it.
    fn publish(&self, subject: String, headers: &[(&str, &str)], body: &str) {
        let all = headers.iter();
        let headers: HeaderMap = all
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        self.run(async {
            let request = async_nats::Request::new()
                .headers(headers)
                .payload(body.to_owned().into());
            let answer = self.client.send_request(subject, request).await.unwrap();
            let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
            assert!(answer["error"].is_null(), "{answer}");
        });
    }

    /// Removes a message from a stream, by its number.
    fn remove(&self, stream: &str, number: u64) {
        self.run(async {
            let context = async_nats::jetstream::new(self.client.clone());
            let stream = context.get_stream(stream).await.unwrap();
            stream.delete_message(number).await.unwrap();
        });
    }

    /// The last message on a subject: its headers by their names, and its payload.
    fn last(&self, stream: &str, subject: String) -> (HeaderMap, String) {
        self.run(async {
            let context = async_nats::jetstream::new(self.client.clone());
            let stream = context.get_stream(stream).await.unwrap();
            let message = stream
                .get_last_raw_message_by_subject(&subject)
                .await
                .unwrap();
            let body = String::from_utf8(message.payload.to_vec()).unwrap();
            (message.headers, body)
        })
    }
}

fn declared(name: &str, kind: ConnectorKind) -> Declaration {
    let mut declaration = Declaration::new(name, kind);
    declaration.lease = Duration::from_secs(1);
    declaration
}

/// Parts of a graph begin at the same moment, and each makes what is between them.
#[test]
fn programs_that_make_the_same_queue_at_a_time_all_have_it() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let stores = [(); 4].map(|()| corner.open());
    for round in 0..50 {
        let queue = declared(&format!("together{round}"), ConnectorKind::Queue);
        let all_are_here = Barrier::new(stores.len());
        thread::scope(|scope| {
            for store in &stores {
                scope.spawn(|| {
                    all_are_here.wait();
                    store.connect(&queue).unwrap();
                });
            }
        });
    }
}

/// The same, where nobody has been before.
#[test]
fn programs_that_come_first_at_a_time_all_begin() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    for _ in 0..50 {
        let corner = Corner::of(&url);
        let all_are_here = Barrier::new(16);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    all_are_here.wait();
                    corner.open().epoch("g").unwrap();
                });
            }
        });
    }
}

#[test]
fn what_another_process_holds_takes_no_room() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    know_what_others_hold(
        (&one, &two),
        declared("facts", ConnectorKind::Stream),
        HOPELESS,
    );
}

#[test]
fn k19_who_gives_no_sign_of_life_is_not_heard_any_more() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    let queue = declared("q", ConnectorKind::Queue);
    let (first, second) = (one.connect(&queue).unwrap(), two.connect(&queue).unwrap());
    first.send(&[message(1)]).unwrap();
    let zombie = read(&first, "zombie");
    let held = take(&zombie, 1);
    assert_eq!(held[0].attempt, 1);
    // Longer than the lease: it is renewed as long as its process lives.
    let reader = read(&second, "other");
    let begun = Instant::now();
    until(|| (begun.elapsed() > Duration::from_millis(2_500)).then_some(()));
    assert!(take(&reader, 1).is_empty());
    one.cut();
    let again = until(|| take(&reader, 1).pop());
    assert_eq!((body(&again).as_str(), again.attempt), ("1", 2));
    zombie.settle(
        held[0].ticket,
        Settlement {
            disposition: Disposition::Reject,
            failure: None,
        },
    );
    done(&reader, &[again]);
    reader.flush().unwrap();
    drop(zombie);
    let dead = two
        .connect(&declared("q.dead", ConnectorKind::Queue))
        .unwrap();
    assert!(take(&read(&dead, "dead"), 1).is_empty());
}

#[test]
fn t05_processes_share_the_partitions_of_a_stream() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let mut facts = declared("facts", ConnectorKind::Stream);
    facts.partitions = 6;
    let stores = [(); 3].map(|()| corner.open());
    let all = stores.each_ref().map(|store| store as &dyn Store);
    share_partitions(all, &facts, HOPELESS, || stores[2].cut());
}

#[test]
fn a_message_wakes_a_reader_in_another_process() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    wake_each_other((&one, &two), declared, HOPELESS);
}

#[test]
fn a_writer_hears_of_room_that_another_process_has_made() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    let mut declaration = declared("q", ConnectorKind::Queue);
    declaration.capacity = 2;
    let (writer, other) = (
        one.connect(&declaration).unwrap(),
        two.connect(&declaration).unwrap(),
    );
    writer.send(&[message(1), message(2)]).unwrap();
    let waker = waker();
    assert_eq!(writer.room(&waker).unwrap(), 0);
    let reader = read(&other, "r");
    // What is held takes no room, although the writer does not hold it.
    let held = take(&reader, 1);
    until(|| (writer.room(&waker).unwrap() == 1).then_some(()));
    done(&reader, &held);
    reader.flush().unwrap();
    until(|| (writer.room(&waker).unwrap() == 1).then_some(()));
    assert_eq!(writer.unfinished("").unwrap(), Some(1));
}

/// An event as a stranger writes it, in both modes, and one that is none.
const EVENT: [(&str, &str); 6] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "A1"),
    ("ce-source", "/shop"),
    ("ce-type", "shop.paid"),
    ("ce-subject", "caf%C3%A9%20%22one%22"),
    ("ce-datacontenttype", "application/json"),
];

#[test]
fn e21_strangers_events_on_nats_are_read_in_both_modes() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (store, stranger) = (corner.open(), Stranger::at(&corner));
    for kind in [ConnectorKind::Queue, ConnectorKind::Stream] {
        let name = kind.word();
        let reader = read(&store.connect(&declared(name, kind)).unwrap(), "r");
        let subject = || corner.subject(name);
        let document = json!({
            "specversion": "1.0", "id": "A1", "source": "/shop", "type": "shop.paid",
            "subject": "café \"one\"", "datacontenttype": "application/json", "data": {"n": 1},
        });
        stranger.publish(subject(), &EVENT, "{\"n\":1}");
        let structured = [("Content-Type", "application/cloudevents+json")];
        stranger.publish(subject(), &structured, &document.to_string());
        stranger.publish(subject(), &[("tenant", "seven")], "plain");
        let mut found = Vec::new();
        until(|| {
            found.extend(take(&reader, 10));
            (found.len() == 3).then_some(())
        });
        assert_eq!(found[0].message, found[1].message, "{name}: equal events");
        assert_eq!(body(&found[0]), "{\"n\":1}");
        let headers = &found[0].message.headers;
        assert_eq!(headers.get("type"), Some("shop.paid"));
        assert_eq!(headers.get("subject"), Some("café \"one\""));
        assert_eq!(found[2].message.kind_word(), "text");
        assert_eq!(found[2].message.headers.get("tenant"), Some("seven"));
        done(&reader, &found);
        reader.flush().unwrap();
    }
}

#[test]
fn e21_strangers_on_nats_read_our_events_in_both_modes() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let stranger = Stranger::at(&corner);
    let packet = Packet::json(json!({"n": 3}));
    let packet = packet
        .with_header("correlation-id", "c d")
        .with_header("type", "shop.paid");
    let event = Message::of(Id::of("3"), &packet).unwrap();
    for is_structured in [false, true] {
        let name = if is_structured {
            "documents"
        } else {
            "headers"
        };
        let store = corner.open_in(is_structured);
        let queue = store
            .connect(&declared(name, ConnectorKind::Queue))
            .unwrap();
        queue.send(std::slice::from_ref(&event)).unwrap();
        let stream = corner.subject(name).replace('.', "=2E");
        let (headers, payload) = stranger.last(&stream, corner.subject(name));
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        if is_structured {
            let content = text("Content-Type").unwrap();
            assert_eq!(content, "application/cloudevents+json");
            let document: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert_eq!(document["type"], "shop.paid");
            assert_eq!(document["correlationid"], "c d");
            assert_eq!(document["data"], json!({"n": 3}));
        } else {
            assert_eq!(text("ce-specversion").as_deref(), Some("1.0"));
            assert_eq!(text("ce-type").as_deref(), Some("shop.paid"));
            assert_eq!(text("ce-correlationid").as_deref(), Some("c%20d"));
            let content = text("ce-datacontenttype");
            assert_eq!(content.as_deref(), Some("application/json"));
            assert_eq!(payload, "{\"n\":3}");
        }
        let found = take(&read(&queue, "r"), 1);
        assert_eq!(found[0].message, event);
    }
}

#[test]
fn k20_what_a_stream_has_is_not_taken_for_gone_when_its_server_was_killed() {
    let Some(server) = brokers::Private::new("nats") else {
        return;
    };
    const ALL: usize = 900;
    let corner = Corner::of(server.url());
    let store = corner.open();
    let stream = store
        .connect(&declared("s", ConnectorKind::Stream))
        .unwrap();
    let sender = send(&stream, ALL, (HOPELESS, Duration::ZERO));
    let reader = read(&stream, "r");
    let mut seen = BTreeSet::new();
    let mut kills = 0;
    until(|| {
        let found = perhaps(&reader, 16);
        seen.extend(found.iter().map(body));
        done(&reader, &found);
        if seen.len() > (kills + 1) * ALL / 5 && kills < 3 {
            kills += 1;
            server.kill();
            server.start();
        }
        let is_over = sender.is_finished() && stream.unfinished("g").ok() == Some(Some(0));
        (seen.len() == ALL || is_over).then_some(())
    });
    assert_eq!((kills, seen.len()), (3, ALL));
    sender.join().unwrap();
}

/// A server that was killed may have forgotten how far a stream was written, and not how far it was read.
#[test]
fn k20_a_server_that_gives_numbers_again_loses_nothing() {
    loses_nothing_when_set_back(ConnectorKind::Queue, "");
    loses_nothing_when_set_back(ConnectorKind::Stream, "=p0");
}

fn loses_nothing_when_set_back(kind: ConnectorKind, shelf: &str) {
    let Some(server) = brokers::Private::new("nats") else {
        return;
    };
    let corner = Corner::of(server.url());
    let url = format!("{}?prefix={}", corner.url, corner.prefix);
    let store = Nats::open(&Access::new(&url, false).unwrap()).unwrap();
    let mut declaration = Declaration::new("q", kind);
    declaration.lease = Duration::from_secs(60);
    let queue = store.connect(&declaration).unwrap();
    let reader = read(&queue, "r");
    let stream = corner.subject("q").replace('.', "=2E") + shelf;
    let kept = server.folder().join("data/jetstream/$G/streams");
    let (messages, empty) = (
        kept.join(stream).join("msgs"),
        server.folder().join("empty"),
    );
    let while_away = |what: &dyn Fn()| {
        server.stop();
        until(|| reader.receive(10, &mut Vec::new()).err());
        what();
        server.start();
    };
    while_away(&|| copy_folder(&messages, &empty));
    until(|| queue.send(&(0..20).map(message).collect::<Vec<_>>()).ok());
    let found = take(&reader, 20);
    done(&reader, &found[..10]);
    reader.flush().unwrap();
    while_away(&|| {
        fs::remove_dir_all(&messages).unwrap();
        copy_folder(&empty, &messages);
    });
    // They have the numbers of those that are done, and that are in hand.
    let others: Vec<Message> = (20..40).map(message).collect();
    until(|| queue.send(&others).ok());
    done(&reader, &found[10..]);
    until(|| reader.flush().ok());
    let seen = read_to_the_end(&queue, &reader);
    assert_eq!(seen, (20..40).map(|number| number.to_string()).collect());
}

/// Reads and does everything that there is.
fn read_to_the_end(
    connector: &Arc<dyn Connector>,
    reader: &Arc<dyn Subscription>,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    until(|| {
        let found = perhaps(reader, 20);
        seen.extend(found.iter().map(body));
        done(reader, &found);
        (connector.unfinished("g").ok() == Some(Some(0))).then_some(())
    });
    seen
}

/// Copies the files of a folder to a new one.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn what_was_removed_from_a_stream_is_passed() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (store, stranger) = (corner.open(), Stranger::at(&corner));
    let stream = store
        .connect(&declared("s", ConnectorKind::Stream))
        .unwrap();
    let all: Vec<Message> = (0..20).map(message).collect();
    stream.send(&all).unwrap();
    let shelf = corner.subject("s").replace('.', "=2E") + "=p0";
    let removed = [0, 1, 6, 7, 8, 18, 19];
    for number in removed {
        stranger.remove(&shelf, number + 1);
    }
    let reader = read(&stream, "r");
    let found = read_to_the_end(&stream, &reader);
    let left = (0..20).filter(|number| !removed.contains(number));
    assert_eq!(found, left.map(|number| number.to_string()).collect());
}

#[test]
fn k20_a_run_ends_when_its_server_is_back() {
    let Some(server) = brokers::Private::new("nats") else {
        return;
    };
    let corner = Corner::of(server.url());
    finish_while_away(&corner.open(), || server.kill(), || server.start());
}

#[test]
fn k20_a_server_that_is_killed_loses_nothing_that_it_confirmed() {
    let Some(server) = brokers::Private::new("nats") else {
        return;
    };
    let corner = Corner::of(server.url());
    let store = corner.open();
    let mut declaration = declared("q", ConnectorKind::Queue);
    declaration.capacity = 200;
    let queue = store.connect(&declaration).unwrap();
    let (reader, seen) = outlive_kills(&queue, || server.kill(), || server.start());
    // What was done in the last moments before a kill may come again.
    until(|| {
        let found = perhaps(&reader, 64);
        assert!(found.iter().all(|one| seen.contains(&body(one))));
        done(&reader, &found);
        (queue.unfinished("").ok() == Some(Some(0))).then_some(())
    });
}

#[test]
fn k20_what_outlasts_its_lease_while_the_server_is_away_is_not_delivered_again() {
    let Some(server) = brokers::Private::new("nats") else {
        return;
    };
    let corner = Corner::of(server.url());
    let declaration = declared("q", ConnectorKind::Queue);
    outlast_their_leases(
        &corner.open(),
        &declaration,
        || server.kill(),
        || server.start(),
    );
}

/// Whoever counts what is left while something is acknowledged takes nothing away from who holds the rest.
#[test]
fn what_a_dead_process_held_comes_again_however_often_others_have_counted() {
    let Some(url) = brokers::url("nats") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    let declaration = declared("q", ConnectorKind::Queue);
    let (first, second) = (
        one.connect(&declaration).unwrap(),
        two.connect(&declaration).unwrap(),
    );
    first
        .send(&(0..200).map(message).collect::<Vec<_>>())
        .unwrap();
    let zombie = read(&first, "zombie");
    let held = take(&zombie, 200);
    assert_eq!(held.len(), 200);
    let (acknowledged, left) = held.split_at(100);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                second.unfinished("").unwrap();
            }
        });
        for one in acknowledged {
            done(&zombie, std::slice::from_ref(one));
            zombie.flush().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    one.cut();
    let reader = read(&second, "reader");
    let mut again = Vec::new();
    until(|| {
        again.extend(take(&reader, 200));
        (again.len() >= left.len()).then_some(())
    });
    let bodies = |all: &[Delivery]| all.iter().map(body).collect::<BTreeSet<_>>();
    assert_eq!(bodies(&again), bodies(left));
    done(&reader, &again);
    until(|| (second.unfinished("").ok() == Some(Some(0))).then_some(()));
}
