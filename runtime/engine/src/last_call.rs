//! When nobody is stuck and nobody moves: receivers end whose deliveries are held until they do, or time
//! goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use crate::judge::Still;
use crate::network::Net;
use crate::process::Process;
use crate::receiver::Station;
use crate::roster::Who;

impl Net {
    /// Nobody is stuck, and nobody moves: those who wait for others to settle what they have been given
    /// would wait for ever, if what holds it waits for their end.
    pub(crate) fn nothing_moves(&self, epoch: u64) {
        let waiting = self.last_called();
        if self.roster.quiet_epoch() != Some(epoch) {
            return;
        }
        if waiting.is_empty() {
            self.still.store(epoch + 1, Ordering::Release);
            return self.let_time_pass();
        }
        for (index, station) in waiting {
            tracing::debug!(receiver = %self.processes[*index].address, "nothing more will be settled");
            station.call_for_the_last_time();
            self.roster.wake(*index);
        }
    }

    /// Receivers for which nothing more will be settled before they end.
    fn last_called(&self) -> Vec<&(usize, Arc<Station>)> {
        if self.receivers.is_empty()
            || self.outside.load(Ordering::Acquire) > 0
            || self.is_left_unread()
        {
            return Vec::new();
        }
        let waits = |index: usize| self.processes[index].status().waits;
        if (0..self.processes.len()).any(|index| waits(index).outside) {
            return Vec::new();
        }
        let receivers = self.receivers.iter();
        let waiting: Vec<_> = receivers
            .filter(|(index, station)| waits(*index).settlement && !station.is_open_elsewhere())
            .collect();
        self.first_called(&waiting)
    }

    /// Of those that wait: those to which nobody sends any more, and first of these those for which somebody
    /// waits; else those of a cycle into which nothing comes any more; else, when nothing comes from anywhere, those that are behind no other.
    fn first_called<'a>(
        &self,
        waiting: &[&'a (usize, Arc<Station>)],
    ) -> Vec<&'a (usize, Arc<Station>)> {
        let is_last = |(index, _): &&(usize, Arc<Station>)| {
            let mut bells = self.processes[*index].links_in();
            bells.all(|bell| self.links[bell].is_over())
        };
        let last: Vec<_> = waiting.iter().copied().filter(is_last).collect();
        if !last.is_empty() || waiting.is_empty() {
            let awaited = last.iter().copied().filter(|(at, _)| self.is_awaited(*at));
            let awaited: Vec<_> = awaited.collect();
            return match awaited.is_empty() {
                true if self.is_being_fed() || self.is_fed_elsewhere() => Vec::new(),
                true => last,
                false => awaited,
            };
        }
        let still = Still::of(self, (0..self.processes.len()).collect());
        let cycle = still.quiet_cycle(|member| {
            still.is_receiving_or_settled(member) && !self.is_open_elsewhere(member)
        });
        let is_in = |cycle: &BTreeSet<usize>| {
            let members = waiting.iter().copied();
            members.filter(|(index, _)| cycle.contains(index)).collect()
        };
        let of_cycle: Vec<_> = cycle.as_ref().map(is_in).unwrap_or_default();
        if !of_cycle.is_empty() {
            of_cycle
        } else if self.is_being_fed() || self.is_fed_elsewhere() {
            Vec::new()
        } else {
            let behind = self.behind(waiting.iter().map(|(index, _)| *index).collect());
            let foremost = waiting.iter().copied();
            foremost
                .filter(|(index, _)| !behind.contains(index))
                .collect()
        }
    }

    /// Whether somebody waits for what a process may send. Who waits for something else does not go on by its
    /// end, and may have something to do with what it has been given, after that.
    fn is_awaited(&self, process: usize) -> bool {
        let mut links = self.processes[process].outputs().iter();
        links.any(|socket| {
            let reader = socket.link().map(|link| (link, &self.links[link].reader));
            reader.is_some_and(|(link, reader)| match reader {
                Who::Process(reader) => {
                    let reader = &self.processes[*reader];
                    let waits = reader.status().waits;
                    let mut sockets = waits
                        .receive
                        .iter()
                        .filter_map(|at| reader.inputs().get(at));
                    sockets.any(|socket| socket.link() == Some(link))
                }
                Who::External(_) => true,
            })
        })
    }

    /// Processes that can be reached from some of these, and do not reach them themselves: what follows
    /// from the end of those may be sent to these.
    fn behind(&self, some: BTreeSet<usize>) -> BTreeSet<usize> {
        let (graph, mut behind) = (self.drawing(), BTreeSet::new());
        // What is written to comes first, so the last one is written to by no other.
        for circle in kosaraju_scc(&graph).iter().rev() {
            let is_behind = circle.iter().any(|index| behind.contains(index));
            if is_behind || circle.iter().any(|index| some.contains(index)) {
                let inside: BTreeSet<usize> = circle.iter().copied().collect();
                let next = circle.iter().flat_map(|index| graph.neighbors(*index));
                behind.extend(next.filter(|index| !inside.contains(index)));
            }
            if is_behind {
                behind.extend(circle);
            }
        }
        behind
    }

    /// Who can still send to whom.
    fn drawing(&self) -> DiGraphMap<usize, ()> {
        let mut graph = DiGraphMap::new();
        for link in &self.links {
            let look = link.observe();
            for (writer, is_open) in link.writers.iter().zip(&look.open) {
                if let (Who::Process(writer), Who::Process(reader), true) =
                    (writer, &link.reader, *is_open && !look.is_over)
                {
                    graph.add_edge(*writer, *reader, ());
                }
            }
        }
        graph
    }

    /// Whether nothing moves, and nothing but what comes from other parts can move anything.
    pub(crate) fn is_still(&self) -> bool {
        let epoch = self.roster.quiet_epoch();
        let waits_outside = |process: &Process| process.status().waits.outside;
        epoch.is_some_and(|epoch| self.still.load(Ordering::Acquire) == epoch + 1)
            && self.outside.load(Ordering::Acquire) == 0
            && !self.processes.iter().any(waits_outside)
            && !self.is_being_fed()
            && !self.is_left_unread()
            && self.roster.quiet_epoch() == epoch
    }

    /// Whether it is a receiver to which other parts may send.
    fn is_open_elsewhere(&self, process: usize) -> bool {
        let receivers = &self.receivers;
        let found = receivers.binary_search_by_key(&process, |(receiver, _)| *receiver);
        found.is_ok_and(|at| receivers[at].1.is_open_elsewhere())
    }

    /// Whether other parts may still send something.
    fn is_fed_elsewhere(&self) -> bool {
        let is_over = |index: usize| self.processes[index].is_over.load(Ordering::Acquire);
        let mut open = self.receivers.iter();
        open.any(|(index, station)| station.is_open_elsewhere() && !is_over(*index))
    }

    /// Whether the embedding program may still feed a link.
    fn is_being_fed(&self) -> bool {
        self.links.iter().any(|link| {
            let feeds = |who: &Who| matches!(who, Who::External(_));
            link.writers.iter().any(feeds) && {
                let open = link.observe().open;
                let mut writers = link.writers.iter().zip(open);
                writers.any(|(who, is_open)| is_open && feeds(who))
            }
        })
    }

    /// Virtual time goes on when everybody waits for it, but not while somebody waits for the world, or
    /// for the embedding program to receive.
    fn let_time_pass(&self) {
        if self.outside.load(Ordering::Acquire) == 0
            && self.clock.is_virtual()
            && !self.is_left_unread()
        {
            self.clock.advance();
        }
    }
}
