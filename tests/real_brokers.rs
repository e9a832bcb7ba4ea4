//! Real brokers can be had, are shared, and keep what they have confirmed when they are killed.

mod brokers;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

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
    for name in ["redis", "nats"] {
        let Some(url) = brokers::url(name) else {
            continue;
        };
        let lines = elsewhere(name);
        assert!(lines.contains(&format!("='{url}'\n")), "{url}: {lines}");
    }
}

#[test]
fn a_broker_of_ones_own_keeps_what_it_has_confirmed_when_it_is_killed() {
    let Some(own) = brokers::Private::new("redis") else {
        return;
    };
    assert_ne!(brokers::url("redis").as_deref(), Some(own.url()));
    redis(own.url(), "XADD orders * number 1");
    own.kill();
    let address = own.url().trim_start_matches("redis://");
    assert!(TcpStream::connect(address).is_err(), "it is dead");
    own.start();
    assert_eq!(redis(own.url(), "XLEN orders"), ":1");
}
