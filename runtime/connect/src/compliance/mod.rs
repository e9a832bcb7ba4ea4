//! What every store is checked with: what each kind of connector promises, whatever keeps it.
//!
//! Each check is a function that gets a [`Bench`] with an empty store and panics when a promise is not
//! kept. A store's tests call each by its name.
#![allow(clippy::unwrap_used, reason = "a check stops at the first surprise")]

pub mod pubsub;
pub mod queues;
pub mod streams;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::Packet;
use paperflow_core::connector::{
    Connector, Consumer, Declaration, Delivery, Disposition, Failure, Found, Outlook, Settlement,
    Store, StoreFault, Subscription,
};
use paperflow_core::message::{Id, Message};

use crate::streams::{Answer, Request};

/// A store that is checked.
pub trait Bench {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Closes the store, of which nobody has anything any more, and opens it again.
    fn restart(&mut self);

    /// The process dies, as by `kill -9`, and another one opens the store. Whatever was had from it
    /// before is of no use any more.
    fn crash(&mut self);

    /// Lets time go by; whatever the store does at that time has been done when this returns.
    fn advance(&self, by: Duration);

    /// Asks about streams.
    ///
    /// # Errors
    /// What the store says.
    fn ask(&self, request: Request) -> Result<Answer, StoreFault>;
}

fn message(name: &str) -> Message {
    Message::of(Id::of(name), &Packet::text(name)).unwrap()
}

fn messages(range: std::ops::Range<u32>) -> Vec<Message> {
    range.map(|at| message(&at.to_string())).collect()
}

fn consumer(name: &str, group: &str) -> Consumer {
    Consumer {
        name: name.to_owned(),
        group: group.to_owned(),
        waker: Waker::noop().clone(),
    }
}

fn connect(bench: &dyn Bench, declaration: &Declaration) -> Arc<dyn Connector> {
    bench.store().connect(declaration).unwrap()
}

fn take(reader: &Arc<dyn Subscription>, most: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    reader.receive(most, &mut found).unwrap();
    found
}

/// Takes everything there is.
fn take_all(reader: &Arc<dyn Subscription>) -> Vec<Delivery> {
    let mut found = Vec::new();
    while reader.receive(7, &mut found).unwrap() == Found::Some {}
    found
}

/// What may still come when there is nothing.
fn outlook(reader: &Arc<dyn Subscription>) -> Outlook {
    let mut found = Vec::new();
    match reader.receive(1, &mut found).unwrap() {
        Found::Empty(outlook) => outlook,
        Found::Some => panic!("there is {found:?}"),
    }
}

fn body(message: &Message) -> String {
    String::from_utf8(message.body().unwrap()).unwrap()
}

fn bodies(deliveries: &[Delivery]) -> Vec<String> {
    let bodies = deliveries.iter().map(|delivery| body(&delivery.message));
    bodies.collect()
}

fn settle(reader: &Arc<dyn Subscription>, delivery: &Delivery, disposition: Disposition) {
    let failure = Failure {
        message: "no luck".to_owned(),
        process: "P".to_owned(),
        component: "c/p".to_owned(),
        port: Some("IN".to_owned()),
    };
    let settlement = Settlement {
        disposition,
        failure: (disposition != Disposition::Done).then_some(failure),
    };
    reader.settle(delivery.ticket, settlement);
}

fn settle_all(reader: &Arc<dyn Subscription>, deliveries: &[Delivery]) {
    let all = deliveries.iter();
    all.for_each(|delivery| settle(reader, delivery, Disposition::Done));
}
