//! Prints what a hop costs: one packet over one link, in whole networks, beside the same networks
//! wired by hand.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --bin hop -- --help
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod measure;
mod rows;
mod runner;
mod table;

use std::process::ExitCode;

use clap::Parser;
use paperflow_bench::Error;

use measure::Effort;
use rows::Row;
use runner::Runner;
use table::Table;

/// Measures whole networks: wall and processor time of a packet over a link, beside the same network
/// wired by hand, in short bursts that take turns.
#[derive(Parser)]
struct Arguments {
    /// Only rows whose name has this in it (may be repeated; `=NAME` is exactly this one).
    #[arg(long = "row", value_name = "NAME")]
    rows: Vec<String>,
    /// Only these capacities.
    #[arg(long, value_name = "PACKETS", value_delimiter = ',')]
    capacity: Vec<usize>,
    /// Only these runners: pool=1, pool=2, threads, crossbeam, sync_channel, kanal...
    #[arg(long, value_name = "RUNNER", value_delimiter = ',')]
    runner: Vec<Runner>,
    /// Measured bursts of each runner.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// About how long a burst takes, in microseconds.
    #[arg(long, default_value_t = 4000)]
    burst: u64,
    /// Packets of a burst, instead of as many as fit its time.
    #[arg(long)]
    packets: Option<u64>,
    /// Prints the tables of RESULTS.md.
    #[arg(long)]
    markdown: bool,
    /// Says which rows there are.
    #[arg(long)]
    list: bool,
    /// Runs each row once with this many packets, at its first capacity with the first runner, and
    /// prints nothing but its name: for profilers.
    #[arg(long, value_name = "PACKETS")]
    profile: Option<u64>,
}

impl Arguments {
    fn wants(&self, row: &Row) -> bool {
        let is_asked = |asked: &String| match asked.strip_prefix('=') {
            Some(exact) => row.name == exact,
            None => row.name.contains(asked.as_str()),
        };
        self.rows.is_empty() || self.rows.iter().any(is_asked)
    }

    fn capacities(&self, row: &Row) -> Vec<usize> {
        if self.capacity.is_empty() {
            row.capacities.to_vec()
        } else {
            self.capacity.clone()
        }
    }

    fn runners(&self, row: &Row, capacity: usize) -> Vec<Runner> {
        let all = if self.runner.is_empty() {
            Runner::all()
        } else {
            self.runner.clone()
        };
        let can = all.into_iter().filter(|runner| runner.can(row, capacity));
        can.collect()
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("hop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let rows: Vec<_> = rows::all()
        .into_iter()
        .filter(|row| arguments.wants(row))
        .collect();
    if rows.is_empty() {
        return Err("no such row; --list says which there are".into());
    }
    if arguments.list {
        rows.iter()
            .for_each(|row| println!("{:<20} {}", row.name, row.about));
        return Ok(());
    }
    if let Some(packets) = arguments.profile {
        return rows
            .iter()
            .try_for_each(|row| profile(arguments, row, packets));
    }
    let effort = Effort {
        rounds: arguments.rounds,
        burst: std::time::Duration::from_micros(arguments.burst),
        packets: arguments.packets,
    };
    let mut table = Table::new(arguments.markdown);
    for row in &rows {
        for capacity in arguments.capacities(row) {
            let runners = arguments.runners(row, capacity);
            let measured = measure::row(row, capacity, &runners, effort);
            let measured = measured.map_err(|error| format!("{} {capacity}: {error}", row.name))?;
            table.print(row, capacity, &measured);
        }
    }
    Ok(())
}

fn profile(arguments: &Arguments, row: &Row, packets: u64) -> Result<(), Error> {
    let runner = *arguments.runner.first().unwrap_or(&Runner::Pool(1));
    let capacity = arguments.capacities(row)[0];
    let mut contestant = runner.start(row, capacity)?;
    contestant.burst(packets)?;
    contestant.end()?;
    println!("{} {runner} {capacity}", row.name);
    Ok(())
}
