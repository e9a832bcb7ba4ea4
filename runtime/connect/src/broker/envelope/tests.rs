use paperflow_core::Packet;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn packets() -> impl Strategy<Value = Packet> {
    prop_oneof![
        Just(Packet::null()),
        any::<bool>().prop_map(Packet::bool),
        any::<i64>().prop_map(Packet::int),
        any::<f64>().prop_map(Packet::float),
        ".{0,20}".prop_map(Packet::text),
        vec(any::<u8>(), 0..40).prop_map(Packet::bytes),
        (".{0,5}", any::<f64>(), any::<i64>()).prop_map(|(text, float, int)| {
            Packet::json(serde_json::json!({"b": [text, null], "a": {"f": float, "i": int}}))
        }),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,8}",
        ".{0,12}",
        "[ -~\u{0}\n]{0,6}",
        Just(String::from("2026-01-31T08:00:00.25Z")),
        Just(String::from(UNTYPED)),
    ]
}

fn header_names() -> impl Strategy<Value = String> {
    let known = [
        names::ID,
        names::CORRELATION_ID,
        names::CAUSATION_ID,
        names::REPLY_TO,
        names::TYPE,
        names::VERSION,
        names::TIME,
        names::DEADLINE,
        names::TRACEPARENT,
        "specversion",
        "source",
        "data",
        "datacontenttype",
        "correlationid",
        "expirytime",
        KIND,
        "paperflowheaders",
        "failure-reason",
        "Tenant",
    ];
    let known = prop::sample::select(known.map(String::from).to_vec());
    prop_oneof![known, "[a-z0-9]{1,24}", ".{0,6}"]
}

fn all_headers() -> impl Strategy<Value = Headers> {
    vec((header_names(), texts()), 0..6).prop_map(|pairs| {
        let mut headers = Headers::default();
        for (name, value) in pairs {
            headers.set(name, value);
        }
        headers
    })
}

fn messages() -> impl Strategy<Value = Message> {
    let single = packets().prop_map(|packet| vec![Part::of(&packet).unwrap()]);
    let inside = vec((packets(), all_headers()), 0..4);
    let group = inside.prop_map(|inside| {
        let mut parts = vec![Part::of(&Packet::open()).unwrap()];
        parts.extend(inside.into_iter().map(|(packet, headers)| Part {
            headers,
            ..Part::of(&packet).unwrap()
        }));
        parts.push(Part::of(&Packet::close()).unwrap());
        parts
    });
    let parts = prop_oneof![3 => single, 1 => group];
    (any::<[u8; 16]>(), all_headers(), parts).prop_map(|(id, headers, parts)| Message {
        id: Id::from_bytes(id),
        headers,
        parts,
    })
}

fn pack(message: &Message) -> Envelope<'_> {
    Envelope::pack(message, "paperflow:q").unwrap()
}

proptest! {
    #[test]
    fn a_message_comes_back_as_it_was(message in messages()) {
        let envelope = pack(&message);
        prop_assert_eq!(envelope.unpack(Vec::new(), "p").unwrap(), message);
    }

    #[test]
    fn it_comes_back_from_one_document(message in messages()) {
        let document = pack(&message).to_json();
        let envelope = Envelope::from_json(&document).unwrap();
        prop_assert_eq!(envelope.unpack(Vec::new(), "p").unwrap(), message);
    }

    #[test]
    fn the_order_of_attributes_is_nothing(message in messages(), by in any::<prop::sample::Index>()) {
        let mut envelope = pack(&message);
        envelope.attributes.sort();
        let by = by.index(envelope.attributes.len());
        envelope.attributes.rotate_left(by);
        prop_assert_eq!(envelope.unpack(Vec::new(), "p").unwrap(), message);
    }

    #[test]
    fn attributes_are_what_cloud_events_allow(message in messages()) {
        let envelope = pack(&message);
        for name in ["specversion", "id", "source", "type"] {
            prop_assert!(envelope.get(name).is_some_and(|value| !value.is_empty()), "{name}");
        }
        let mut seen = std::collections::BTreeSet::new();
        for (name, value) in &envelope.attributes {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            prop_assert!(name.bytes().all(fits), "{name}");
            prop_assert!(seen.insert(name), "{name} twice");
            prop_assert!(!value.chars().any(char::is_control), "{value:?}");
        }
    }
}

fn foreign(attributes: &[(&str, &str)], body: &[u8]) -> Message {
    let attributes = attributes.iter();
    let attributes = attributes.map(|(name, value)| ((*name).into(), (*value).into()));
    let envelope = Envelope {
        attributes: attributes.collect(),
        body: body.into(),
    };
    envelope.unpack(Vec::new(), "q 1-0").unwrap()
}

#[test]
fn what_others_write_is_understood() {
    let plain = foreign(&[], b"hello");
    assert_eq!((plain.id, plain.kind_word()), (Id::of("q 1-0"), "text"));
    assert_eq!(foreign(&[], &[0xff]).kind_word(), "bytes");
    for (body, kind) in [
        ("{\"n\":1}", "record"),
        ("7", "int"),
        ("0.5", "float"),
        ("true", "bool"),
        ("null", "null"),
        ("\"x\"", "text"),
    ] {
        let json = foreign(&[("datacontenttype", "application/json")], body.as_bytes());
        assert_eq!(json.kind_word(), kind, "{body}");
    }
    let event = foreign(
        &[
            ("specversion", "1.0"),
            ("id", "A 1"),
            ("source", "/shop"),
            ("type", "shop.paid"),
            ("correlationid", "c"),
            ("datacontenttype", "text/xml"),
        ],
        b"<a/>",
    );
    assert_eq!(event.id, Id::of("/shop\nA 1"));
    let headers: Vec<_> = event.headers.iter().collect();
    let expected = [
        ("correlation-id", "c"),
        ("id", "A 1"),
        ("source", "/shop"),
        ("type", "shop.paid"),
        ("content-type", "text/xml"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn e22_bytes_of_others_go_on_as_what_they_are() {
    let event = [
        ("specversion", "1.0"),
        ("id", "1"),
        ("source", "/shop"),
        ("type", "greeting"),
        ("datacontenttype", "application/avro"),
    ];
    let body = [0x00, 0xff, 0x0a];
    let message = foreign(&event, &body);
    assert_eq!(message.kind_word(), "bytes");
    let sent = pack(&message);
    assert_eq!(sent.get(CONTENT), Some("application/avro"));
    assert_eq!(*sent.body, body);
    // Whoever makes something else of it does not say that it is this.
    let packet = Packet::text("hello").with_header("content-type", "application/json");
    let other = Message::of(Id::of("2"), &packet).unwrap();
    assert_eq!(pack(&other).get(CONTENT), Some(TEXT));
}

#[test]
fn e23_one_document_has_all_and_is_the_same_event_as_in_binary_mode() {
    let packet = Packet::json(serde_json::json!({"n": 1})).with_header("type", "shop.paid");
    let message = Message::of(Id::of("1"), &packet).unwrap();
    let binary = pack(&message);
    let document: serde_json::Value = serde_json::from_slice(&binary.to_json()).unwrap();
    for (name, value) in &binary.attributes {
        assert_eq!(document[&**name], **value, "{name}");
    }
    assert_eq!(document["data"], serde_json::json!({"n": 1}));
    assert_eq!(
        document.as_object().unwrap().len(),
        binary.attributes.len() + 1
    );
    let structured = Envelope::from_json(&binary.to_json()).unwrap();
    let read = |envelope: Envelope<'_>| envelope.unpack(Vec::new(), "q").unwrap();
    assert_eq!(read(structured), read(binary));
}

#[test]
fn what_cannot_be_read_says_so() {
    let unreadable = Envelope::from_json(b"[1]").unwrap_err();
    assert!(unreadable.to_string().contains("no CloudEvent"));
    let envelope = Envelope {
        attributes: vec![(KIND.into(), "grupp".into())],
        body: Cow::default(),
    };
    assert!(envelope.unpack(Vec::new(), "q").is_err());
}

#[test]
fn headers_beside_the_attributes_come_last() {
    let message = Message::of(Id::of("a"), &Packet::text("a").with_header("b", "1")).unwrap();
    let beside = vec![("failure-reason".into(), "rejected".into())];
    let back = pack(&message).unpack(beside, "q").unwrap();
    let headers: Vec<_> = back.headers.iter().collect();
    assert_eq!(headers, [("b", "1"), ("failure-reason", "rejected")]);
}
