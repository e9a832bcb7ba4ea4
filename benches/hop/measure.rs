//! Short bursts that take turns, and what they come to.

use std::time::Duration;

use paperflow_bench::stopwatch::{self, Sample};
use paperflow_bench::{Contestant, Error};

use crate::rows::Row;
use crate::runner::Runner;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Bursts of each runner.
    pub(crate) rounds: usize,
    /// About how long each takes.
    pub(crate) burst: Duration,
    /// Packets of each, instead.
    pub(crate) packets: Option<u64>,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            rounds: 30,
            burst: Duration::from_micros(4000),
            packets: None,
        }
    }
}

/// What one runner took for one row.
pub(crate) struct Measured {
    pub(crate) runner: Runner,
    /// Packets that each source sent in a burst.
    pub(crate) packets: u64,
    /// Links that they crossed in a burst.
    pub(crate) hops: f64,
    /// One for each burst.
    pub(crate) samples: Vec<Sample>,
}

impl Measured {
    /// Wall nanoseconds per hop, smallest first.
    pub(crate) fn wall(&self) -> Spread {
        self.spread(|sample| sample.wall.as_nanos() as f64)
    }

    /// Processor nanoseconds per hop.
    pub(crate) fn cpu(&self) -> Spread {
        self.spread(|sample| sample.cpu.as_nanos() as f64)
    }

    /// Context switches per hop.
    pub(crate) fn switches(&self) -> Spread {
        self.spread(|sample| sample.switches as f64)
    }

    fn spread(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        let per_hop = self.samples.iter().map(|sample| of(sample) / self.hops);
        Spread::new(per_hop.collect())
    }
}

/// Many figures, by size.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn new(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }

    /// The figure that this share, in percent, is below.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get(last * percent / 100)
            .copied()
            .unwrap_or(f64::NAN)
    }
}

struct Lane {
    contestant: Box<dyn Contestant>,
    measured: Measured,
    /// Bursts to be measured.
    rounds: usize,
}

/// Measures all runners at one row: each bursts once, then each again, and so on.
pub(crate) fn row(
    row: &Row,
    capacity: usize,
    runners: &[Runner],
    effort: Effort,
) -> Result<Vec<Measured>, Error> {
    let lanes = runners
        .iter()
        .map(|runner| lane(row, capacity, *runner, effort));
    let mut lanes: Vec<Lane> = lanes.collect::<Result<_, _>>()?;
    for round in 0..effort.rounds {
        for lane in lanes.iter_mut().filter(|lane| round < lane.rounds) {
            stopwatch::settle();
            let sample = lane.contestant.burst(lane.measured.packets);
            let name = |error| format!("{}: {error}", lane.measured.runner);
            lane.measured.samples.push(sample.map_err(name)?);
        }
    }
    lanes.into_iter().map(Lane::end).collect()
}

fn lane(row: &Row, capacity: usize, runner: Runner, effort: Effort) -> Result<Lane, Error> {
    let named = |error: Error| format!("{runner}: {error}");
    let mut contestant = runner.start(row, capacity).map_err(named)?;
    let fewest = effort.packets.unwrap_or_else(|| row.fewest(capacity));
    let burst = if effort.packets.is_some() {
        Duration::ZERO
    } else {
        effort.burst
    };
    let (packets, wall) = fit(&mut *contestant, fewest, burst).map_err(named)?;
    let rounds = (LONGEST.as_secs_f64() / wall.as_secs_f64()) as usize;
    let measured = Measured {
        runner,
        packets,
        hops: row.shape.payload.packets(packets) as f64 * row.shape.flow().hops,
        samples: Vec::with_capacity(effort.rounds),
    };
    Ok(Lane {
        contestant,
        measured,
        rounds: rounds.max(3),
    })
}

impl Lane {
    fn end(self) -> Result<Measured, Error> {
        let runner = self.measured.runner;
        let ended = self.contestant.end();
        ended.map_err(|error| format!("{runner}: {error}"))?;
        Ok(self.measured)
    }
}

/// No runner takes longer than about this for its bursts, but for three of them.
const LONGEST: Duration = Duration::from_secs(4);
const MOST: u64 = 4_000_000;

/// As many packets as fit a burst, and how long that takes; finding out warms everything up.
fn fit(
    contestant: &mut dyn Contestant,
    fewest: u64,
    burst: Duration,
) -> Result<(u64, Duration), Error> {
    let mut packets = fewest;
    loop {
        // The better of two: one that is interrupted says nothing.
        let wall = contestant
            .burst(packets)?
            .wall
            .min(contestant.burst(packets)?.wall);
        if wall * 3 > burst || packets >= MOST {
            let share = burst.as_secs_f64() / wall.as_secs_f64();
            let fit = (packets as f64 * share) as u64;
            return Ok((fit.clamp(fewest, MOST), wall.mul_f64(share.max(1.0))));
        }
        packets *= 3;
    }
}
