//! What a packet over a link costs: a line for each runner of each row.

use paperflow_bench::Error;

use crate::measure::{self, Effort, Measured};
use crate::rows::Row;
use crate::runner::Runner;
use crate::table::Table;

const HEAD: [&str; 12] = [
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
    "faster",
];
const WIDTHS: [usize; 12] = [14, 4, 13, 7, 8, 8, 8, 8, 8, 8, 13, 6];

/// The table of all rows.
pub(crate) struct Hops(Table<12>);

impl Hops {
    pub(crate) fn begin(is_markdown: bool) -> Self {
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
        let is_peer = |measured: &&Measured| measured.runner == Runner::PEER;
        let peer = measured.iter().find(is_peer);
        for measured in &measured {
            self.0.line(cells(row, capacity, measured, peer));
        }
        self.0.gap();
        Ok(())
    }

    pub(crate) fn end(&self) {
        self.0.end();
    }
}

fn cells(row: &Row, capacity: usize, measured: &Measured, peer: Option<&Measured>) -> [String; 12] {
    let (wall, cpu) = (measured.wall(), measured.cpu());
    let faster = peer.map_or_else(String::new, |peer| {
        format!("{:.2}", peer.wall().percentile(10) / wall.percentile(10))
    });
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
        faster,
    ]
}
