//! A graph in two programs that meet in a publish-subscribe channel of an MQTT broker.
#![cfg(feature = "mqtt")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use command::Folder;

const GRAPH: &str = "\
'in.txt' -> SOURCE Read(file/lines:host=shop) OUT ->(pubsub, name=news) IN Case(text/upper:host=office)
Case OUT -> IN Show(console/write:host=office)
";
const ALL: usize = 3_000;

fn folder(name: &str, url: &str) -> Folder {
    let folder = Folder::new(name);
    let lines: Vec<String> = (0..ALL).map(|number| format!("line {number}\n")).collect();
    folder.write("in.txt", &lines.concat());
    folder.write("g.fbp", GRAPH);
    let url = brokers::corner(url, name);
    let arc = "[arc.\"Read.OUT -> Case.IN\"]\nvia = \"broker\"\n";
    folder.write(
        "at.toml",
        &format!("[store.broker]\nurl = \"{url}\"\n{arc}"),
    );
    folder
}

/// The office, once it has subscribed.
fn office(folder: &Folder) -> Child {
    let own = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let line = format!("run g.fbp --wiring at.toml --part office --health {own}");
    let office = folder
        .command(&line)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let is_ready = || {
        let mut stream = TcpStream::connect(own).ok()?;
        stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.lines().next()?.contains("200").then_some(())
    };
    while is_ready().is_none() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it is never ready"
        );
        thread::yield_now();
    }
    office
}

fn shop(folder: &Folder) -> Child {
    let mut shop = folder.command("run g.fbp --wiring at.toml --part shop");
    shop.spawn().unwrap()
}

#[test]
fn b15_parts_meet_in_a_channel_and_end_by_themselves() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let folder = folder("channel-flow", &url);
    // Twice: the second run is another one.
    for _ in 0..2 {
        let office = office(&folder);
        assert!(shop(&folder).wait().unwrap().success());
        let output = office.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let expected: Vec<String> = (0..ALL).map(|number| format!("LINE {number}")).collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn b15_a_part_that_begins_first_sends_nothing_that_another_would_miss() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let folder = folder("channel-early", &url);
    let mut shop = shop(&folder);
    let begun = Instant::now();
    // Long enough for all to be sent.
    while begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(shop.try_wait().unwrap(), None, "nobody has subscribed");
        thread::park_timeout(Duration::from_millis(20));
    }
    let output = office(&folder).wait_with_output().unwrap();
    assert!(shop.wait().unwrap().success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), ALL);
}

#[test]
fn b15_a_subscriber_that_is_killed_and_comes_again_misses_nothing() {
    let Some(url) = brokers::url("mqtt") else {
        return;
    };
    let folder = folder("channel-kill", &url);
    let mut first = office(&folder);
    let mut shop = shop(&folder);
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    let mut seen = BTreeSet::new();
    while seen.len() < 10 {
        seen.insert(lines.next().unwrap().unwrap());
    }
    first.kill().unwrap();
    first.wait().unwrap();
    seen.extend(lines.map_while(Result::ok));
    let second = office(&folder).wait_with_output().unwrap();
    assert!(shop.wait().unwrap().success());
    assert!(second.status.success());
    let text = String::from_utf8(second.stdout).unwrap();
    seen.extend(text.lines().map(str::to_owned));
    // What it was cut short in may be in the first output by half.
    let whole = (0..ALL).map(|number| format!("LINE {number}"));
    let missing: Vec<String> = whole.filter(|line| !seen.contains(line)).collect();
    assert!(
        missing.is_empty(),
        "{} are missing: {missing:?}",
        missing.len()
    );
}
