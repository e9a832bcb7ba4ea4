//! Who runs a network.

use std::fmt;
use std::str::FromStr;

use paperflow::Scheduler;
use paperflow_bench::network::Net;
use paperflow_bench::threads::{Crossbeam, Kanal, Std, Threads};
use paperflow_bench::{Contestant, Error};

use crate::rows::Row;

/// Who runs a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Runner {
    /// Paperflow, with a pool of this many workers.
    Pool(usize),
    /// Paperflow, with a thread for each process.
    Threads,
    Crossbeam,
    SyncChannel,
    Kanal,
}

impl Runner {
    /// What the others are compared with.
    pub(crate) const PEER: Self = Self::Crossbeam;

    pub(crate) fn all() -> Vec<Self> {
        vec![
            Self::Pool(1),
            Self::Pool(2),
            Self::Threads,
            Self::Crossbeam,
            Self::SyncChannel,
            Self::Kanal,
        ]
    }

    /// Builds and starts the network.
    pub(crate) fn start(self, row: &Row, capacity: usize) -> Result<Box<dyn Contestant>, Error> {
        let shape = &row.shape;
        Ok(match self {
            Self::Pool(workers) => Box::new(Net::start(shape, Scheduler::Pool(workers), capacity)?),
            Self::Threads => Box::new(Net::start(shape, Scheduler::Threads, capacity)?),
            Self::Crossbeam => Box::new(Threads::start::<Crossbeam>(shape, capacity)?),
            Self::SyncChannel => Box::new(Threads::start::<Std>(shape, capacity)?),
            Self::Kanal => Box::new(Threads::start::<Kanal>(shape, capacity)?),
        })
    }

    /// Threads that run processes.
    pub(crate) fn workers(self, row: &Row) -> usize {
        match self {
            Self::Pool(workers) => workers + row.shape.own_threads(),
            _ => row.shape.nodes.len(),
        }
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(workers) => write!(f, "pool={workers}"),
            Self::Threads => f.pad("threads"),
            Self::Crossbeam => f.pad("crossbeam"),
            Self::SyncChannel => f.pad("sync_channel"),
            Self::Kanal => f.pad("kanal"),
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
            return Ok(Self::Pool(workers));
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
