//! Files as sinks.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::fs;
use std::sync::{Arc, Mutex};

use common::{Place, rig, run};
use paperflow_core::Packet;
use paperflow_core::connector::{
    Delivery, Disposition, Found, Outlook, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use paperflow_core::settle::{Token, Trail};
use paperflow_engine::report::Verdict;
use paperflow_engine::rig::Rig;
use paperflow_engine::{Network, Options, Scheduler};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Export, Initial, Plan, Process};
use serde_json::json;

const WRITERS: [&str; 3] = ["file/write", "file/write-json-lines", "file/write-csv"];

fn record() -> Packet {
    Packet::record(json!({"dish": "Korma, hot", "price": 5}))
}

/// What a component writes, and that it is the same under every scheduler.
fn written(place: &Place, rig: impl Fn() -> Rig, packets: &[Packet]) -> String {
    let path = place.path("written");
    rig()
        .set("DESTINATION", path.as_str())
        .feed("IN", packets.to_vec())
        .expect("OUT", packets.to_vec());
    let passed_on = place.content("written");
    run(
        &rig().set("DESTINATION", path).feed("IN", packets.to_vec()),
        &[],
    );
    assert_eq!(
        place.content("written"),
        passed_on,
        "the same when nothing is connected to OUT"
    );
    passed_on
}

#[test]
fn each_packet_is_a_line() {
    let place = Place::new();
    let packets = [
        Packet::text("to be"),
        Packet::open(),
        Packet::int(7),
        Packet::close(),
        Packet::bytes(&b"raw"[..]),
        record(),
    ];
    let text = "to be\n7\nraw\n{\"dish\":\"Korma, hot\",\"price\":5}\n";
    assert_eq!(written(&place, || rig("WriteFile"), &packets), text);
}

#[test]
fn each_packet_is_a_line_of_json() {
    let place = Place::new();
    let packets = [
        Packet::text("a \"b\""),
        Packet::open(),
        Packet::null(),
        Packet::close(),
        record(),
    ];
    let text = "\"a \\\"b\\\"\"\nnull\n{\"dish\":\"Korma, hot\",\"price\":5}\n";
    assert_eq!(
        written(&place, || rig("file/write-json-lines"), &packets),
        text
    );
    let bytes = rig("file/write-json-lines").set("DESTINATION", place.path("bytes"));
    bytes
        .feed("IN", [Packet::bytes(&b"a"[..])])
        .expect_fault("bytes has no form in JSON");
}

#[test]
fn each_record_is_a_row() {
    let place = Place::new();
    let packets = [
        Packet::open(),
        record(),
        Packet::close(),
        Packet::record(json!({"price": null})),
    ];
    let text = "dish,price\n\"Korma, hot\",5\n,\n";
    assert_eq!(written(&place, || rig("file/write-csv"), &packets), text);
    let path = place.path("text");
    let why = format!("cannot write {path}: expected a record with fields, got text \"a\"");
    rig("file/write-csv")
        .set("DESTINATION", path)
        .feed("IN", ["a"])
        .expect_fault(&why);
}

#[test]
fn a_file_is_made_replaced_or_gone_on_with() {
    let place = Place::new();
    for (at, writer) in WRITERS.iter().enumerate() {
        let name = format!("none-{at}");
        let nothing: [Packet; 0] = [];
        let ran = run(
            &rig(writer)
                .set("DESTINATION", place.file(&name, "old"))
                .feed("IN", nothing),
            &[],
        );
        assert_eq!(ran.outcome.verdict, Verdict::Finished);
        assert_eq!(place.content(&name), "", "{writer}");
    }
    for (writer, text) in [
        ("file/write", "old\na\n"),
        ("file/write-json-lines", "old\n\"a\"\n"),
    ] {
        let path = place.file("more", "old\n");
        run(
            &rig(writer)
                .set("DESTINATION", path)
                .set("APPEND", "true")
                .feed("IN", ["a"]),
            &[],
        );
        assert_eq!(place.content("more"), text);
    }
}

#[test]
fn many_lines_all_arrive() {
    let place = Place::new();
    let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
    let write = rig("file/write")
        .set("DESTINATION", place.path("many"))
        .feed("IN", lines.clone());
    let ran = run(&write, &[]);
    assert_eq!(ran.outcome.verdict, Verdict::Finished);
    assert_eq!(place.content("many"), lines.join("\n") + "\n");
}

#[test]
fn what_cannot_be_written_is_named() {
    let place = Place::new();
    for writer in WRITERS {
        let directory = place.path("");
        let why = format!("cannot write {directory}: Is a directory");
        rig(writer)
            .set("DESTINATION", directory)
            .feed("IN", [record()])
            .expect_fault(&why);
        let nowhere = place.path("missing/file");
        let why = format!("cannot write {nowhere}: No such file");
        rig(writer)
            .set("DESTINATION", nowhere)
            .feed("IN", [record()])
            .expect_fault(&why);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    for writer in WRITERS {
        let full = rig(writer)
            .set("DESTINATION", "/dev/full")
            .feed("IN", [record()]);
        full.clone()
            .expect_fault("cannot write /dev/full: No space left on device");
        let ran = run(&full, &[]);
        assert!(
            matches!(ran.outcome.verdict, Verdict::Failed(_)),
            "with OUT unconnected, at the last flush"
        );
    }
}

/// A named pipe whose reader leaves after the first line.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_success() {
    let place = Place::new();
    let path = place.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut line = [0; 2];
            std::io::Read::read_exact(&mut fs::File::open(path).unwrap(), &mut line).unwrap();
            line
        }
    });
    let lines = vec!["a"; 200_000];
    let ran = run(
        &rig("file/write").set("DESTINATION", path).feed("IN", lines),
        &[],
    );
    assert_eq!(ran.outcome.verdict, Verdict::Finished);
    assert_eq!(reader.join().unwrap(), *b"a\n");
}

/// A store that looks whether a line is in the file whenever it hears that a packet is done.
struct Inspector {
    path: String,
    /// How each was settled, and whether its line was there.
    settled: Mutex<Vec<(u64, Disposition, bool)>>,
}

impl Subscription for Inspector {
    fn receive(&self, _: usize, _: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        Ok(Found::Empty(Outlook::default()))
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        // What is no file, such as `/dev/full`, has no end.
        let is_file = fs::metadata(&self.path).is_ok_and(|known| known.is_file());
        let content = is_file.then(|| fs::read_to_string(&self.path).unwrap());
        let line = format!("<{ticket}>");
        let is_there = content.is_some_and(|content| content.contains(&line));
        let mut settled = self.settled.lock().unwrap();
        settled.push((ticket, settlement.disposition, is_there));
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn close(&self) {}
}

/// Lets a component write what a store has delivered, and one packet more that it cannot write, if there is one.
fn inspected(
    component: &str,
    path: String,
    wrong: Option<Packet>,
) -> (Verdict, Vec<(u64, Disposition, bool)>) {
    let end = |port: &str| End {
        port: port.to_owned(),
        ..End::default()
    };
    let plan = Plan {
        processes: vec![Process {
            address: String::from("Write"),
            component: component.to_owned(),
            ..Process::default()
        }],
        initials: vec![Initial {
            to: end("DESTINATION"),
            value: path.clone().into(),
            ..Initial::default()
        }],
        inports: vec![Export {
            public: String::from("IN"),
            end: end("IN"),
            ..Export::default()
        }],
        ..Plan::default()
    };
    let inspector = Arc::new(Inspector {
        path,
        settled: Mutex::default(),
    });
    let options = Options {
        scheduler: Scheduler::Threads,
        ..Options::default()
    };
    let mut network = Network::new(plan, &paperflow_io::catalogue(), &Sources::new(), options);
    network.identify(Id::of("test"));
    network.input("IN").unwrap();
    let mut started = network.start().unwrap();
    let input = started.inputs.remove(0);
    let lines = (0..300).map(|number| Packet::record(json!({ "line": format!("<{number}>") })));
    for (number, packet) in (0..).zip(lines.chain(wrong)) {
        let store = Arc::clone(&inspector) as Arc<dyn Subscription>;
        let trail = Trail {
            id: Some(Id::of(&format!("{number}"))),
            tokens: Token::new(store, number).into(),
        };
        if let Err(refused) = input.send(packet.with_trail(trail)) {
            refused.0.release();
        }
    }
    drop(input);
    let verdict = started.running.wait().verdict;
    let mut settled = std::mem::take(&mut *inspector.settled.lock().unwrap());
    settled.sort_by_key(|(ticket, ..)| *ticket);
    (verdict, settled)
}

#[test]
fn a_packet_is_done_when_its_line_is_written() {
    let place = Place::new();
    for writer in WRITERS {
        let (verdict, settled) = inspected(writer, place.path("written"), None);
        assert_eq!(verdict, Verdict::Finished, "{writer}");
        let done: Vec<_> = (0..300)
            .map(|number| (number, Disposition::Done, true))
            .collect();
        assert_eq!(settled, done, "{writer}");
    }
}

#[test]
fn what_was_read_before_a_packet_that_cannot_be_written_is_written() {
    let place = Place::new();
    for writer in WRITERS {
        let wrong = Packet::object(0_u8);
        let (_, settled) = inspected(writer, place.path("written"), Some(wrong));
        let mut expected: Vec<_> = (0..300)
            .map(|number| (number, Disposition::Done, true))
            .collect();
        expected.push((300, Disposition::Retry, false));
        assert_eq!(settled, expected, "{writer}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_not_done() {
    for writer in WRITERS {
        let (_, settled) = inspected(writer, String::from("/dev/full"), None);
        let done: Vec<_> = settled
            .iter()
            .filter(|(_, how, _)| *how == Disposition::Done)
            .collect();
        assert_eq!(done, [&(0, Disposition::Done, true); 0], "{writer}");
        assert_eq!(settled.len(), 300, "{writer}");
    }
}
