//! Prints how many packets a second go through a durable arc, beside what the disk and SQLite can do.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --bin connect -- --help
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod bare;
mod direct;
mod extremes;
mod lane;
mod network;
mod rates;
mod soak;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use paperflow_bench::Error;

use rates::Effort;
use soak::Kind;

/// Measures durable arcs: packets a second, beside appending to a file and beside SQLite that writes and
/// deletes the same rows in the same batches, in bursts that take turns.
#[derive(Parser)]
struct Arguments {
    /// Only these batches.
    #[arg(
        long,
        value_name = "PACKETS",
        value_delimiter = ',',
        default_value = "1,10,100,1000"
    )]
    batch: Vec<usize>,
    /// Only lanes whose name has this in it.
    #[arg(long, value_name = "NAME")]
    lane: Option<String>,
    /// Bytes of a packet.
    #[arg(long, default_value_t = 256)]
    bytes: usize,
    /// Measured bursts of each lane.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets of a burst at batch 100 and more; fewer at smaller ones.
    #[arg(long, default_value_t = 50_000)]
    packets: usize,
    /// Capacity of the memory links of the networks.
    #[arg(long, default_value_t = 128)]
    capacity: usize,
    /// Where the files are made, and removed again; beside this program by default.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Moves so many packets through the lanes that are asked for, once and at the first batch, and
    /// prints nothing but their names: for profilers.
    #[arg(long, value_name = "PACKETS")]
    profile: Option<usize>,
    /// Instead, sends so many packets to a consumer that is slower than their producer, and prints memory
    /// and disk on the way.
    #[arg(long, value_name = "PACKETS")]
    soak: Option<u64>,
    /// What they are sent over: queue, stream.
    #[arg(long, default_value = "queue")]
    kind: Kind,
    /// Instead, fills stores with much, divided by this, and prints how long it takes to work with them.
    #[arg(long, value_name = "SHARE", num_args = 0..=1, default_missing_value = "1")]
    extremes: Option<usize>,
    /// Prints the tables of DURABLE.md.
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("connect: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let program = std::env::current_exe()?;
    let beside = program.parent().unwrap_or_else(|| Path::new("."));
    let folder = arguments.folder.as_deref().unwrap_or(beside);
    let effort = Effort {
        rounds: arguments.rounds,
        packets: arguments.packets,
        bytes: arguments.bytes,
        capacity: arguments.capacity,
        lane: arguments.lane.clone(),
    };
    if let (Some(packets), Some(batch)) = (arguments.profile, arguments.batch.first()) {
        return rates::profile(packets, *batch, &effort, folder);
    }
    if let Some(packets) = arguments.soak {
        let load = (packets, arguments.bytes);
        return soak::print(arguments.markdown, arguments.kind, load, folder);
    }
    if let Some(share) = arguments.extremes {
        return extremes::print(arguments.markdown, share.max(1), folder);
    }
    rates::print(arguments.markdown, &arguments.batch, &effort, folder)
}
