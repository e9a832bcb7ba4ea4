//! Examples that are cut off and gone on with, as a store goes on with them after a crash.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use paperflow_core::connector::{
    Delivery, Disposition, Found, Outlook, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use paperflow_core::settle::{Token, Trail};
use paperflow_core::{Component, Example, Packet};
use paperflow_graph::Sources;
use paperflow_graph::plan;
use parking_lot::Mutex;

use super::examples::{complaint, every_way, is_whole, of_example, units, word};
use super::{Bench, Difference, Mismatch, Rig, end};
use crate::build::{BuildError, Network, Started};
use crate::options::{Options, Scheduler};

/// Runs an example every way and cuts it off wherever something has become of its packets: what has come
/// out by then is safe, the packets that were let go of are done, and the others come again to the component,
/// which begins anew. Gives how all that has come out by the end differs from what comes out of a run that is
/// not cut off.
///
/// A component that keeps something in a table is not tried: a store would keep it.
#[must_use]
pub fn try_crashes(component: &Arc<dyn Component>, example: &Example) -> Vec<Mismatch> {
    if !component.spec().tables.is_empty() || example.feeds.is_empty() {
        return Vec::new();
    }
    let ports: Vec<&str> = example.expects.iter().map(|(port, _)| &**port).collect();
    let rigs = TIMES.map(|times| of_example(component, example, times));
    every_way(|way| {
        let mut found = Vec::new();
        for rig in &rigs {
            found.extend(cut_off(rig, &ports, way)?);
        }
        found.dedup();
        Ok(found)
    })
}

/// Cuts a run off wherever that may make a difference, and gives the first that it makes.
fn cut_off(
    rig: &Rig,
    ports: &[&str],
    way: (Scheduler, usize),
) -> Result<Vec<Difference>, Difference> {
    let run = |done: &BTreeSet<u64>| {
        let ran = run(rig, ports, done, way);
        ran.map_err(|error| Difference::End(error.to_string()))
    };
    let whole = run(&BTreeSet::new())?;
    if let Some(complaint) = whole.complaint {
        return Err(Difference::End(complaint));
    }
    for at in cuts(&whole.events) {
        let (before, _) = whole.events.split_at(at);
        let done: BTreeSet<u64> = before.iter().filter_map(Event::done).collect();
        let second = run(&done)?;
        let found = differences(ports, &whole.events, before, &second.events, done.len());
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Each packet and each group comes so often, since most examples are short.
const TIMES: [usize; 2] = [1, 3];

/// What happens in a run, seen from a store.
enum Event {
    /// A packet, or a whole group, has left by a port and is safe.
    Out {
        port: usize,
        id: Option<Id>,
        words: String,
    },
    /// A delivery is done.
    Done(u64),
}

impl Event {
    const fn done(&self) -> Option<u64> {
        match self {
            Self::Done(ticket) => Some(*ticket),
            Self::Out { .. } => None,
        }
    }
}

/// Where something was let go of last before something else came out, or the end.
fn cuts(events: &[Event]) -> Vec<usize> {
    let is_done = |at: usize| events.get(at).is_some_and(|event| event.done().is_some());
    (1..=events.len())
        .filter(|at| is_done(at - 1) && !is_done(*at))
        .collect()
}

/// How what has come out before it was cut off and after it differs from what comes out of a whole run. That
/// something comes twice is no difference.
fn differences(
    ports: &[&str],
    whole: &[Event],
    before: &[Event],
    after: &[Event],
    done: usize,
) -> Vec<Difference> {
    let differs = |(at, port): (usize, &&str)| {
        let safe: Vec<_> = out(before, at).collect();
        let is_known = |id: Option<Id>| id.is_some() && safe.iter().any(|(safe, _)| *safe == id);
        let after = out(after, at).filter(|(id, _)| !is_known(*id));
        let mut come: Vec<_> = safe
            .iter()
            .copied()
            .chain(after)
            .map(|(_, words)| words)
            .collect();
        let mut lost = Vec::new();
        for (_, words) in out(whole, at) {
            match come.iter().position(|other| *other == words) {
                Some(same) => drop(come.swap_remove(same)),
                None => lost.push(words.to_owned()),
            }
        }
        let is_strange = |words: &&str| out(whole, at).all(|(_, whole)| whole != *words);
        let strange: Vec<_> = come
            .into_iter()
            .filter(is_strange)
            .map(str::to_owned)
            .collect();
        (!lost.is_empty() || !strange.is_empty()).then(|| Difference::OutputCut {
            port: (*port).to_owned(),
            lost,
            strange,
            done,
        })
    };
    ports.iter().enumerate().filter_map(differs).collect()
}

/// What has left by a port.
fn out(events: &[Event], of: usize) -> impl Iterator<Item = (Option<Id>, &str)> {
    events.iter().filter_map(move |event| match event {
        Event::Out { port, id, words } if *port == of => Some((*id, &**words)),
        _ => None,
    })
}

/// What has happened in a run, and what is wrong with its end.
struct Ran {
    events: Vec<Event>,
    complaint: Option<String>,
}

/// Runs it with those packets that are not done yet.
fn run(
    rig: &Rig,
    ports: &[&str],
    done: &BTreeSet<u64>,
    (scheduler, capacity): (Scheduler, usize),
) -> Result<Ran, BuildError> {
    let book = Arc::new(Book::default());
    let mut rig = rig.clone();
    let mut ticket = 0;
    for (_, packets) in &mut rig.feeds {
        *packets = book.deliver(packets, &mut ticket, done);
    }
    let mut bench = Bench::new(&rig, None);
    for port in ports {
        bench.plan.outports.push(plan::Export {
            public: (*port).to_owned(),
            end: end(port),
            ..plan::Export::default()
        });
    }
    let options = Options {
        scheduler,
        capacity,
        virtual_time: true,
        ..Options::default()
    };
    let mut network = Network::new(bench.plan, &bench.catalogue, &Sources::new(), options);
    network.identify(Id::of("rig"));
    for port in ports {
        network.output(port)?;
    }
    // Nobody but the network holds them now.
    rig.feeds.clear();
    drop(bench.catalogue);
    let Started {
        running, outputs, ..
    } = network.start()?;
    let outcome = thread::scope(|scope| {
        for (port, output) in outputs.into_iter().enumerate() {
            let book = &book;
            scope.spawn(move || {
                let mut unit = Vec::new();
                for packet in output {
                    unit.push(packet);
                    if is_whole(&unit) {
                        book.receive(port, std::mem::take(&mut unit));
                    }
                }
                if !unit.is_empty() {
                    book.receive(port, unit);
                }
            });
        }
        running.wait()
    });
    let events = std::mem::take(&mut *book.0.lock());
    Ok(Ran {
        events,
        complaint: complaint(&outcome),
    })
}

/// Gives deliveries, and writes down what becomes of them.
#[derive(Default)]
struct Book(Mutex<Vec<Event>>);

impl Book {
    /// Packets as deliveries, a group as one; those that are done are left out.
    fn deliver(
        self: &Arc<Self>,
        packets: &[Packet],
        ticket: &mut u64,
        done: &BTreeSet<u64>,
    ) -> Vec<Packet> {
        let mut delivered = Vec::new();
        for unit in units(packets) {
            *ticket += 1;
            if done.contains(ticket) {
                continue;
            }
            let book = Arc::clone(self) as Arc<dyn Subscription>;
            let token = Token::new(book, *ticket);
            let id = Id::of(&ticket.to_string());
            for (at, packet) in (0..).zip(unit) {
                delivered.push(packet.clone().with_trail(Trail {
                    id: Some(id.derive(id, at)),
                    tokens: token.clone().into(),
                }));
            }
        }
        delivered
    }

    /// A packet or a group has come out, and is safe.
    fn receive(&self, port: usize, unit: Vec<Packet>) {
        let words: Vec<String> = unit.iter().map(word).collect();
        let id = unit
            .first()
            .and_then(Packet::trail)
            .and_then(|trail| trail.id);
        self.0.lock().push(Event::Out {
            port,
            id,
            words: words.join(" "),
        });
    }
}

impl Subscription for Book {
    fn receive(&self, _: usize, _: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        Ok(Found::Empty(Outlook::default()))
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        if settlement.disposition == Disposition::Done {
            self.0.lock().push(Event::Done(ticket));
        }
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn close(&self) {}
}
