//! Somebody who moves packets through something that survives a power cut.

use std::time::Duration;

use paperflow_bench::Error;

/// A contestant.
pub(crate) trait Lane {
    /// What it is called.
    fn name(&self) -> String;

    /// Moves so many packets through, and tells how long that took.
    fn burst(&mut self, packets: usize) -> Result<Duration, Error>;

    /// How many packets were written, and how many were read, at a time.
    fn batches(&self) -> (f64, f64);

    /// Ends it.
    fn end(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
