//! The runtime of the clients that need one: one for the whole process, with one worker.
//!
//! Threads of the engine wait here for what a client does, and hand over batches, since each wait costs
//! tens of microseconds. No task of a client runs code of a component.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use paperflow_core::connector::StoreFault;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::fault::unavailable;

/// The runtime.
///
/// # Errors
/// The system has no thread for it (`Unavailable`).
pub(crate) fn runtime() -> Result<Handle, StoreFault> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(1).thread_name("paperflow-brokers");
    let made = builder.enable_all().build();
    let made = made.map_err(|fault| unavailable(format!("no thread for brokers: {fault}")))?;
    // If two threads were here at a time, one of the two runtimes is dropped, and nobody has used it.
    Ok(RUNTIME.get_or_init(|| made).handle().clone())
}

/// Waits for something on the runtime, for as long as is said; nothing when it takes longer.
///
/// # Panics
/// On a thread of the runtime itself.
pub(crate) fn wait<T>(
    runtime: &Handle,
    most: Duration,
    what: impl Future<Output = T>,
) -> Option<T> {
    runtime.block_on(async { tokio::time::timeout(most, what).await.ok() })
}

/// The same, for something that goes through many steps: it runs beside the client, and whoever waits here is woken
/// once, when it is over.
#[cfg(feature = "nats")]
pub(crate) fn wait_for_all<T: Send + 'static>(
    runtime: &Handle,
    most: Duration,
    what: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let task = runtime.spawn(async move { tokio::time::timeout(most, what).await.ok() });
    match runtime.block_on(task) {
        Ok(done) => done,
        Err(error) => {
            tracing::warn!("a task of a client has failed: {error}");
            None
        }
    }
}
