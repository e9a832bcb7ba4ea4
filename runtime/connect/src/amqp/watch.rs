//! The thread that looks after what is open, and lives as long as the store.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::Receiver;
use paperflow_core::connector::StoreFault;

use super::{Inner, Order};
use crate::broker::keeper::{self, Kept};
use crate::broker::threads;

/// How often it looks for what others may have done: made room, above all.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn start(inner: &Arc<Inner>, orders: Receiver<Order>) -> Result<(), StoreFault> {
    let store = Arc::downgrade(inner);
    threads::start("amqp-watch", move || keep(&store, &orders))
}

/// Writes what was settled, and looks after everything now and then, until the store is closed.
fn keep(store: &Weak<Inner>, orders: &Receiver<Order>) {
    keeper::keep(store, orders, (LOOK, Duration::ZERO), carry_out, |inner| {
        (inner.look(), LOOK)
    });
}

impl Kept for Inner {
    fn is_cut(&self) -> bool {
        self.line.is_cut()
    }

    fn call_all(&self) {
        self.queues().iter().for_each(|queue| queue.call_all());
        self.streams().iter().for_each(|stream| stream.call_all());
        self.channels().iter().for_each(|one| one.call_writers());
    }
}

fn carry_out(order: &Order) -> Result<(), StoreFault> {
    match order {
        Order::Settled(queue) => queue
            .upgrade()
            .map_or(Ok(()), |queue| queue.write_settled()),
        Order::Reached(stream, team) => match (stream.upgrade(), team.upgrade()) {
            (Some(stream), Some(team)) => team.save(&stream),
            _ => Ok(()),
        },
    }
}

impl Inner {
    /// Writes what could not be written, and lets those look again who wait for room. That the server is away
    /// is seen here, also when nobody asks it for anything.
    fn look(&self) -> Result<(), StoreFault> {
        self.line.link()?;
        for queue in self.queues() {
            queue.write_settled()?;
            queue.local.lock().writers.call();
        }
        for stream in self.streams() {
            stream.look()?;
        }
        for channel in self.channels() {
            channel.call_writers();
        }
        Ok(())
    }
}
