//! An MQTT broker as a store, by the suite that every store passes; strangers, and a broker that goes away.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../../tests/brokers/mod.rs"]
mod brokers;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod programs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use paperflow_connect::broker::Access;
use paperflow_connect::clock::ManualClock;
use paperflow_connect::compliance::record::recorded;
use paperflow_connect::compliance::{Bench, check, pubsub};
use paperflow_connect::mqtt::Mqtt;
use paperflow_connect::streams::{Answer, Request};
use paperflow_core::Packet;
use paperflow_core::connector::{
    ConnectorKind, Consumer, Declaration, Delivery, Found, Store, StoreFault, StoreFaultKind,
    Subscription,
};
use paperflow_core::message::{Id, Message};
use programs::{done, end_once, see_notes, take};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};
use rumqttc::v5::{Client, Event, Incoming, MqttOptions};

/// A broker, in topics that nobody else has.
struct Broker {
    access: Access,
    clock: ManualClock,
    store: Option<Arc<Mqtt>>,
}

/// A prefix that nobody else has.
fn prefix() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    format!("t{}.{made}/", std::process::id())
}

impl Broker {
    fn new(url: &str, is_structured: bool) -> Self {
        let url = format!("{url}?prefix={}", prefix());
        let mut broker = Self {
            access: Access::new(&url, is_structured).unwrap(),
            clock: ManualClock::at(Duration::from_secs(1_700_000_000)),
            store: None,
        };
        broker.open();
        broker
    }

    fn open(&mut self) {
        let store = Mqtt::open_at(&self.access, Arc::new(self.clock.clone()));
        self.store = Some(Arc::new(store.unwrap()));
    }

    fn opened(&self) -> &Arc<Mqtt> {
        self.store.as_ref().unwrap()
    }
}

impl Bench for Broker {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.opened()) as Arc<dyn Store>
    }

    fn restart(&mut self) {
        self.store = None;
        self.open();
    }

    fn crash(&mut self) {
        self.opened().cut();
        self.store = None;
        self.open();
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Where there are no queues, the session by the name of the topic and `/parked` has it.
    fn set_aside(&self, queue: &str) -> Vec<String> {
        let declaration = Declaration::new(queue, ConnectorKind::Pubsub);
        let parked = self.opened().connect(&declaration).unwrap();
        let parked = parked.subscribe(consumer("parked")).unwrap();
        let found = take_all(&parked);
        found.iter().map(body).collect()
    }

    fn ask(&self, request: Request) -> Result<Answer, StoreFault> {
        self.opened().ask_streams(request)
    }
}

fn consumer(name: &str) -> Consumer {
    Consumer {
        name: name.to_owned(),
        group: String::new(),
        waker: std::task::Waker::noop().clone(),
    }
}

fn body(delivery: &Delivery) -> String {
    String::from_utf8(delivery.message.body().unwrap().into_owned()).unwrap()
}

/// Why a case does not apply.
const LEFT_OUT: [(&str, &str); 1] = [(
    "what_was_sent_before_a_crash_is_known",
    "MQTT knows no identities; whoever handles messages knows them at its desk",
)];

#[test]
fn channels_comply() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    for is_structured in [false, true] {
        let lines = check(pubsub::CASES, &LEFT_OUT, || {
            Box::new(Broker::new(&url, is_structured))
        });
        recorded("mqtt", ConnectorKind::Pubsub, &lines);
    }
}

/// What the parts of a graph that run apart need of a store.
#[test]
fn parts_see_each_others_notes_and_a_run_ends_once() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let mut broker = Broker::new(&url, false);
    let one = broker.store();
    broker.open();
    let other = broker.store();
    let notes = see_notes(&*one, &*other, ("g#1", "a/1+"));
    let run = one.epoch("g#1").unwrap();
    end_once(&*one, &*other, ("g#1", run), &notes);
}

/// Somebody who knows nothing of us: a bare client that sends, and keeps what it hears.
struct Stranger {
    client: Client,
    connection: rumqttc::v5::Connection,
    heard: Vec<Publish>,
}

impl Stranger {
    fn new(url: &str, name: &str, topic: Option<&str>) -> Self {
        let place = url.strip_prefix("mqtt://").unwrap();
        let (host, port) = place.split_once(':').unwrap();
        let mut options = MqttOptions::new(name, host, port.parse().unwrap());
        options.set_clean_start(false);
        let (client, connection) = Client::new(options, 100);
        let mut stranger = Self {
            client,
            connection,
            heard: Vec::new(),
        };
        stranger.until(|packet| matches!(packet, Incoming::ConnAck(_)));
        if let Some(topic) = topic {
            stranger.client.subscribe(topic, QoS::AtLeastOnce).unwrap();
            stranger.until(|packet| matches!(packet, Incoming::SubAck(_)));
        }
        stranger
    }

    fn until(&mut self, is_it: impl Fn(&Incoming) -> bool) {
        loop {
            let event = self.connection.recv_timeout(HOPELESS).unwrap().unwrap();
            let Event::Incoming(packet) = event else {
                continue;
            };
            if let Incoming::Publish(publish) = &packet {
                self.heard.push(publish.clone());
            }
            if is_it(&packet) {
                return;
            }
        }
    }

    fn send(&mut self, topic: &str, payload: &str, properties: PublishProperties) {
        let payload = payload.to_owned();
        let qos = QoS::AtLeastOnce;
        let client = &self.client;
        client
            .publish_with_properties(topic, qos, false, payload, properties)
            .unwrap();
        self.until(|packet| matches!(packet, Incoming::PubAck(_)));
    }

    /// The next message that it hears.
    fn hear(&mut self) -> (Option<String>, Vec<(String, String)>, String) {
        if self.heard.is_empty() {
            self.until(|packet| matches!(packet, Incoming::Publish(_)));
        }
        let publish = self.heard.remove(0);
        let properties = publish.properties.unwrap_or_default();
        let body = String::from_utf8(publish.payload.to_vec()).unwrap();
        (properties.content_type, properties.user_properties, body)
    }
}

/// How long a test waits for what must come.
const HOPELESS: Duration = Duration::from_secs(60);

/// Takes everything there is; what has come yet is handed out before the broker is asked for more.
fn take_all(reader: &Arc<dyn Subscription>) -> Vec<Delivery> {
    let mut found = Vec::new();
    while reader.receive(100, &mut found).unwrap() == Found::Some {}
    found
}

fn message(name: &str) -> Message {
    Message::of(Id::of(name), &Packet::text(name)).unwrap()
}

/// E21, E22, E23: the same event, in binary and in structured mode, from others and to others.
#[test]
fn e21_events_over_mqtt_in_both_modes() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let broker = Broker::new(&url, false);
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let channel = broker.opened().connect(&declaration).unwrap();
    let reader = channel.subscribe(consumer("r")).unwrap();
    let prefix = broker.access.address.settings[0].1.clone();
    let topic = format!("{prefix}news");
    let mut stranger = Stranger::new(&url, &format!("{prefix}stranger"), Some(&topic));
    let attributes = [
        ("specversion", "1.0"),
        ("id", "A1"),
        ("source", "/shop"),
        ("type", "shop.paid"),
        ("time", "2026-01-31T08:00:00Z"),
    ];
    let properties = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let binary = PublishProperties {
        content_type: Some("application/json".into()),
        user_properties: properties.to_vec(),
        ..PublishProperties::default()
    };
    stranger.send(&topic, "{\"n\":1}", binary);
    let structured = PublishProperties {
        content_type: Some("application/cloudevents+json; charset=utf-8".into()),
        ..PublishProperties::default()
    };
    let document = "{\"specversion\":\"1.0\",\"id\":\"A1\",\"source\":\"/shop\",\"type\":\"shop.paid\",\
                    \"time\":\"2026-01-31T08:00:00Z\",\"datacontenttype\":\"application/json\",\"data\":{\"n\":1}}";
    stranger.send(&topic, document, structured);
    let found = take_all(&reader);
    assert_eq!(found.len(), 2, "{found:?}");
    let [one, other] = [&found[0].message, &found[1].message];
    assert_eq!(one.kind_word(), "record");
    assert_eq!(one.headers.get("type"), Some("shop.paid"));
    assert_eq!(one.headers.get("time"), Some("2026-01-31T08:00:00Z"));
    assert_eq!(
        (one.id, &one.headers),
        (other.id, &other.headers),
        "the same event"
    );
    assert_eq!(one.body().unwrap(), other.body().unwrap());
    done(&reader, &found);
    stranger.heard.clear();

    let packet = Packet::json(serde_json::json!({"n": 3}))
        .with_header("type", "shop.sent")
        .with_header("correlation-id", "c");
    let message = Message::of(Id::of("3"), &packet).unwrap();
    channel.send(std::slice::from_ref(&message)).unwrap();
    let (content, properties, body) = stranger.hear();
    assert_eq!(content.as_deref(), Some("application/json"));
    let get = |name: &str| {
        let mut properties = properties.iter();
        properties
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(get("specversion"), Some("1.0"));
    assert_eq!(
        (get("type"), get("correlationid")),
        (Some("shop.sent"), Some("c"))
    );
    assert_eq!(get("id"), Some(message.id.to_string().as_str()));
    assert_eq!(body, "{\"n\":3}");

    let access = Access {
        is_structured: true,
        ..broker.access.clone()
    };
    let store = Mqtt::open(&access).unwrap();
    let channel = store.connect(&declaration).unwrap();
    channel.send(&[message]).unwrap();
    let (content, properties, body) = stranger.hear();
    assert_eq!(content.as_deref(), Some("application/cloudevents+json"));
    assert_eq!(properties, []);
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["data"], serde_json::json!({"n": 3}));
    assert_eq!(document["type"], "shop.sent");
}

#[test]
fn what_cannot_be_read_is_parked_as_it_came() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let broker = Broker::new(&url, false);
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let channel = broker.opened().connect(&declaration).unwrap();
    let reader = channel.subscribe(consumer("r")).unwrap();
    let prefix = broker.access.address.settings[0].1.clone();
    let mut stranger = Stranger::new(&url, &format!("{prefix}stranger"), None);
    let structured = PublishProperties {
        content_type: Some("application/cloudevents+json".into()),
        ..PublishProperties::default()
    };
    stranger.send(&format!("{prefix}news"), "{ no event", structured);
    assert!(take(&reader, 1).is_empty());
    reader.flush().unwrap();
    // Who comes by that name gets what is parked there.
    let mut parked = Stranger::new(&url, &format!("{prefix}news.invalid/parked"), None);
    let (content, properties, body) = parked.hear();
    assert_eq!(content.as_deref(), Some("application/cloudevents+json"));
    assert_eq!(body, "{ no event");
    let get = |name: &str| {
        let mut properties = properties.iter();
        properties
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(get("failure-reason"), Some("invalid"));
    assert_eq!(get("failure-connector"), Some("news"));
    assert!(get("failure-last").is_some_and(|last| last.ends_with('Z')));
}

#[test]
fn a_subscriber_has_no_more_than_its_window() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let url = format!("{url}?prefix={}&window=5", prefix());
    let store = Mqtt::open(&Access::new(&url, false).unwrap()).unwrap();
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let channel = store.connect(&declaration).unwrap();
    let reader = channel.subscribe(consumer("r")).unwrap();
    let all: Vec<Message> = (0..12).map(|at| message(&at.to_string())).collect();
    channel.send(&all).unwrap();
    let found = take_all(&reader);
    assert_eq!(found.len(), 5, "the rest is with the broker");
    let mut seen: Vec<String> = found.iter().map(body).collect();
    done(&reader, &found);
    loop {
        let found = take_all(&reader);
        if found.is_empty() {
            break;
        }
        seen.extend(found.iter().map(body));
        done(&reader, &found);
    }
    let all: Vec<String> = (0..12).map(|at| at.to_string()).collect();
    assert_eq!(seen, all);
}

#[test]
fn who_has_stopped_gets_nothing_more_and_settles_what_it_has() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let broker = Broker::new(&url, false);
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let channel = broker.opened().connect(&declaration).unwrap();
    let reader = channel.subscribe(consumer("r")).unwrap();
    channel.send(&[message("1")]).unwrap();
    let held = take(&reader, 1);
    reader.stop();
    channel.send(&[message("2")]).unwrap();
    assert!(take(&reader, 1).is_empty());
    done(&reader, &held);
    reader.flush().unwrap();
    reader.close();
    let again = channel.subscribe(consumer("r")).unwrap();
    assert!(
        take(&again, 1).is_empty(),
        "it was done, and the next one missed"
    );
}

#[test]
fn k19_who_reads_as_the_same_subscriber_takes_over() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let mut broker = Broker::new(&url, false);
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let first = broker.opened().connect(&declaration).unwrap();
    let zombie = first.subscribe(consumer("r")).unwrap();
    first.send(&[message("1")]).unwrap();
    let held = take(&zombie, 1);
    assert_eq!(held.len(), 1);
    let before = broker.store();
    broker.open();
    let second = broker.opened().connect(&declaration).unwrap();
    let reader = second.subscribe(consumer("r")).unwrap();
    let begun = std::time::Instant::now();
    let fault = loop {
        match zombie.receive(1, &mut Vec::new()) {
            Err(fault) if fault.kind() == StoreFaultKind::Taken => break fault,
            _ => assert!(begun.elapsed() < HOPELESS, "it is never told"),
        }
    };
    assert!(fault.to_string().contains("same subscriber"), "{fault}");
    done(&zombie, &held);
    let again = take(&reader, 1);
    assert_eq!(again.iter().map(body).collect::<Vec<_>>(), ["1"]);
    drop(before);
}

/// K20: a broker that goes away refuses at once; when it is back, all goes on where it was.
#[test]
fn k20_a_broker_that_comes_back_goes_on_where_it_was() {
    let Some(own) = brokers::Private::new("mqtt") else {
        return;
    };
    let store = Mqtt::open(&Access::new(own.url(), false).unwrap()).unwrap();
    let declaration = Declaration::new("news", ConnectorKind::Pubsub);
    let channel = store.connect(&declaration).unwrap();
    let reader = channel.subscribe(consumer("r")).unwrap();
    let all: Vec<Message> = (0..10).map(|at| message(&at.to_string())).collect();
    channel.send(&all[..6]).unwrap();
    let mut held = Vec::new();
    while held.len() < 4 {
        held.extend(take(&reader, 4 - held.len()));
    }
    done(&reader, &held[..2]);
    reader.flush().unwrap();
    own.stop();
    let refused = |fault: StoreFault| assert_eq!(fault.kind(), StoreFaultKind::Unavailable);
    refused(channel.send(&all[6..]).unwrap_err());
    refused(channel.room(std::task::Waker::noop()).unwrap_err());
    refused(reader.flush().unwrap_err());
    // What was handed out is settled while nobody is there, and is not handed out again.
    done(&reader, &held[2..]);
    own.start();
    let begun = std::time::Instant::now();
    let again = |what: &dyn Fn() -> Result<(), StoreFault>| {
        while let Err(fault) = what() {
            refused(fault);
            assert!(begun.elapsed() < HOPELESS, "it does not come back");
            std::thread::yield_now();
        }
    };
    again(&|| reader.flush());
    again(&|| channel.send(&all[6..]).map(|_| ()));
    let rest = take_all(&reader);
    let rest: Vec<String> = rest.iter().map(body).collect();
    assert_eq!(rest, ["4", "5", "6", "7", "8", "9"]);
}
