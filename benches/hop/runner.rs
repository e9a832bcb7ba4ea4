//! Who runs a network.

use std::fmt;
use std::str::FromStr;

use paperflow::Scheduler;
#[cfg(feature = "peers")]
use paperflow_bench::Node;
#[cfg(feature = "peers")]
use paperflow_bench::blocks::{self, Blocks};
use paperflow_bench::network::Net;
#[cfg(feature = "peers")]
use paperflow_bench::tasks::{AsyncFlow, Tasks, Tokio};
use paperflow_bench::threads::{Crossbeam, Kanal, Std, Threads};
use paperflow_bench::{Contestant, Error};

use crate::rows::Row;

/// Nobody wants more.
const MOST_THREADS: usize = 2000;

/// Who runs a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Runner {
    /// Our own.
    Paperflow(Scheduler),
    Crossbeam,
    SyncChannel,
    Kanal,
    /// Tasks of tokio, on this many threads.
    #[cfg(feature = "peers")]
    Tokio(usize),
    /// The same with async-flow's ports.
    #[cfg(feature = "peers")]
    AsyncFlow(usize),
    #[cfg(feature = "peers")]
    Protoflow,
}

impl Runner {
    /// Whether it is Paperflow.
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Paperflow(_))
    }

    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::Paperflow(Scheduler::Pool(1)),
            Self::Paperflow(Scheduler::Pool(2)),
            Self::Paperflow(Scheduler::Threads),
            Self::Crossbeam,
            Self::SyncChannel,
            Self::Kanal,
            #[cfg(feature = "peers")]
            Self::Tokio(1),
            #[cfg(feature = "peers")]
            Self::Tokio(2),
            #[cfg(feature = "peers")]
            Self::AsyncFlow(1),
            #[cfg(feature = "peers")]
            Self::AsyncFlow(2),
            #[cfg(feature = "peers")]
            Self::Protoflow,
        ]
    }

    /// Builds and starts the network.
    pub(crate) fn start(self, row: &Row, capacity: usize) -> Result<Box<dyn Contestant>, Error> {
        let shape = &row.shape;
        Ok(match self {
            Self::Paperflow(scheduler) => Box::new(Net::start(shape, scheduler, capacity)?),
            Self::Crossbeam => Box::new(Threads::start::<Crossbeam>(shape, capacity)?),
            Self::SyncChannel => Box::new(Threads::start::<Std>(shape, capacity)?),
            Self::Kanal => Box::new(Threads::start::<Kanal>(shape, capacity)?),
            #[cfg(feature = "peers")]
            Self::Tokio(workers) => Box::new(Tasks::start::<Tokio>(shape, capacity, workers)?),
            #[cfg(feature = "peers")]
            Self::AsyncFlow(workers) => {
                Box::new(Tasks::start::<AsyncFlow>(shape, capacity, workers)?)
            }
            #[cfg(feature = "peers")]
            Self::Protoflow => Box::new(Blocks::start(shape)?),
        })
    }

    /// Whether it can run the network at all.
    pub(crate) fn can(self, row: &Row, capacity: usize) -> bool {
        #[cfg(feature = "peers")]
        let is_slow = row.shape.nodes.contains(&Node::SlowSink);
        let is_huge = row.shape.nodes.len() > MOST_THREADS;
        match self {
            // Some processes of a mixed network have threads whatever the scheduler.
            Self::Paperflow(Scheduler::Threads) => !is_huge && row.shape.own_threads() == 0,
            Self::Paperflow(_) => true,
            #[cfg(feature = "peers")]
            Self::Tokio(_) | Self::AsyncFlow(_) => !is_slow,
            #[cfg(feature = "peers")]
            Self::Protoflow => !is_huge && capacity == blocks::CAPACITY && Blocks::can(&row.shape),
            _ => !is_huge && capacity > 0,
        }
    }

    /// Threads that run processes.
    pub(crate) fn workers(self, row: &Row) -> usize {
        match self {
            Self::Paperflow(Scheduler::Pool(workers)) => workers + row.shape.own_threads(),
            #[cfg(feature = "peers")]
            Self::Tokio(workers) | Self::AsyncFlow(workers) => workers,
            _ => row.shape.nodes.len(),
        }
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paperflow(Scheduler::Pool(workers)) => write!(f, "pool={workers}"),
            Self::Paperflow(Scheduler::Threads) => f.pad("threads"),
            Self::Paperflow(Scheduler::Auto) => f.pad("auto"),
            Self::Crossbeam => f.pad("crossbeam"),
            Self::SyncChannel => f.pad("sync_channel"),
            Self::Kanal => f.pad("kanal"),
            #[cfg(feature = "peers")]
            Self::Tokio(workers) => write!(f, "tokio={workers}"),
            #[cfg(feature = "peers")]
            Self::AsyncFlow(workers) => write!(f, "async-flow={workers}"),
            #[cfg(feature = "peers")]
            Self::Protoflow => f.pad("protoflow"),
        }
    }
}

impl FromStr for Runner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(workers) = text.strip_prefix("pool=") {
            let workers = workers
                .parse()
                .map_err(|error| format!("{workers}: {error}"))?;
            return Ok(Self::Paperflow(Scheduler::Pool(workers)));
        }
        let known = Self::all()
            .into_iter()
            .find(|runner| runner.to_string() == text);
        known.ok_or_else(|| format!("{text} is none of {}", names()))
    }
}

fn names() -> String {
    let names: Vec<_> = Runner::all().iter().map(Runner::to_string).collect();
    names.join(", ")
}
