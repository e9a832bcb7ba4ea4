//! What a network costs that has nothing to do, or that waits for a slow sink.

use std::thread;
use std::time::{Duration, Instant};

use paperflow_bench::shape::{Manner, PAUSE};
use paperflow_bench::{Error, Shape, stopwatch};

use crate::rows::Row;
use crate::runner::Runner;
use paperflow_bench::table::{self, Table};

/// What `--row` asks for.
pub(crate) const NAME: &str = "idle";
/// What it is.
pub(crate) const ABOUT: &str = "processor time of 8 plain functions that wait, and of 3 before a sink that sleeps 1 ms a packet; \
     `sleep alone` is the sink's own part: a thread that sleeps as often";

const HEAD: [&str; 6] = ["row", "runner", "wall ms", "cpu ms", "cpu %", "switches/s"];
const WIDTHS: [usize; 6] = [10, 13, 8, 8, 7, 10];
const IDLE: Duration = Duration::from_secs(2);
/// Until whoever looks now and then whether there is something to do has found nothing often enough.
const QUIET: Duration = Duration::from_secs(1);
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
            line(
                &table,
                name,
                &runner.to_string(),
                one(&row, runner, name == "throttled")?,
            );
        }
        if name == "throttled" {
            line(&table, name, "sleep alone", sleep_alone()?);
        }
        table.gap();
    }
    table.end();
    Ok(())
}

/// What was used meanwhile.
struct Used {
    wall: Duration,
    cpu: Duration,
    switches: u64,
}

impl Used {
    fn by(work: impl FnOnce() -> Result<(), Error>) -> Result<Self, Error> {
        stopwatch::settle();
        thread::sleep(QUIET);
        let ((cpu, switches), begun) = (stopwatch::used(), Instant::now());
        work()?;
        let wall = begun.elapsed();
        let (cpu_after, switches_after) = stopwatch::used();
        Ok(Self {
            wall,
            cpu: cpu_after - cpu,
            switches: switches_after - switches,
        })
    }
}

fn line(table: &Table<6>, name: &str, runner: &str, used: Used) {
    let Used {
        wall,
        cpu,
        switches,
    } = used;
    let share = cpu.as_secs_f64() / wall.as_secs_f64();
    table.line([
        name.into(),
        runner.into(),
        format!("{:.0}", wall.as_secs_f64() * 1e3),
        format!("{:.2}", cpu.as_secs_f64() * 1e3),
        format!("{:.3}", share * 100.0),
        format!("{:.1}", switches as f64 / wall.as_secs_f64()),
    ]);
}

fn one(row: &Row, runner: Runner, is_busy: bool) -> Result<Used, Error> {
    let mut contestant = runner.start(row, CAPACITY)?;
    // Everybody has run once.
    contestant.burst(1)?;
    let used = Used::by(|| {
        if is_busy {
            contestant.burst(pauses()?)?;
        } else {
            thread::sleep(IDLE);
        }
        Ok(())
    })?;
    contestant.end()?;
    Ok(used)
}

/// Packets for a sink that pauses for each.
fn pauses() -> Result<u64, Error> {
    Ok(u64::try_from(IDLE.as_nanos() / PAUSE.as_nanos())?)
}

fn sleep_alone() -> Result<Used, Error> {
    let pauses = pauses()?;
    Used::by(|| {
        (0..pauses).for_each(|_| thread::sleep(PAUSE));
        Ok(())
    })
}
