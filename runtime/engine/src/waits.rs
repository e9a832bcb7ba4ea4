//! Who waited for whom in a run, in plain words.

use std::fmt;
use std::time::Duration;

use petgraph::algo::has_path_connecting;
use petgraph::graphmap::DiGraphMap;
use serde::Serialize;

use crate::report::Statistics;

/// What somebody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitedFor {
    /// Room: the reader was slower.
    Room,
    /// Packets: the writers were slower.
    Packets,
    /// Packets that come back from what the process itself has sent: it asks, and waits for the
    /// answer.
    Answers,
}

/// A wait at one link, over a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waited {
    /// Who waited, as `ADDRESS.PORT`.
    pub who: Vec<String>,
    /// For whom, as `ADDRESS.PORT`.
    pub whom: Vec<String>,
    /// For what.
    pub what: WaitedFor,
    /// For how long, all together.
    pub time: Duration,
    /// How many packets were received there.
    pub packets: u64,
}

impl fmt::Display for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, whom, packets) = (self.who.join(", "), self.whom.join(", "), self.packets);
        write!(f, "{who} waited {:.2?} for ", self.time)?;
        match self.what {
            WaitedFor::Room => write!(f, "room at {whom}"),
            WaitedFor::Packets => write!(f, "packets from {whom}"),
            WaitedFor::Answers => write!(
                f,
                "{packets} answers from {whom}, {:.2?} each, a walk of shame: \
                 it asks and waits, over and over; a table of its own would spare it that",
                self.time / u32::try_from(packets).unwrap_or(u32::MAX).max(1)
            ),
        }
    }
}

impl Statistics {
    /// Who waited for whom: every link where somebody did, the longest time first.
    #[must_use]
    pub fn waits(&self) -> Vec<Waited> {
        let flow = self.flow();
        let mut waits = Vec::new();
        for link in &self.links {
            let comes_back = link
                .from
                .iter()
                .any(|from| has_path(&flow, process(&link.to), process(from)));
            let coming = if comes_back {
                WaitedFor::Answers
            } else {
                WaitedFor::Packets
            };
            let reader = vec![link.to.clone()];
            let packets = link.counts.received;
            let mut wait = |who: &Vec<String>, whom: &Vec<String>, what, time: Duration| {
                if !time.is_zero() {
                    waits.push(Waited {
                        who: who.clone(),
                        whom: whom.clone(),
                        what,
                        time,
                        packets,
                    });
                }
            };
            wait(&link.from, &reader, WaitedFor::Room, link.waited_send);
            wait(&reader, &link.from, coming, link.waited_receive);
        }
        waits.sort_by_key(|wait| std::cmp::Reverse(wait.time));
        waits
    }

    /// Which process sends to which.
    fn flow(&self) -> DiGraphMap<&str, ()> {
        let links = self.links.iter();
        let arrows = links.flat_map(|link| {
            let writers = link.from.iter();
            writers.map(|from| (process(from), process(&link.to)))
        });
        arrows.collect()
    }
}

fn has_path(flow: &DiGraphMap<&str, ()>, from: &str, to: &str) -> bool {
    flow.contains_node(from) && flow.contains_node(to) && has_path_connecting(flow, from, to, None)
}

/// The process of a port.
fn process(port: &str) -> &str {
    port.rsplit_once('.').map_or(port, |(process, _)| process)
}
