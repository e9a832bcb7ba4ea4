//! Waiting for one of several things, and for the world.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::slot;
use crate::turn::{Counts, Outside, Turn};

/// One of two.
#[derive(Debug)]
pub enum Either<L, R> {
    /// From the first.
    Left(L),
    /// From the second.
    Right(R),
}

/// The next item of either of two ports, the first one preferred; `None` once both have ended.
///
/// Work with feedback takes the feedback first: `select(answers.next(), orders.next())`.
pub async fn select<L, R>(
    left: impl Future<Output = Option<L>>,
    right: impl Future<Output = Option<R>>,
) -> Option<Either<L, R>> {
    let (mut left, mut right) = (std::pin::pin!(left), std::pin::pin!(right));
    let (mut left_ended, mut right_ended) = (false, false);
    poll_fn(move |cx| {
        if !left_ended && let Poll::Ready(item) = left.as_mut().poll(cx) {
            if let Some(item) = item {
                return Poll::Ready(Some(Either::Left(item)));
            }
            left_ended = true;
        }
        if !right_ended && let Poll::Ready(item) = right.as_mut().poll(cx) {
            if let Some(item) = item {
                return Poll::Ready(Some(Either::Right(item)));
            }
            right_ended = true;
        }
        if left_ended && right_ended {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Runs something that waits for the world: a read, a child process, a device.
///
/// Everything sent before is on its way meanwhile, and the process counts as outside, so that nobody
/// calls it deadlocked. Only for components that may block (`work = thread`).
pub fn outside<R>(work: impl FnOnce() -> R) -> R {
    wait_outside(None, work)
}

/// As [`outside`], with a limit: when `work` takes longer, the process has failed with a report that
/// says so, and the network goes by its end. Use it where an answer may never come.
pub fn outside_within<R>(limit: Duration, work: impl FnOnce() -> R) -> R {
    wait_outside(Some(limit), work)
}

fn wait_outside<R>(limit: Option<Duration>, work: impl FnOnce() -> R) -> R {
    let guard = slot::try_with(Turn::go_outside).flatten();
    let _back = guard.map(|(outside, counts)| Trip::begin(outside, counts, limit));
    work()
}

/// A stay outside, which ends also when the work panics.
struct Trip(Arc<dyn Outside>);

impl Trip {
    fn begin(outside: Arc<dyn Outside>, counts: Counts, limit: Option<Duration>) -> Self {
        outside.enter(counts, limit);
        Self(outside)
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        self.0.leave();
        slot::try_with(Turn::come_back);
    }
}
