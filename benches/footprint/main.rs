//! Counts what networks ask of the allocator: bytes kept for an idle process, allocations for a hop.
//!
//! ```sh
//! cargo run --release -p paperflow-bench --bin footprint
//! ```
//!
//! A program of its own, because counting makes every allocation slower.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::alloc::System;
use std::process::ExitCode;

use paperflow::Scheduler;
use paperflow_bench::network::Net;
use paperflow_bench::shape::Manner;
use paperflow_bench::{Contestant, Error, Node, Payload, Shape, stopwatch};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    match sizes().and_then(|()| hops()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("footprint: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A row of plain functions, started and idle, after one packet has gone through all.
fn sizes() -> Result<(), Error> {
    println!("| idle processes | capacity | kept bytes/process | allocations/process to build |");
    println!("|---:|---:|---:|---:|");
    for capacity in [1, 128] {
        for processes in [1000, 10_000, 100_000] {
            let shape = Shape::pipeline(processes, Manner::default());
            let region = Region::new(COUNTED);
            let mut net = Net::start(&shape, Scheduler::Pool(2), capacity)?;
            let built = region.change();
            net.burst(1)?;
            stopwatch::settle();
            let kept = region.change();
            let bytes = kept.bytes_allocated as f64 - kept.bytes_deallocated as f64;
            Box::new(net).end()?;
            println!(
                "| {processes} | {capacity} | {:.0} | {:.1} |",
                bytes / processes as f64,
                built.allocations as f64 / processes as f64
            );
        }
    }
    println!();
    Ok(())
}

/// Packets of a burst.
const PACKETS: u64 = 20_000;

/// Networks that have run before, so that their buffers have grown.
fn hops() -> Result<(), Error> {
    let looper = Manner {
        is_looper: true,
        ..Manner::default()
    };
    let shapes = [
        ("pipeline-3", Shape::pipeline(3, Manner::default())),
        ("looper-3", Shape::pipeline(3, looper)),
        ("fan-in-4", Shape::fan_in(4)),
        ("deal-4", Shape::fan_out(Node::Deal, 4)),
        ("copy-4", Shape::fan_out(Node::Copy, 4)),
        (
            "group-10",
            Shape::pipeline(3, Manner::default()).with(Payload::Group(10)),
        ),
        (
            "text-16",
            Shape::pipeline(3, Manner::default()).with(Payload::Text(16)),
        ),
    ];
    println!("| row | capacity | allocations/hop |");
    println!("|---|---:|---:|");
    for (name, shape) in shapes {
        for capacity in [1, 128] {
            let mut net = Net::start(&shape, Scheduler::Pool(1), capacity)?;
            net.burst(PACKETS)?;
            stopwatch::settle();
            let region = Region::new(COUNTED);
            net.burst(PACKETS)?;
            stopwatch::settle();
            let allocations = region.change().allocations + region.change().reallocations;
            Box::new(net).end()?;
            let hops = shape.payload.packets(PACKETS) as f64 * shape.flow().hops;
            println!("| {name} | {capacity} | {:.4} |", allocations as f64 / hops);
        }
    }
    Ok(())
}
