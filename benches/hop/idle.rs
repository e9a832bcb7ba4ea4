//! What a network costs that has nothing to do, or that waits for a slow sink.

use std::thread;
use std::time::{Duration, Instant};

use paperflow_bench::shape::{Manner, PAUSE};
use paperflow_bench::{Error, Shape, stopwatch};

use crate::rows::Row;
use crate::runner::Runner;
use crate::table::{self, Table};

/// What `--row` asks for.
pub(crate) const NAME: &str = "idle";
/// What it is.
pub(crate) const ABOUT: &str = "processor time of 8 plain functions that wait, and of 3 before a sink that sleeps 1 ms a packet";

const HEAD: [&str; 6] = ["row", "runner", "wall ms", "cpu ms", "cpu %", "switches/s"];
const WIDTHS: [usize; 6] = [10, 13, 8, 8, 7, 10];
const IDLE: Duration = Duration::from_secs(2);
const CAPACITY: usize = 128;

/// Measures it, one network at a time: processor time is that of the whole program.
pub(crate) fn print(is_markdown: bool, asked: &[Runner]) -> Result<(), Error> {
    table::title(is_markdown, NAME, ABOUT);
    let table = Table::begin(is_markdown, HEAD, WIDTHS, 2);
    let waiting = Shape::pipeline(8, Manner::default());
    let rows = [("waiting", waiting), ("throttled", Shape::throttled(3))];
    for (name, shape) in rows {
        let row = Row {
            name: name.into(),
            about: String::new(),
            shape,
            capacities: &[CAPACITY],
        };
        let runners = Runner::all()
            .into_iter()
            .filter(|runner| runner.can(&row, CAPACITY));
        for runner in runners.filter(|runner| asked.is_empty() || asked.contains(runner)) {
            let (wall, cpu, switches) = one(&row, runner, name == "throttled")?;
            let share = cpu.as_secs_f64() / wall.as_secs_f64();
            table.line([
                name.into(),
                runner.to_string(),
                format!("{:.0}", wall.as_secs_f64() * 1e3),
                format!("{:.2}", cpu.as_secs_f64() * 1e3),
                format!("{:.3}", share * 100.0),
                format!("{:.1}", switches as f64 / wall.as_secs_f64()),
            ]);
        }
        table.gap();
    }
    table.end();
    Ok(())
}

fn one(row: &Row, runner: Runner, is_busy: bool) -> Result<(Duration, Duration, u64), Error> {
    let mut contestant = runner.start(row, CAPACITY)?;
    // Everybody has run once.
    contestant.burst(1)?;
    stopwatch::settle();
    let ((cpu, switches), begun) = (stopwatch::used(), Instant::now());
    if is_busy {
        let packets = IDLE.as_nanos() / PAUSE.as_nanos();
        contestant.burst(u64::try_from(packets)?)?;
    } else {
        thread::sleep(IDLE);
    }
    let wall = begun.elapsed();
    let (cpu_after, switches_after) = stopwatch::used();
    contestant.end()?;
    Ok((wall, cpu_after - cpu, switches_after - switches))
}
