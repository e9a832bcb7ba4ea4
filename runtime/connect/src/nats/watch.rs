//! Who looks after a store: a thread that writes what was settled and gives signs of life, and a task that
//! hears the bell.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use futures_util::StreamExt;
use paperflow_core::connector::StoreFault;

use super::line::Wire;
use super::{Inner, Order};
use crate::broker::keeper::{self, Kept};
use crate::broker::threads;

/// How often it is looked whether others have written here by themselves.
const LOOK: Duration = Duration::from_millis(250);

/// Starts the thread.
pub(super) fn start(inner: &Arc<Inner>, orders: Receiver<Order>) -> Result<(), StoreFault> {
    let own = Arc::downgrade(inner);
    threads::start("nats-keeper", move || keep(&own, &orders))
}

/// Writes what was settled, and looks after everything now and then, until the store is closed.
fn keep(store: &Weak<Inner>, orders: &Receiver<Order>) {
    let (mut live, mut heard) = (Instant::now(), 0);
    let carry_out = |order: &Order| carry_out(store, order);
    keeper::keep(
        store,
        orders,
        (Duration::ZERO, keeper::PAUSE),
        carry_out,
        |inner| {
            let is_due = Instant::now() >= live;
            let looked = match is_due {
                true => inner.docs.live().and_then(|()| inner.look()),
                false => inner.look(),
            };
            if looked.is_ok() && is_due {
                live = Instant::now() + inner.docs.lease() / 4;
            }
            let is_new = inner.line.current().filter(|wire| wire.number != heard);
            if let Some(wire) = is_new {
                heard = wire.number;
                inner.line.runtime.spawn(listen(Weak::clone(store), wire));
            }
            (looked, inner.rhythm(LOOK))
        },
    );
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
    let Some(inner) = store.upgrade() else {
        return Ok(());
    };
    match order {
        Order::Settled(queue, round) => queue
            .upgrade()
            .map_or(Ok(()), |queue| queue.write_settled_of(&inner, *round)),
        Order::Reported(stream) => stream
            .upgrade()
            .map_or(Ok(()), |stream| stream.report(&inner)),
    }
}

/// Hears what others do, as long as this connection lasts. It calls whoever waits, and waits for nobody.
async fn listen(store: Weak<Inner>, wire: Wire) {
    let Some(bell) = store.upgrade().map(|inner| inner.line.names.bell()) else {
        return;
    };
    let Ok(mut heard) = wire.client.subscribe(bell).await else {
        return;
    };
    drop(wire);
    // What was missed meanwhile.
    if let Some(inner) = store.upgrade() {
        inner.call_all();
    }
    while let Some(message) = heard.next().await {
        let Some(inner) = store.upgrade() else {
            return;
        };
        inner.hear(&String::from_utf8_lossy(&message.payload));
    }
}
