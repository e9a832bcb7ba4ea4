//! The end of a run: threads, sums, and the law they must obey.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::clock::NetClock;
use crate::network::{Event, Net, Running, Thread};
use crate::part;
use crate::process::{Process, Socket};
use crate::report::{
    FaultReport, LinkStatistics, Outcome, ProcessStatistics, Statistics, Totals, Unbalanced,
    Verdict,
};
use crate::roster::Who;
use crate::watch::Watching;

impl Running {
    /// Starts the threads of a network that has been wired.
    pub(crate) fn launch(net: Arc<Net>, events: Receiver<Event>) -> Self {
        let (leaving, gone) = unbounded();
        let mut crew = Crew {
            net: Arc::clone(&net),
            leaving,
            threads: Vec::new(),
        };
        if let NetClock::Real(clock) = &net.clock {
            let clock = Arc::clone(clock);
            crew.spawn("timers", None, move || clock.serve());
        }
        for process in net
            .processes
            .iter()
            .filter(|process| process.has_own_thread)
        {
            let (net, index) = (Arc::clone(&net), process.index);
            let body = move || {
                let run = || net.run(index);
                net.roster.work_for(index, run, || net.pay(index));
            };
            crew.spawn(&process.address, Some(process.index), body);
        }
        for worker in 0..net.roster.workers() {
            let net = Arc::clone(&net);
            let body = move || net.roster.work(worker, |index| _ = net.run(index));
            crew.spawn(&format!("worker {worker}"), None, body);
        }
        if let (Some(limits), NetClock::Real(_)) = (net.watch, &net.clock) {
            let net = Arc::clone(&net);
            crew.spawn("watch", None, move || Watching::new(net, limits).keep_on());
        }
        if net.part.is_some() {
            let net = Arc::clone(&net);
            crew.spawn("parts", None, move || part::keep_on(&net));
        }
        net.kick_off();
        Self {
            net,
            events,
            threads: crew.threads,
            gone,
        }
    }
}

/// The threads of a network that starts.
struct Crew {
    net: Arc<Net>,
    leaving: Sender<usize>,
    threads: Vec<Thread>,
}

impl Crew {
    /// A run for which the system refuses a thread fails at once: somebody would wait for it for ever.
    fn spawn(&mut self, name: &str, process: Option<usize>, body: impl FnOnce() + Send + 'static) {
        let (number, leaving) = (self.threads.len(), self.leaving.clone());
        let body = move || {
            body();
            // Nobody listens when the network was dropped in the middle of a run.
            let _unheard = leaving.send(number);
        };
        let thread = thread::Builder::new().name(format!("paperflow {name}"));
        match thread.spawn(body) {
            Ok(_) => self.threads.push(Thread { number, process }),
            Err(error) => self.net.fail(self.refused(name, process, &error)),
        }
    }

    fn refused(&self, name: &str, process: Option<usize>, error: &io::Error) -> FaultReport {
        let process = process.map(|index| &self.net.processes[index]);
        FaultReport {
            address: name.to_owned(),
            component: process.map_or_else(String::new, |process| process.form.spec.name.clone()),
            port: None,
            message: format!("the system refused a thread: {error}"),
            packet: None,
            origin: process.map_or_else(String::new, |process| process.origin()),
        }
    }
}

impl Net {
    /// Lets every process look at its inputs once, but for those that the first packet will wake: they
    /// would only get in the way of it. The credit that is given back then has kept anybody from judging a
    /// network that had only begun to start.
    fn kick_off(&self) {
        let processes = self.processes.iter();
        for process in processes.filter(|process| !self.only_waits(process)) {
            self.roster.wake(process.index);
        }
        self.rest();
        if self.processes.is_empty() {
            self.over(Verdict::Finished);
        }
    }

    /// Whether there is nothing for a process to do or to see before a packet comes, or an end.
    fn only_waits(&self, process: &Process) -> bool {
        let links = || process.inputs().iter().filter_map(Socket::link);
        !process.is_receiver
            && process.single_reads().next().is_none()
            && links().next().is_some()
            && links().all(|link| !self.links[link].is_over())
    }

    /// What has come of it; `is_whole`: it came to its own end.
    pub(crate) fn outcome(&self, verdict: Verdict, is_whole: bool) -> Outcome {
        let complete = self.terminate_rest();
        if !is_whole {
            self.links.iter().for_each(|link| link.abandon());
        }
        let statistics = self.statistics();
        // What is blocked in foreign code has packets that nobody can count.
        let is_accounted = !complete || statistics.is_conserved();
        debug_assert!(
            is_accounted,
            "packets are conserved: {:?}",
            statistics.totals
        );
        let unbalanced = if is_whole {
            self.unbalanced()
        } else {
            Vec::new()
        };
        Outcome {
            verdict,
            statistics,
            leaks: std::mem::take(&mut *self.leaks.lock()),
            unbalanced,
            is_accounted,
            notices: self.told.all(),
            disturbances: self
                .stores
                .all()
                .flat_map(|store| store.disturbances())
                .collect(),
            faults: std::mem::take(&mut *self.notes.lock()),
        }
    }

    /// Ends every process that can be ended. False: one is blocked in foreign code.
    fn terminate_rest(&self) -> bool {
        let mut complete = true;
        for process in &self.processes {
            match process.body.try_lock() {
                Some(mut body) if !body.is_ended() => process.terminate(&mut body, self),
                Some(_) => {}
                None => complete = false,
            }
        }
        complete
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let links = (0..self.links.len())
            .map(|link| self.link_statistics(link))
            .collect();
        let processes: Vec<_> = self.processes.iter().map(process_statistics).collect();
        let totals = self.totals(&processes);
        Statistics {
            elapsed: self.started.elapsed(),
            totals,
            processes,
            links,
        }
    }

    fn totals(&self, processes: &[ProcessStatistics]) -> Totals {
        let sum = |count: fn(&ProcessStatistics) -> u64| processes.iter().map(count).sum();
        let links = self.links.iter().map(|link| link.counts_and_fed());
        let (shed, lost, fed) =
            links.fold((0, 0, 0), |(shed, lost, fed), (counts, members, more)| {
                let (shed, lost) = (shed + members.shed, lost + members.lost);
                (shed + counts.shed, lost + counts.lost_on_close, fed + more)
            });
        let unread = self
            .processes
            .iter()
            .flat_map(|process| &process.special.templates);
        let waiting = self
            .links
            .iter()
            .filter(|link| matches!(link.reader, Who::External(_)));
        let handed_out = waiting.map(|link| link.handed_out()).sum();
        Totals {
            created: sum(|process| process.created),
            iip_delivered: sum(|process| process.iip_delivered),
            fed,
            dropped: sum(|process| process.dropped),
            shed,
            lost_on_close: lost + unread.map(|template| template.lost()).sum::<u64>(),
            handed_out,
            sent: sum(|process| process.sent),
            received: sum(|process| process.received),
        }
    }

    fn link_statistics(&self, link: usize) -> LinkStatistics {
        let (counts, waiting) = self.links[link].counts_and_waiting();
        LinkStatistics {
            from: self.writer_names(link),
            to: self.reader_name(link),
            capacity: self.links[link].capacity(),
            waiting,
            waited_send: self.waited_send(link),
            waited_receive: self.waited_receive(link),
            counts,
        }
    }

    fn waited_send(&self, link: usize) -> Duration {
        let process = |who: &Who| match who {
            Who::Process(process) => Some(&self.processes[*process]),
            Who::External(_) => None,
        };
        let writers = self.links[link].writers.iter().enumerate();
        let sockets = writers.filter_map(|(at, who)| {
            let mut sockets = process(who)?.outputs().iter();
            sockets.find(|socket| socket.link() == Some(link) && socket.writer() == at)
        });
        sockets.map(waited).sum()
    }

    fn waited_receive(&self, link: usize) -> Duration {
        let Who::Process(reader) = self.links[link].reader else {
            return Duration::ZERO;
        };
        let mut sockets = self.processes[reader].inputs().iter();
        sockets
            .find(|socket| socket.link() == Some(link))
            .map_or(Duration::ZERO, waited)
    }

    fn unbalanced(&self) -> Vec<Unbalanced> {
        let links = (0..self.links.len()).filter(|link| self.links[*link].unbalanced() != 0);
        links
            .map(|link| Unbalanced {
                to: self.reader_name(link),
                open: self.links[link].unbalanced(),
                origin: match self.links[link].reader {
                    Who::Process(process) => self.processes[process].origin(),
                    Who::External(_) => String::new(),
                },
            })
            .collect()
    }
}

fn waited(socket: &Socket) -> Duration {
    Duration::from_nanos(socket.waited.load(Ordering::Relaxed))
}

fn process_statistics(process: &Process) -> ProcessStatistics {
    let tally = &process.tally;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let time = |counter: &AtomicU64| Duration::from_nanos(count(counter));
    let templates: u64 = process
        .special
        .templates
        .iter()
        .map(|template| template.delivered())
        .sum();
    ProcessStatistics {
        address: process.address.to_string(),
        component: process.form.spec.name.clone(),
        origin: process.origin(),
        state: process.state(),
        opened: count(&tally.opened),
        turns: count(&tally.turns),
        created: count(&tally.created),
        dropped: count(&tally.dropped),
        received: process.received(),
        sent: count(&tally.sent),
        iip_delivered: count(&tally.iip) + templates,
        parked: count(&tally.parked),
        busy: time(&tally.busy),
        long_turns: count(&tally.long_turns),
        longest_turn: time(&tally.longest_turn),
        blocked_send: time(&tally.blocked_send),
        blocked_receive: time(&tally.blocked_receive),
    }
}
