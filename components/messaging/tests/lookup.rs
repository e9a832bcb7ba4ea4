//! Lookups by version.

mod bench;

use bench::{check, fault, records, rig};
use paperflow_core::Packet;
use serde_json::json;

#[test]
fn f7_a_version_is_written_once() {
    let rows = json!([
        {"id": "R-77", "version": 1, "name": "Pizza"},
        {"id": "R-77", "version": 1, "name": "Pizza"},
        {"id": "R-77", "version": 1, "name": "Pasta"},
        {"id": "R-77", "version": 2, "name": "Pasta"}
    ]);
    let asked = json!([{"id": "R-77", "version": 1}, {"id": "R-77", "version": 2}]);
    let found = json!([
        {"id": "R-77", "version": 1, "name": "Pizza"},
        {"id": "R-77", "version": 2, "name": "Pasta"}
    ]);
    let message = "there is another row of \"R-77\" with version 1";
    let refused = json!({"id": "R-77", "version": 1, "name": "Pasta"});
    let refused = Packet::record(refused).with_header("error", message);
    let rig = rig("messaging/lookup-versioned")
        .feed("ROWS", records(rows))
        .feed("REQUESTS", records(asked));
    check(&rig, &[("OUT", records(found)), ("ERROR", vec![refused])]);
    assert_eq!(fault(&rig, &["OUT"]), message);
}

#[test]
fn f10_a_request_is_held_until_its_version_comes() {
    let asked = json!([
        {"order": 1, "id": "R-77", "version": 2},
        {"order": 2, "id": "R-77", "version": 3},
        {"order": 3, "id": "R-77", "version": 2}
    ]);
    let rig = rig("messaging/lookup-versioned")
        .feed("ROWS", records(json!([{"id": "R-77", "version": 1}])))
        .feed("CHANGES", records(json!([{"id": "R-77", "version": 2}])));
    let late = Packet::record(asked[1].clone());
    let message = "version 3 of \"R-77\" is not known, and none comes any more";
    let late = late.with_header("error", message);
    for hold in [1, 2, 1000] {
        let rig = rig
            .clone()
            .set("HOLD", hold)
            .feed("REQUESTS", records(asked.clone()));
        let found = records(json!([asked[0], asked[2]]));
        let nowhere = vec![late.clone()];
        check(&rig, &[("OUT", found), ("UNKNOWN", nowhere)]);
        assert_eq!(fault(&rig, &["OUT"]), message);
    }
}

#[test]
fn a_request_of_an_unknown_id_is_refused() {
    let asked = records(json!([{"id": "R-7", "version": 1}]));
    let rows = records(json!([{"id": "R-77", "version": 1}, {"id": "R-6", "version": 1}]));
    let rig = rig("messaging/lookup-versioned")
        .feed("ROWS", rows)
        .feed("REQUESTS", asked.clone());
    let message = "nothing is known of \"R-7\"";
    let refused = asked[0].clone().with_header("error", message);
    check(
        &rig,
        &[("UNKNOWN", vec![refused.clone()]), ("OUT", Vec::new())],
    );
    check(&rig, &[("ERROR", vec![refused])]);
    assert_eq!(fault(&rig, &["OUT"]), message);
}

#[test]
fn fields_have_the_names_that_they_are_given() {
    let rig = rig("messaging/lookup-versioned")
        .set("FIELD", "restaurant.id")
        .set("VERSION", "restaurant.as-of")
        .set("KEY", "id")
        .set("KEY_VERSION", "v")
        .set("INTO", "restaurant")
        .feed("ROWS", records(json!([{"id": 7, "v": 1, "name": "Pizza"}])))
        .feed(
            "REQUESTS",
            records(json!([{"id": 1, "restaurant": {"id": 7, "as-of": 1}}])),
        );
    let found = json!([{"id": 1, "restaurant": {"id": 7, "v": 1, "name": "Pizza"}}]);
    check(&rig, &[("OUT", records(found))]);
}

#[test]
fn what_tells_no_version_cannot_be_handled() {
    let asked = rig("messaging/lookup-versioned").feed("REQUESTS", records(json!([{"id": 1}])));
    assert_eq!(fault(&asked, &["OUT"]), "the record has no field version");
    let row = rig("messaging/lookup-versioned")
        .feed("CHANGES", records(json!([{"version": 1}])))
        .feed("REQUESTS", records(json!([])));
    assert_eq!(fault(&row, &["OUT"]), "the record has no field id");
}
