//! Brokers of a Kafka as several programs share them, in real time; strangers, and brokers that die.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use paperflow_connect::broker::Access;
use paperflow_connect::kafka::Kafka;
use paperflow_connect::streams::{Answer, GroupStatus, Request};
use paperflow_core::Packet;
use paperflow_core::connector::{
    ConnectorKind, Declaration, Found, OnError, Settlement, Store, StoreFaultKind,
};
use paperflow_core::message::{Id, Message};
use programs::{
    HOPELESS, body, done, finish_while_away, know_what_others_hold, message, perhaps, read, send,
    until,
};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};

/// Topics of a Kafka that nobody else has.
struct Corner {
    server: String,
    url: String,
}

impl Corner {
    fn of(server: &str, more: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            server: server.to_owned(),
            url: brokers::corner(server, &format!("s{made}")) + more,
        }
    }

    /// As one program has it.
    fn open(&self, is_structured: bool) -> Kafka {
        Kafka::open(&Access::new(&self.url, is_structured).unwrap()).unwrap()
    }

    fn topic(&self, name: &str) -> String {
        let (_, rest) = self.url.split_once("prefix=").unwrap();
        format!("{}{name}", rest.split('&').next().unwrap())
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.server)
            .set("group.id", "stranger");
        config
    }

    /// Somebody who knows nothing of us writes.
    fn write(&self, name: &str, headers: &[(&str, &str)], value: &[u8]) {
        let producer: BaseProducer = self.client().remove("group.id").create().unwrap();
        let topic = self.topic(name);
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                let value = Some(*value);
                headers.insert(Header { key, value })
            });
        let record = BaseRecord::to(&topic)
            .key("k")
            .payload(value)
            .headers(headers);
        producer.send(record).unwrap();
        producer.flush(HOPELESS).unwrap();
    }

    /// And reads what lies at an offset: key, headers and value.
    fn read(&self, name: &str, offset: i64) -> (String, BTreeMap<String, String>, String) {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let mut list = TopicPartitionList::new();
        let topic = self.topic(name);
        list.add_partition_offset(&topic, 0, Offset::Offset(offset))
            .unwrap();
        consumer.assign(&list).unwrap();
        let record = consumer.poll(HOPELESS).unwrap().unwrap();
        let text =
            |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().into()).unwrap();
        let headers = record.headers().unwrap().iter();
        let headers = headers.map(|header| (header.key.to_owned(), text(header.value)));
        (
            text(record.key()),
            headers.collect(),
            text(record.payload()),
        )
    }
}

fn facts(partitions: u32) -> Declaration {
    let mut declaration = Declaration::new("facts", ConnectorKind::Stream);
    declaration.partitions = partitions;
    declaration
}

fn group(store: &Kafka) -> GroupStatus {
    let stream = String::from("facts");
    match store.ask_streams(Request::Groups { stream }).unwrap() {
        Answer::Groups(mut groups) => groups.remove(0),
        other => panic!("{other:?}"),
    }
}

/// K21: what is settled when its partition has gone to somebody else is not committed.
#[test]
fn k21_no_offset_is_committed_beyond_what_is_finished_when_partitions_move() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "&session=2&hold=0.5");
    let (one, two) = (corner.open(false), corner.open(false));
    let (first, second) = (
        one.connect(&facts(2)).unwrap(),
        two.connect(&facts(2)).unwrap(),
    );
    first
        .send(&(0..200).map(message).collect::<Vec<_>>())
        .unwrap();
    let holder = read(&first, "holder");
    let mut held = Vec::new();
    until(|| {
        held.extend(perhaps(&holder, 50));
        (held.len() == 200).then_some(())
    });
    let other = read(&second, "other");
    // It holds all of it for longer than it may, so one partition goes to the other, from its mark.
    let mut again = Vec::new();
    until(|| {
        again.extend(perhaps(&other, 50));
        (again.len() > 50).then_some(())
    });
    done(&holder, &held);
    holder.flush().unwrap();
    let unfinished = |store: &Kafka| group(store).partitions.iter().map(|at| at.lag).sum::<u64>();
    let left = unfinished(&two);
    let moved = until(|| {
        again.extend(perhaps(&other, 50));
        (again.len() as u64 == left).then_some(left)
    });
    assert!((51..=149).contains(&moved), "a partition of two: {moved}");
    done(&other, &again);
    other.flush().unwrap();
    assert_eq!(unfinished(&two), 0);
    let seen: BTreeSet<String> = held.iter().chain(&again).map(body).collect();
    assert_eq!(seen.len(), 200, "duplicates only");
    assert_eq!(second.unfinished("g").unwrap(), Some(0));
}

#[test]
fn what_another_process_holds_takes_no_room() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "");
    let (one, two) = (corner.open(false), corner.open(false));
    know_what_others_hold((&one, &two), facts(1), HOPELESS);
}

/// What fails is copied with every byte, headers of strangers too (S9), and a copy counts as unfinished.
#[test]
fn what_strangers_have_written_is_copied_as_it_is() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "&session=2");
    let store = corner.open(false);
    let mut declaration = facts(1);
    declaration.on_error = OnError::Copy(String::from("later"));
    declaration.retries = 1;
    declaration.delay.first = Duration::from_millis(300);
    let stream = store.connect(&declaration).unwrap();
    let value = "{ \"n\" :1 }";
    let headers = [
        ("content-type", "application/json"),
        ("ce_id", "A1"),
        ("odd", "ü"),
    ];
    corner.write("facts", &headers, value.as_bytes());
    let reader = read(&stream, "r");
    for attempt in [1, 2] {
        let found = until(|| perhaps(&reader, 1).pop());
        assert_eq!((found.attempt, body(&found).as_str()), (attempt, value));
        assert_eq!(found.message.headers.get("odd"), Some("ü"));
        let settlement = Settlement {
            disposition: paperflow_core::connector::Disposition::Retry,
            failure: None,
        };
        reader.settle(found.ticket, settlement);
        reader.flush().unwrap();
        let rests = u64::from(attempt == 1);
        assert_eq!(stream.unfinished("g").unwrap(), Some(rests), "{attempt}");
    }
    for name in ["later", "facts.dead"] {
        let (key, copied, copy) = corner.read(name, 0);
        assert_eq!((key.as_str(), copy.as_str()), ("k", value), "{name}");
        for (name, value) in headers {
            assert_eq!(copied.get(name).map(String::as_str), Some(value));
        }
        let is_dead = copied.contains_key("failure-reason");
        assert_eq!(is_dead, name == "facts.dead");
    }
}

/// E21: the same event is read from strangers in both modes, and strangers read ours.
#[test]
fn e21_events_go_over_kafka_to_strangers_and_back() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "&session=2");
    let store = corner.open(false);
    let stream = store.connect(&facts(1)).unwrap();
    let attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", "A1"),
        ("ce_source", "/shop"),
        ("ce_type", "shop.paid"),
        ("content-type", "application/json"),
    ];
    corner.write("facts", &attributes, b"{\"n\":1}");
    let document = "{\"specversion\":\"1.0\",\"id\":\"A1\",\"source\":\"/shop\",\"type\":\"shop.paid\",\
                    \"datacontenttype\":\"application/json\",\"data\":{\"n\":1}}";
    let structured = [(
        "content-type",
        "application/cloudevents+json; charset=UTF-8",
    )];
    corner.write("facts", &structured, document.as_bytes());
    corner.write("facts", &[("tenant", "seven")], b"plain");
    let reader = read(&stream, "r");
    let mut found = Vec::new();
    until(|| {
        found.extend(perhaps(&reader, 10));
        (found.len() == 3).then_some(())
    });
    assert_eq!(
        found[0].message, found[1].message,
        "both modes are one event"
    );
    assert_eq!(found[0].message.headers.get("type"), Some("shop.paid"));
    assert_eq!(
        (found[0].message.kind_word(), body(&found[0])),
        ("record", String::from("{\"n\":1}"))
    );
    assert_eq!(
        (found[2].message.kind_word(), body(&found[2])),
        ("text", String::from("plain"))
    );
    assert_eq!(found[2].message.headers.get("tenant"), Some("seven"));
    done(&reader, &found);
}

fn event() -> Message {
    let packet = Packet::json(serde_json::json!({"customer": "C7", "n": 3}));
    let packet = packet
        .with_header("type", "shop.paid")
        .with_header("correlation-id", "c");
    Message::of(Id::of("3"), &packet).unwrap()
}

fn keyed() -> Declaration {
    let mut declaration = facts(1);
    declaration.key = Some(String::from("customer"));
    declaration
}

/// E22: binary mode has each attribute in a header `ce_`, the content type in its own, and the value as it is.
#[test]
fn e22_binary_mode_over_kafka() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "");
    let stream = corner.open(false).connect(&keyed()).unwrap();
    stream.send(&[event()]).unwrap();
    let (key, headers, value) = corner.read("facts", 0);
    let header = |name: &str| headers.get(name).map(String::as_str);
    assert_eq!(header("ce_specversion"), Some("1.0"));
    assert_eq!(header("ce_type"), Some("shop.paid"));
    assert_eq!(header("ce_source"), Some("paperflow:facts"));
    assert_eq!(header("ce_id"), Some(Id::of("3").to_string().as_str()));
    assert_eq!(header("ce_correlationid"), Some("c"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(
        (key.as_str(), value.as_str()),
        ("C7", "{\"customer\":\"C7\",\"n\":3}")
    );
}

/// E23: structured mode has everything in one document, and is read as the same event.
#[test]
fn e23_structured_mode_over_kafka() {
    let Some(url) = brokers::url("kafka") else {
        return;
    };
    let corner = Corner::of(&url, "&session=2");
    let store = corner.open(true);
    let stream = store.connect(&keyed()).unwrap();
    stream.send(&[event()]).unwrap();
    let (key, headers, value) = corner.read("facts", 0);
    let is_document = |kind: &String| kind.starts_with("application/cloudevents+json");
    assert!(
        headers.get("content-type").is_some_and(is_document),
        "{headers:?}"
    );
    assert!(
        headers.keys().all(|name| !name.starts_with("ce_")),
        "{headers:?}"
    );
    let document: serde_json::Value = serde_json::from_str(&value).unwrap();
    assert_eq!(document["type"], "shop.paid");
    assert_eq!(document["data"]["n"], 3);
    assert_eq!(key, "C7");
    let reader = read(&stream, "r");
    let found = until(|| perhaps(&reader, 1).pop());
    assert_eq!(found.message, event());
}

/// K20: brokers that are killed lose nothing that they confirmed, and calls meanwhile are refused.
#[test]
fn k20_a_run_ends_when_its_broker_is_back() {
    let Some(server) = brokers::Private::new("kafka") else {
        return;
    };
    let corner = Corner::of(server.url(), "");
    finish_while_away(&corner.open(false), || server.kill(), || server.start());
}

#[test]
fn k20_a_broker_that_is_killed_loses_nothing_that_it_confirmed() {
    let Some(server) = brokers::Private::new("kafka") else {
        return;
    };
    const ALL: usize = 3_000;
    let corner = Corner::of(server.url(), "&session=2&timeout=2");
    let store = corner.open(false);
    let stream = store.connect(&facts(3)).unwrap();
    let sender = send(&stream, ALL, (HOPELESS, Duration::from_millis(5)));
    let reader = read(&stream, "r");
    let (mut seen, mut kills) = (BTreeSet::new(), 0);
    until(|| {
        let found = perhaps(&reader, 256);
        seen.extend(found.iter().map(body));
        done(&reader, &found);
        if seen.len() > (kills + 1) * ALL / 3 && kills < 2 {
            kills += 1;
            server.kill();
            let away = stream.unfinished("g").unwrap_err();
            assert_eq!(away.kind(), StoreFaultKind::Unavailable);
            server.start();
        }
        (seen.len() == ALL).then_some(())
    });
    assert_eq!(kills, 2);
    sender.join().unwrap();
    reader.flush().unwrap();
    let end = until(|| match reader.receive(1, &mut Vec::new()) {
        Ok(Found::Empty(outlook)) if !outlook.is_moving => Some(outlook),
        _ => None,
    });
    assert_eq!((end.unsettled, end.elsewhere), (0, 0));
}
