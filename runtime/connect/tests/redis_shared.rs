//! A Redis server as several processes share it, in real time; strangers, and a server that dies.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use paperflow_connect::broker::Access;
use paperflow_connect::redis::Redis;
use paperflow_core::Packet;
use paperflow_core::connector::{ConnectorKind, Declaration, Disposition, Settlement, Store};
use paperflow_core::message::{Id, Message};
use programs::{
    HOPELESS, body, done, finish_while_away, know_what_others_hold, message, outlast_their_leases,
    outlive_kills, read, share_partitions, take, until, wake_each_other,
};
use redis::{Connection, cmd};

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
            prefix: format!("s{}.{made}:", std::process::id()),
        }
    }

    /// As one process has it.
    fn open(&self) -> Redis {
        let url = format!("{}?prefix={}", self.url, self.prefix);
        Redis::open(&Access::new(&url, false).unwrap()).unwrap()
    }

    /// Somebody who knows nothing of us.
    fn stranger(&self) -> Connection {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        client.get_connection().unwrap()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn declared(name: &str, kind: ConnectorKind) -> Declaration {
    let mut declaration = Declaration::new(name, kind);
    declaration.lease = Duration::from_millis(500);
    declaration
}

#[test]
fn k19_who_gives_no_sign_of_life_is_not_heard_any_more() {
    let Some(url) = brokers::url("redis") else {
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
    until(|| (begun.elapsed() > Duration::from_millis(1_500)).then_some(()));
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
    assert!(zombie.flush().is_err(), "nothing goes over that line");
    done(&reader, &[again]);
    reader.flush().unwrap();
    let dead = two
        .connect(&declared("q.dead", ConnectorKind::Queue))
        .unwrap();
    assert!(take(&read(&dead, "dead"), 1).is_empty());
}

#[test]
fn what_another_process_holds_takes_no_room() {
    let Some(url) = brokers::url("redis") else {
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
fn t05_processes_share_the_partitions_of_a_stream() {
    let Some(url) = brokers::url("redis") else {
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
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(), corner.open());
    wake_each_other((&one, &two), declared, HOPELESS);
}

#[test]
fn strangers_write_and_read() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let corner = Corner::of(&url);
    let store = corner.open();
    let mut stranger = corner.stranger();
    for kind in [ConnectorKind::Queue, ConnectorKind::Stream] {
        let name = kind.word();
        let connector = store.connect(&declared(name, kind)).unwrap();
        let reader = read(&connector, "r");
        let mut write = |fields: &[&str]| {
            let key = corner.key(name);
            let sent: String = cmd("XADD")
                .arg(key)
                .arg("*")
                .arg(fields)
                .query(&mut stranger)
                .unwrap();
            drop(sent);
        };
        write(&["data", "plain", "tenant", "seven"]);
        write(&[
            "ce_specversion",
            "1.0",
            "ce_id",
            "A1",
            "ce_source",
            "/shop",
            "ce_type",
            "shop.paid",
            "ce_datacontenttype",
            "application/json",
            "data",
            "{\"n\":1}",
        ]);
        write(&[
            "content-type",
            "application/cloudevents+json",
            "data",
            "{\"specversion\":\"1.0\",\"id\":\"A2\",\"source\":\"/shop\",\"type\":\"t\",\"data\":{\"n\":2}}",
        ]);
        let mut found = Vec::new();
        until(|| {
            found.extend(take(&reader, 10));
            (found.len() == 3).then_some(())
        });
        let kinds: Vec<_> = found.iter().map(|one| one.message.kind_word()).collect();
        assert_eq!(kinds, ["text", "record", "record"], "{name}");
        assert_eq!(found[0].message.headers.get("tenant"), Some("seven"));
        assert_eq!(found[1].message.headers.get("type"), Some("shop.paid"));
        assert_eq!(body(&found[2]), "{\"n\":2}");
        done(&reader, &found);
        reader.flush().unwrap();
        let packet = Packet::json(serde_json::json!({"n": 3})).with_header("correlation-id", "c");
        connector
            .send(&[Message::of(Id::of("3"), &packet).unwrap()])
            .unwrap();
        let key = corner.key(if kind == ConnectorKind::Queue {
            name
        } else {
            "stream:0"
        });
        let entries: Vec<(String, Vec<(String, String)>)> = cmd("XREVRANGE")
            .arg(key)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query(&mut stranger)
            .unwrap();
        let get = |name: &str| {
            let mut fields = entries[0].1.iter();
            fields
                .find(|(own, _)| own == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(get("ce_specversion"), Some("1.0"));
        assert_eq!(get("ce_correlationid"), Some("c"));
        assert_eq!(get("ce_datacontenttype"), Some("application/json"));
        assert_eq!(get("data"), Some("{\"n\":3}"));
    }
}

#[test]
fn k20_a_run_ends_when_its_server_is_back() {
    let Some(server) = brokers::Private::new("redis") else {
        return;
    };
    let corner = Corner::of(server.url());
    finish_while_away(&corner.open(), || server.kill(), || server.start());
}

#[test]
fn k20_a_server_that_is_killed_loses_nothing_that_it_confirmed() {
    let Some(server) = brokers::Private::new("redis") else {
        return;
    };
    let corner = Corner::of(server.url());
    let store = corner.open();
    let mut declaration = declared("q", ConnectorKind::Queue);
    declaration.capacity = 200;
    let queue = store.connect(&declaration).unwrap();
    let (reader, _) = outlive_kills(&queue, || server.kill(), || server.start());
    reader.flush().unwrap();
    let rest = until(|| {
        let mut found = Vec::new();
        reader.receive(1, &mut found).is_ok().then_some(found)
    });
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn k20_what_outlasts_its_lease_while_the_server_is_away_is_not_delivered_again() {
    let Some(server) = brokers::Private::new("redis") else {
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

#[test]
fn k20_who_asks_first_when_the_server_is_back_gives_nobody_up_of_its_own_process() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let corner = Corner::of(&url);
    let store = corner.open();
    let consumers = [
        (ConnectorKind::Queue, "paperflow:q:consumers"),
        (ConnectorKind::Stream, "paperflow:s:group:g:consumers"),
    ];
    for (kind, consumers) in consumers {
        let mut declaration = declared(
            if kind == ConnectorKind::Queue {
                "q"
            } else {
                "s"
            },
            kind,
        );
        declaration.partitions = 2;
        let connector = store.connect(&declaration).unwrap();
        let readers = [read(&connector, "first"), read(&connector, "second")];
        connector
            .send(&(1..=20).map(message).collect::<Vec<_>>())
            .unwrap();
        let mut held = [Vec::new(), Vec::new()];
        until(|| {
            for (reader, held) in readers.iter().zip(&mut held) {
                held.extend(take(reader, 10));
            }
            (held[0].len() + held[1].len() == 20).then_some(())
        });
        assert!(!held[1].is_empty(), "the {kind} is read by one alone");
        // As if the server had been away for as long as that.
        let mut stranger = corner.stranger();
        let key = corner.key(consumers);
        let members: Vec<String> = cmd("ZRANGE")
            .arg(&key)
            .arg(0)
            .arg(-1)
            .query(&mut stranger)
            .unwrap();
        assert_eq!(members.len(), 2);
        for member in members {
            cmd("ZADD")
                .arg(&key)
                .arg("XX")
                .arg(1)
                .arg(member)
                .exec(&mut stranger)
                .unwrap();
        }
        for reader in &readers {
            assert!(
                take(reader, 64).is_empty(),
                "the {kind} has given what was held to another"
            );
        }
        for (reader, held) in readers.iter().zip(&held) {
            done(reader, held);
        }
        until(|| (connector.unfinished("g").ok() == Some(Some(0))).then_some(()));
    }
}
