//! How fast networks run, beside the same networks wired by hand.
//!
//! A [`Shape`] is drawn once. [`network`] builds it with Paperflow, [`threads`] with a thread for each
//! node and a channel for each link. Both stay alive for a whole row and are run in short bursts, one
//! after the other, so that a busy neighbour hits all alike. Building and starting is never measured:
//! the clock of [`stopwatch`] starts when a source is about to send and stops at the sink.

#[cfg(feature = "peers")]
pub mod blocks;
pub mod components;
pub mod memory;
pub mod network;
pub mod shape;
pub mod stopwatch;
pub mod stress;
pub mod table;
#[cfg(feature = "peers")]
pub mod tasks;
pub mod threads;
pub mod work;

pub use shape::{Node, Payload, Shape};

/// What cannot be measured, and why.
pub type Error = Box<dyn std::error::Error>;

/// Somebody who runs a shape, in bursts.
pub trait Contestant {
    /// Sends this many packets from each source and waits until all have reached their sinks.
    ///
    /// # Errors
    /// Nothing has arrived for a long time, or the network has failed.
    fn burst(&mut self, packets: u64) -> Result<stopwatch::Sample, Error>;

    /// Ends it.
    ///
    /// # Errors
    /// It did not end as it should: packets are missing, or there are too many.
    fn end(self: Box<Self>) -> Result<(), Error>;
}
