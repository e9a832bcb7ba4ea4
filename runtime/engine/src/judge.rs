//! What it means that nobody is busy: a cycle is quiescent, the network is deadlocked, or somebody is
//! outside and everything is well.
//!
//! Judgement is called by whoever brings the busy count to zero. Quiescence is judged first and per
//! cycle; deadlock is judged per process: stuck is who waits only for others that are stuck, so one
//! process outside hides nothing. Both are stable: once true, nobody outside the set can change them.
//!
//! Only those are looked at who can wait in a circle (see `shape`); when some of them are stuck, all
//! are looked at, for the report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use crate::link::Look;
use crate::network::Net;
use crate::process::{Life, ParamSource, Process, Socket, Status};
use crate::report::{Deadlock, State, Stuck, StuckLink, Verdict};
use crate::roster::Who;

/// The network, or a part of it, while nobody moves.
pub(crate) struct Still<'a> {
    pub(crate) net: &'a Net,
    /// Processes looked at, in text order.
    members: Vec<usize>,
    statuses: BTreeMap<usize, Status>,
    /// The links that they read.
    pub(crate) looks: BTreeMap<usize, Look>,
}

impl Net {
    pub(crate) fn judge(&self) {
        let _one_at_a_time = self.judging.lock();
        let Some(epoch) = self.roster.quiet_epoch() else {
            return;
        };
        if self.roster.is_stopped() {
            return;
        }
        let suspects = self.shape.suspects(self.blocked.load(Ordering::Acquire));
        let finding = if suspects.is_empty() {
            Finding::Nothing
        } else {
            self.judged.fetch_add(1, Ordering::Relaxed);
            Still::of(self, suspects.to_vec()).find()
        };
        let is_at_rest = self.is_cut_short() && self.is_at_rest();
        if self.roster.quiet_epoch() != Some(epoch) {
            return;
        }
        match finding {
            Finding::Quiescent(links) => links
                .iter()
                .for_each(|link| self.links[*link].end_by_quiescence()),
            _ if is_at_rest => self.over(self.stopped()),
            // Those who wait for what goes on in the next run are not stuck.
            Finding::Deadlock(_) if self.is_cut_short() => self.nothing_moves(epoch),
            Finding::Deadlock(deadlock) => self.over(Verdict::Deadlock(deadlock)),
            Finding::Nothing => self.nothing_moves(epoch),
        }
    }
}

enum Finding {
    /// These links end.
    Quiescent(Vec<usize>),
    /// Some processes can never move again.
    Deadlock(Deadlock),
    Nothing,
}

/// What a process waits for.
pub(crate) struct Wait {
    /// Links it would receive from.
    pub(crate) receive: Vec<usize>,
    /// Out-ports it would send from.
    pub(crate) send: Vec<Exit>,
}

/// An out-port element and where it leads; several may lead to one link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    pub(crate) element: usize,
    pub(crate) link: usize,
}

/// Somebody who could let a process go on.
#[derive(Clone, Copy)]
enum Waker {
    Process(usize),
    /// Any member of this outermost re-armed subnet whose life is not over.
    Life(usize),
    Outside,
}

impl<'a> Still<'a> {
    pub(crate) fn of(net: &'a Net, members: Vec<usize>) -> Self {
        let processes = members.iter().map(|member| &net.processes[*member]);
        let read = processes.clone().flat_map(Process::links_in);
        let looks = read.map(|link| (link, net.links[link].observe())).collect();
        let statuses = processes.map(|process| (process.index, process.status()));
        Self {
            net,
            statuses: statuses.collect(),
            looks,
            members,
        }
    }

    fn find(&self) -> Finding {
        if let Some(links) = self.quiescent() {
            return Finding::Quiescent(links);
        }
        if self.stuck().is_empty() {
            return Finding::Nothing;
        }
        let all = Still::of(self.net, (0..self.net.processes.len()).collect());
        let stuck = all.stuck();
        if stuck.is_empty() || all.is_being_read() {
            Finding::Nothing
        } else {
            Finding::Deadlock(all.report(&stuck))
        }
    }

    /// Whether packets wait for the embedding program, and somebody for it to take them: what is not
    /// stuck still moves. Its next look wakes the sender, and who then rests judges again.
    fn is_being_read(&self) -> bool {
        self.members.iter().any(|index| {
            let sends = self.wait(*index).send;
            self.is_inside(*index)
                && sends
                    .iter()
                    .any(|exit| matches!(self.net.links[exit.link].reader, Who::External(_)))
        })
    }

    fn process(&self, index: usize) -> &Process {
        &self.net.processes[index]
    }

    /// Whether it is in the network and can be woken by nothing but the network.
    fn is_inside(&self, index: usize) -> bool {
        let process = self.process(index);
        let status = &self.statuses[&index];
        let is_elsewhere = status.life == Life::Suspended && status.waits.is_empty();
        let is_gone = process.is_over.load(Ordering::Acquire);
        let is_outside = process.is_outside.load(Ordering::Acquire)
            || status.waits.outside
            || status.waits.settlement;
        !(is_gone || is_outside || is_elsewhere)
    }

    pub(crate) fn wait(&self, index: usize) -> Wait {
        let (process, status) = (self.process(index), &self.statuses[&index]);
        let (receive, send) = match status.life {
            Life::Gated => (process.special.gates.to_vec(), Vec::new()),
            Life::NotStarted => (self.first_wait(process), Vec::new()),
            Life::Dormant if status.waits.is_empty() => (
                process.inputs().iter().filter_map(Socket::link).collect(),
                Vec::new(),
            ),
            Life::Dormant | Life::Suspended => {
                let receive = status
                    .waits
                    .receive
                    .iter()
                    .filter_map(|at| process.inputs().get(at)?.link());
                let send = status.waits.send.iter().filter_map(|at| {
                    let (element, link) = (at, process.outputs().get(at)?.link()?);
                    Some(Exit { element, link })
                });
                (receive.collect(), send.collect())
            }
            Life::Active | Life::RoundOver | Life::Terminated => (Vec::new(), Vec::new()),
        };
        Wait { receive, send }
    }

    /// A process that has not started waits for its parameters, and then for any packet.
    fn first_wait(&self, process: &Process) -> Vec<usize> {
        let missing = process
            .special
            .params
            .iter()
            .filter_map(|source| match source {
                ParamSource::Link(link) => (!self.looks[link].is_deserted).then_some(*link),
                _ => None,
            });
        let missing: Vec<usize> = missing.collect();
        if missing.is_empty() {
            let inputs = process.inputs().iter();
            inputs.filter_map(Socket::link).collect()
        } else {
            missing
        }
    }

    fn open_writers(&self, link: usize) -> impl Iterator<Item = &Who> {
        let writers = self.net.links[link]
            .writers
            .iter()
            .zip(&self.looks[&link].open);
        writers.filter(|(_, open)| **open).map(|(who, _)| who)
    }

    // ---- quiescence ----

    fn quiescent(&self) -> Option<Vec<usize>> {
        let is_cut_short = self.net.is_cut_short();
        let goes_on = |member: usize| is_cut_short && self.process(member).fate.outlasts;
        let cycle = self.quiet_cycle(|member| self.is_receiving(member) && !goes_on(member));
        cycle.map(|cycle| self.loop_inputs(&cycle))
    }

    /// A cycle of processes that all wait in this way, in which there is nothing, and into which nothing
    /// can come.
    pub(crate) fn quiet_cycle(&self, waits: impl Fn(usize) -> bool) -> Option<BTreeSet<usize>> {
        self.cycles().into_iter().find(|cycle| {
            let links = self.links_into(cycle);
            let mut links = links.iter();
            cycle.iter().all(|member| waits(*member))
                && links.all(|link| self.is_empty_and_closed_off(*link, cycle))
        })
    }

    /// Whether it waits to receive, or for others to settle what it has handed out.
    pub(crate) fn is_receiving_or_settled(&self, index: usize) -> bool {
        let waits = &self.statuses[&index].waits;
        waits.send.is_empty() && !waits.outside && (waits.settlement || self.is_inside(index))
    }

    /// Groups of processes that can reach each other over links with open writers.
    fn cycles(&self) -> Vec<BTreeSet<usize>> {
        let mut graph = DiGraphMap::<usize, ()>::new();
        for (link, look) in &self.looks {
            let link = &self.net.links[*link];
            let Who::Process(reader) = link.reader else {
                continue;
            };
            for (writer, open) in link.writers.iter().zip(&look.open) {
                if let (Who::Process(writer), true, false) = (writer, *open, look.is_over) {
                    graph.add_edge(*writer, reader, ());
                }
            }
        }
        let is_cycle =
            |group: &Vec<usize>| group.len() > 1 || graph.contains_edge(group[0], group[0]);
        kosaraju_scc(&graph)
            .into_iter()
            .filter(is_cycle)
            .map(|group| group.into_iter().collect())
            .collect()
    }

    fn is_receiving(&self, index: usize) -> bool {
        self.is_inside(index) && self.statuses[&index].waits.send.is_empty()
    }

    fn links_into(&self, cycle: &BTreeSet<usize>) -> Vec<usize> {
        let members = cycle.iter().map(|member| self.process(*member));
        members.flat_map(Process::links_in).collect()
    }

    fn is_empty_and_closed_off(&self, link: usize, cycle: &BTreeSet<usize>) -> bool {
        self.looks[&link].fill == 0
            && self
                .open_writers(link)
                .all(|who| matches!(who, Who::Process(writer) if cycle.contains(writer)))
    }

    /// The links from the cycle into its entry: the first member, in text order, that has a writer from
    /// outside the cycle; else the first member.
    fn loop_inputs(&self, cycle: &BTreeSet<usize>) -> Vec<usize> {
        let links_in = |process: usize| self.process(process).links_in();
        let is_member = |who: &Who| matches!(who, Who::Process(writer) if cycle.contains(writer));
        let writers = |link: usize| self.net.links[link].writers.iter();
        let has_outer =
            |process: &usize| links_in(*process).any(|link| !writers(link).all(is_member));
        let mut members = cycle.iter().copied();
        let Some(entry) = members.find(has_outer).or_else(|| cycle.first().copied()) else {
            return Vec::new();
        };
        links_in(entry)
            .filter(|link| !self.looks[link].is_over && writers(*link).any(is_member))
            .collect()
    }

    // ---- deadlock ----

    /// The largest set of processes that wait only for each other: all but those that somebody who is
    /// not in it could let go on.
    fn stuck(&self) -> BTreeSet<usize> {
        let count = self.members.len();
        // A life of a re-armed subnet goes on with any of its members: behind the processes.
        let place = |who| match who {
            Waker::Process(process) => self.members.binary_search(&process).ok(),
            Waker::Life(scope) => Some(count + scope),
            Waker::Outside => None,
        };
        let mut is_stuck: Vec<bool> = self.members.iter().map(|at| self.is_inside(*at)).collect();
        let mut freed: Vec<usize> = (0..count).filter(|at| !is_stuck[*at]).collect();
        is_stuck.resize(count + self.net.scopes.len(), true);
        let mut waiting_for: Vec<Vec<usize>> = vec![Vec::new(); is_stuck.len()];
        for (at, index) in self.members.iter().enumerate() {
            if let Some(scope) = self.process(*index).scope()
                && self.statuses[index].life != Life::RoundOver
            {
                waiting_for[at].push(count + self.outermost(scope));
            }
            for waker in self.wakers(*index).filter(|_| is_stuck[at]) {
                match place(waker) {
                    Some(waker) => waiting_for[waker].push(at),
                    None => freed.push(at),
                }
            }
        }
        while let Some(waker) = freed.pop() {
            is_stuck[waker] = false;
            let waiting = std::mem::take(&mut waiting_for[waker]).into_iter();
            freed.extend(waiting.filter(|at| is_stuck[*at]));
        }
        let stuck = self.members.iter().zip(is_stuck);
        stuck
            .filter_map(|(index, is)| is.then_some(*index))
            .collect()
    }

    /// Who could let it go on. A member of a re-armed subnet that waits for its next life waits for the
    /// others, also in subnets within and around its own, and for what feeds it from outside.
    fn wakers(&self, index: usize) -> impl Iterator<Item = Waker> + '_ {
        let inside = |who: &Who| match who {
            Who::Process(process) => Waker::Process(*process),
            Who::External(_) => Waker::Outside,
        };
        let waits_for_life = matches!(
            self.statuses[&index].life,
            Life::RoundOver | Life::NotStarted
        );
        let scope = self.process(index).scope().filter(|_| waits_for_life);
        let life = scope.map(|scope| Waker::Life(self.outermost(scope)));
        let Wait { receive, send } = self.wait(index);
        let writers = receive
            .into_iter()
            .flat_map(move |link| self.open_writers(link).map(inside));
        let readers = send
            .into_iter()
            .map(move |exit| inside(&self.net.links[exit.link].reader));
        life.into_iter().chain(writers).chain(readers)
    }

    fn outermost(&self, mut scope: usize) -> usize {
        while let Some(parent) = self.net.scopes[scope].parent {
            scope = parent;
        }
        scope
    }

    /// The process for which a stuck one waits.
    fn stuck_waker(&self, index: usize, stuck: &BTreeSet<usize>) -> Option<usize> {
        let mate = |scope: usize, mate: usize| {
            let mates = self
                .process(mate)
                .special
                .scope
                .map(|scope| self.outermost(scope));
            mate != index && mates == Some(scope) && self.statuses[&mate].life != Life::RoundOver
        };
        self.wakers(index).find_map(|waker| match waker {
            Waker::Process(process) => stuck.contains(&process).then_some(process),
            Waker::Life(scope) => stuck.iter().copied().find(|at| mate(scope, *at)),
            Waker::Outside => None,
        })
    }

    // ---- the report ----

    fn report(&self, stuck: &BTreeSet<usize>) -> Deadlock {
        Deadlock {
            stuck: stuck.iter().map(|index| self.describe(*index)).collect(),
            cycle: self.wait_cycle(stuck),
            culprit: self.culprit(stuck),
            sufficient: self.sufficient(stuck),
        }
    }

    fn describe(&self, index: usize) -> Stuck {
        let process = self.process(index);
        let wait = self.wait(index);
        let send = wait.send.iter().map(|exit| self.sending(index, exit));
        let send: Vec<StuckLink> = send.collect();
        let receive = self.shown_receives(index, wait).into_iter();
        Stuck {
            address: process.address.to_string(),
            state: process.state(),
            links: receive
                .map(|link| self.receiving(index, link))
                .chain(send)
                .collect(),
            origin: process.origin(),
        }
    }

    /// The links that it waits at in its own code.
    fn shown_receives(&self, index: usize, wait: Wait) -> Vec<usize> {
        match self.process(index).state() {
            State::NotStarted | State::Dormant => Vec::new(),
            _ => wait.receive,
        }
    }

    fn receiving(&self, index: usize, link: usize) -> StuckLink {
        StuckLink {
            port: self.port_in(index, link),
            peers: self.net.writer_names(link),
            fill: self.looks[&link].fill,
            capacity: self.net.links[link].capacity(),
        }
    }

    fn sending(&self, index: usize, exit: &Exit) -> StuckLink {
        StuckLink {
            port: self.port_out(index, exit),
            peers: vec![self.net.reader_name(exit.link)],
            fill: self.looks[&exit.link].fill,
            capacity: self.net.links[exit.link].capacity(),
        }
    }

    /// Follows waits from a blocked sender until a process comes round again.
    fn wait_cycle(&self, stuck: &BTreeSet<usize>) -> Vec<String> {
        let sender = stuck
            .iter()
            .copied()
            .find(|index| !self.statuses[index].waits.send.is_empty());
        let Some(mut at) = sender.or_else(|| stuck.first().copied()) else {
            return Vec::new();
        };
        let mut path: Vec<usize> = Vec::new();
        while !path.contains(&at) {
            path.push(at);
            let Some(next) = self.stuck_waker(at, stuck) else {
                return Vec::new();
            };
            at = next;
        }
        let start = path
            .iter()
            .position(|index| *index == at)
            .unwrap_or_default();
        let cycle = &path[start..];
        let next = cycle.iter().cycle().skip(1);
        let waits = cycle.iter().zip(next);
        waits
            .map(|(index, whom)| self.wait_line(*index, *whom))
            .collect()
    }

    /// One process waits for another, at which link.
    fn wait_line(&self, index: usize, whom: usize) -> String {
        let is_whom = |who: &Who| matches!(who, Who::Process(process) if *process == whom);
        let (process, wait) = (self.process(index), self.wait(index));
        let address = &process.address;
        let reads = |exit: &&Exit| is_whom(&self.net.links[exit.link].reader);
        if let Some(exit) = wait.send.iter().find(reads) {
            let link = self.sending(index, exit);
            let (reader, fill, capacity) = (link.peers.join(", "), link.fill, link.capacity);
            let port = link.port;
            return format!(
                "{address} cannot send from {port} to {reader}: link {fill}/{capacity}"
            );
        }
        let writes = |link: &&usize| self.open_writers(**link).any(is_whom);
        let shown = self.shown_receives(index, wait);
        if let Some(link) = shown.iter().find(writes) {
            let link = self.receiving(index, *link);
            let (writers, fill, capacity) = (link.peers.join(", "), link.fill, link.capacity);
            let port = link.port;
            return format!("{address} waits for {port} from {writers}: link {fill}/{capacity}");
        }
        format!("{address} is {}", process.state())
    }
}

impl Net {
    pub(crate) fn reader_name(&self, link: usize) -> String {
        match &self.links[link].reader {
            Who::Process(process) => {
                let process = &self.processes[*process];
                let mut sockets = process.inputs().iter();
                let element = sockets.position(|socket| socket.link() == Some(link));
                let port = element.and_then(|element| process.input_name(element));
                let params = process.special.params.iter();
                let mut params = params.zip(&process.form.spec.params);
                let mut param = || {
                    params.find_map(|(source, param)| match source {
                        ParamSource::Link(at) if *at == link => Some(param.name.as_str()),
                        _ => None,
                    })
                };
                let port = port.or_else(&mut param).unwrap_or("*");
                format!("{}.{port}", process.address)
            }
            Who::External(_) => String::from("(outside)"),
        }
    }

    pub(crate) fn writer_names(&self, link: usize) -> Vec<String> {
        let writers = self.links[link].writers.iter().enumerate();
        let name = |(writer, who): (usize, &Who)| match who {
            Who::Process(process) => {
                let process = &self.processes[*process];
                let is_it = |out: &Socket| out.link() == Some(link) && out.writer() == writer;
                let diverts = |out: &Socket| {
                    let from = out.link().map(|at| &self.links[at]);
                    from.and_then(|from| from.diverted_writer(&self.links[link], out.writer()))
                        == Some(writer)
                };
                let outputs = || process.outputs().iter();
                let element = outputs().position(is_it);
                let element = element.or_else(|| outputs().position(diverts));
                let port = element.map_or("*", |element| process.form.output_name(element));
                format!("{}.{port}", process.address)
            }
            Who::External(_) => String::from("(outside)"),
        };
        writers.map(name).collect()
    }
}
