//! Components run every way.
#![allow(dead_code, reason = "each test file uses a part of it")]

use paperflow_core::Packet;
use paperflow_engine::rig::Rig;
use paperflow_engine::{Scheduler, Verdict};

/// Schedulers and capacities that everything is run with.
const DRIVERS: [(Scheduler, usize); 5] = [
    (Scheduler::Threads, 1),
    (Scheduler::Threads, 64),
    (Scheduler::Pool(1), 1),
    (Scheduler::Pool(1), 64),
    (Scheduler::Pool(2), 2),
];

/// A component of the catalogue on the bench.
pub(crate) fn rig(name: &str) -> Rig {
    let catalogue = paperflow_messaging::catalogue();
    Rig::of_shared(catalogue.get(name).expect("it is there").clone())
}

/// Records, written as JSON in an array.
pub(crate) fn records(json: serde_json::Value) -> Vec<Packet> {
    let records = json.as_array().expect("records are written in an array");
    records.iter().cloned().map(Packet::json).collect()
}

/// Runs a component every way and compares what comes out of all these ports in the same run.
pub(crate) fn check(rig: &Rig, expected: &[(&str, Vec<Packet>)]) {
    let ports: Vec<&str> = expected.iter().map(|(port, _)| *port).collect();
    for (scheduler, capacity) in DRIVERS {
        let ran = rig.run(&ports, scheduler, capacity);
        let way = format!("{scheduler:?} at capacity {capacity}");
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        for (port, packets) in expected {
            assert_eq!(ran.output(port), packets, "{port} with {way}");
            let reasons = |packets: &[Packet]| packets.iter().map(reason).collect::<Vec<_>>();
            assert_eq!(
                reasons(ran.output(port)),
                reasons(packets),
                "{port} with {way}"
            );
        }
        assert!(ran.outcome.is_success(), "{way}: {:?}", ran.outcome);
        let totals = ran.outcome.statistics.totals;
        assert!(totals.is_conserved(), "{way}: {totals:?}");
    }
}

fn reason(packet: &Packet) -> Option<String> {
    let error = packet.headers().and_then(|headers| headers.get("error"));
    error.map(str::to_owned)
}

/// The fault of a component of which only these ports are connected.
pub(crate) fn fault(rig: &Rig, ports: &[&str]) -> String {
    let (scheduler, capacity) = DRIVERS[0];
    match rig.run(ports, scheduler, capacity).outcome.verdict {
        Verdict::Failed(fault) => fault.message,
        other => panic!("expected a fault, got {other:?}"),
    }
}
