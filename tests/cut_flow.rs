//! The order flow in three programs that meet in a broker: the office, the restaurant and the courier.
#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brokers;
mod orders;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use orders::outcomes;

const WIRING: &str = "graphs/order-flow/parts.toml";
const PARTS: [&str; 3] = ["office", "restaurant", "courier"];

/// Some of the orders, and names of the broker that nobody else uses.
struct Agency {
    folder: PathBuf,
    url: String,
}

impl Agency {
    fn new(name: &str, url: &str, orders: usize) -> Self {
        let folder = orders::folder("cut-flow", name, orders);
        let url = format!("{url}?prefix={name}.{}:", std::process::id());
        Self { folder, url }
    }

    fn command(&self) -> Command {
        let mut command = orders::command(&self.folder);
        command.env("REDIS_URL", &self.url).stdin(Stdio::null());
        command
    }

    fn lines(mut command: Command) -> Vec<String> {
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn in_memory(&self) -> Vec<String> {
        Self::lines(self.command())
    }

    /// In one program, on the wiring of three.
    fn in_one(&self) -> Vec<String> {
        let mut command = self.command();
        command.args(["--wiring", WIRING, "--data"]);
        command.arg(self.folder.join("whole"));
        Self::lines(command)
    }

    fn begin(&self, part: &'static str) -> Program {
        self.begin_with(part, &[])
    }

    fn begin_with(&self, part: &'static str, more: &[&str]) -> Program {
        let mut command = self.command();
        command.args(more);
        command.args(["--wiring", WIRING, "--part", part, "--data"]);
        command.arg(self.folder.join(part));
        let errors = self.folder.join(format!("{part}.err"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&errors)
            .unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        Program {
            part,
            child,
            shown,
            errors,
        }
    }

    fn begin_all(&self) -> Vec<Program> {
        PARTS.iter().map(|part| self.begin(part)).collect()
    }
}

/// A part that runs.
struct Program {
    part: &'static str,
    child: Child,
    shown: Lines<BufReader<ChildStdout>>,
    errors: PathBuf,
}

impl Program {
    /// What it shows until it ends.
    fn rest(mut self) -> Vec<String> {
        let shown = self.shown.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().unwrap();
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "{}: {status}: {errors}", self.part);
        shown
    }

    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.shown.by_ref().map_while(Result::ok).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn b15_the_order_flow_gives_the_same_in_one_program_and_in_three() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let memory = Agency::new("memory", &url, 40).in_memory();
    assert_eq!(Agency::new("one", &url, 40).in_one(), memory);
    let agency = Agency::new("three", &url, 40);
    let programs = agency.begin_all().into_iter();
    let shown: Vec<String> = programs.flat_map(Program::rest).collect();
    assert_eq!(shown, memory);
}

/// A part of which nothing is heard does not take up work, says why, and goes on when the broker is back.
#[test]
fn a_part_whose_broker_is_away_is_not_ready() {
    let Some(broker) = brokers::Private::new("redis") else {
        return;
    };
    let agency = Agency::new("away", broker.url(), 30);
    let memory = agency.in_memory();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let restaurant = agency.begin_with("restaurant", &["--health", &address]);
    let ready = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
        let output = command
            .args(["health", "--ready", &address])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    until(|| ready() == "ready\n");
    let mut office = agency.begin("office");
    let courier = agency.begin("courier");
    let mut shown: Vec<String> = office
        .shown
        .by_ref()
        .take(3)
        .map_while(Result::ok)
        .collect();
    broker.kill();
    until(|| ready().contains("the store in which the parts meet has not answered"));
    broker.start();
    until(|| ready() == "ready\n");
    shown.extend(office.rest());
    courier.rest();
    restaurant.rest();
    assert_eq!(shown, memory);
}

fn until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 60);
        std::thread::yield_now();
    }
}

#[test]
fn b15_parts_that_are_killed_at_any_moment_and_come_again_change_nothing() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let agency = Agency::new("killed", &url, 60);
    let memory = agency.in_memory();
    let mut shown = Vec::new();
    let mut running = agency.begin_all();
    for (kill, lines) in [1, 3, 2, 0, 4, 1, 2, 5, 0, 1, 3, 2].into_iter().enumerate() {
        let office = running
            .iter_mut()
            .find(|program| program.part == "office")
            .unwrap();
        let more = office.shown.by_ref().take(lines).map_while(Result::ok);
        shown.extend(more.collect::<Vec<_>>());
        let victim = (kill * 5 + lines) % running.len();
        let part = running[victim].part;
        shown.extend(running.remove(victim).kill());
        running.push(agency.begin(part));
    }
    running.sort_by_key(|program| program.part == "office");
    shown.extend(running.into_iter().flat_map(Program::rest));
    assert_eq!(outcomes(&shown), outcomes(&memory));
    assert_eq!(
        shown.last(),
        memory.last(),
        "every order and every penny once"
    );
}
