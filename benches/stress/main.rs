//! Runs random networks for a while: nothing may be lost, overtaken, received twice or stuck.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --bin stress -- --seconds 60
//! ```

#![expect(clippy::print_stdout, reason = "it says how far it is")]

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use paperflow_bench::stress::{Drawing, run};

/// Runs random networks: random shapes, capacities, numbers of workers and schedulers, plain
/// functions, loopers and threads, many writers, early ends. Nothing may be lost, overtaken, received
/// twice or stuck.
#[derive(Parser)]
struct Arguments {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed; the others follow it. Without it, the clock says.
    #[arg(long)]
    seed: Option<u64>,
    /// Only so many networks.
    #[arg(long)]
    networks: Option<u64>,
    /// Packets that the sources of a network send, at most.
    #[arg(long, default_value_t = 5_000)]
    packets: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let clock = || {
        SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_secs())
    };
    // Seconds leave room for the seeds that follow.
    let first = arguments.seed.unwrap_or_else(|| clock() << 20);
    let begun = Instant::now();
    let mut told = begun;
    let (mut networks, mut processes, mut packets) = (0, 0, 0);
    while begun.elapsed() < Duration::from_secs(arguments.seconds)
        && arguments.networks != Some(networks)
    {
        let drawing = Drawing::new(first + networks, arguments.packets);
        match run(&drawing) {
            Ok(ran) => {
                networks += 1;
                processes += ran.processes;
                packets += ran.received;
            }
            Err(error) => {
                println!(
                    "seed {} ({:?}, {:?}): {error}",
                    drawing.seed, drawing.scheduler, drawing.ending
                );
                let (seed, packets) = (drawing.seed, arguments.packets);
                println!("again: stress --networks 1 --seed {seed} --packets {packets}");
                return ExitCode::FAILURE;
            }
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            println!("{:?}: {networks} networks", begun.elapsed());
        }
    }
    println!(
        "{networks} networks of {processes} processes, {packets} packets received in {:?}: \
         nothing lost, overtaken or stuck; seeds {first}..{}",
        begun.elapsed(),
        first + networks
    );
    ExitCode::SUCCESS
}
