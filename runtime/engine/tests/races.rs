//! Narrow moments, met again and again: handles of the program against a network that goes quiet.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{DRIVERS, catalogue};
use paperflow_engine::report::State;
use paperflow_engine::{Network, Options, Outcome, Running, Scheduler, Started, Verdict, describe};
use paperflow_graph::{NoSubnets, Sources, examine};

/// How long something may take that takes no time unless it hangs.
const LONG: Duration = Duration::from_secs(20);

fn network(text: &str, scheduler: Scheduler, capacity: usize) -> Network {
    let mut sources = Sources::new();
    let file = sources.add(Path::new("test.fbp"), text);
    let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
    let catalogue = catalogue();
    let checked = examine(&parsed.graph, &describe(&catalogue), &mut NoSubnets);
    let options = Options {
        scheduler,
        capacity,
        ..Options::default()
    };
    Network::new(checked.plan, &catalogue, &sources, options)
}

/// Waits for the end; a run that hangs is killed.
fn end(running: Running) -> Outcome {
    let control = running.control();
    let (done, ended) = crossbeam_channel::bounded::<()>(1);
    let guard = std::thread::spawn(move || {
        if ended.recv_timeout(LONG) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
            control.kill();
        }
    });
    let outcome = running.wait();
    drop(done);
    guard.join().unwrap();
    let totals = outcome.statistics.totals;
    assert!(totals.is_conserved(), "{totals:?}");
    outcome
}

#[test]
fn a_loop_ends_whenever_its_feeding_ends() {
    let text = "INPORT=J.IN[0]:IN
                J(t/join) OUT -> IN W(t/walk) OUT -> IN F(t/fail-on:fault=park) OUT -> IN[1] J
                '7' -> NUMBER F";
    for round in 0..20 {
        for (scheduler, capacity) in DRIVERS {
            let mut network = network(text, scheduler, capacity);
            network.input("IN").unwrap();
            let Started {
                running,
                mut inputs,
                ..
            } = network.start().unwrap();
            let input = inputs.remove(0);
            for _ in 0..round {
                input.send(7_i64).unwrap();
            }
            let observer = running.observer();
            while observer.received() < round {
                std::thread::yield_now();
            }
            drop(input);
            let verdict = end(running).verdict;
            assert_eq!(verdict, Verdict::Finished, "{scheduler:?} {capacity}");
        }
    }
}

#[test]
fn threads_may_share_a_handle() {
    let text = "INPORT=A.IN:IN\nA(t/pass) OUT -> IN B(t/pass-on-thread)\nOUTPORT=B.OUT:OUT";
    for (scheduler, capacity) in DRIVERS {
        let mut network = network(text, scheduler, capacity);
        network.input("IN").unwrap();
        network.output("OUT").unwrap();
        let Started {
            running,
            mut inputs,
            mut outputs,
        } = network.start().unwrap();
        let (input, output) = (Arc::new(inputs.remove(0)), Arc::new(outputs.remove(0)));
        let feeders = (0..3).map(|_| {
            let input = Arc::clone(&input);
            std::thread::spawn(move || (0..200_i64).for_each(|number| input.send(number).unwrap()))
        });
        let feeders: Vec<_> = feeders.collect();
        let readers = (0..2).map(|_| {
            let output = Arc::clone(&output);
            std::thread::spawn(move || std::iter::from_fn(|| output.recv()).count())
        });
        let readers: Vec<_> = readers.collect();
        feeders
            .into_iter()
            .for_each(|feeder| feeder.join().unwrap());
        drop(input);
        assert_eq!(end(running).verdict, Verdict::Finished);
        let read = readers.into_iter().map(|reader| reader.join().unwrap());
        assert_eq!(read.sum::<usize>(), 600, "{scheduler:?} {capacity}");
    }
}

#[test]
fn who_feeds_itself_starves_nobody() {
    let text = "'1' -> COUNT K(t/emit) OUT -> IN[0] J(t/join) OUT -> IN[1] J
                '100000' -> COUNT E(t/emit) OUT -> IN D(t/discard)";
    let started = network(text, Scheduler::Pool(1), 4).start().unwrap();
    let observer = started.running.observer();
    let is_over = || observer.states()[3].1 == State::Terminated;
    let begun = Instant::now();
    while !is_over() && begun.elapsed() < LONG {
        std::thread::yield_now();
    }
    assert!(is_over(), "{:?}", observer.states());
    started.running.control().kill();
    drop(started.running.wait());
}

#[test]
fn what_was_sent_before_the_end_is_received() {
    let text = "'3' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT";
    for _ in 0..300 {
        let mut network = network(text, Scheduler::Pool(1), 1000);
        network.output("OUT").unwrap();
        let Started {
            running,
            mut outputs,
            ..
        } = network.start().unwrap();
        let output = outputs.remove(0);
        let reader = std::thread::spawn(move || output.count());
        assert_eq!(end(running).verdict, Verdict::Finished);
        assert_eq!(reader.join().unwrap(), 3);
    }
}
