//! Examples of a component's description, held against what the component does.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use paperflow_core::spec::Sample;
use paperflow_core::{Component, Example, Kind, Packet};
use serde::Serialize;

use super::{DRIVERS, Ran, Rig};
use crate::options::Scheduler;
use crate::report::{Outcome, Verdict};

/// What an example and its component disagree about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs.
    pub difference: Difference,
    /// The schedulers and capacities with which it differs.
    pub ways: Vec<(Scheduler, usize)>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// It did not end as it should, for this reason.
    End(String),
    /// Something else leaves by a port.
    Output {
        /// The port.
        port: String,
        /// What the example says.
        expected: Vec<String>,
        /// What it is.
        got: Vec<String>,
    },
    /// Something else leaves by a port when each packet comes twice.
    OutputTwice {
        /// The port.
        port: String,
        /// Packets that leave only when each comes once.
        once: Vec<String>,
        /// Packets that leave only when each comes twice.
        twice: Vec<String>,
    },
    /// Something else leaves by a port when it is cut off and begins again.
    OutputCut {
        /// The port.
        port: String,
        /// Packets that leave only when it is not cut off.
        lost: Vec<String>,
        /// Packets that leave only when it is.
        strange: Vec<String>,
        /// It was cut off when so many packets and groups were done, and did not come again.
        done: usize,
    },
    /// Something else is in a table when each packet comes twice.
    RowTwice {
        /// The table.
        table: String,
        /// The key, as JSON.
        key: String,
        /// The row when each comes once, as JSON.
        once: Option<String>,
        /// The row when each comes twice, as JSON.
        twice: Option<String>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End(reason) => f.write_str(reason),
            Self::Output {
                port,
                expected,
                got,
            } => {
                let (expected, got) = (list(expected), list(got));
                write!(f, "{port} should give {expected}, and gives {got}")
            }
            Self::OutputTwice { port, once, twice } => {
                let (once, twice) = (list(once), list(twice));
                write!(
                    f,
                    "only when each packet comes once {port} gives {once}, and only when each comes \
                     twice {twice}"
                )
            }
            Self::OutputCut {
                port,
                lost,
                strange,
                done,
            } => {
                let (lost, strange) = (list(lost), list(strange));
                write!(
                    f,
                    "begun again after a crash, when {done} were done and do not come again, {port} lacks {lost}, \
                     and gives {strange} that it would not have given"
                )
            }
            Self::RowTwice {
                table,
                key,
                once,
                twice,
            } => {
                let row = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".into());
                let (once, twice) = (row(once), row(twice));
                write!(
                    f,
                    "table {table} has {once} under {key} when each packet comes once, and {twice} \
                     when each comes twice"
                )
            }
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.difference)?;
        if self.ways.len() == DRIVERS.len() {
            return Ok(());
        }
        let way = |(scheduler, capacity): &(Scheduler, usize)| {
            format!("{scheduler} and capacity {capacity}")
        };
        let ways: Vec<String> = self.ways.iter().map(way).collect();
        write!(f, " (only with {})", ways.join(", "))
    }
}

fn list(packets: &[String]) -> String {
    if packets.is_empty() {
        String::from("nothing")
    } else {
        packets.join(" ")
    }
}

/// Runs an example every way, with all the ports it expects connected. Gives what differs.
#[must_use]
pub fn try_example(component: &Arc<dyn Component>, example: &Example) -> Vec<Mismatch> {
    let rig = of_example(component, example, 1);
    every_way(|way| {
        let ran = try_ports(&rig, example, way)?;
        let ports = example.expects.iter().filter_map(|(port, samples)| {
            let expected: Vec<Packet> = samples.iter().map(packet).collect();
            let got = ran.output(port);
            (got != expected).then(|| Difference::Output {
                port: port.clone(),
                expected: words(&expected),
                got: words(got),
            })
        });
        Ok(ports.collect())
    })
}

/// Runs an example every way, once as it is and once with each packet and each group twice. Gives what
/// differs between them: in the distinct packets that leave by each port that the example tells of,
/// and in the rows of the component's tables at the end.
#[must_use]
pub fn try_twice(component: &Arc<dyn Component>, example: &Example) -> Vec<Mismatch> {
    let [once, twice] = [1, 2].map(|times| of_example(component, example, times).keep_tables());
    every_way(|way| {
        let once = try_ports(&once, example, way)?;
        let twice = try_ports(&twice, example, way)?;
        let ports = example.expects.iter().map(|(port, _)| port.as_str());
        let ports = ports.filter_map(|port| output_twice(port, &once, &twice));
        Ok(ports.chain(rows_twice(&once, &twice)).collect())
    })
}

/// A rig with the parameters and the packets of an example, each so many times.
pub(super) fn of_example(component: &Arc<dyn Component>, example: &Example, times: usize) -> Rig {
    let mut rig = Rig::of_shared(Arc::clone(component));
    for (param, value) in &example.params {
        rig = rig.set(param, value.as_str());
    }
    for (port, samples) in &example.feeds {
        rig = rig.feed(port, repeated(samples, times));
    }
    rig
}

/// The packets, each of them and each whole group so many times.
fn repeated(samples: &[Sample], times: usize) -> Vec<Packet> {
    let packets: Vec<Packet> = samples.iter().map(packet).collect();
    let units = units(&packets).into_iter();
    let repeated = units.flat_map(|unit| std::iter::repeat_n(unit, times));
    repeated.flatten().cloned().collect()
}

/// Packets one by one, and groups as a whole; the last may lack its end.
pub(super) fn units(packets: &[Packet]) -> Vec<&[Packet]> {
    let (mut units, mut begin) = (Vec::new(), 0);
    for end in 1..=packets.len() {
        let unit = &packets[begin..end];
        if is_whole(unit) || end == packets.len() {
            units.push(unit);
            begin = end;
        }
    }
    units
}

/// Whether it is a packet, or a group from its first bracket to its last.
pub(super) fn is_whole(unit: &[Packet]) -> bool {
    let depth = unit.iter().fold(0, |depth, packet| match packet.kind() {
        Kind::Open => depth + 1,
        Kind::Close => depth - 1,
        _ => depth,
    });
    depth <= 0
}

fn packet(sample: &Sample) -> Packet {
    match sample {
        Sample::Open => Packet::open(),
        Sample::Close => Packet::close(),
        Sample::Data(value) => Packet::json(value.clone()),
    }
}

/// What differs, with the ways in which it does.
pub(super) fn every_way(
    run: impl Fn((Scheduler, usize)) -> Result<Vec<Difference>, Difference>,
) -> Vec<Mismatch> {
    let mut found: Vec<Mismatch> = Vec::new();
    for way in DRIVERS {
        for difference in run(way).unwrap_or_else(|difference| vec![difference]) {
            match found
                .iter_mut()
                .find(|known| known.difference == difference)
            {
                Some(known) => known.ways.push(way),
                None => found.push(Mismatch {
                    difference,
                    ways: vec![way],
                }),
            }
        }
    }
    found
}

fn try_ports(
    rig: &Rig,
    example: &Example,
    (scheduler, capacity): (Scheduler, usize),
) -> Result<Ran, Difference> {
    let ports = example.expects.iter().map(|(port, _)| port.as_str());
    let ports: Vec<&str> = ports.collect();
    let ran = rig.try_run(&ports, scheduler, capacity);
    let ran = ran.map_err(|error| Difference::End(error.to_string()))?;
    match complaint(&ran.outcome) {
        Some(complaint) => Err(Difference::End(complaint)),
        None => Ok(ran),
    }
}

/// What is wrong with the end of a run.
pub(super) fn complaint(outcome: &Outcome) -> Option<String> {
    if outcome.is_success() {
        return None;
    }
    Some(match &outcome.verdict {
        Verdict::Failed(report) => format!("it fails: {}", report.message),
        Verdict::Deadlock(deadlock) => format!("it deadlocks: {}", deadlock.cycle.join("; ")),
        Verdict::Abandoned(_) => String::from("it does not end"),
        Verdict::Finished if !outcome.leaks.is_empty() => String::from("it loses packets"),
        Verdict::Finished if !outcome.unbalanced.is_empty() => {
            String::from("its brackets do not match")
        }
        Verdict::Finished => String::from("its packets do not add up"),
    })
}

fn output_twice(port: &str, once: &Ran, twice: &Ran) -> Option<Difference> {
    let distinct =
        |ran: &Ran| -> BTreeSet<String> { words(ran.output(port)).into_iter().collect() };
    let (once, twice) = (distinct(once), distinct(twice));
    (once != twice).then(|| Difference::OutputTwice {
        port: port.to_owned(),
        once: once.difference(&twice).cloned().collect(),
        twice: twice.difference(&once).cloned().collect(),
    })
}

fn rows_twice<'a>(once: &'a Ran, twice: &'a Ran) -> impl Iterator<Item = Difference> + 'a {
    once.rows().iter().flat_map(|(table, once)| {
        let twice = &twice.rows()[table];
        let keys: BTreeSet<&String> = once.keys().chain(twice.keys()).collect();
        let differing = keys
            .into_iter()
            .filter(|key| once.get(*key) != twice.get(*key));
        differing.map(|key| Difference::RowTwice {
            table: table.clone(),
            key: key.clone(),
            once: once.get(key).cloned(),
            twice: twice.get(key).cloned(),
        })
    })
}

/// Packets as they are written in an example.
fn words(packets: &[Packet]) -> Vec<String> {
    packets.iter().map(word).collect()
}

/// A packet as it is written in an example.
pub(super) fn word(packet: &Packet) -> String {
    match packet.kind() {
        Kind::Open => String::from("("),
        Kind::Close => String::from(")"),
        Kind::Bytes | Kind::Object => format!("{packet:?}"),
        _ => packet.to_json().to_string(),
    }
}
