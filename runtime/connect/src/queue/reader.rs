//! A consumer of a queue.

use std::sync::Arc;

use paperflow_core::connector::{
    Consumer, Delivery, Found, Outlook, Settlement, StoreFault, Subscription,
};

use crate::queue::Queue;
use crate::queue::live::Listener;
use crate::queue::receive::take;
use crate::queue::settle::settle;
use crate::writer::{Keeper, Safe, Tx};

/// See [`Subscription`].
pub(crate) struct Reader {
    queue: Arc<Queue>,
    keeper: Arc<Keeper>,
    number: u64,
}

impl Reader {
    pub(crate) fn new(queue: Arc<Queue>, keeper: Arc<Keeper>, consumer: Consumer) -> Self {
        let mut live = queue.live.lock();
        let number = live.number();
        let listener = Listener {
            name: consumer.name.into(),
            waker: consumer.waker,
            is_waiting: false,
            leased: 0,
        };
        live.listeners.insert(number, listener);
        drop(live);
        Self {
            queue,
            keeper,
            number,
        }
    }

    /// What it may wait for, if there is nothing to take.
    fn look(&self) -> Option<Outlook> {
        let mut live = self.queue.live.lock();
        let now = self.queue.clock.elapsed();
        live.expire(now);
        live.rise(now);
        let has_ready = live.has_ready();
        match live.listeners.get_mut(&self.number) {
            None => return Some(Outlook::default()),
            Some(listener) => listener.is_waiting = !has_ready,
        }
        (!has_ready).then(|| live.outlook(self.number, &*self.queue.clock))
    }
}

impl Subscription for Reader {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        loop {
            if let Some(outlook) = self.look() {
                return Ok(Found::Empty(outlook));
            }
            let (queue, number) = (Arc::clone(&self.queue), self.number);
            let job = move |tx: &mut Tx<'_>| take(&queue, tx, number, most.max(1));
            let deliveries = self.keeper.orders.call(Safe::FromCrash, job)?;
            if !deliveries.is_empty() {
                into.extend(deliveries);
                return Ok(Found::Some);
            }
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        settle(&self.queue, self.number, ticket, settlement);
    }

    fn flush(&self) -> Result<(), StoreFault> {
        let queue = Arc::clone(&self.queue);
        let job = move |tx: &mut Tx<'_>| queue.write_changes(tx);
        self.keeper.orders.call(Safe::FromPowerCut, job)
    }

    fn close(&self) {
        let mut live = self.queue.live.lock();
        if live.listeners.remove(&self.number).is_some() {
            live.give_back(Some(self.number));
            live.call_listeners();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
