//! Large networks: what it takes to read, build and keep them, and one packet through their longest
//! chain.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use paperflow::{
    Network, Options, Packet, Running, Scheduler, Started, Verdict, describe, load_text,
};
use paperflow_bench::components::catalogue;
use paperflow_bench::{Error, memory, stopwatch};

use paperflow_bench::table::{self, Table};

/// What `--row` asks for.
pub(crate) const NAME: &str = "size";
/// What it is.
pub(crate) const ABOUT: &str =
    "a row of 1,000 to 1,000,000 processes from its text: time and memory, one packet through it";

const HEAD: [&str; 10] = [
    "row",
    "scheduler",
    "processes",
    "read ms",
    "build ms",
    "packet ms",
    "ns/hop",
    "end ms",
    "idle B/process",
    "peak B/process",
];
const WIDTHS: [usize; 10] = [5, 9, 9, 8, 8, 9, 7, 7, 14, 14];

/// Each size runs in a program of its own, so that none finds memory that another has left.
pub(crate) fn print(is_markdown: bool) -> Result<(), Error> {
    table::title(is_markdown, NAME, ABOUT);
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 2);
    let sizes = [1000, 10_000, 100_000, 1_000_000].map(|size| ("pool=2", size));
    for (scheduler, size) in sizes.into_iter().chain([("threads", 1000)]) {
        let child = Command::new(std::env::current_exe()?)
            .args(["--one-size", &size.to_string(), "--runner", scheduler])
            .output()?;
        let told = String::from_utf8(child.stdout)?;
        if !child.status.success() {
            return Err(format!("{size} processes: {told}").into());
        }
        let cells: Vec<_> = told.split_whitespace().map(String::from).collect();
        let figures: [String; 7] = cells.try_into().map_err(|cells| format!("{cells:?}"))?;
        let [read, build, packet, hop, end, idle, peak] = figures;
        let (name, size) = (NAME.into(), size.to_string());
        table.line([
            name,
            scheduler.into(),
            size,
            read,
            build,
            packet,
            hop,
            end,
            idle,
            peak,
        ]);
    }
    table.end();
    Ok(())
}

/// Prints the figures of one size.
pub(crate) fn one(size: usize, scheduler: Scheduler) -> Result<(), Error> {
    let text = text(size);
    let before = memory::resident().unwrap_or(0);
    let (started, read, build) = start(text, scheduler)?;
    stopwatch::settle();
    let idle = memory::resident().unwrap_or(before) - before;
    let (packet, running) = pass(started)?;
    let peak = memory::peak().unwrap_or(before) - before;
    let begun = Instant::now();
    let outcome = running.wait();
    let end = begun.elapsed();
    let received = outcome.statistics.totals.received;
    if outcome.verdict != Verdict::Finished || received != size as u64 {
        return Err(format!("{received} packets were received: {:?}", outcome.verdict).into());
    }
    let hop = packet.as_nanos() / size as u128;
    let [read, build, packet, end] =
        [read, build, packet, end].map(|time| format!("{:.1}", time.as_secs_f64() * 1e3));
    let [idle, peak] = [idle, peak].map(|bytes| bytes / size as u64);
    println!("{read} {build} {packet} {hop} {end} {idle} {peak}");
    Ok(())
}

/// A row of processes, as a person would write it.
fn text(size: usize) -> String {
    let mut text = String::from("INPORT=N0.IN:IN\n");
    for at in 1..size {
        let before = at - 1;
        // Writing to a text cannot fail.
        let _written = writeln!(text, "N{before}(bench/pass) OUT -> IN N{at}(bench/pass)");
    }
    let last = size - 1;
    let _written = writeln!(text, "OUTPORT=N{last}.OUT:OUT");
    text
}

fn start(text: String, scheduler: Scheduler) -> Result<(Started, Duration, Duration), Error> {
    let catalogue = catalogue();
    let begun = Instant::now();
    let loaded = load_text(Path::new("size.fbp"), text, &describe(&catalogue));
    if loaded.has_errors() {
        return Err(format!("{:?}", loaded.diagnostics.first()).into());
    }
    let read = begun.elapsed();
    let begun = Instant::now();
    let options = Options {
        scheduler,
        ..Options::default()
    };
    let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
    network.input("IN")?;
    network.output("OUT")?;
    let started = network.start()?;
    Ok((started, read, begun.elapsed()))
}

/// Sends one packet through all, and closes the network.
fn pass(mut started: Started) -> Result<(Duration, Running), Error> {
    let begun = Instant::now();
    for input in started.inputs.drain(..) {
        input.send(Packet::int(1))?;
    }
    let outputs = started.outputs.drain(..);
    let arrived: usize = outputs
        .map(|output| usize::from(output.recv().is_some()))
        .sum();
    if arrived != 1 {
        return Err("the packet has not arrived".into());
    }
    Ok((begun.elapsed(), started.running))
}
