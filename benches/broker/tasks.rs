//! What the bare clients have in common that need a runtime.

use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use tokio::runtime::{Builder, Runtime};

use crate::bare::Trouble;

/// A runtime for a client that needs one, with one worker as the connectors have it.
pub(crate) fn runtime() -> Result<Runtime, Trouble> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder.worker_threads(1).enable_all().build()?)
}

/// Waits for something, and gives what there is beside it, so many at most.
pub(crate) async fn some<S: Stream + Unpin>(
    stream: &mut S,
    most: usize,
) -> Result<Vec<S::Item>, Trouble> {
    let patience = Duration::from_secs(10);
    let first = tokio::time::timeout(patience, stream.next()).await?;
    let mut some = vec![first.ok_or("the queue has ended")?];
    while some.len() < most
        && let Some(Some(next)) = stream.next().now_or_never()
    {
        some.push(next);
    }
    Ok(some)
}
