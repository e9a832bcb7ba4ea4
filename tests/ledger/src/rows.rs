//! The rows of the table of faults, and what each does to a network.

use std::fs;
use std::path::Path;

use crate::scene::{Connector, Kind, Plot};

/// A row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What goes wrong.
    pub(crate) fault: &'static str,
    pub(crate) deed: Deed,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// Killed at a place that is reached about once for so many packets.
    Kill {
        place: &'static str,
        each: u64,
        plot: fn(&mut Plot),
    },
    Pause,
    /// Its broker is killed and comes again.
    Outage,
    /// Readers of a group come and go.
    Rebalance,
    Drain,
    Abandon,
    SecondSignal,
    FullDisk,
    Poison,
}

/// Every so many numbers cannot be read, or fail, where that is what a row is about.
const SOME: u64 = 100;

const fn nothing(_: &mut Plot) {}

const fn invalid(plot: &mut Plot) {
    plot.invalid = SOME;
}

const fn fails(plot: &mut Plot) {
    plot.fails = SOME;
    plot.is_copied = true;
}

const fn poison(plot: &mut Plot) {
    plot.poison = SOME;
    plot.retries = 2;
    plot.is_copied = true;
}

const fn kill(
    name: &'static str,
    fault: &'static str,
    (place, each): (&'static str, u64),
    plot: fn(&mut Plot),
) -> Row {
    Row {
        name,
        fault,
        deed: Deed::Kill { place, each, plot },
    }
}

const fn other(name: &'static str, fault: &'static str, deed: Deed) -> Row {
    Row { name, fault, deed }
}

pub(crate) const ROWS: [Row; 22] = [
    kill("K0", "before delivery", ("before_receive", 100), nothing),
    kill(
        "K1",
        "delivered, not decoded",
        ("after_receive", 100),
        nothing,
    ),
    kill(
        "K2",
        "cannot be decoded, copy not safe",
        ("before_invalid_copy", 2 * SOME),
        invalid,
    ),
    kill(
        "K3",
        "let in by the inbox, handler not run",
        ("after_admit", 2),
        nothing,
    ),
    kill(
        "K4",
        "in links and turns in memory",
        ("in_turn", 10),
        nothing,
    ),
    kill(
        "K5",
        "effect outside, nothing kept",
        ("before_commit", 500),
        nothing,
    ),
    kill(
        "K6",
        "in the middle of a transaction",
        ("in_commit", 100),
        nothing,
    ),
    kill("K7", "kept, nothing sent", ("after_commit", 500), nothing),
    kill(
        "K8",
        "sent and safe, sender not told",
        ("before_confirm", 500),
        nothing,
    ),
    kill(
        "K9",
        "sender told, input still held",
        ("after_confirm", 500),
        nothing,
    ),
    kill(
        "K10",
        "input let go of, store not told",
        ("before_settle", 2),
        nothing,
    ),
    kill(
        "K11",
        "store told, settlement not written",
        ("settle_lost", 500),
        nothing,
    ),
    kill(
        "K12",
        "to be tried again, that is safe",
        ("after_retry", 4 * SOME),
        fails,
    ),
    kill(
        "K13",
        "dead letter safe, that is all",
        ("after_dead_letter", 4 * SOME),
        poison,
    ),
    other("K19", "stopped past the lease, then goes on", Deed::Pause),
    other("K20", "broker killed and restarted", Deed::Outage),
    other("K21", "partitions change hands", Deed::Rebalance),
    other("K22", "SIGTERM: drains, exit 0", Deed::Drain),
    other("K22b", "SIGTERM: past the deadline, exit 5", Deed::Abandon),
    other("K23", "second SIGTERM", Deed::SecondSignal),
    other("K24", "the disk is full", Deed::FullDisk),
    other("K25", "poison among good ones", Deed::Poison),
];

/// Why a row has no meaning for a connector, or is shown elsewhere, and where that is written.
pub(crate) fn why_not(row: &Row, connector: Connector) -> Option<Reason> {
    let reason = |reason, link| Some(Reason { reason, link });
    if !connector.is_kept() {
        return reason(
            "the broker has nothing like it, and `check` refuses an arc that asks for one",
            "dsl/graph/src/capabilities.rs",
        );
    }
    if connector.kind == Kind::Pubsub {
        return reason(
            "a copy for those who are there: nothing is kept for who is not, so nothing can be lost",
            MAP,
        );
    }
    match (row.deed, connector.kind, connector.broker) {
        (Deed::Outage, _, None) => reason(
            "the embedded store is a part of the program, so K0 to K13 kill both",
            MAP,
        ),
        (Deed::Rebalance, Kind::Queue, _) => {
            reason("a queue has no partitions: each task has one reader", MAP)
        }
        (Deed::Rebalance, _, _) => reason(
            "in the suite that every store passes, in the cases `t07_...`",
            "runtime/connect/src/compliance/streams.rs",
        ),
        _ => None,
    }
}

const MAP: &str = "ARCHITECTURE.md#the-kill-ledger";

/// Why there is nothing to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
    /// A file of this repository, perhaps with a heading.
    pub(crate) link: &'static str,
}

impl Reason {
    /// What is wrong with it, if it leads nowhere.
    pub(crate) fn is_idle(self) -> Option<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (file, heading) = self.link.split_once('#').unwrap_or((self.link, ""));
        let Ok(text) = fs::read_to_string(root.join(file)) else {
            return Some(format!("there is no {file}"));
        };
        let anchor = |line: &str| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        };
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        let is_there = heading.is_empty() || headings.any(|line| anchor(line) == heading);
        (!is_there).then(|| format!("{file} has no heading {heading}"))
    }
}
