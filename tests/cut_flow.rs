//! The order flow in three programs that meet in a broker: the office, the restaurant and the courier. Any of
//! them may be killed, and so may the broker.
//!
//! `PAPERFLOW_TEST_KILLS` is how many parts are killed, 12 if it is not given, at moments that follow from
//! `PAPERFLOW_TEST_SEED`; `PAPERFLOW_TEST_AWAY` for how many seconds at least a broker is stopped; and
//! `PAPERFLOW_TEST_ORDERS` how many orders there are while it is stopped.
#![cfg(feature = "broker")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brokers;
#[path = "cuts/chance.rs"]
mod chance;
mod orders;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chance::{Chance, given, seed};
use orders::outcomes;

/// The arcs between the parts as queues of a broker; as streams, where there are no queues.
fn wiring(url: &str) -> &'static str {
    match url.starts_with("kafka:") {
        true => "graphs/order-flow/kafka-parts.toml",
        false => "graphs/order-flow/parts.toml",
    }
}

const PARTS: [&str; 3] = ["office", "restaurant", "courier"];
/// All parts in one program.
const WHOLE: &str = "whole";

/// Some of the orders, and names of the broker that nobody else uses.
struct Agency {
    folder: PathBuf,
    url: String,
}

impl Agency {
    fn new(name: &str, url: &str, orders: usize) -> Self {
        let folder = orders::folder("cut-flow", name, orders);
        let mut url = brokers::corner(url, name);
        if url.starts_with("kafka:") {
            // A group soon notices that a program was killed.
            url += "&session=2";
        }
        Self { folder, url }
    }

    fn command(&self) -> Command {
        let mut command = orders::command(&self.folder);
        command.env("BROKER_URL", &self.url).stdin(Stdio::null());
        command
    }

    fn in_memory(&self) -> Vec<String> {
        let output = self.command().output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn begin(&self, part: &'static str) -> Program {
        self.begin_with(part, &[])
    }

    fn begin_with(&self, part: &'static str, more: &[&str]) -> Program {
        let mut command = self.command();
        command.args(more).args(["--wiring", wiring(&self.url)]);
        if part != WHOLE {
            command.args(["--part", part]);
        }
        command.arg("--data").arg(self.folder.join(part));
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
    /// Some lines more of what it shows.
    fn some(&mut self, lines: usize) -> Vec<String> {
        let lines = self.shown.by_ref().take(lines);
        lines.map_while(Result::ok).collect()
    }

    /// What it shows until it ends.
    fn rest(mut self) -> Vec<String> {
        let shown = self.some(usize::MAX);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{}: {status}: {}", self.part, self.told());
        shown
    }

    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.some(usize::MAX)
    }

    /// What it has said beside.
    fn told(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for something while programs run.
fn until(programs: &mut [&mut Program], is_so: impl Fn(&[&mut Program]) -> bool) {
    let begun = Instant::now();
    while !is_so(programs) {
        let is_late = begun.elapsed().as_secs() >= 60;
        for program in &mut *programs {
            let ended = program.child.try_wait().unwrap();
            let (part, told) = (program.part, program.told());
            assert!(!is_late && ended.is_none(), "{part}: {ended:?}: {told}");
        }
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// What is shown is what is shown in memory, in the same order.
fn is_same(shown: &[String], memory: &[String], told: &str) {
    if let Some(first) =
        (0..shown.len().max(memory.len())).find(|at| shown.get(*at) != memory.get(*at))
    {
        let about = |lines: &[String]| {
            lines
                .iter()
                .skip(first)
                .take(3)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        };
        panic!(
            "{} lines, not {}; different from line {}:\n{}\nnot\n{}\n{told}",
            shown.len(),
            memory.len(),
            first + 1,
            about(shown),
            about(memory),
        );
    }
}

fn gives_the_same(broker: &str) {
    let Some(url) = brokers::url(broker) else {
        return;
    };
    let agency = |name: &str| Agency::new(&format!("{broker}-{name}"), &url, 40);
    let memory = agency("memory").in_memory();
    is_same(&agency("one").begin(WHOLE).rest(), &memory, "one program");
    let programs = agency("three").begin_all().into_iter();
    let shown: Vec<String> = programs.flat_map(Program::rest).collect();
    is_same(&shown, &memory, "three programs");
}

/// A part of which nothing is heard does not take up work, says why, and goes on when the broker is back.
fn is_not_ready_without_its_broker(broker: &str) {
    let Some(own) = brokers::Private::new(broker) else {
        return;
    };
    let agency = Agency::new(&format!("{broker}-away"), own.url(), 30);
    let memory = agency.in_memory();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let mut restaurant = agency.begin_with("restaurant", &["--health", &address]);
    let ready = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
        let output = command
            .args(["health", "--ready", &address])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let mut says = |so: &dyn Fn(&str) -> bool| until(&mut [&mut restaurant], |_| so(&ready()));
    says(&|said| said == "ready\n");
    let mut office = agency.begin("office");
    let courier = agency.begin("courier");
    let mut shown = office.some(3);
    // RabbitMQ forgets queues that were made a moment before it is killed.
    match broker {
        "amqp" => own.stop(),
        _ => own.kill(),
    }
    says(&|said| said.contains("the store `broker` is away: "));
    says(&|said| said.contains("the store in which the parts meet has not answered"));
    own.start();
    says(&|said| said == "ready\n");
    shown.extend(office.rest());
    courier.rest();
    let told = restaurant.told();
    restaurant.rest();
    is_same(&shown, &memory, &told);
}

/// The broker is stopped in mid-run until everybody has noticed, and comes again.
fn outlives_its_broker(broker: &str, parts: &[&'static str]) {
    let Some(own) = brokers::Private::new(broker) else {
        return;
    };
    let orders = given("PAPERFLOW_TEST_ORDERS", 200);
    let least = Duration::from_secs(given("PAPERFLOW_TEST_AWAY", 1) as u64);
    let name = format!("{broker}-outlives-{}", parts.len());
    let agency = Agency::new(&name, own.url(), orders);
    let memory = agency.in_memory();
    let begin = |part: &&'static str| agency.begin(part);
    let mut programs: Vec<Program> = parts.iter().map(begin).collect();
    let mut shown = programs[0].some(orders / 10);
    own.stop();
    let stopped = Instant::now();
    let mut all: Vec<&mut Program> = programs.iter_mut().collect();
    until(&mut all, |all| {
        let mut told = all.iter().map(|program| program.told());
        told.all(|told| told.contains("the store `broker` is away: "))
    });
    until(&mut all, |_| stopped.elapsed() >= least);
    own.start();
    let mut all = String::new();
    for program in programs {
        let errors = program.errors.clone();
        shown.extend(program.rest());
        let told = fs::read_to_string(errors).unwrap();
        assert!(told.contains("the store `broker` is back after "), "{told}");
        all += &told;
    }
    is_same(&shown, &memory, &all);
}

/// Parts are killed by chance, while the office shows nothing or some lines, and begin again.
fn survives_kills(broker: &str) {
    let Some(url) = brokers::url(broker) else {
        return;
    };
    let kills = given("PAPERFLOW_TEST_KILLS", 12);
    let mut chance = Chance::new(seed(), &[broker]);
    let agency = Agency::new(&format!("{broker}-killed"), &url, 20 + 5 * kills);
    let memory = agency.in_memory();
    let mut shown = Vec::new();
    let mut running = agency.begin_all();
    for _ in 0..kills {
        shown.extend(running[0].some(chance.below(6)));
        let victim = chance.below(running.len());
        let part = running[victim].part;
        shown.extend(running.remove(victim).kill());
        running.insert(victim, agency.begin(part));
    }
    shown.extend(running.into_iter().flat_map(Program::rest));
    assert_eq!(outcomes(&shown), outcomes(&memory));
    assert_eq!(
        shown.last(),
        memory.last(),
        "every order and every penny once"
    );
}

macro_rules! over {
    ($($feature:literal $broker:ident),*) => {$(
        #[cfg(feature = $feature)]
        mod $broker {
            use super::*;

            #[test]
            fn b15_the_order_flow_gives_the_same_in_one_program_and_in_three() {
                gives_the_same($feature);
            }

            #[test]
            fn a_part_whose_broker_is_away_is_not_ready() {
                is_not_ready_without_its_broker($feature);
            }

            #[test]
            fn k20_the_order_flow_in_one_program_outlives_its_broker() {
                outlives_its_broker($feature, &[WHOLE]);
            }

            #[test]
            fn k20_the_order_flow_in_three_programs_outlives_its_broker() {
                outlives_its_broker($feature, &PARTS);
            }

            #[test]
            fn b15_parts_that_are_killed_at_any_moment_and_come_again_change_nothing() {
                survives_kills($feature);
            }
        }
    )*};
}

over!("amqp" amqp, "kafka" kafka, "nats" nats, "redis" redis);
