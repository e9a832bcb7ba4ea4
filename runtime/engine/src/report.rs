//! What is told about a run: states, statistics, faults, deadlocks.

use std::fmt;
use std::time::Duration;

use paperflow_core::connector::Disturbance;
use serde::Serialize;

use crate::link::LinkCounts;
use crate::watch::Notice;

/// The state of a process, in the words of every report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No packet has come yet.
    #[default]
    NotStarted,
    /// Runs, or is about to.
    Active,
    /// Waits inside its code for a packet on one of these ports.
    SuspendedReceive(Vec<String>),
    /// Waits for room behind one of these ports.
    SuspendedSend(Vec<String>),
    /// Waits between two packets.
    Dormant,
    /// Waits for a file, a socket, a timer.
    Outside,
    /// Has ended.
    Terminated,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted => f.write_str("not-started"),
            Self::Active => f.write_str("active"),
            Self::SuspendedReceive(ports) => write!(f, "suspended(receive {})", ports.join(", ")),
            Self::SuspendedSend(ports) => write!(f, "suspended(send {})", ports.join(", ")),
            Self::Dormant => f.write_str("dormant"),
            Self::Outside => f.write_str("outside"),
            Self::Terminated => f.write_str("terminated"),
        }
    }
}

/// What one process did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProcessStatistics {
    /// Its address.
    pub address: String,
    /// Its component.
    pub component: String,
    /// `file:line:column` of the process.
    pub origin: String,
    /// Its state when the run ended.
    pub state: State,
    /// Activations.
    pub opened: u64,
    /// Turns run.
    pub turns: u64,
    /// Packets made.
    pub created: u64,
    /// Packets ended.
    pub dropped: u64,
    /// Packets received from links.
    pub received: u64,
    /// Packets sent.
    pub sent: u64,
    /// Initial packets delivered to it.
    pub iip_delivered: u64,
    /// Packets set aside by `fault=park`.
    pub parked: u64,
    /// Time spent in its code.
    pub busy: Duration,
    /// Turns that held a worker of the pool for more than [`LONG_TURN`](crate::LONG_TURN).
    pub long_turns: u64,
    /// The longest of these.
    pub longest_turn: Duration,
    /// Time spent waiting for room.
    pub blocked_send: Duration,
    /// Time spent waiting for packets.
    pub blocked_receive: Duration,
}

/// What went through one link.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LinkStatistics {
    /// Writers, as `ADDRESS.PORT`.
    pub from: Vec<String>,
    /// Reader, as `ADDRESS.PORT`.
    pub to: String,
    /// Its capacity in packets.
    pub capacity: usize,
    /// Packets in it at the end, for the embedding program to receive.
    pub waiting: u64,
    /// How long its writers have waited for room in it, all together.
    pub waited_send: Duration,
    /// How long its reader has waited for packets.
    pub waited_receive: Duration,
    /// Counts.
    #[serde(flatten)]
    pub counts: LinkCounts,
}

/// Totals of a network, and the law they obey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Packets made by components.
    pub created: u64,
    /// Initial packets delivered.
    pub iip_delivered: u64,
    /// Packets fed by the embedding program.
    pub fed: u64,
    /// Packets ended by components.
    pub dropped: u64,
    /// Packets shed by full links.
    pub shed: u64,
    /// Packets lost when a reader left.
    pub lost_on_close: u64,
    /// Packets handed to the embedding program, or waiting for it.
    pub handed_out: u64,
    /// Packets sent, by all processes.
    pub sent: u64,
    /// Packets received from links, by all processes.
    pub received: u64,
}

impl Totals {
    /// Whether nothing came from nowhere and nothing went there:
    /// `created + iip_delivered + fed = dropped + shed + lost_on_close + handed_out`.
    #[must_use]
    pub const fn is_conserved(&self) -> bool {
        self.created + self.iip_delivered + self.fed
            == self.dropped + self.shed + self.lost_on_close + self.handed_out
    }
}

/// Everything counted in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Statistics {
    /// Wall time.
    pub elapsed: Duration,
    /// Totals.
    pub totals: Totals,
    /// By process, in text order.
    pub processes: Vec<ProcessStatistics>,
    /// By link, in text order of their readers.
    pub links: Vec<LinkStatistics>,
}

impl Statistics {
    /// Whether the totals obey the law, and each link has received, shed or lost what was sent.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.totals.is_conserved() && self.links.iter().all(LinkStatistics::is_conserved)
    }
}

impl LinkStatistics {
    /// Whether `sent = received + shed + lost_on_close`. What waits for the embedding program is still
    /// to be received.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        let counts = &self.counts;
        let gone = counts.received + counts.shed + counts.lost_on_close;
        counts.sent == gone + self.waiting
    }
}

/// A fault of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The process.
    pub address: String,
    /// Its component.
    pub component: String,
    /// The port where it happened, if it happened at one.
    pub port: Option<String>,
    /// What happened.
    pub message: String,
    /// The packet that was being handled, as people read it.
    pub packet: Option<String>,
    /// `file:line:column` of the process.
    pub origin: String,
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(port) = &self.port {
            write!(f, ".{port}")?;
        }
        write!(
            f,
            " ({}) at {}: {}",
            self.component, self.origin, self.message
        )
    }
}

/// A process in a deadlock report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stuck {
    /// The process.
    pub address: String,
    /// Its state.
    pub state: State,
    /// The links it waits at.
    pub links: Vec<StuckLink>,
    /// `file:line:column` of the process.
    pub origin: String,
}

/// A link that somebody waits at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckLink {
    /// The port of the process that waits.
    pub port: String,
    /// The other side, as `ADDRESS.PORT`; several writers for a link that is read.
    pub peers: Vec<String>,
    /// Packets in it.
    pub fill: usize,
    /// Its capacity.
    pub capacity: usize,
}

/// Why nothing can move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deadlock {
    /// Every process that can never move again, in text order.
    pub stuck: Vec<Stuck>,
    /// A cycle of waits, each line `A waits for ... (link fill/capacity)`.
    pub cycle: Vec<String>,
    /// Who reads what in which order, in one sentence, when that is the reason.
    pub culprit: Option<String>,
    /// An arrow with a capacity that would have been enough, where that can be told.
    pub sufficient: Option<String>,
}

/// Packets that a component neither sent nor dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The process.
    pub address: String,
    /// How many, with what they own.
    pub packets: i64,
    /// They lay on its stack when it ended.
    pub on_stack: bool,
    /// `file:line:column` of the process.
    pub origin: String,
}

/// A stream whose brackets do not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unbalanced {
    /// The link's reader, as `ADDRESS.PORT`.
    pub to: String,
    /// Open brackets without close brackets; negative the other way round.
    pub open: i64,
    /// `file:line:column` of the reader.
    pub origin: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every process has terminated.
    Finished,
    /// A fault stopped it.
    Failed(FaultReport),
    /// Nothing could move.
    Deadlock(Deadlock),
    /// It was stopped and did not drain in time, or was told to stop at once; these were not done.
    Abandoned(Vec<String>),
}

/// The end of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Everything counted.
    pub statistics: Statistics,
    /// Packets that components lost.
    pub leaks: Vec<Leak>,
    /// Streams with brackets that do not match.
    pub unbalanced: Vec<Unbalanced>,
    /// Nothing came from nowhere and nothing went there. False is a mistake in the engine.
    pub is_accounted: bool,
    /// Faults that did not stop the network: parked packets, stopped processes.
    pub faults: Vec<FaultReport>,
    /// What was noticed while it ran: somebody held up the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What connectors did wrong on purpose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
}

impl Outcome {
    /// Whether the run did what the graph says: it finished, with nothing leaked and no stream
    /// unbalanced.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.verdict == Verdict::Finished
            && self.leaks.is_empty()
            && self.unbalanced.is_empty()
            && self.is_accounted
    }
}
