//! Prints what a hop costs: one packet over one link, in whole networks, beside the same networks
//! wired by hand.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --bin hop -- --help
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod hops;
mod idle;
mod latency;
mod measure;
mod rows;
mod runner;
mod size;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use paperflow::Scheduler;
use paperflow_bench::Error;

use hops::Hops;
use measure::Effort;
use rows::Row;
use runner::Runner;

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
    /// Builds one network of this many processes: what the row `size` starts.
    #[arg(long, hide = true)]
    one_size: Option<usize>,
}

impl Arguments {
    fn wants(&self, name: &str) -> bool {
        let is_asked = |asked: &String| match asked.strip_prefix('=') {
            Some(exact) => name == exact,
            None => name.contains(asked.as_str()),
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
    if let Some(size) = arguments.one_size {
        let Some(Runner::Paperflow(scheduler)) = arguments.runner.first() else {
            return Err("one size needs a runner of ours".into());
        };
        return size::one(size, *scheduler);
    }
    let mut rows = rows::all();
    rows.retain(|row| arguments.wants(&row.name));
    let others = [
        (latency::NAME, latency::ABOUT),
        (idle::NAME, idle::ABOUT),
        (size::NAME, size::ABOUT),
    ];
    let others = others.map(|(name, about)| arguments.wants(name).then_some((name, about)));
    if rows.is_empty() && others == [None; 3] {
        return Err("no such row; --list says which there are".into());
    }
    if arguments.list {
        let rows = rows
            .iter()
            .map(|row| (row.name.as_str(), row.about.as_str()));
        let all = rows.chain(others.into_iter().flatten());
        all.for_each(|(name, about)| println!("{name:<14} {about}"));
        return Ok(());
    }
    if let Some(packets) = arguments.profile {
        return rows
            .iter()
            .try_for_each(|row| profile(arguments, row, packets));
    }
    if !rows.is_empty() {
        hops(arguments, &rows)?;
    }
    if others[0].is_some() {
        latency::print(arguments.markdown, &arguments.runners(&latency::row(), 128))?;
    }
    if others[1].is_some() {
        idle::print(arguments.markdown, &arguments.runner)?;
    }
    if others[2].is_some() {
        size::print(arguments.markdown)?;
    }
    Ok(())
}

fn hops(arguments: &Arguments, rows: &[Row]) -> Result<(), Error> {
    let effort = Effort {
        rounds: arguments.rounds,
        burst: Duration::from_micros(arguments.burst),
        packets: arguments.packets,
    };
    for row in rows {
        let hops = Hops::begin(arguments.markdown, row);
        for capacity in arguments.capacities(row) {
            hops.print(row, capacity, &arguments.runners(row, capacity), effort)?;
        }
        hops.end();
    }
    Ok(())
}

fn profile(arguments: &Arguments, row: &Row, packets: u64) -> Result<(), Error> {
    let usual = Runner::Paperflow(Scheduler::Pool(1));
    let runner = *arguments.runner.first().unwrap_or(&usual);
    let capacity = arguments.capacities(row)[0];
    let mut contestant = runner.start(row, capacity)?;
    contestant.burst(packets)?;
    contestant.end()?;
    println!("{} {runner} {capacity}", row.name);
    Ok(())
}
