//! Prints how many packets a second go through an arc that a broker keeps, and how long one packet is on its
//! way, beside the bare client of that broker.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --features redis --bin broker -- --help
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

#[cfg(feature = "amqp")]
mod amqp;
mod bare;
#[path = "../../tests/brokers/mod.rs"]
mod brokers;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "nats")]
mod nats;
mod network;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "amqp", feature = "nats"))]
mod tasks;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use paperflow_bench::Error;
use paperflow_bench::table::{self, Table};

use bare::{Bare, Load, Open};
use network::Net;

/// What is built in: the kind of its arc, and how its bare client is opened.
const CLIENTS: &[(&str, &str, Open)] = &[
    #[cfg(feature = "redis")]
    ("redis", "queue", redis::open),
    #[cfg(feature = "nats")]
    ("nats", "queue", nats::open),
    #[cfg(feature = "amqp")]
    ("amqp", "queue", amqp::open),
    #[cfg(feature = "kafka")]
    ("kafka", "stream", kafka::open),
    #[cfg(feature = "mqtt")]
    ("mqtt", "pubsub", mqtt::open),
];

/// Measures arcs that brokers keep: a source, a queue and a sink, beside a program that writes and reads a
/// queue of the same broker by its client alone, and one that does the same with messages that have the attributes
/// of ours, in bursts that take turns.
#[derive(Parser)]
struct Arguments {
    /// Only this broker; may be given again.
    #[arg(long)]
    broker: Vec<String>,
    /// Only these batches.
    #[arg(
        long,
        value_name = "PACKETS",
        value_delimiter = ',',
        default_value = "1,100,1000"
    )]
    batch: Vec<usize>,
    /// Bytes of a packet.
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    /// Measured bursts of each.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets of a burst at batch 100 and more; fewer at smaller ones.
    #[arg(long, default_value_t = 20_000)]
    packets: usize,
    /// Packets that go alone, to see how long one is on its way.
    #[arg(long, default_value_t = 500)]
    alone: usize,
    /// Moves so many packets through our arc at the first batch and prints only the time: for profilers.
    #[arg(long, value_name = "PACKETS")]
    profile: Option<usize>,
    /// Prints the tables of BROKERS.md.
    #[arg(long)]
    markdown: bool,
}

impl Arguments {
    fn packets(&self, batch: usize) -> usize {
        // One at a time waits for its confirmation, a hundred wait together.
        let fit = (self.packets * (batch + 4).min(100) / 100).max(batch);
        fit / batch * batch
    }
}

/// Somebody who moves packets through a broker.
trait Lane {
    /// Moves so many packets through, and tells how long that took.
    fn burst(&mut self, packets: usize) -> Result<Duration, Error>;

    /// Ends it.
    fn end(self: Box<Self>) -> Result<(), Error>;
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("broker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut wanted = Vec::new();
    for (name, kind, open) in CLIENTS {
        if arguments.broker.is_empty() || arguments.broker.iter().any(|own| own == name) {
            let url = brokers::url(name).ok_or_else(|| format!("there is no {name} here"))?;
            wanted.push(Wanted {
                name,
                kind,
                url,
                open: *open,
            });
        }
    }
    if let (Some(packets), Some(batch)) = (arguments.profile, arguments.batch.first()) {
        for one in &wanted {
            let mut net = Net::new(&one.url, one.kind, *batch, arguments.bytes)?;
            println!("{packets} in {:?}", net.burst(packets)?);
            Box::new(net).end()?;
        }
        return Ok(());
    }
    rates(arguments, &wanted)?;
    ways(arguments, &wanted)
}

/// A broker that is to be measured.
struct Wanted {
    name: &'static str,
    kind: &'static str,
    url: String,
    open: Open,
}

/// The bare client, the bare client whose messages are like ours, and our arc.
fn lanes(
    arguments: &Arguments,
    wanted: &Wanted,
    batch: usize,
) -> Result<[Box<dyn Lane>; 3], Error> {
    let Wanted {
        kind, url, open, ..
    } = wanted;
    let bytes = arguments.bytes;
    let bare = |is_event: bool| {
        let ends = open(url, Load { bytes, is_event });
        let ends = ends.map_err(|trouble| trouble as Error)?;
        Ok::<_, Error>(Box::new(Bare::new(ends, batch)))
    };
    let net = Net::new(url, kind, batch, bytes)?;
    Ok([bare(false)?, bare(true)?, Box::new(net)])
}

fn rates(arguments: &Arguments, wanted: &[Wanted]) -> Result<(), Error> {
    let about = format!(
        "packets a second, each of {} bytes, written with confirmation and read with settlement; {} rounds",
        arguments.bytes, arguments.rounds
    );
    table::title(arguments.markdown, "throughput", &about);
    let head = [
        "broker",
        "batch",
        "packets",
        "bare best",
        "bare median",
        "alike median",
        "arc best",
        "arc median",
        "arc/bare median",
        "arc/bare least",
        "arc/alike median",
    ];
    let widths = [7, 5, 7, 9, 11, 12, 9, 10, 15, 14, 16];
    let table = Table::begin(arguments.markdown, head, widths, 1);
    for one in wanted {
        for batch in &arguments.batch {
            let packets = arguments.packets(*batch);
            let taken = measure(lanes(arguments, one, *batch)?, packets, arguments.rounds)?;
            let [bare, alike, arc] = &taken;
            let beside = |peer: &[f64]| -> Vec<f64> {
                let both = peer.iter().zip(arc);
                both.map(|(peer, arc)| peer / arc).collect()
            };
            let (ratios, alikes) = (beside(bare), beside(alike));
            let rate = |at: f64, times: &[f64]| format!("{:.0}", packets as f64 / part(times, at));
            table.line([
                one.name.to_owned(),
                batch.to_string(),
                packets.to_string(),
                rate(0.0, bare),
                rate(0.5, bare),
                rate(0.5, alike),
                rate(0.0, arc),
                rate(0.5, arc),
                format!("{:.2}", part(&ratios, 0.5)),
                format!("{:.2}", part(&ratios, 0.0)),
                format!("{:.2}", part(&alikes, 0.5)),
            ]);
        }
        table.gap();
    }
    table.end();
    Ok(())
}

/// How long one packet is on its way when no other is.
fn ways(arguments: &Arguments, wanted: &[Wanted]) -> Result<(), Error> {
    let about = format!(
        "microseconds from before a packet is written until it has been read; {} packets, one after the other",
        arguments.alone
    );
    table::title(arguments.markdown, "latency", &about);
    let head = ["broker", "bare p50", "bare p99", "arc p50", "arc p99"];
    let table = Table::begin(arguments.markdown, head, [7, 9, 9, 9, 9], 1);
    for one in wanted {
        let [bare, _, arc] = lanes(arguments, one, 1)?;
        let [bare, arc] = measure([bare, arc], 1, arguments.alone)?;
        let micros = |times: &[f64], at: f64| format!("{:.0}", part(times, at) * 1e6);
        table.line([
            one.name.to_owned(),
            micros(&bare, 0.5),
            micros(&bare, 0.99),
            micros(&arc, 0.5),
            micros(&arc, 0.99),
        ]);
    }
    table.end();
    Ok(())
}

/// Seconds of each burst, of all, in turns.
fn measure<const LANES: usize>(
    mut lanes: [Box<dyn Lane>; LANES],
    packets: usize,
    rounds: usize,
) -> Result<[Vec<f64>; LANES], Error> {
    let mut taken = [const { Vec::new() }; LANES];
    // One round warms everything up.
    for round in 0..=rounds {
        for (lane, taken) in lanes.iter_mut().zip(&mut taken) {
            let wall = lane.burst(packets)?;
            if round > 0 {
                taken.push(wall.as_secs_f64());
            }
        }
    }
    for lane in lanes {
        lane.end()?;
    }
    Ok(taken)
}

/// The figure below which this part of all lies.
fn part(figures: &[f64], at: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let place = (last as f64 * at).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
