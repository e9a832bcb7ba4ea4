//! The order flow over a crash: the same drawing and the same components, with a wiring file beside them.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "broker")]
mod brokers;
mod orders;

use std::fs;
use std::io::{BufRead, BufReader, Read};
#[cfg(feature = "broker")]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use orders::outcomes;

const WIRING: &str = "graphs/order-flow/durable.toml";

/// Some of the orders, and a store of their own.
struct Office {
    folder: PathBuf,
    wiring: PathBuf,
    /// The broker, with names of its own for this office: the variable of the wiring file, and its value.
    #[cfg(feature = "broker")]
    server: Option<(&'static str, String)>,
}

impl Office {
    fn new(name: &str, orders: usize, wiring: &str) -> Self {
        let folder = orders::folder("durable-flow", name, orders);
        let wiring = PathBuf::from(wiring);
        Self {
            #[cfg(feature = "broker")]
            server: server(&wiring, name),
            folder,
            wiring,
        }
    }

    fn command(&self, is_durable: bool) -> Command {
        let mut command = orders::command(&self.folder);
        if is_durable {
            command.arg("--wiring").arg(&self.wiring).arg("--data");
            command.arg(self.folder.join("store"));
        }
        #[cfg(feature = "broker")]
        command.envs(self.server.clone());
        command
    }

    /// Everything may go wrong with a fifth of the packets on each arc that is kept.
    fn disturb(&mut self) {
        let chaos =
            |of: &str| format!("chaos = \"drop=20%, dup=20%, corrupt=20%, down=20%{of}\"\n");
        let wiring = fs::read_to_string(&self.wiring).unwrap();
        let queue = format!("kind = \"queue\"\n{}", chaos(", reorder=20%"));
        let stream = format!("kind = \"stream\"\n{}", chaos(""));
        let wiring = wiring.replace("kind = \"queue\"\n", &queue);
        let wiring = wiring.replace("kind = \"stream\"\n", &stream);
        assert_eq!(wiring.matches("chaos").count(), 4);
        self.wiring = self.folder.join("chaos.toml");
        fs::write(&self.wiring, wiring).unwrap();
    }

    /// Runs it to its end.
    fn run(&self, is_durable: bool) -> Vec<String> {
        self.run_told(self.command(is_durable)).0
    }

    /// What a run that ends well shows, and what it says beside.
    fn run_told(&self, mut command: Command) -> (Vec<String>, String) {
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{}: {errors}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        (text.lines().map(str::to_owned).collect(), errors)
    }

    /// Runs it until it has shown so many lines, and kills it: all that it has shown, also what nobody had
    /// read by then.
    fn run_and_kill(&self, lines: usize) -> Vec<String> {
        let mut command = self.command(true);
        let mut child: Child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut shown = String::new();
        for _ in 0..lines {
            out.read_line(&mut shown).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        out.read_to_string(&mut shown).unwrap();
        // The last line may have been cut off.
        let whole = shown.rfind('\n').map_or("", |end| &shown[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

/// The broker of a wiring file. It soon notices that a program was killed.
#[cfg(feature = "broker")]
fn server(wiring: &Path, name: &str) -> Option<(&'static str, String)> {
    let (broker, variable, soon) = match wiring.file_stem()?.to_str()? {
        "amqp" => ("amqp", "AMQP_URL", ""),
        "kafka" => ("kafka", "KAFKA_URL", "&session=1"),
        "nats" => ("nats", "NATS_URL", "&lease=0.5"),
        "redis" => ("redis", "REDIS_URL", "&lease=0.5"),
        _ => return None,
    };
    let url = brokers::corner(&brokers::url(broker)?, name);
    Some((variable, url + soon))
}

impl Office {
    /// Runs it until it has shown so many lines, and tells it to stop; what it has shown until it ended.
    fn run_and_stop(&self, lines: usize) -> Vec<String> {
        let mut command = self.command(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut shown: Vec<String> = out.by_ref().take(lines).map_while(Result::ok).collect();
        let mut kill = Command::new("kill");
        let told = kill.args(["-TERM", &child.id().to_string()]).status();
        assert!(told.unwrap().success());
        shown.extend(out.map_while(Result::ok));
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        shown
    }
}

#[test]
fn the_same_graph_with_durable_arcs_and_tables_gives_the_same() {
    gives_the_same("same", WIRING);
}

fn gives_the_same(name: &str, wiring: &str) {
    let office = Office::new(name, 80, wiring);
    let mut memory = office.run(false);
    let mut durable = office.run(true);
    let books = (memory.pop().unwrap(), durable.pop().unwrap());
    assert_eq!(books.0, books.1, "the books");
    memory.sort();
    durable.sort();
    assert_eq!(memory, durable);
}

#[test]
fn m3_orders_end_once_and_the_books_balance_however_often_it_is_killed() {
    ends_once("killed", WIRING);
}

macro_rules! over_brokers {
    ($($feature:literal $broker:ident),*) => {$(
        #[cfg(feature = $feature)]
        mod $broker {
            #[test]
            fn t15_the_same_graph_over_a_broker_gives_the_same() {
                super::over($feature, "same", super::gives_the_same);
            }

            #[test]
            fn m3_orders_end_once_over_a_broker_however_often_it_is_killed() {
                super::over($feature, "killed", super::ends_once);
            }
        }
    )*};
}

over_brokers!("amqp" amqp, "kafka" kafka, "nats" nats, "redis" redis);

#[cfg(feature = "broker")]
fn over(broker: &str, name: &str, shows: fn(&str, &str)) {
    if brokers::url(broker).is_some() {
        let wiring = format!("graphs/order-flow/{broker}.toml");
        shows(&format!("{broker}-{name}"), &wiring);
    }
}

fn ends_once(name: &str, wiring: &str) {
    let office = Office::new(name, 80, wiring);
    let memory = office.run(false);
    let mut shown = Vec::new();
    for lines in [1, 9, 4, 17, 2, 12] {
        shown.extend(office.run_and_kill(lines));
    }
    shown.extend(office.run(true));
    assert_eq!(outcomes(&shown), outcomes(&memory));
    assert_eq!(
        shown.last(),
        memory.last(),
        "every order and every penny once"
    );
}

/// Nobody is told that an order was not answered, or draws conclusions because no more orders or menus
/// come in this run: the next one goes on there.
#[test]
fn k22_stopped_and_run_again_it_ends_as_if_nobody_had_stopped_it() {
    let office = Office::new("stopped", 80, WIRING);
    let memory = office.run(false);
    let mut shown = Vec::new();
    for lines in [1, 1, 2, 9, 4, 12] {
        shown.extend(office.run_and_stop(lines));
    }
    shown.extend(office.run(true));
    assert_eq!(outcomes(&shown), outcomes(&memory));
    assert_eq!(shown.last(), memory.last(), "the books");
}

/// The summary of the books: it counts every order and every penny.
#[test]
fn r1_chaos_ends_in_the_same_state() {
    for scheduler in ["threads", "pool=2"] {
        let mut office = Office::new(&format!("chaos-{scheduler}"), 1_000, WIRING);
        let calm = office.run(false);
        office.disturb();
        let mut command = office.command(true);
        command.args(["--scheduler", scheduler]);
        let (wild, told) = office.run_told(command);
        assert_eq!(outcomes(&wild), outcomes(&calm), "{scheduler}");
        assert_eq!(wild.last(), calm.last(), "{scheduler}: the books");
        let arcs = told
            .lines()
            .filter(|line| line.starts_with("note: chaos on"));
        let counts: Vec<u32> = arcs
            .flat_map(|line| line.split_whitespace())
            .filter_map(|word| word.parse().ok())
            .collect();
        assert_eq!(counts.len(), 4 * 7, "{told}");
        assert!(counts.iter().sum::<u32>() > 1_000, "{told}");
    }
}
