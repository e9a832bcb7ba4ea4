//! Draws a network from a seed.

use paperflow::Scheduler;
use paperflow::graph::plan::{End, Export, Initial, Link, Plan, Process, Writer};

use super::Dice;

/// How a run is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its sources run dry.
    Dry,
    /// It is told to stop after this many packets, and drains.
    Stop(u64),
    /// It is killed after this many packets.
    Kill(u64),
    /// Its only sink leaves early.
    Leave,
}

/// A random network, and what must come of it.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// What it was drawn from.
    pub seed: u64,
    /// Who runs it.
    pub scheduler: Scheduler,
    /// The network.
    pub plan: Plan,
    /// Packets that the program feeds to the exported port `FEED`, as source 0.
    pub fed: u64,
    /// Packets that sinks receive when the sources run dry.
    pub arriving: u64,
    /// How it is to end.
    pub ending: Ending,
}

const CAPACITIES: [usize; 10] = [1, 1, 2, 3, 5, 16, 64, 128, 300, 1024];
const SCHEDULERS: [Scheduler; 7] = [
    Scheduler::Pool(1),
    Scheduler::Pool(2),
    Scheduler::Pool(2),
    Scheduler::Pool(3),
    Scheduler::Pool(8),
    Scheduler::Threads,
    Scheduler::Auto,
];
pub(super) const SOURCES: [&str; 2] = ["stress/numbers", "stress/numbers-on-thread"];
const STAGES: [&str; 8] = [
    "bench/pass",
    "bench/pass",
    "bench/pass-on-thread",
    "bench/walk",
    "bench/walk",
    "bench/walk-on-thread",
    "stress/stumble",
    "stress/stumble-on-thread",
];
pub(super) const SINKS: [&str; 3] = ["stress/check", "stress/check-on-thread", "stress/file"];

/// An out-port that leads nowhere yet, and the packets that leave it.
#[derive(Clone)]
struct Loose {
    end: End,
    packets: u64,
}

struct Pen {
    dice: Dice,
    plan: Plan,
}

impl Drawing {
    /// Draws the network of a seed; about so many packets cross its links.
    #[must_use]
    pub fn new(seed: u64, packets: u64) -> Self {
        let mut pen = Pen {
            dice: Dice::new(seed),
            plan: Plan::default(),
        };
        let scheduler = pen.dice.pick(&SCHEDULERS);
        let mut loose = pen.sources(packets);
        for _ in 0..pen.dice.below(6) {
            loose = pen.merge(loose);
        }
        let fed = pen.feed(packets, &loose);
        let arriving: u64 = loose.iter().map(|loose| loose.packets).sum::<u64>() + fed;
        let ending = pen.ending(arriving, loose.len());
        let is_early = ending == Ending::Leave;
        let fans = if is_early { 0 } else { pen.dice.below(2) };
        let (loose, arriving) = match fans {
            0 => (loose, arriving),
            _ => pen.fan_out(loose, fed),
        };
        for loose in loose {
            pen.tail(loose, is_early);
        }
        Self {
            seed,
            scheduler,
            plan: pen.plan,
            fed,
            arriving,
            ending,
        }
    }

    /// Spoils the network: all sources count as one, so their packets come in no order.
    #[cfg(test)]
    pub(super) fn give_all_sources_one_number(&mut self) {
        let ids = self.plan.initials.iter_mut();
        let ids = ids.filter(|initial| initial.to.port == "ID");
        ids.for_each(|initial| initial.value = 1.into());
    }
}

impl Pen {
    fn process(&mut self, component: &str) -> usize {
        let number = self.plan.processes.len();
        let name = component.rsplit('/').next().unwrap_or(component);
        self.plan.processes.push(Process {
            address: format!("{name}-{number}"),
            component: component.into(),
            ..Process::default()
        });
        number
    }

    fn initial(&mut self, process: usize, port: &str, value: u64) {
        self.plan.initials.push(Initial {
            to: end(process, port, None),
            value: value.into(),
            ..Initial::default()
        });
    }

    fn link(&mut self, to: End, from: impl IntoIterator<Item = End>) {
        let from = from.into_iter().map(|end| Writer {
            end,
            ..Writer::default()
        });
        let link = Link {
            to,
            from: from.collect(),
            capacity: Some(self.dice.pick(&CAPACITIES)),
            ..Link::default()
        };
        self.plan.links.push(link);
    }

    fn sources(&mut self, packets: u64) -> Vec<Loose> {
        let count = self.dice.pick(&[1, 1, 2, 3, 4, 8, 16]);
        let each = packets / count;
        let sources = (1..=count).map(|id| {
            let component = self.dice.pick(&SOURCES);
            let process = self.process(component);
            let packets = self.dice.below(each as usize + 1) as u64;
            self.initial(process, "ID", id);
            self.initial(process, "COUNT", packets);
            Loose {
                end: end(process, "OUT", None),
                packets,
            }
        });
        sources.collect()
    }

    /// Puts loose ends together at random, each bunch into a process of its own.
    fn merge(&mut self, loose: Vec<Loose>) -> Vec<Loose> {
        let bunches = 1 + self.dice.below(loose.len());
        let mut bunch: Vec<Vec<Loose>> = vec![Vec::new(); bunches];
        for loose in loose {
            bunch[self.dice.below(bunches)].push(loose);
        }
        bunch.retain(|bunch| !bunch.is_empty());
        bunch.into_iter().map(|bunch| self.stage(&bunch)).collect()
    }

    /// A process that passes on what all of them send.
    fn stage(&mut self, from: &[Loose]) -> Loose {
        let is_join = from.len() > 1 && self.dice.below(3) == 0;
        let component = if is_join {
            "stress/join"
        } else {
            self.dice.pick(&STAGES)
        };
        let process = self.process(component);
        if is_join {
            for (at, loose) in (0..).zip(from) {
                self.link(end(process, "IN", Some(at)), [loose.end.clone()]);
            }
        } else {
            let from = from.iter().map(|loose| loose.end.clone());
            self.link(end(process, "IN", None), from);
        }
        Loose {
            end: end(process, "OUT", None),
            packets: from.iter().map(|loose| loose.packets).sum(),
        }
    }

    /// Sometimes the program is one more writer of some link.
    fn feed(&mut self, packets: u64, loose: &[Loose]) -> u64 {
        let Some(link) = self.plan.links.first() else {
            return 0;
        };
        // What is fed is counted as arriving once, which is so when there is one way to go.
        let is_array = link.to.index.is_some();
        if is_array || loose.len() > 1 || self.dice.below(3) > 0 {
            return 0;
        }
        self.plan.inports.push(Export {
            public: "FEED".into(),
            end: link.to.clone(),
            ..Export::default()
        });
        self.dice.below(packets as usize) as u64 / 8
    }

    fn ending(&mut self, arriving: u64, sinks: usize) -> Ending {
        let some = self.dice.below(arriving as usize + 1) as u64;
        match self.dice.below(20) {
            0 | 1 => Ending::Stop(some),
            2 => Ending::Kill(some),
            3 | 4 if sinks == 1 => Ending::Leave,
            _ => Ending::Dry,
        }
    }

    /// Behind each loose end, a process that copies or deals. Also tells what arrives then.
    fn fan_out(&mut self, loose: Vec<Loose>, fed: u64) -> (Vec<Loose>, u64) {
        let mut arriving = 0;
        let mut fans = Vec::new();
        for loose in loose {
            let packets = loose.packets + fed;
            let is_copy = self.dice.below(2) == 0;
            let fan = 1 + self.dice.below(4) as u64;
            let process = self.process(if is_copy { "bench/copy" } else { "bench/deal" });
            self.link(end(process, "IN", None), [loose.end]);
            arriving += if is_copy { packets * fan } else { packets };
            fans.extend((0..fan).map(|at| Loose {
                end: end(process, "OUT", u32::try_from(at).ok()),
                packets,
            }));
        }
        (fans, arriving)
    }

    /// A few stages and a sink.
    fn tail(&mut self, mut loose: Loose, is_early: bool) {
        for _ in 0..self.dice.below(4) {
            loose = self.stage(&[loose]);
        }
        let component = if is_early {
            "stress/leave"
        } else {
            self.dice.pick(&SINKS)
        };
        let sink = self.process(component);
        if is_early {
            let some = self.dice.below(loose.packets as usize + 1) as u64;
            self.initial(sink, "COUNT", some);
        }
        self.link(end(sink, "IN", None), [loose.end]);
    }
}

fn end(process: usize, port: &str, index: Option<u32>) -> End {
    End {
        process,
        port: port.into(),
        index,
        ..End::default()
    }
}
