//! How long large networks take to build and to run:
//! `cargo run --release -p paperflow-engine --example large`.
#![allow(clippy::unwrap_used, reason = "an example stops at the first surprise")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::time::Instant;

use paperflow_core::*;
use paperflow_engine::{Network, Options, Scheduler, Verdict};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Initial, Link, Plan, Process, Writer};

/// Sends the numbers from 1 to COUNT, one each second.
#[component("t/ticks", work = compute)]
async fn ticks(
    /// How many.
    count: Param<i64>,
    /// Time.
    timer: Timer,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        timer.sleep(std::time::Duration::from_secs(1)).await;
        out.send(number).await?;
    }
    Ok(())
}

/// Adds a number to each.
#[component("t/add", work = compute)]
fn add(
    /// Numbers.
    input: i64,
    /// What to add.
    number: &Param<i64>,
    /// Sums.
    out: &mut Out<i64>,
) {
    out.put(input + **number);
}

fn end(process: usize, port: &str) -> End {
    End {
        process,
        port: port.into(),
        ..End::default()
    }
}

fn initial(process: usize, port: &str, value: i64) -> Initial {
    Initial {
        to: end(process, port),
        value: value.into(),
        ..Initial::default()
    }
}

/// A ticker and then as many adders in a row, each with an initial packet.
fn row(adders: usize, count: i64) -> Plan {
    let process = |at: usize| Process {
        address: format!("P{at}"),
        component: if at == 0 { "t/ticks" } else { "t/add" }.into(),
        ..Process::default()
    };
    let link = |at: usize| Link {
        to: end(at, "IN"),
        from: vec![Writer {
            end: end(at - 1, "OUT"),
            ..Writer::default()
        }],
        ..Link::default()
    };
    let initials = (1..=adders).map(|at| initial(at, "NUMBER", 1));
    Plan {
        processes: (0..=adders).map(process).collect(),
        links: (1..=adders).map(link).collect(),
        initials: initials.chain([initial(0, "COUNT", count)]).collect(),
        ..Plan::default()
    }
}

pub(crate) fn build_and_run(adders: usize, count: i64) {
    let catalogue = Catalogue::new().with(ticks).with(add);
    let options = Options {
        scheduler: Scheduler::Pool(2),
        virtual_time: true,
        ..Options::default()
    };
    let plan = row(adders, count);
    let begun = Instant::now();
    let started = Network::new(plan, &catalogue, &Sources::new(), options)
        .start()
        .unwrap();
    let built = begun.elapsed();
    let begun = Instant::now();
    let outcome = started.running.wait();
    assert_eq!(outcome.verdict, Verdict::Finished);
    let received = outcome.statistics.totals.received;
    assert_eq!(received, adders as u64 * count.unsigned_abs());
    let ran = begun.elapsed();
    println!("{adders} processes: built in {built:?}, {count} packets through all in {ran:?}");
}

fn main() {
    for (adders, count) in [(10_000, 100), (100_000, 20), (1_000_000, 1)] {
        build_and_run(adders, count);
    }
}
