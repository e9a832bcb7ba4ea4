//! Real brokers can be had, are shared, and keep what they have confirmed when they are killed.

mod brokers;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;

/// Asks a Redis and gives the first line of its answer.
fn redis(url: &str, command: &str) -> String {
    let address = url
        .strip_prefix("redis://")
        .expect("the address of a Redis");
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "{command}\r\n").expect("it takes a command");
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .expect("it answers");
    answer.trim_end().to_owned()
}

/// Where another program finds a broker.
fn elsewhere(name: &str) -> String {
    let mut up = Command::new("tests/brokers/up");
    let output = up.args([name, "--keep"]).output().expect("it can be run");
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn a_broker_is_shared_by_all_tests() {
    for name in brokers::NAMES {
        let Some(url) = brokers::url(name) else {
            continue;
        };
        let lines = elsewhere(name);
        assert!(lines.contains(&format!("='{url}'\n")), "{url}: {lines}");
    }
}

/// Where the host and the port of a URL are.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().expect("a text has a first part")
}

/// A broker of one's own, killed and started again; both times `check` looks at it.
fn survives(name: &str, check: impl Fn(&str, usize)) {
    let Some(own) = brokers::Private::new(name) else {
        return;
    };
    assert_ne!(brokers::url(name).as_deref(), Some(own.url()));
    check(own.url(), 0);
    own.kill();
    let dead = TcpStream::connect(address(own.url()));
    assert!(dead.is_err(), "{name} still listens");
    own.start();
    TcpStream::connect(address(own.url())).expect("it listens again");
    check(own.url(), 1);
}

#[test]
fn redis_of_ones_own_keeps_what_it_has_confirmed_when_it_is_killed() {
    survives("redis", |url, before| {
        let length = redis(url, "XLEN orders");
        assert_eq!(length, format!(":{before}"));
        redis(url, "XADD orders * number 1");
    });
}

#[test]
fn every_broker_of_ones_own_can_be_killed_and_started_again() {
    thread::scope(|scope| {
        for name in brokers::NAMES {
            scope.spawn(move || survives(name, |_, _| {}));
        }
    });
}
