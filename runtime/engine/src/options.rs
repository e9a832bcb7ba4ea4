//! How a network is to be run.

use std::fmt;
use std::time::Duration;

use paperflow_core::Packet;

/// Who runs the processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// Compute processes share a pool with a worker per processor, the others have their own threads.
    #[default]
    Auto,
    /// Every process has its own thread.
    Threads,
    /// As auto, with this many workers.
    Pool(usize),
}

/// As it is written on a command line.
impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Threads => f.write_str("threads"),
            Self::Pool(workers) => write!(f, "pool={workers}"),
        }
    }
}

/// How a network is to be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who runs the processes.
    pub scheduler: Scheduler,
    /// Capacity, in packets, of links that have none written.
    pub capacity: usize,
    /// How long a stopped network may take to drain.
    pub drain: Duration,
    /// How long a store that cannot be reached, or has no room, is tried again before its process fails.
    pub patience: Duration,
    /// Time jumps to the next timer when nobody is busy.
    pub virtual_time: bool,
    /// What is too long; without it nobody watches. A network in virtual time is not watched.
    pub watch: Option<Watch>,
    /// The name of this copy, when the network is a part of a graph that runs several times. The program
    /// that begins to run a copy takes the place of the one that ran it before.
    pub copy: String,
    /// When it is a part of a graph: after how long without anything to do its input from other parts
    /// ends. Without it, it ends when they say so, and cycles through several parts when nothing moves in
    /// any of them.
    pub idle: Option<Duration>,
}

/// What is too long for a network that runs.
///
/// A thread of its own keeps the watch. It sleeps while nobody is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// A worker that has run one process for so long is held up: when others wait for a worker, a
    /// spare one takes over.
    pub turn: Duration,
    /// When somebody is active and nothing has moved for so long, a notice says who; and again after
    /// twice the time, and so on.
    pub notice: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            turn: Duration::from_millis(50),
            notice: Duration::from_secs(5),
        }
    }
}

/// Capacity of a link when nobody says otherwise.
///
/// Two batches fit: one is filled while the other is read. More room was no faster when it was tried:
/// medians of five runs of a row of five compute processes on one worker were 138 ns per hop at 16,
/// 110 at 128 and 112 at 1024 packets, on a shared two-core machine.
pub const DEFAULT_CAPACITY: usize = 128;

/// The name of the only copy of a part.
const USUAL_COPY: &str = "1";

impl Default for Options {
    fn default() -> Self {
        Self {
            scheduler: Scheduler::Auto,
            capacity: DEFAULT_CAPACITY,
            drain: Duration::from_secs(10),
            patience: Duration::from_secs(60),
            virtual_time: false,
            watch: Some(Watch::default()),
            copy: String::from(USUAL_COPY),
            idle: None,
        }
    }
}

/// What becomes of a packet that a process could not handle, when ERROR is not connected.
///
/// Written as node metadata: `Pay(course/pay:fault=park)`, `Pay(course/pay:fault=retry,retries=5)`.
///
/// A plain function that panics has failed on the packet that it was called with, like one that
/// returns an error: the packet goes to ERROR or is parked or handled again, and the process goes on.
/// A looper holds packets in its own code, so that nobody knows which one is to blame: a looper that
/// fails or panics stops the network under `Park` and `Retry` as well. So does any process that
/// fails without a packet, such as one whose parameter cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// A packet that came from a connector is given back to its store, which gives it again after a
    /// while and sets it aside when its tries are used up. With any other packet the network stops.
    #[default]
    Usual,
    /// The network stops and reports.
    StopNetwork,
    /// The process stops; the rest goes on.
    StopProcess,
    /// The packet is set aside and reported at the end; the process goes on.
    Park,
    /// The packet is handled again, this many times; then it is parked.
    Retry(u32),
    /// A packet that came from a connector is set aside by its store at once, others as with `Park`.
    Reject,
    /// The same, apart from those that failed.
    Invalid,
    /// The process starts afresh with the next packet, this many times; then the network stops.
    Restart(u32),
}

impl Policy {
    /// Whether a packet is set aside by it, also when the function that handles it panics.
    pub(crate) const fn keeps_packets(self) -> bool {
        matches!(
            self,
            Self::Park | Self::Retry(_) | Self::Reject | Self::Invalid
        )
    }

    /// Whether a packet that cannot be handled is left to its store.
    pub(crate) fn sets_aside(self, packet: &Packet) -> bool {
        let by_store = matches!(
            self,
            Self::Usual | Self::Park | Self::Retry(_) | Self::Reject | Self::Invalid
        );
        by_store && !packet.tokens().is_empty()
    }
}

/// How often `fault=retry` and `fault=restart` try again when `retries` is not written.
pub const DEFAULT_RETRIES: u32 = 3;
