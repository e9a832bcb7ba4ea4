//! The embedded store by itself, as the engine uses it, and what counts how it is used.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use paperflow::Packet;
use paperflow_bench::Error;
use paperflow_connect::Embedded;
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, Consumer, ContactListener, Declaration, Delivery, Desk,
    Found, Sent, Settlement, Store, StoreFault, Subscription,
};
use paperflow_core::message::{Id, Message};

use crate::lane::Lane;

/// One program thread that sends a batch, receives it and settles it.
pub(crate) struct Direct {
    queue: Arc<dyn Connector>,
    reader: Arc<dyn Subscription>,
    packet: Packet,
    batch: usize,
    last: u64,
    found: Vec<Delivery>,
}

impl Direct {
    pub(crate) fn new(folder: &Path, batch: usize, bytes: usize) -> Result<Self, Error> {
        let store = Embedded::open(folder.join("direct"))?;
        let queue = store.connect(&Declaration::new("q", ConnectorKind::Queue))?;
        let reader = queue.subscribe(Consumer {
            name: "reader".into(),
            group: String::new(),
            waker: Waker::noop().clone(),
        })?;
        Ok(Self {
            queue,
            reader,
            packet: Packet::text("x".repeat(bytes)),
            batch,
            last: 0,
            found: Vec::new(),
        })
    }

    fn messages(&mut self) -> Result<Vec<Message>, Error> {
        let first = self.last + 1;
        self.last += self.batch as u64;
        let place = Id::of("bench");
        let ids = (first..=self.last).map(|at| place.derive(place, at));
        Ok(ids
            .map(|id| Message::of(id, &self.packet))
            .collect::<Result<_, _>>()?)
    }
}

impl Lane for Direct {
    fn name(&self) -> String {
        "store".into()
    }

    fn burst(&mut self, packets: usize) -> Result<Duration, Error> {
        let begun = Instant::now();
        for _ in 0..packets / self.batch {
            let messages = self.messages()?;
            self.queue.send(&messages)?;
            let mut left = self.batch;
            while left > 0 {
                self.reader.receive(left, &mut self.found)?;
                left -= self.found.len();
                for delivery in self.found.drain(..) {
                    self.reader.settle(delivery.ticket, Settlement::default());
                }
            }
        }
        self.reader.flush()?;
        Ok(begun.elapsed())
    }

    fn batches(&self) -> (f64, f64) {
        (self.batch as f64, self.batch as f64)
    }
}

/// How a store was used.
#[derive(Default)]
pub(crate) struct Counts {
    sends: AtomicU64,
    sent: AtomicU64,
    receives: AtomicU64,
    received: AtomicU64,
}

impl Counts {
    /// Messages of a send, and of a receive that found some.
    pub(crate) fn batches(&self) -> (f64, f64) {
        let mean = |all: &AtomicU64, times: &AtomicU64| {
            all.load(Ordering::Relaxed) as f64 / times.load(Ordering::Relaxed).max(1) as f64
        };
        (
            mean(&self.sent, &self.sends),
            mean(&self.received, &self.receives),
        )
    }
}

/// A store that counts how it is used.
pub(crate) struct Counted {
    pub(crate) store: Embedded,
    pub(crate) counts: Arc<Counts>,
}

impl Store for Counted {
    fn name(&self) -> &str {
        self.store.name()
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        self.store.capabilities(kind)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        Ok(Arc::new(CountedConnector {
            connector: self.store.connect(declaration)?,
            counts: Arc::clone(&self.counts),
        }))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        self.store.desk(process)
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.store.epoch(graph)
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        self.store.finish(graph, epoch)
    }

    fn on_contact(&self, listener: ContactListener) {
        self.store.on_contact(listener);
    }

    fn close(&self) {
        self.store.close();
    }
}

struct CountedConnector {
    connector: Arc<dyn Connector>,
    counts: Arc<Counts>,
}

impl Connector for CountedConnector {
    fn send(&self, messages: &[Message]) -> Result<Sent, StoreFault> {
        self.counts.sends.fetch_add(1, Ordering::Relaxed);
        let count = messages.len() as u64;
        self.counts.sent.fetch_add(count, Ordering::Relaxed);
        self.connector.send(messages)
    }

    fn room(&self, waker: &Waker) -> Result<usize, StoreFault> {
        self.connector.room(waker)
    }

    fn subscribe(&self, consumer: Consumer) -> Result<Arc<dyn Subscription>, StoreFault> {
        Ok(Arc::new(CountedSubscription {
            subscription: self.connector.subscribe(consumer)?,
            counts: Arc::clone(&self.counts),
        }))
    }
}

struct CountedSubscription {
    subscription: Arc<dyn Subscription>,
    counts: Arc<Counts>,
}

impl Subscription for CountedSubscription {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        let before = into.len();
        let found = self.subscription.receive(most, into)?;
        if found == Found::Some {
            self.counts.receives.fetch_add(1, Ordering::Relaxed);
            let count = (into.len() - before) as u64;
            self.counts.received.fetch_add(count, Ordering::Relaxed);
        }
        Ok(found)
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.subscription.settle(ticket, settlement);
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        self.subscription.requeue(ticket, rest)
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.subscription.flush()
    }

    fn stop(&self) {
        self.subscription.stop();
    }

    fn close(&self) {
        self.subscription.close();
    }
}
