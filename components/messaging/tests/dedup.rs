//! Packets that come twice.

mod bench;

use bench::{check, fault, records, rig};
use paperflow_core::Packet;
use serde_json::json;

/// Texts, each with its id before a colon.
fn named(texts: &[&str]) -> Vec<Packet> {
    let packet = |text: &&str| {
        let (id, _) = text.split_once(':').expect("an id");
        Packet::text(*text).with_header("id", id)
    };
    texts.iter().map(packet).collect()
}

#[test]
fn r11_what_has_been_seen_is_dropped_and_counted() {
    let rig = rig("messaging/dedup").feed("IN", named(&["1:a", "1:b", "2:c"]));
    let passed = ("OUT", named(&["1:a", "2:c"]));
    check(&rig, &[passed, ("DUPLICATES", vec![Packet::int(1)])]);
}

#[test]
fn ids_are_forgotten_behind_the_window() {
    let ids = ["1:a", "2:a", "1:b", "3:a", "1:c", "2:b"];
    let rig = rig("messaging/dedup")
        .set("WINDOW", 2)
        .feed("IN", named(&ids));
    let passed = named(&["1:a", "2:a", "3:a", "1:c", "2:b"]);
    check(
        &rig,
        &[("OUT", passed), ("DUPLICATES", vec![Packet::int(1)])],
    );
}

#[test]
fn brackets_pass_and_what_has_no_id_does_not() {
    let group = [
        Packet::open(),
        Packet::record(json!({"id": 1})),
        Packet::close(),
    ];
    let twice: Vec<_> = group.iter().chain(&group).cloned().collect();
    let mut once = twice.clone();
    once.remove(4);
    let by_field = rig("messaging/dedup").set("FIELD", "id").feed("IN", twice);
    check(&by_field, &[("OUT", once)]);
    let nameless = records(json!([{"x": 1}]));
    let by_header = rig("messaging/dedup").feed("IN", nameless.clone());
    let message = "the packet has no header id";
    assert_eq!(fault(&by_header, &["OUT"]), message);
    let refused = nameless[0].clone().with_header("error", message);
    check(&by_header, &[("ERROR", vec![refused])]);
}

#[test]
fn what_its_queue_delivers_again_is_passed_on_again() {
    let again = |attempt: &str| named(&["1:a"])[0].clone().with_header("attempt", attempt);
    let given = [again("1"), again("1"), again("2")];
    let rig = rig("messaging/dedup").feed("IN", given.to_vec());
    let passed = vec![given[0].clone(), given[2].clone()];
    check(
        &rig,
        &[("OUT", passed), ("DUPLICATES", vec![Packet::int(1)])],
    );
}

#[test]
fn no_packet_is_no_duplicate() {
    let rig = rig("messaging/dedup").feed("IN", Vec::<Packet>::new());
    check(&rig, &[("DUPLICATES", vec![Packet::int(0)])]);
}
