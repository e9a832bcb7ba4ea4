//! The threads of a store: one hears the bell, one writes what was settled and gives signs of life.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use paperflow_core::connector::StoreFault;

use super::line::greeting;
use super::{Inner, Order};
use crate::broker::keeper::{self, Kept};
use crate::broker::patience::Backoff;
use crate::broker::threads;

/// How often it is looked whether others have written here by themselves.
const LOOK: Duration = Duration::from_millis(250);
/// How often we greet ourselves, to hear whether the bell still rings.
const GREET: Duration = Duration::from_secs(5);
/// No bell for so long: the line is dead.
const SILENCE: Duration = Duration::from_secs(15);

/// Starts both.
pub(super) fn start(inner: &Arc<Inner>, orders: Receiver<Order>) -> Result<(), StoreFault> {
    let own = Arc::downgrade(inner);
    threads::start("redis-keeper", move || keep(&own, &orders))?;
    let own = Arc::downgrade(inner);
    threads::start("redis-bell", move || listen(&own))
}

/// Writes what was settled, and looks after everything now and then, until the store is closed.
fn keep(store: &Weak<Inner>, orders: &Receiver<Order>) {
    let mut greet = Instant::now();
    let carry_out = |order: &Order| carry_out(store, order);
    keeper::keep(store, orders, (LOOK, keeper::PAUSE), carry_out, |inner| {
        let looked = inner.look();
        if Instant::now() >= greet {
            greet = Instant::now() + GREET;
            let greeting = greeting(&inner.line.prefix, &inner.line.session);
            if let Err(fault) = inner.line.query(&greeting) {
                tracing::debug!("the bell cannot be tried: {fault}");
            }
        }
        (looked, inner.rhythm(LOOK))
    });
}

impl Kept for Inner {
    fn is_cut(&self) -> bool {
        self.line.is_cut()
    }

    fn call_all(&self) {
        self.queues().iter().for_each(|queue| queue.call_all());
        self.streams().iter().for_each(|stream| stream.call_all());
        self.call_channels();
    }
}

fn carry_out(store: &Weak<Inner>, order: &Order) -> Result<(), StoreFault> {
    match order {
        Order::Settled(queue, round) => queue
            .upgrade()
            .map_or(Ok(()), |queue| queue.write_settled_of(*round)),
        Order::Reported(stream) => match (store.upgrade(), stream.upgrade()) {
            (Some(inner), Some(stream)) => stream.report(&inner),
            _ => Ok(()),
        },
    }
}

/// Hears what others do, until the store is closed.
fn listen(store: &Weak<Inner>) {
    let mut backoff = Backoff::of("bell");
    let mut has_heard = false;
    while let Some(inner) = store.upgrade() {
        if inner.line.is_cut() {
            return;
        }
        let line = Arc::clone(&inner.line);
        drop(inner);
        let heard = line.dial().and_then(|mut connection| {
            let mut bell = connection.as_pubsub();
            bell.subscribe(format!("{}paperflow:bell", line.prefix))?;
            bell.set_read_timeout(Some(LOOK))?;
            backoff.reset();
            // What was missed meanwhile; at first `keep` sees it.
            if std::mem::replace(&mut has_heard, true)
                && let Some(inner) = store.upgrade()
            {
                inner.call_all();
            }
            let mut last = Instant::now();
            while last.elapsed() < SILENCE && !line.is_cut() && store.strong_count() > 0 {
                match bell.get_message() {
                    Ok(message) => {
                        last = Instant::now();
                        if let Some(inner) = store.upgrade() {
                            inner.hear(&message.get_payload::<String>()?);
                        }
                    }
                    Err(error) if error.is_timeout() => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        if let Err(error) = heard {
            tracing::debug!("the bell of `{}` is not heard: {error}", line.address);
            thread::sleep(backoff.rest());
        }
    }
}
