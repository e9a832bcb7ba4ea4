//! What queues promise, and desks.

mod desk;
mod failing;
mod leases;
mod room;
mod tasks;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use paperflow_core::Packet;
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Disposition, Failure, Found,
    Outlook, Settlement, Subscription,
};
use paperflow_core::message::{Id, Message};

use crate::compliance::{Bench, Case};

/// All cases, each for a bench of its own.
#[must_use]
pub fn cases() -> Vec<Case> {
    let parts = [
        tasks::CASES,
        leases::CASES,
        failing::CASES,
        room::CASES,
        desk::CASES,
    ];
    parts.concat()
}

// ---- what the cases are written with ----

fn text(body: &str) -> Message {
    Message::of(Id::of(body), &Packet::text(body)).unwrap()
}

fn texts(bodies: &[&str]) -> Vec<Message> {
    bodies.iter().map(|body| text(body)).collect()
}

/// A queue whose messages rest one second after the first failure.
fn declared(name: &str, retries: u32) -> Declaration {
    let mut declaration = Declaration::new(name, ConnectorKind::Queue);
    declaration.retries = retries;
    declaration.delay.jitter = 0.0;
    declaration
}

fn queue(bench: &dyn Bench, name: &str, retries: u32) -> Arc<dyn Connector> {
    bench.connect(&declared(name, retries)).unwrap()
}

/// Counts how often it is called.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Calls {
    fn new() -> (Arc<Self>, Waker) {
        let calls = Arc::new(Self::default());
        (Arc::clone(&calls), Waker::from(calls))
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A consumer, and what it has received.
struct Worker {
    subscription: Arc<dyn Subscription>,
    calls: Arc<Calls>,
    held: Vec<Delivery>,
}

impl Worker {
    fn of(connector: &Arc<dyn Connector>, name: &str) -> Self {
        let (calls, waker) = Calls::new();
        let subscription = connector.subscribe(Consumer {
            name: name.to_owned(),
            group: String::new(),
            waker,
        });
        Self {
            subscription: subscription.unwrap(),
            calls,
            held: Vec::new(),
        }
    }

    /// What it receives now, with the number of the delivery: `body:1`.
    fn receive(&mut self, most: usize) -> Vec<String> {
        let first = self.held.len();
        self.subscription.receive(most, &mut self.held).unwrap();
        let found = self.held[first..].iter();
        found
            .map(|delivery| format!("{}:{}", body(&delivery.message), delivery.attempt))
            .collect()
    }

    /// Everything there is now.
    fn receive_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let some = self.receive(7);
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    fn outlook(&mut self) -> Outlook {
        match self.subscription.receive(1, &mut self.held).unwrap() {
            Found::Empty(outlook) => outlook,
            Found::Some => panic!("there was a message: {:?}", self.held.last()),
        }
    }

    /// Settles what it holds under this body.
    fn settle(&mut self, body_of: &str, disposition: Disposition) {
        let at = self
            .held
            .iter()
            .position(|delivery| body(&delivery.message) == body_of);
        let delivery = self.held.remove(at.unwrap());
        let failure = (disposition > Disposition::Release).then(failure);
        let settlement = Settlement {
            disposition,
            failure,
        };
        self.subscription.settle(delivery.ticket, settlement);
    }

    fn settle_all(&mut self, disposition: Disposition) {
        while let Some(delivery) = self.held.first() {
            let body = body(&delivery.message);
            self.settle(&body, disposition);
        }
    }

    fn flush(&self) {
        self.subscription.flush().unwrap();
    }
}

fn failure() -> Failure {
    Failure {
        message: "no luck".to_owned(),
        process: "Pay".to_owned(),
        component: "shop/pay".to_owned(),
        port: Some("IN".to_owned()),
    }
}

fn body(message: &Message) -> String {
    String::from_utf8_lossy(&message.body().unwrap()).into_owned()
}
