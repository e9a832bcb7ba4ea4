//! The process of a store is killed again and again: nothing that was accepted is lost, nothing that was
//! made safe comes back, and attempts are never fewer than deliveries.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::Waker;

use paperflow_connect::Embedded;
use paperflow_core::Packet;
use paperflow_core::connector::*;
use paperflow_core::message::{Id, Message};

/// Where the child works, and from which number it sends.
const FOLDER: &str = "PAPERFLOW_TEST_KILL";
const ROUNDS: usize = 12;
/// Lines after which the child is killed; not the same number in each round.
const LINES: usize = 60;

fn connect(store: &Embedded) -> (Arc<dyn Connector>, Arc<dyn Subscription>) {
    let mut declaration = Declaration::new("q", ConnectorKind::Queue);
    declaration.retries = 1_000;
    let queue = store.connect(&declaration).unwrap();
    let consumer = Consumer {
        name: "child".to_owned(),
        group: String::new(),
        waker: Waker::noop().clone(),
    };
    let reader = queue.subscribe(consumer).unwrap();
    (queue, reader)
}

fn number(message: &Message) -> usize {
    String::from_utf8(message.body().unwrap().into_owned())
        .unwrap()
        .parse()
        .unwrap()
}

/// Not a test: what the parent kills. It says what it is about to do, and what it knows to be safe.
#[test]
fn child() {
    let Ok(told) = std::env::var(FOLDER) else {
        return;
    };
    let (first, folder) = told.split_once(' ').unwrap();
    let store = Embedded::open(folder).unwrap();
    let (queue, reader) = connect(&store);
    let say = |word: &str, numbers: &[usize]| {
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let mut out = std::io::stderr().lock();
        writeln!(out, "{word} {}", numbers.join(" ")).unwrap();
    };
    let mut next: usize = first.parse().unwrap();
    loop {
        let numbers: Vec<usize> = (next..next + 5).collect();
        next += 5;
        let message = |number: &usize| {
            let name = number.to_string();
            Message::of(Id::of(&name), &Packet::text(name.as_str())).unwrap()
        };
        let messages: Vec<Message> = numbers.iter().map(message).collect();
        queue.send(&messages).unwrap();
        say("sent", &numbers);
        let mut held = Vec::new();
        reader.receive(4, &mut held).unwrap();
        for delivery in &held {
            say(
                "attempt",
                &[number(&delivery.message), delivery.attempt as usize],
            );
        }
        let done: Vec<usize> = held
            .iter()
            .map(|delivery| number(&delivery.message))
            .collect();
        say("doing", &done);
        for delivery in &held {
            reader.settle(delivery.ticket, Settlement::default());
        }
        reader.flush().unwrap();
        say("done", &done);
    }
}

#[derive(Default)]
struct Ledger {
    sent: BTreeSet<usize>,
    doing: BTreeSet<usize>,
    done: BTreeSet<usize>,
    attempts: BTreeMap<usize, usize>,
}

impl Ledger {
    fn note(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbers = rest.split_whitespace().map_while(|text| text.parse().ok());
        let numbers: Vec<usize> = numbers.collect();
        match (word, &numbers[..]) {
            ("sent", _) => self.sent.extend(numbers),
            ("doing", _) => self.doing.extend(numbers),
            ("done", _) => self.done.extend(numbers),
            ("attempt", [number, attempt]) => {
                assert!(!self.done.contains(number), "{number} came back");
                let before = self.attempts.insert(*number, *attempt).unwrap_or(0);
                assert!(*attempt > before, "{number}: {attempt} after {before}");
            }
            _ => {}
        }
    }

    /// A child works until it has said so much, and is killed.
    fn round(&mut self, folder: &Path, first: usize, lines: usize) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(FOLDER, format!("{first} {}", folder.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = said.map_while(Result::ok);
        said.by_ref().take(lines).for_each(|line| self.note(&line));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it died.
        said.for_each(|line| self.note(&line));
    }
}

#[test]
fn m3_what_was_accepted_outlasts_any_number_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::default();
    for round in 0..ROUNDS {
        ledger.round(folder.path(), round * 100_000, LINES + 7 * round % 11);
    }
    let store = Embedded::open(folder.path()).unwrap();
    let (_queue, reader) = connect(&store);
    let mut held = Vec::new();
    while reader.receive(100, &mut held).unwrap() == Found::Some {}
    let left: BTreeSet<usize> = held
        .iter()
        .map(|delivery| number(&delivery.message))
        .collect();
    assert_eq!(left.len(), held.len(), "nothing twice");
    assert!(
        left.is_disjoint(&ledger.done),
        "what is done does not come back"
    );
    let lost = ledger
        .sent
        .iter()
        .filter(|number| !left.contains(number) && !ledger.doing.contains(number));
    assert_eq!(lost.count(), 0, "nothing is lost");
    assert!(ledger.sent.len() > ROUNDS * 5 && !ledger.done.is_empty());
}
