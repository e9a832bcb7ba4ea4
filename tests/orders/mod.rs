//! The order flow with some of its orders, as a command of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A new folder with some of the orders; `area` is that of the tests.
pub(crate) fn folder(area: &str, name: &str, orders: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(area).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let all = fs::read_to_string("graphs/order-flow/orders.jsonl").unwrap();
    let some: Vec<&str> = all.lines().take(orders).collect();
    fs::write(folder.join("orders.jsonl"), some.join("\n") + "\n").unwrap();
    folder
}

/// Runs the order flow with the orders in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    let orders = folder.join("orders.jsonl");
    command.args(["run", "graphs/order-flow/order-flow.fbp", "--set"]);
    command.arg(format!("Orders.SOURCE={}", orders.display()));
    command
}

/// The outcomes of orders, in no order.
pub(crate) fn outcomes(lines: &[String]) -> BTreeSet<&str> {
    let lines = lines.iter().map(String::as_str);
    lines
        .filter(|line| line.starts_with("{\"order\""))
        .collect()
}
