//! A RabbitMQ server as several processes share it; strangers, and a server that dies.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use paperflow_connect::amqp::Amqp;
use paperflow_connect::broker::Access;
use paperflow_core::Packet;
use paperflow_core::connector::{
    ConnectorKind, Declaration, Disposition, Settlement, Store, StoreFaultKind,
};
use paperflow_core::message::{Id, Message};
use programs::{
    body, done, finish_while_away, know_what_others_hold, message, perhaps, read, send,
    share_partitions, take, until_within, wake_each_other,
};
use tokio::runtime::Runtime;

/// How long a test waits for what must come: a server may need half a minute to start.
const HOPELESS: Duration = Duration::from_secs(240);

fn until<T>(look: impl FnMut() -> Option<T>) -> T {
    until_within(HOPELESS, look)
}

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
    fn open(&self, is_structured: bool) -> Amqp {
        let url = format!("{}?prefix={}", self.url, self.prefix);
        Amqp::open(&Access::new(&url, is_structured).unwrap()).unwrap()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Somebody who knows nothing of us: a bare client.
struct Stranger {
    runtime: Runtime,
    channel: Channel,
    /// It lives as long as this.
    _connection: Connection,
}

impl Stranger {
    fn of(corner: &Corner) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let (connection, channel) = runtime.block_on(async {
            let properties = ConnectionProperties::default();
            let connection = Connection::connect(&corner.url, properties).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(Default::default()).await.unwrap();
            (connection, channel)
        });
        Self {
            runtime,
            channel,
            _connection: connection,
        }
    }

    fn wait<T>(&self, what: impl Future<Output = Result<T, lapin::Error>>) -> T {
        self.runtime.block_on(what).unwrap()
    }

    fn publish(&self, to: (&str, &str), properties: BasicProperties, body: &[u8]) {
        self.wait(async {
            let (exchange, key) = (to.0.into(), to.1.into());
            let options = BasicPublishOptions::default();
            let sent = self
                .channel
                .basic_publish(exchange, key, options, body, properties);
            sent.await?.await
        });
    }

    /// A message of a queue: its properties, its headers as texts, and its body.
    fn get(&self, queue: &str) -> (BasicProperties, BTreeMap<String, String>, Vec<u8>) {
        let options = BasicGetOptions { no_ack: true };
        let got = self.wait(self.channel.basic_get(queue.into(), options));
        let got = got.unwrap().delivery;
        let table = got.properties.headers().clone().unwrap_or_default();
        let texts = table.inner().iter().filter_map(|(name, value)| {
            let AMQPValue::LongString(text) = value else {
                return None;
            };
            Some((name.to_string(), text.to_string()))
        });
        (got.properties.clone(), texts.collect(), got.data)
    }
}

fn headers(known: &[(&str, &str)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in known {
        table.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    table
}

#[test]
fn k19_who_has_lost_its_connection_is_not_heard_any_more() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(false), corner.open(false));
    let queue = Declaration::new("q", ConnectorKind::Queue);
    let (first, second) = (one.connect(&queue).unwrap(), two.connect(&queue).unwrap());
    first.send(&[message(1)]).unwrap();
    let zombie = read(&first, "zombie");
    let held = take(&zombie, 1);
    assert_eq!(held[0].attempt, 1);
    let reader = read(&second, "other");
    assert!(take(&reader, 1).is_empty());
    one.cut();
    let again = until(|| take(&reader, 1).pop());
    assert_eq!((body(&again).as_str(), again.attempt), ("1", 2));
    let rejected = Settlement {
        disposition: Disposition::Reject,
        failure: None,
    };
    zombie.settle(held[0].ticket, rejected);
    assert!(zombie.flush().is_err(), "nothing goes over that line");
    done(&reader, &[again]);
    reader.flush().unwrap();
    let dead = Declaration::new("q.dead", ConnectorKind::Queue);
    let dead = two.connect(&dead).unwrap();
    assert!(take(&read(&dead, "dead"), 1).is_empty());
}

#[test]
fn what_another_process_holds_takes_no_room() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(false), corner.open(false));
    know_what_others_hold(
        (&one, &two),
        Declaration::new("facts", ConnectorKind::Stream),
        HOPELESS,
    );
}

/// A server knows no identities, and whoever is not told whether a message is safe sends it again.
#[test]
fn k20_what_was_published_twice_is_handled_once() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let store = corner.open(false);
    let queue = Declaration::new("q", ConnectorKind::Queue);
    let queue = store.connect(&queue).unwrap();
    queue.send(&[message(1), message(2), message(3)]).unwrap();
    queue.send(&[message(2)]).unwrap();
    let reader = read(&queue, "reader");
    let mut held = Vec::new();
    until(|| {
        held.extend(take(&reader, 4));
        (held.len() == 3).then_some(())
    });
    let bodies: Vec<String> = held.iter().map(body).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    let again = Settlement {
        disposition: Disposition::Retry,
        failure: None,
    };
    let failed = held.pop().unwrap();
    reader.settle(failed.ticket, again);
    done(&reader, &held);
    reader.flush().unwrap();
    queue.send(&[message(1), message(4)]).unwrap();
    let mut more = Vec::new();
    until(|| {
        more.extend(take(&reader, 4));
        (more.len() >= 2).then_some(())
    });
    let more: BTreeSet<_> = more.iter().map(|one| (body(one), one.attempt)).collect();
    let expected = [("3", 2), ("4", 1)].map(|(body, attempt)| (body.to_owned(), attempt));
    assert_eq!(more, expected.into(), "a failure is no second time");
    let stranger = Stranger::of(&corner);
    let key = corner.key("q");
    for text in ["one", "two"] {
        let named = BasicProperties::default().with_message_id("A1".into());
        stranger.publish((&key, &key), named, text.as_bytes());
    }
    let mut strange = BTreeSet::new();
    until(|| {
        strange.extend(take(&reader, 4).iter().map(body));
        (strange.len() >= 2).then_some(())
    });
    let expected = ["one", "two"].map(str::to_owned);
    assert_eq!(strange, expected.into(), "a stranger's own names");
}

/// A writer that was killed sends all of it again: more that lies there twice than a reader asks for at a time.
#[test]
fn what_lies_behind_many_that_lie_there_twice_is_found() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let store = corner.open(false);
    let mut declaration = Declaration::new("twice", ConnectorKind::Queue);
    declaration.capacity = 1_000;
    let queue = store.connect(&declaration).unwrap();
    let all: Vec<_> = (0..300).map(message).collect();
    queue.send(&all).unwrap();
    queue.send(&all).unwrap();
    queue.send(&[message(300)]).unwrap();
    let reader = read(&queue, "reader");
    let mut held = Vec::new();
    loop {
        // Who is told that there is nothing ends, when nobody sends any more.
        let some = take(&reader, 100);
        if some.is_empty() {
            break;
        }
        held.extend(some);
    }
    let bodies: Vec<String> = held.iter().map(body).collect();
    let expected: Vec<String> = (0..=300).map(|number| number.to_string()).collect();
    assert_eq!(bodies, expected);
}

#[test]
fn t05_processes_share_the_partitions_of_a_stream() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let mut facts = Declaration::new("facts", ConnectorKind::Stream);
    facts.partitions = 6;
    let stores = [(); 3].map(|()| corner.open(false));
    let all = stores.each_ref().map(|store| store as &dyn Store);
    share_partitions(all, &facts, HOPELESS, || stores[2].cut());
}

#[test]
fn a_message_wakes_a_reader_in_another_process() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let (one, two) = (corner.open(false), corner.open(false));
    wake_each_other(
        (&one, &two),
        |name, kind| Declaration::new(name, kind),
        HOPELESS,
    );
}

/// What strangers write is read: as it is, and as CloudEvents, binary and structured.
#[test]
fn e21_events_of_strangers_are_read() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let store = corner.open(false);
    let stranger = Stranger::of(&corner);
    for kind in [ConnectorKind::Queue, ConnectorKind::Stream] {
        let name = kind.word();
        let connector = store.connect(&Declaration::new(name, kind)).unwrap();
        let reader = read(&connector, "r");
        let key = corner.key(name);
        let to = (key.as_str(), key.as_str());
        let plain = BasicProperties::default()
            .with_headers(headers(&[("tenant", "seven")]))
            .with_correlation_id("c".into());
        stranger.publish(to, plain, b"plain");
        for prefix in ["cloudEvents_", "cloudEvents:"] {
            let attributes = [
                ("specversion", "1.0"),
                ("id", "A1"),
                ("source", "/shop"),
                ("type", "shop.paid"),
            ];
            let named = attributes.map(|(name, value)| (format!("{prefix}{name}"), value));
            let named = named
                .each_ref()
                .map(|(name, value)| (name.as_str(), *value));
            let binary = BasicProperties::default()
                .with_content_type("application/json".into())
                .with_headers(headers(&named));
            stranger.publish(to, binary, b"{\"n\":1}");
        }
        let structured = BasicProperties::default()
            .with_content_type("application/cloudevents+json; charset=UTF-8".into());
        let document = b"{\"specversion\":\"1.0\",\"id\":\"A1\",\"source\":\"/shop\",\
                         \"type\":\"shop.paid\",\"data\":{\"n\":1}}";
        stranger.publish(to, structured, document);
        let mut found = Vec::new();
        until(|| {
            found.extend(take(&reader, 10));
            (found.len() == 4).then_some(())
        });
        let kinds: Vec<_> = found.iter().map(|one| one.message.kind_word()).collect();
        assert_eq!(kinds, ["text", "record", "record", "record"], "{name}");
        let plain = &found[0].message.headers;
        assert_eq!(plain.get("tenant"), Some("seven"));
        assert_eq!(plain.get("correlation-id"), Some("c"));
        // One event, however it was written, is one message.
        assert_eq!(found[1].message, found[2].message);
        assert_eq!(found[1].message, found[3].message);
        assert_eq!(found[1].message.headers.get("type"), Some("shop.paid"));
        assert_eq!(body(&found[1]), "{\"n\":1}");
        done(&reader, &found);
        reader.flush().unwrap();
    }
}

/// What we write strangers read, binary and structured.
#[test]
fn e21_strangers_read_our_events() {
    let Some(url) = brokers::url("amqp") else {
        return;
    };
    let corner = Corner::of(&url);
    let stranger = Stranger::of(&corner);
    let queue = Declaration::new("q", ConnectorKind::Queue);
    let packet = Packet::json(serde_json::json!({"n": 3})).with_header("correlation-id", "c");
    let event = Message::of(Id::of("3"), &packet).unwrap();
    for is_structured in [false, true] {
        let store = corner.open(is_structured);
        let connector = store.connect(&queue).unwrap();
        connector.send(std::slice::from_ref(&event)).unwrap();
        let (properties, headers, body) = stranger.get(&corner.key("q"));
        let content = properties.content_type().as_ref().unwrap().to_string();
        let id = properties.message_id().as_ref().unwrap().to_string();
        assert_eq!(id, event.id.to_string());
        if is_structured {
            assert_eq!(content, "application/cloudevents+json");
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(document["specversion"], "1.0");
            assert_eq!(document["correlationid"], "c");
            assert_eq!(document["data"], serde_json::json!({"n": 3}));
        } else {
            assert_eq!(content, "application/json");
            let get = |name: &str| headers.get(name).map(String::as_str);
            assert_eq!(get("cloudEvents_specversion"), Some("1.0"));
            assert_eq!(get("cloudEvents_correlationid"), Some("c"));
            assert_eq!(get("cloudEvents_id"), Some(id.as_str()));
            assert_eq!(body, b"{\"n\":3}");
        }
    }
}

#[test]
fn k20_a_run_ends_when_its_server_is_back() {
    let Some(server) = brokers::Private::new("amqp") else {
        return;
    };
    let corner = Corner::of(server.url());
    // This server forgets what was made a moment before it is killed.
    finish_while_away(&corner.open(false), || server.stop(), || server.start());
}

#[test]
fn what_was_settled_while_its_server_was_away_does_not_come_again() {
    let Some(server) = brokers::Private::new("amqp") else {
        return;
    };
    let corner = Corner::of(server.url());
    let store = corner.open(false);
    let queue = store
        .connect(&Declaration::new("q", ConnectorKind::Queue))
        .unwrap();
    let all: Vec<Message> = (0..20).map(message).collect();
    queue.send(&all).unwrap();
    let reader = read(&queue, "r");
    let found = take(&reader, 20);
    assert_eq!(found.len(), 20);
    server.stop();
    // Some before it is noticed that the connection was lost, and some afterwards.
    done(&reader, &found[..10]);
    for _ in 0..2 {
        until(|| reader.receive(20, &mut Vec::new()).err());
    }
    done(&reader, &found[10..]);
    server.start();
    let again = until(|| {
        let again = perhaps(&reader, 20);
        let is_over = queue.unfinished("").ok() == Some(Some(0));
        (is_over || !again.is_empty()).then_some(again)
    });
    assert_eq!(again.len(), 0);
}

#[test]
fn k20_a_server_that_is_killed_loses_nothing_that_it_confirmed() {
    let Some(server) = brokers::Private::new("amqp") else {
        return;
    };
    const ALL: usize = 3_000;
    let corner = Corner::of(server.url());
    let store = corner.open(false);
    let mut declaration = Declaration::new("q", ConnectorKind::Queue);
    declaration.capacity = 200;
    let queue = store.connect(&declaration).unwrap();
    // This server forgets a queue that was made less than two seconds before it is killed.
    let made = Instant::now();
    until(|| (made.elapsed() > Duration::from_secs(3)).then_some(()));
    let sender = send(&queue, ALL, (HOPELESS, Duration::ZERO));
    let reader = read(&queue, "r");
    let mut seen = BTreeSet::new();
    let mut kills = 0;
    until(|| {
        let found = perhaps(&reader, 64);
        seen.extend(found.iter().map(body));
        done(&reader, &found);
        if seen.len() > (kills + 1) * ALL / 3 && kills < 2 {
            kills += 1;
            server.kill();
            // What has come before is there to be had.
            let away = until(|| {
                let mut found = Vec::new();
                let received = reader.receive(64, &mut found);
                seen.extend(found.iter().map(body));
                done(&reader, &found);
                received.err()
            });
            assert_eq!(away.kind(), StoreFaultKind::Unavailable);
            server.start();
        }
        (seen.len() == ALL).then_some(())
    });
    assert_eq!(kills, 2);
    sender.join().unwrap();
    until(|| reader.flush().ok());
    // What was sent in part before a kill, and again after it, was delivered twice; no more is there.
    until(|| {
        let found = perhaps(&reader, 64);
        done(&reader, &found);
        found.is_empty().then_some(())
    });
}
