//! A program that feeds a network, reads it and stops it.

mod common;

use std::path::Path;
use std::time::Duration;

use common::catalogue;
use paperflow_core::{Fault, In, Out, Packet, Timer, component};
use paperflow_engine::report::State;
use paperflow_engine::{BuildError, Network, Options, Scheduler, Started, Verdict, describe};
use paperflow_graph::{NoSubnets, Severity, Sources, examine};

fn network(text: &str, options: Options) -> Network {
    let mut sources = Sources::new();
    let file = sources.add(Path::new("test.fbp"), text);
    let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
    let catalogue = catalogue().with(stamp);
    let checked = examine(&parsed.graph, &describe(&catalogue), &mut NoSubnets);
    assert!(
        checked
            .diagnostics
            .iter()
            .all(|found| found.severity != Severity::Error),
        "{:?}",
        checked.diagnostics
    );
    Network::new(checked.plan, &catalogue, &sources, options)
}

const THROUGH: &str = "INPORT=A.IN:IN\nA(t/pass) OUT -> IN B(t/walk) OUT -> IN C(t/pass-on-thread)\nOUTPORT=C.OUT:OUT";

fn options(scheduler: Scheduler, capacity: usize) -> Options {
    Options {
        scheduler,
        capacity,
        ..Options::default()
    }
}

#[test]
fn what_is_fed_comes_out_in_order() {
    for (scheduler, capacity) in common::DRIVERS {
        let mut network = network(THROUGH, options(scheduler, capacity));
        network.input("in").unwrap();
        network.output("OUT").unwrap();
        let Started {
            running,
            mut inputs,
            mut outputs,
        } = network.start().unwrap();
        let input = inputs.remove(0);
        let feeder = std::thread::spawn(move || {
            for number in 0..500_i64 {
                input.send(number).unwrap();
            }
        });
        let numbers: Vec<i64> = outputs
            .remove(0)
            .filter_map(|packet| packet.as_int())
            .collect();
        feeder.join().unwrap();
        let outcome = running.wait();
        assert_eq!(outcome.verdict, Verdict::Finished);
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
        let totals = outcome.statistics.totals;
        assert_eq!((totals.fed, totals.handed_out), (500, 500));
        assert!(totals.is_conserved(), "{totals:?}");
    }
}

#[test]
fn a_network_waits_for_its_program_without_being_called_deadlocked() {
    let mut network = network(THROUGH, options(Scheduler::Pool(1), 2));
    network.input("IN").unwrap();
    network.output("OUT").unwrap();
    let Started {
        running,
        inputs,
        outputs,
    } = network.start().unwrap();
    let mut sent = 0;
    while inputs[0].try_send(Packet::int(sent)).is_ok()
        || !running
            .observer()
            .states()
            .iter()
            .all(|(_, state)| is_blocked(state))
    {
        sent += 1;
        std::thread::yield_now();
    }
    drop(inputs);
    assert_eq!(
        outputs.into_iter().flatten().count() as u64,
        running.wait().statistics.totals.fed
    );
}

/// Sends the virtual second at which each packet comes.
#[component("t/stamp", work = compute)]
async fn stamp(
    /// Anything.
    input: In<Packet>,
    /// Time.
    timer: Timer,
    /// Seconds.
    out: Out<i64>,
) -> Result<(), Fault> {
    let start = timer.now();
    while input.next().await.is_some() {
        let seconds = timer.now().saturating_sub(start).as_secs();
        out.send(i64::try_from(seconds).unwrap_or(i64::MAX)).await?;
    }
    Ok(())
}

#[test]
fn virtual_time_stands_still_while_the_program_has_not_received() {
    let text = "'9' -> COUNT E(t/emit) OUT -> IN S(t/stamp)
                '1000' -> COUNT T(t/ticks) OUT -> IN D(t/discard)
                OUTPORT=S.OUT:OUT";
    for (scheduler, _) in common::DRIVERS {
        let options = Options {
            virtual_time: true,
            ..options(scheduler, 1)
        };
        let mut network = network(text, options);
        network.output("OUT").unwrap();
        let Started {
            running, outputs, ..
        } = network.start().unwrap();
        let observer = running.observer();
        let mut seconds = Vec::new();
        for output in outputs {
            for packet in output {
                seconds.extend(packet.as_int());
                let rest = 9 - seconds.len();
                // Time would have run away before both processes are blocked for good.
                while rest > 3
                    && !observer.states()[..2]
                        .iter()
                        .all(|(_, state)| is_blocked(state))
                {
                    std::thread::yield_now();
                }
            }
        }
        assert_eq!(seconds, [0; 9], "{scheduler:?}");
        let outcome = running.wait();
        assert_eq!(outcome.verdict, Verdict::Finished);
    }
}

fn is_blocked(state: &State) -> bool {
    matches!(state, State::SuspendedSend(_))
}

#[test]
fn stopping_ends_sources_and_drains_the_rest() {
    for scheduler in [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)] {
        for source in ["t/emit", "t/emit-slowly"] {
            let text = format!(
                "'1000000000000' -> COUNT E({source}) OUT -> IN A(t/walk) OUT -> IN D(t/discard)"
            );
            let running = network(&text, options(scheduler, 16))
                .start()
                .unwrap()
                .running;
            let observer = running.observer();
            while observer.received() < 1000 {
                std::thread::yield_now();
            }
            running.control().stop(Duration::from_secs(60));
            let outcome = running.wait();
            assert_eq!(outcome.verdict, Verdict::Finished, "{scheduler:?} {source}");
            assert!(
                outcome.statistics.totals.is_conserved(),
                "{:?}",
                outcome.statistics.totals
            );
        }
    }
}

#[test]
fn a_sleeping_source_is_stopped_in_its_sleep() {
    let running = network("S(t/sit) OUT -> IN D(t/discard)", Options::default())
        .start()
        .unwrap()
        .running;
    running.control().stop(Duration::from_secs(60));
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

#[test]
fn killing_ends_at_once_and_names_what_was_not_done() {
    let text = "'1000000000000' -> COUNT E(t/emit) OUT -> IN D(t/discard)\nS(t/sit) OUT -> IN F(t/discard)";
    for scheduler in [Scheduler::Threads, Scheduler::Pool(2)] {
        let running = network(text, options(scheduler, 4))
            .start()
            .unwrap()
            .running;
        running.control().kill();
        let Verdict::Abandoned(left) = running.wait().verdict else {
            panic!()
        };
        assert!(left.iter().any(|line| line.starts_with("S (")), "{left:?}");
    }
}

#[test]
fn a_dropped_network_stops() {
    let text = "'1000000000000' -> COUNT E(t/emit) OUT -> IN D(t/discard)";
    drop(
        network(text, options(Scheduler::Pool(2), 4))
            .start()
            .unwrap(),
    );
}

#[test]
fn an_unknown_export_is_an_error() {
    let mut network = network(THROUGH, Options::default());
    assert_eq!(
        network.input("NOWHERE"),
        Err(BuildError::UnknownExport("NOWHERE".into()))
    );
}

#[test]
fn an_output_that_is_dropped_stops_its_sender() {
    let mut network = network(
        "'1000000000000' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT",
        options(Scheduler::Auto, 8),
    );
    network.output("OUT").unwrap();
    let mut started = network.start().unwrap();
    let output = started.outputs.remove(0);
    assert_eq!(output.recv(), Some(Packet::int(1)));
    drop(output);
    assert_eq!(started.running.wait().verdict, Verdict::Finished);
}

#[test]
fn a_wait_outside_that_takes_too_long_is_a_fault_with_a_name() {
    let text = "'10ms' -> LIMIT Slow(t/dawdle) OUT -> IN D(t/discard)";
    for scheduler in [Scheduler::Threads, Scheduler::Auto] {
        let running = network(text, options(scheduler, 4))
            .start()
            .unwrap()
            .running;
        let Verdict::Failed(report) = running.wait().verdict else {
            panic!("no fault")
        };
        assert_eq!(report.address, "Slow");
        assert_eq!(report.message, "timed out: outside for more than 10ms");
    }
    let running = network(&text.replace("10ms", "10m"), Options::default())
        .start()
        .unwrap()
        .running;
    assert_eq!(running.wait().verdict, Verdict::Finished);
}

#[test]
fn a_stop_takes_effect_before_anybody_waits() {
    let text = "'1000000000000' -> COUNT E(t/emit) OUT -> IN A(t/pass)\nOUTPORT=A.OUT:OUT";
    let mut stopped = network(text, options(Scheduler::Pool(1), 8));
    stopped.output("OUT").unwrap();
    let Started {
        running, outputs, ..
    } = stopped.start().unwrap();
    running.control().stop(Duration::from_secs(60));
    let read = outputs.into_iter().flatten().count() as u64;
    let outcome = running.wait();
    assert_eq!(outcome.verdict, Verdict::Finished);
    assert_eq!(outcome.statistics.totals.handed_out, read);
}

#[test]
fn code_that_never_comes_back_is_named_when_the_drain_is_over() {
    let text = "'9' -> COUNT E(t/emit) OUT -> IN Frozen(t/freeze)\nS(t/sit) OUT -> IN D(t/discard)";
    let running = network(text, options(Scheduler::Auto, 4))
        .start()
        .unwrap()
        .running;
    let is_kept_waiting = |(address, state): &(String, State)| address == "E" && is_blocked(state);
    while !running.observer().states().iter().any(is_kept_waiting) {
        std::thread::yield_now();
    }
    running.control().stop(Duration::from_millis(20));
    let Verdict::Abandoned(left) = running.wait().verdict else {
        panic!("it ended")
    };
    assert!(left.contains(&"Frozen (active)".to_owned()), "{left:?}");
}
