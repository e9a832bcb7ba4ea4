//! The threads of a store.

use std::thread;

use paperflow_core::connector::StoreFault;

use crate::fault::unavailable;

/// Starts one, which nobody waits for.
///
/// # Errors
/// The system has none (`Unavailable`).
pub(crate) fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreFault> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(run);
    let failed = |error| unavailable(format!("a thread cannot be started: {error}"));
    started.map(drop).map_err(failed)
}
