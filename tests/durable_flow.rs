//! The order flow over a crash: the same drawing and the same components, with a wiring file beside them.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const GRAPH: &str = "graphs/order-flow/order-flow.fbp";
const WIRING: &str = "graphs/order-flow/durable.toml";

/// Some of the orders, and a store of their own.
struct Office {
    folder: PathBuf,
}

impl Office {
    fn new(name: &str, orders: usize) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("durable-flow")
            .join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let all = fs::read_to_string("graphs/order-flow/orders.jsonl").unwrap();
        let some: Vec<&str> = all.lines().take(orders).collect();
        fs::write(folder.join("orders.jsonl"), some.join("\n") + "\n").unwrap();
        Self { folder }
    }

    fn command(&self, is_durable: bool) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
        let orders = self.folder.join("orders.jsonl");
        command.args(["run", GRAPH, "--set"]);
        command.arg(format!("Orders.SOURCE={}", orders.display()));
        if is_durable {
            command.args(["--wiring", WIRING, "--data"]);
            command.arg(self.folder.join("store"));
        }
        command
    }

    /// Runs it to its end.
    fn run(&self, is_durable: bool) -> Vec<String> {
        let output = self.command(is_durable).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Runs it until it has shown so many lines, and kills it.
    fn run_and_kill(&self, lines: usize) -> Vec<String> {
        let mut command = self.command(true);
        let mut child: Child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        let shown: Vec<String> = shown.take(lines).map_while(Result::ok).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        shown
    }
}

/// The outcomes of orders, in no order.
fn outcomes(lines: &[String]) -> BTreeSet<&str> {
    let lines = lines.iter().map(String::as_str);
    lines
        .filter(|line| line.starts_with("{\"order\""))
        .collect()
}

#[test]
fn the_same_graph_with_durable_arcs_and_tables_gives_the_same() {
    let office = Office::new("same", 80);
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
    let office = Office::new("killed", 80);
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
