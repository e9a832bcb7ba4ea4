//! A whole network: a source, a durable arc, a sink.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paperflow::{
    Input, Network, Options, Running, Scheduler, Stores, Verdict, describe, load_text,
};
use paperflow_bench::components::catalogue;
use paperflow_bench::shape::Flow;
use paperflow_bench::{Error, stopwatch};
use paperflow_connect::Embedded;

use crate::direct::{Counted, Counts};
use crate::lane::Lane;

/// A network that runs and waits to be told how many packets to send.
pub(crate) struct Net {
    scheduler: Scheduler,
    arc: String,
    running: Running,
    inputs: Vec<Input>,
    counts: Arc<Counts>,
    packets: u64,
}

/// Builds a network from its text and starts it, on a store that counts.
pub(crate) fn start(
    text: &str,
    folder: &Path,
    options: Options,
    ports: &[&str],
) -> Result<(Running, Vec<Input>, Arc<Counts>), Error> {
    let catalogue = catalogue();
    let described = describe(&catalogue);
    let loaded = load_text(Path::new("connect.fbp"), text.into(), &described);
    if loaded.has_errors() {
        return Err(loaded.report().into());
    }
    let counts = Arc::new(Counts::default());
    let store = Arc::new(Counted {
        store: Embedded::open(folder)?,
        counts: Arc::clone(&counts),
    });
    let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
    network.keep(Stores::new("connect").usual(store));
    for port in ports {
        network.input(port)?;
    }
    let started = network.start()?;
    Ok((started.running, started.inputs, counts))
}

impl Net {
    pub(crate) fn new(
        folder: &Path,
        arc: &str,
        scheduler: Scheduler,
        (capacity, bytes): (usize, usize),
    ) -> Result<Self, Error> {
        let text = format!(
            "INPORT=G.GO:GO\n'{bytes}' -> SIZE G(bench/text-source) OUT ->({arc}) \
             IN S(bench/text-sink)\n"
        );
        let options = Options {
            scheduler,
            capacity,
            ..Options::default()
        };
        let folder = folder.join(format!("{arc}-{scheduler}"));
        let (running, inputs, counts) = start(&text, &folder, options, &["GO"])?;
        Ok(Self {
            scheduler,
            arc: arc.into(),
            running,
            inputs,
            counts,
            packets: 0,
        })
    }
}

impl Lane for Net {
    fn name(&self) -> String {
        format!("{} {}", self.arc, self.scheduler)
    }

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

    fn batches(&self) -> (f64, f64) {
        self.counts.batches()
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
