//! What a packet over a link costs: a line for each runner of each row.

use paperflow_bench::Error;

use crate::measure::{self, Effort, Measured};
use crate::rows::Row;
use crate::runner::Runner;
use paperflow_bench::table::{self, Table};

const HEAD: [&str; 13] = [
    "row",
    "cap",
    "runner",
    "workers",
    "packets",
    "wall min",
    "wall p10",
    "wall p50",
    "cpu p10",
    "cpu p50",
    "switches/1000",
    "x crossbeam",
    "x best peer",
];
const WIDTHS: [usize; 13] = [14, 4, 13, 7, 8, 8, 8, 8, 8, 8, 13, 11, 11];

/// The table of a row.
pub(crate) struct Hops(Table<13>);

impl Hops {
    pub(crate) fn begin(is_markdown: bool, row: &Row) -> Self {
        table::title(is_markdown, &row.name, &row.about);
        Self(Table::begin(is_markdown, HEAD, WIDTHS, 3))
    }

    pub(crate) fn print(
        &self,
        row: &Row,
        capacity: usize,
        runners: &[Runner],
        effort: Effort,
    ) -> Result<(), Error> {
        let measured = measure::row(row, capacity, runners, effort)
            .map_err(|error| format!("{} at {capacity}: {error}", row.name))?;
        let peers = measured.iter().filter(|one| !one.runner.is_ours());
        let best = peers.map(typical).min_by(f64::total_cmp);
        let crossbeam = measured.iter().find(|one| one.runner == Runner::Crossbeam);
        let crossbeam = crossbeam.map(typical);
        for one in &measured {
            self.0.line(cells(row, capacity, one, [crossbeam, best]));
        }
        self.0.gap();
        Ok(())
    }

    pub(crate) fn end(&self) {
        self.0.end();
    }
}

/// What ratios are taken of.
fn typical(measured: &Measured) -> f64 {
    measured.wall().percentile(10)
}

fn cells(row: &Row, capacity: usize, measured: &Measured, peers: [Option<f64>; 2]) -> [String; 13] {
    let (wall, cpu) = (measured.wall(), measured.cpu());
    let faster = |peer: Option<f64>| {
        let ratio = peer.map(|peer| peer / typical(measured));
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
    };
    let [crossbeam, best] = peers.map(faster);
    let figure = |figure: f64| format!("{figure:.1}");
    [
        row.name.clone(),
        capacity.to_string(),
        measured.runner.to_string(),
        measured.runner.workers(row).to_string(),
        measured.packets.to_string(),
        figure(wall.percentile(0)),
        figure(wall.percentile(10)),
        figure(wall.percentile(50)),
        figure(cpu.percentile(10)),
        figure(cpu.percentile(50)),
        format!("{:.2}", measured.switches().percentile(50) * 1000.0),
        crossbeam,
        best,
    ]
}
