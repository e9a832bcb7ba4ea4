//! Packets a second, in bursts that take turns.

use std::path::Path;
use std::time::Duration;

use paperflow::Scheduler;
use paperflow_bench::Error;
use paperflow_bench::table::{self, Table};

use crate::bare::{Append, Sqlite};
use crate::direct::Direct;
use crate::lane::Lane;
use crate::network::Net;

/// How much is measured.
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
    /// Of memory links.
    pub(crate) capacity: usize,
    /// Only lanes whose name has this in it, beside those that are compared with.
    pub(crate) lane: Option<String>,
}

impl Effort {
    fn wants(&self, name: &str) -> bool {
        let is_asked = |asked: &String| name.contains(asked.as_str());
        self.lane.as_ref().is_none_or(is_asked)
    }

    /// Packets of a burst.
    fn packets(&self, batch: usize) -> usize {
        // A flush takes about as long as the writing of a hundred packets.
        let fit = (self.packets * batch.min(100) / 100).max(batch);
        fit / batch * batch
    }
}

/// The batch that whole networks are compared at.
const OF_NETWORKS: usize = 100;
const SCHEDULERS: [Scheduler; 3] = [Scheduler::Pool(1), Scheduler::Pool(2), Scheduler::Threads];
/// Connectors that a network is measured with.
const ARCS: [&str; 2] = ["queue", "stream"];

const HEAD: [&str; 9] = [
    "lane",
    "batch",
    "packets",
    "best/s",
    "median/s",
    "sent at a time",
    "received at a time",
    "x sqlite",
    "x append",
];
const WIDTHS: [usize; 9] = [14, 5, 7, 9, 9, 14, 18, 8, 8];

/// Measures all lanes at each batch.
pub(crate) fn print(
    is_markdown: bool,
    batches: &[usize],
    effort: &Effort,
    folder: &Path,
) -> Result<(), Error> {
    let about = format!(
        "packets of {} bytes; {} rounds; memory links hold {}, connectors 10,000",
        effort.bytes, effort.rounds, effort.capacity
    );
    table::title(is_markdown, "connect", &about);
    if !is_markdown {
        println!("{about}");
    }
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 1);
    for batch in batches {
        let folder = tempfile::tempdir_in(folder)?;
        let lanes = lanes(*batch, effort, folder.path())?;
        measure(&table, *batch, effort, lanes)?;
        table.gap();
    }
    table.end();
    Ok(())
}

/// Moves packets through the lanes that are asked for.
pub(crate) fn profile(
    packets: usize,
    batch: usize,
    effort: &Effort,
    folder: &Path,
) -> Result<(), Error> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut lanes = lanes(batch, effort, folder.path())?;
    lanes.retain(|lane| effort.wants(&lane.name()));
    for mut lane in lanes {
        let wall = lane.burst(packets)?;
        println!("{} {batch} {wall:?}", lane.name());
        lane.end()?;
    }
    Ok(())
}

fn lanes(batch: usize, effort: &Effort, folder: &Path) -> Result<Vec<Box<dyn Lane>>, Error> {
    let bytes = effort.bytes;
    let mut lanes: Vec<Box<dyn Lane>> = vec![
        Box::new(Append::new(folder, batch, bytes)?),
        Box::new(Sqlite::new(folder, false, batch, bytes)?),
        Box::new(Sqlite::new(folder, true, batch, bytes)?),
    ];
    if effort.wants("store") {
        lanes.push(Box::new(Direct::new(folder, batch, bytes)?));
    }
    if batch != OF_NETWORKS {
        return Ok(lanes);
    }
    for arc in ARCS {
        for scheduler in SCHEDULERS {
            if effort.wants(&format!("{arc} {scheduler}")) {
                let links = (effort.capacity, bytes);
                lanes.push(Box::new(Net::new(folder, arc, scheduler, links)?));
            }
        }
    }
    Ok(lanes)
}

fn measure(
    table: &Table<9>,
    batch: usize,
    effort: &Effort,
    mut lanes: Vec<Box<dyn Lane>>,
) -> Result<(), Error> {
    let packets = effort.packets(batch);
    let mut taken = vec![Vec::with_capacity(effort.rounds); lanes.len()];
    // One round warms everything up.
    for round in 0..=effort.rounds {
        for (lane, taken) in lanes.iter_mut().zip(&mut taken) {
            let wall = lane.burst(packets);
            let wall = wall.map_err(|error| format!("{}: {error}", lane.name()))?;
            if round > 0 {
                taken.push(wall);
            }
        }
    }
    let [append, sqlite] = [0, 1].map(|at| taken.get(at).cloned().unwrap_or_default());
    for (lane, taken) in lanes.into_iter().zip(&taken) {
        let rates = rates(packets, taken);
        let (sent, received) = lane.batches();
        table.line([
            lane.name(),
            batch.to_string(),
            packets.to_string(),
            format!("{:.0}", rates.last().copied().unwrap_or(f64::NAN)),
            format!("{:.0}", median(&rates)),
            format!("{sent:.1}"),
            format!("{received:.1}"),
            format!("{:.2}", ratio(&sqlite, taken)),
            format!("{:.2}", ratio(&append, taken)),
        ]);
        lane.end()?;
    }
    Ok(())
}

/// Packets a second of each burst, the slowest first.
fn rates(packets: usize, taken: &[Duration]) -> Vec<f64> {
    let rates = taken
        .iter()
        .map(|taken| packets as f64 / taken.as_secs_f64());
    sorted(rates.collect())
}

/// How many times as fast as others, each burst compared with theirs of the same round; the median.
fn ratio(others: &[Duration], own: &[Duration]) -> f64 {
    let ratios = others.iter().zip(own);
    let ratios = ratios.map(|(other, own)| other.as_secs_f64() / own.as_secs_f64());
    median(&sorted(ratios.collect()))
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(figures: &[f64]) -> f64 {
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
