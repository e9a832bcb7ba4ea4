//! The kill ledger: networks with arcs and tables in a store are killed at every dangerous point, run again
//! until they finish, and must have counted each of their numbered packets once.
//!
//! ```sh
//! cargo run --release -p paperflow-ledger
//! cargo run -p paperflow-ledger -- --packets 500 --only K7 --connector queue
//! cargo run -p paperflow-ledger -- --soak 20
//! ```
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

mod books;
#[path = "../../brokers/mod.rs"]
mod brokers;
mod cells;
mod chance;
mod child;
mod office;
mod rows;
mod scene;
mod soak;
mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Parser;

use cells::{Packets, Servers, Stage};
use rows::ROWS;
use scene::{ALL, Connector};
use soak::Soak;
use table::Cell;

#[derive(Debug, Parser)]
#[command(about = "Kills networks at every dangerous point, and counts what came through.")]
struct Args {
    /// Numbered packets in each network; 10000 with the embedded store and 1000 with a broker by default.
    #[arg(long, value_parser = clap::value_parser!(u64).range(200..=999_999))]
    packets: Option<u64>,
    /// Only this row, such as K7; may be given again.
    #[arg(long)]
    only: Vec<String>,
    /// Only this connector, such as queue, redis-queue, redis for all that it keeps, or all; may be given
    /// again.
    #[arg(long, value_parser = Connector::named)]
    connector: Vec<Vec<Connector>>,
    /// Where in a run a network is killed follows from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a network is killed at a place before it may finish.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=3))]
    kills: u32,
    /// Kill a network at times by chance instead, this often, and compare it with a run that nobody disturbs.
    #[arg(long, value_name = "KILLS")]
    soak: Option<u32>,
    /// What is soaked; the order flow by default.
    #[arg(long, requires = "soak", requires = "wiring")]
    graph: Option<PathBuf>,
    /// And with which wiring.
    #[arg(long, requires = "graph")]
    wiring: Option<PathBuf>,
    /// Print one JSON object for each cell.
    #[arg(long)]
    json: bool,
    /// Write the table into RESULTS.md: all rows for all connectors.
    #[arg(long, conflicts_with_all = ["only", "connector"])]
    write: bool,
    /// Where the networks are set up; beside the command by default.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// A command that is built already, with failpoints and the components of the ledger.
    #[arg(long)]
    office: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let is_fine = match args.soak {
        Some(kills) => soaked(&args, kills),
        None => run(&args),
    };
    match is_fine {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the ledger cannot run: {error}");
            ExitCode::from(2)
        }
    }
}

fn soaked(args: &Args, kills: u32) -> io::Result<bool> {
    let built = || office::build(args.wiring.is_some(), false);
    let office = args.office.clone().map_or_else(built, Ok)?;
    let (office, folder) = (
        fs::canonicalize(&office)?,
        args.folder(&office).join("soak"),
    );
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let own = |given: &Option<PathBuf>, name| match given {
        Some(path) => fs::canonicalize(path),
        None => Ok(soak::order_flow(name)),
    };
    let soaked = Soak {
        office: &office,
        folder: &fs::canonicalize(folder)?,
        graph: &own(&args.graph, "order-flow.fbp")?,
        wiring: &own(&args.wiring, "durable.toml")?,
        kills,
        seed: args.seed,
    };
    let soaked = soaked.run()?;
    match args.json {
        true => println!("{}", soaked.json()),
        false => println!("{}", soaked.words()),
    }
    Ok(soaked.wrong.is_empty())
}

impl Args {
    fn folder(&self, office: &Path) -> PathBuf {
        let usual = || office.with_file_name("ledgers");
        self.folder.clone().unwrap_or_else(usual)
    }

    fn packets(&self) -> Packets {
        Packets {
            embedded: self.packets.unwrap_or(10_000),
            broker: self.packets.unwrap_or(1_000),
        }
    }
}

/// Whether everything passed.
fn run(args: &Args) -> io::Result<bool> {
    let connectors = match &*args.connector {
        [] if args.write => Connector::named(ALL).map_err(io::Error::other)?,
        [] => Connector::EMBEDDED.to_vec(),
        some => some.concat(),
    };
    let has_brokers = connectors.iter().any(|one| one.broker.is_some());
    let has_kafka = connectors.iter().any(|one| one.broker == Some("kafka"));
    let built = || office::build(has_brokers, has_kafka);
    let office = args.office.clone().map_or_else(built, Ok)?;
    let stage = Stage {
        folder: args.folder(&office),
        office: fs::canonicalize(office)?,
        packets: args.packets(),
        seed: args.seed,
        kills: args.kills,
        servers: Servers::default(),
    };
    let is_wanted = |name: &str| {
        let mut only = args.only.iter();
        args.only.is_empty() || only.any(|only| only.eq_ignore_ascii_case(name))
    };
    let (begun, commit) = (Instant::now(), commit()?);
    let mut cells = Vec::new();
    for row in ROWS.iter().filter(|row| is_wanted(row.name)) {
        for connector in &connectors {
            let outcome = stage.run(row, *connector);
            let cell = Cell {
                row,
                connector: *connector,
                outcome,
            };
            tell(args, &cell, begun);
            cells.push(cell);
        }
    }
    let table = table::markdown(&cells);
    if !args.json {
        println!("\n{table}");
    }
    if args.write {
        write(args, &table, &commit)?;
    }
    if cells.is_empty() {
        return Err(io::Error::other("there is no such row"));
    }
    Ok(!cells.iter().any(Cell::is_failed))
}

fn tell(args: &Args, cell: &Cell, begun: Instant) {
    if args.json {
        println!("{}", cell.json());
        return;
    }
    let (row, connector) = (cell.row.name, cell.connector.word());
    let seconds = begun.elapsed().as_secs();
    println!("{seconds:4} s  {row:4} {connector:12}  {}", cell.words());
}

fn write(args: &Args, table: &str, commit: &str) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    let Packets { embedded, broker } = args.packets();
    let (seed, kills) = (args.seed, args.kills);
    let run = format!(
        "{embedded} packets with the embedded store and {broker} with a broker, seed {seed}, {kills} kills each; {commit}."
    );
    fs::write(path, format!("{HEADING}{run}\n\n{table}"))
}

/// Of what it was the run.
fn commit() -> io::Result<String> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        let output = command.args(arguments).output()?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Ok(match (commit.is_empty(), changes.is_empty()) {
        (true, _) => String::from("no commit"),
        (false, true) => format!("commit {commit}"),
        (false, false) => format!("commit {commit}, and changes"),
    })
}

const HEADING: &str = "\
# The kill ledger

Written by `cargo run -p paperflow-ledger -- --write`; do not edit.

A source writes numbered packets to a connector, of the embedded store or of a broker; they are decoded, go through three
processes on bounded links to one with a table, through a second connector to a ledger, which counts each in a
table of its own. The network is killed at the place that the row names and run again, until it finishes. It has
passed if the ledger has counted each packet once and no other, and what was to be set aside was set aside once.
`dup` is how many came to a ledger before its inbox, and `effects again` how many calls of the handler had their
effect outside the store once more: that is what *at least once* means, and what the id of a packet is for.

";
