//! What every store is checked with: what each kind of connector promises, whatever keeps it.
//!
//! Each case is a function that gets a [`Bench`] with an empty store and panics when a promise is not kept.
//! [`check`] runs all of a list. A case that cannot apply to a store is left out by its name, with the
//! reason; one that is left out without a reason, or is not there, is wrong.
#![allow(clippy::unwrap_used, reason = "a check stops at the first surprise")]

pub mod pubsub;
pub mod queues;
pub mod record;
pub mod streams;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::Packet;
use paperflow_core::connector::{
    Connector, ConnectorKind, Consumer, Declaration, Delivery, Disposition, Failure, Found,
    Outlook, Settlement, Store, StoreFault, Subscription,
};
use paperflow_core::message::{Id, Message};

use crate::streams::{Answer, Request};
use record::LEFT_OUT;

/// A store that is checked.
///
/// A bench tells the store the time, or really waits. One that waits makes what is declared shorter
/// ([`tuned`](Self::tuned)), and as much shorter what it is asked to wait.
pub trait Bench {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// A declaration in the time of this bench: leases, rests and ages as short as is good here.
    fn tuned(&self, declaration: &Declaration) -> Declaration {
        declaration.clone()
    }

    /// Where messages are set aside under this name.
    fn aside(&self, name: &str) -> Declaration {
        Declaration::new(name, ConnectorKind::Queue)
    }

    /// A connector of the store.
    ///
    /// # Errors
    /// What the store says.
    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        self.store().connect(&self.tuned(declaration))
    }

    /// The longest time, of one that is to go by, of which it is certain that it is less.
    fn nearly(&self, all: Duration) -> Duration {
        all.saturating_sub(Duration::from_millis(1))
    }

    /// Whether so much time has gone by for the store where so much was to go by.
    fn has_gone(&self, gone: Duration, wanted: Duration) -> bool {
        gone == wanted
    }

    /// Whether something that was done has come about; a bench that waits waits for it.
    fn soon(&self, is_so: &dyn Fn() -> bool) -> bool {
        is_so()
    }

    /// Closes the store, of which nobody has anything any more, and opens it again.
    fn restart(&mut self);

    /// The process dies, as by `kill -9`, and another one opens the store, once it is known that it has
    /// died. Whatever was had from it before is of no use any more.
    fn crash(&mut self);

    /// Lets time go by; whatever the store does at that time has been done when this returns.
    fn advance(&self, by: Duration);

    /// What has been set aside in this queue, in order; it is taken out.
    fn set_aside(&self, queue: &str) -> Vec<String> {
        let queue = connect(self, &Declaration::new(queue, ConnectorKind::Queue));
        let found = take_all(&queue.subscribe(consumer("aside", "")).unwrap());
        bodies(&found)
    }

    /// Asks about streams.
    ///
    /// # Errors
    /// What the store says.
    fn ask(&self, request: Request) -> Result<Answer, StoreFault>;
}

/// A case: what it shows, and how.
pub type Case = (&'static str, fn(&mut dyn Bench));

/// Runs cases, each on a bench of its own, but for those that are left out with a reason; gives a line for
/// each.
///
/// # Panics
/// Cases do not hold, or something is left out that there is not, or for no reason; it says which.
pub fn check(
    cases: &[Case],
    left_out: &[(&str, &str)],
    mut make: impl FnMut() -> Box<dyn Bench>,
) -> Vec<String> {
    let is_known = |name: &str| cases.iter().any(|(own, _)| *own == name);
    let strange = left_out.iter();
    let strange = strange.filter(|(name, reason)| !is_known(name) || reason.is_empty());
    let mut wrong: Vec<&str> = strange.map(|(name, _)| *name).collect();
    let mut lines = Vec::new();
    for (name, case) in cases {
        if let Some((_, reason)) = left_out.iter().find(|(other, _)| other == name) {
            lines.push(format!("{LEFT_OUT}{name}: {reason}"));
            continue;
        }
        let mut bench = make();
        if catch_unwind(AssertUnwindSafe(|| case(&mut *bench))).is_err() {
            wrong.push(name);
        }
        lines.push(format!("holds     {name}"));
    }
    assert!(wrong.is_empty(), "these do not hold: {wrong:#?}");
    lines
}

fn message(name: &str) -> Message {
    Message::of(Id::of(name), &Packet::text(name)).unwrap()
}

fn messages(range: std::ops::Range<u32>) -> Vec<Message> {
    range.map(|at| message(&at.to_string())).collect()
}

/// A name of which no server is fond.
const ODD_NAME: &str = "a-b.C/d e.IN[0] *>:ü";

/// Messages of which no server is fond: without a payload, or with bytes and headers of every kind.
fn odd_messages() -> Vec<Message> {
    let packets = [
        Packet::text(""),
        Packet::bytes(Vec::new()),
        Packet::null(),
        Packet::text("-0"),
        Packet::text(" two\r\nlines, \u{0} and \u{1F4E8}\n"),
        Packet::bytes((0..=u8::MAX).collect::<Vec<_>>()),
        Packet::text("x")
            .with_header("a", "")
            .with_header("b", " \"%\u{e9}: \u{1F4E8}"),
    ];
    let numbered = packets.iter().enumerate();
    let messages = numbered.map(|(at, packet)| Message::of(Id::of(&at.to_string()), packet));
    messages.collect::<Result<_, _>>().unwrap()
}

/// Whatever a packet holds comes as it went.
fn oddities_pass(connector: &Arc<dyn Connector>, reader: &Arc<dyn Subscription>) {
    connector.send(&odd_messages()).unwrap();
    let found = take_all(reader);
    settle_all(reader, &found);
    let found: Vec<_> = found.into_iter().map(|delivery| delivery.message).collect();
    assert_eq!(found, odd_messages());
}

fn consumer(name: &str, group: &str) -> Consumer {
    Consumer {
        name: name.to_owned(),
        group: group.to_owned(),
        waker: Waker::noop().clone(),
    }
}

fn connect<B: Bench + ?Sized>(bench: &B, declaration: &Declaration) -> Arc<dyn Connector> {
    bench.connect(declaration).unwrap()
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
    String::from_utf8(message.body().unwrap().into_owned()).unwrap()
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
