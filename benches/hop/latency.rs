//! How long one packet takes through a network in which nothing else happens.

use paperflow_bench::shape::Manner;
use paperflow_bench::{Error, Shape};

use crate::measure::{self, Effort, Spread};
use crate::rows::Row;
use crate::runner::Runner;
use paperflow_bench::table::{self, Table};

/// What `--row` asks for.
pub(crate) const NAME: &str = "latency-3";
/// What it is.
pub(crate) const ABOUT: &str =
    "one packet at a time through 3 plain functions of an idle network, from send to receive";

const HEAD: [&str; 7] = [
    "row", "runner", "samples", "min us", "p50 us", "p90 us", "p99 us",
];
const WIDTHS: [usize; 7] = [12, 13, 8, 8, 8, 8, 8];
const SAMPLES: usize = 2000;

/// The network.
pub(crate) fn row() -> Row {
    Row {
        name: NAME.into(),
        about: ABOUT.into(),
        shape: Shape::pipeline(3, Manner::default()),
        capacities: &[128],
    }
}

/// Measures it. Before each packet everything is asleep but the source, which has just been told to
/// send; its own waking is not measured.
pub(crate) fn print(is_markdown: bool, runners: &[Runner]) -> Result<(), Error> {
    let effort = Effort {
        rounds: SAMPLES,
        packets: Some(1),
        ..Effort::default()
    };
    table::title(is_markdown, NAME, ABOUT);
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 2);
    for measured in measure::row(&row(), 128, runners, effort)? {
        let walls = measured
            .samples
            .iter()
            .map(|sample| sample.wall.as_secs_f64() * 1e6);
        let walls = Spread::new(walls.collect());
        let at = |percent| format!("{:.2}", walls.percentile(percent));
        table.line([
            NAME.into(),
            measured.runner.to_string(),
            measured.samples.len().to_string(),
            at(0),
            at(50),
            at(90),
            at(99),
        ]);
    }
    table.end();
    Ok(())
}
