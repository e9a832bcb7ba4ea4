//! A source, an arc that a broker keeps, a sink.

use std::fs;
use std::time::Duration;

use paperflow::{Input, Network, Options, Running, Verdict, describe, load, open_wired_stores};
use paperflow_bench::components::catalogue;
use paperflow_bench::shape::Flow;
use paperflow_bench::{Error, stopwatch};

use crate::{Lane, brokers};

/// A network that runs and waits to be told how many packets to send.
pub(crate) struct Net {
    running: Running,
    inputs: Vec<Input>,
    packets: u64,
}

impl Net {
    /// The memory link before the arc holds a batch: no more is written at a time.
    pub(crate) fn new(url: &str, kind: &str, batch: usize, bytes: usize) -> Result<Self, Error> {
        let folder = tempfile::tempdir()?;
        let graph = folder.path().join("broker.fbp");
        let text = format!(
            "INPORT=G.GO:GO\n'{bytes}' -> SIZE G(bench/text-source) OUT ->({kind}, via=broker) \
             IN S(bench/text-sink)\n"
        );
        fs::write(&graph, text)?;
        let url = brokers::corner(url, &format!("bench-{batch}"));
        let wiring = format!("[store.broker]\nurl = \"{url}\"\n");
        fs::write(folder.path().join("paperflow.toml"), wiring)?;
        let catalogue = catalogue();
        let loaded = load(&graph, &describe(&catalogue))?;
        if loaded.has_errors() {
            return Err(loaded.report().into());
        }
        let data = folder.path().join("data");
        let stores = open_wired_stores(&loaded.plan, &loaded.wiring, &data, |_| None)?;
        let options = Options {
            capacity: batch,
            ..Options::default()
        };
        let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
        network.keep(stores);
        network.input("GO")?;
        let started = network.start()?;
        Ok(Self {
            running: started.running,
            inputs: started.inputs,
            packets: 0,
        })
    }
}

impl Lane for Net {
    fn burst(&mut self, packets: usize) -> Result<Duration, Error> {
        stopwatch::arm(Flow {
            hops: 2.0,
            numbers: 1,
            lasts: 1,
        });
        for input in &self.inputs {
            input.send(i64::try_from(packets)?)?;
        }
        self.packets += packets as u64;
        Ok(stopwatch::wait()?.wall)
    }

    fn end(self: Box<Self>) -> Result<(), Error> {
        drop(self.inputs);
        let outcome = self.running.wait();
        let totals = outcome.statistics.totals;
        // What is sent arrives twice: at the store, and at the sink.
        let received = totals.received.saturating_sub(totals.fed);
        if outcome.verdict != Verdict::Finished || received < 2 * self.packets {
            return Err(format!("it ended so: {:?}, {totals:?}", outcome.verdict).into());
        }
        Ok(())
    }
}
