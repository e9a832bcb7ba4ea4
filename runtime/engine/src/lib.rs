//! Makes a graph run.
//!
//! [`Network::new`] takes a [`Plan`](paperflow_graph::Plan) that passed the checks and a catalogue;
//! [`Network::start`] wires it and starts it; [`Running::wait`] gives the [`Outcome`]. Only this crate
//! starts threads. A component may have a thread of its own or share a pool of workers; links,
//! results and reports are the same.
//!
//! The price of one mechanism for both: a process with its own thread also runs in turns.

mod assemble;
mod blame;
mod build;
mod by_port;
mod clock;
mod committing;
mod connect;
mod crowd;
mod describe;
mod door;
mod embed;
mod form;
mod initial;
mod judge;
mod last_call;
mod life;
mod link;
#[cfg(all(loom, test))]
mod models;
mod network;
mod options;
mod outcome;
mod own_thread;
mod part;
mod patience;
mod process;
mod receiver;
pub mod report;
mod resume;
pub mod rig;
mod roster;
mod scope;
mod sender;
mod shape;
mod shed;
mod sync;
mod unread;
mod waits;
mod watch;
mod ways;
mod wiring;

pub use build::{BuildError, MAX_THREADS, Network, Started};
pub use connect::{Declared, Stores, declared};
pub use describe::{describe, set_initial};
pub use embed::{Input, NothingYet, Output, Refused};
pub use link::LinkCounts;
pub use network::{Control, Observer, Running};
pub use options::{DEFAULT_CAPACITY, DEFAULT_RETRIES, Options, Policy, Scheduler, Watch};
pub use report::{Outcome, Verdict};
pub use waits::{Waited, WaitedFor};
pub use watch::{Holder, LONG_TURN, Notice};
