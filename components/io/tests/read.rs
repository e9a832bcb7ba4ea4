//! Files as sources.

mod common;

use common::{Place, fault, rig, run};
use paperflow_core::headers::names;
use paperflow_core::{Packet, Text};
use serde_json::json;

const NOTHING: [&str; 0] = [];

#[test]
fn a_file_is_read_line_by_line() {
    let place = Place::new();
    let path = place.file("a", "to be\r\n\nor not");
    rig("file/lines")
        .set("SOURCE", path.as_str())
        .expect("OUT", ["to be", "", "or not"]);
    rig("ReadFile")
        .set("SOURCE", path)
        .expect("OUT", ["to be", "", "or not"]);
    rig("file/lines")
        .set("SOURCE", place.file("empty", ""))
        .expect("OUT", NOTHING);
}

#[test]
fn a_huge_line_is_one_packet() {
    let place = Place::new();
    let line = "x".repeat(5_000_000);
    let ran = run(
        &rig("file/lines").set("SOURCE", place.file("huge", &line)),
        &["OUT"],
    );
    assert_eq!(ran.output("OUT"), [Packet::text(line)]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = Place::new();
    let lines = |path: &str| rig("file/lines").set("SOURCE", path);
    let missing = place.path("missing");
    lines(&missing).expect_fault(&format!("cannot read {missing}: No such file"));
    let directory = place.path("");
    lines(&directory).expect_fault(&format!("cannot read {directory}: Is a directory"));
    let bad = place.file("bad", b"fine\nb\xFFd\n");
    lines(&bad).expect_fault(&format!("cannot read {bad}: line 2 is not valid UTF-8"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file_is_named() {
    // Not even root can read the first page of its own memory.
    for component in ["file/lines", "file/json-lines", "file/csv"] {
        rig(component)
            .set("SOURCE", "/proc/self/mem")
            .expect_fault("cannot read /proc/self/mem: ");
    }
    rig("file/read")
        .feed("IN", ["/proc/self/mem"])
        .expect_fault("cannot read /proc/self/mem: ");
}

#[test]
fn json_lines_become_records() {
    let place = Place::new();
    let path = place.file("a", "{\"b\": 1, \"a\": [2]}\n\n3\r\n\"x\"");
    let records = [json!({"b": 1, "a": [2]}), json!(3), json!("x")].map(Packet::record);
    rig("file/json-lines")
        .set("SOURCE", path)
        .expect("OUT", records);
}

#[test]
fn a_line_that_is_not_json_is_a_fault_or_goes_to_error() {
    let place = Place::new();
    let path = place.file("a", "{}\n{oops\n[]\n");
    let why = format!("cannot read {path}: line 2: column 2: key must be a string");
    let lines = rig("file/json-lines").set("SOURCE", path);
    lines.clone().expect_fault(&why);
    let ran = run(&lines, &["OUT", "ERROR"]);
    assert_eq!(ran.output("OUT").len(), 2);
    let rejected = &ran.output("ERROR")[0];
    assert_eq!(rejected.as_text(), Some("{oops"));
    assert_eq!(
        rejected
            .headers()
            .and_then(|headers| headers.get(names::ERROR)),
        Some(why.as_str())
    );
}

#[test]
fn csv_rows_become_records() {
    let place = Place::new();
    let path = place.file("a", "dish,price\r\n\"Korma, hot\",5.50\r\n");
    let csv = rig("file/csv").set("SOURCE", path);
    csv.clone().expect(
        "OUT",
        [Packet::record(
            json!({"dish": "Korma, hot", "price": "5.50"}),
        )],
    );
    let typed = Packet::record(json!({"dish": "Korma, hot", "price": 5.5}));
    csv.set("TYPED", "true").expect("OUT", [typed]);
    let short = place.file("short", "a,b\n1\n");
    rig("file/csv")
        .set("SOURCE", short.as_str())
        .expect_fault(&format!("cannot read {short}: "));
    let bad = place.file("bad", b"a\n\xFF\n");
    let ran = run(&rig("file/csv").set("SOURCE", bad.as_str()), &["OUT"]);
    let why = fault(&ran);
    assert!(
        why.starts_with(&format!("cannot read {bad}: ")) && why.contains("line"),
        "{why}"
    );
}

#[test]
fn whole_files_are_read_for_paths() {
    let place = Place::new();
    let paths = [place.file("a", "one\r\ntwo\n"), place.file("b", "")];
    rig("file/read")
        .feed("IN", paths)
        .expect("OUT", ["one\r\ntwo\n", ""]);
    let missing = place.path("missing");
    let read = rig("file/read").feed("IN", [missing.as_str()]);
    read.clone()
        .expect_fault(&format!("cannot read {missing}: "));
    read.expect("ERROR", [missing.as_str()]);
}

#[test]
fn the_files_of_a_directory_are_listed_in_order() {
    let place = Place::new();
    let [b, a, other] = ["b.txt", "a.txt", "c.csv"].map(|name| place.file(name, ""));
    std::fs::create_dir(place.path("sub.txt")).unwrap();
    let root = place.path("");
    let list = rig("ListFiles").set("SOURCE", root.trim_end_matches('/'));
    list.clone().expect("OUT", [&a, &b, &other].map(Text::from));
    let list = list.set("PATTERN", "*.txt");
    list.clone().expect("OUT", [&a, &b].map(Text::from));
    list.expect("DIRS", [place.path("sub.txt").as_str()]);
    let missing = place.path("missing");
    rig("file/list")
        .set("SOURCE", missing.as_str())
        .expect_fault(&format!("cannot read {missing}: "));
}
