//! A part that begins again, when its former life had told the end of some of what it sends.
//!
//! What ended stays ended: a sender drops what it is given there, since all of it had been sent. That is
//! so of a process that gives the same to the same out-port in each life. One that chooses by time, or by
//! the order in which packets come, gives something else there in its second life, which was on its way to
//! another out-port when the first one was cut off. To such a process an out-port from which nothing can
//! arrive any more is closed before anything runs, as if its reader had left: what would go there goes to
//! another one, and arrives there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use paperflow_core::turn::Received;
use paperflow_core::{Catalogue, Sends, Spec};
use paperflow_graph::plan::{Link, Plan};

use crate::link::Link as Wire;
use crate::ways::Ways;

use super::Part;

/// How much of what is sent to a link arrives; the better comes later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    /// All that can come of it had been sent in a former life.
    Nothing,
    /// So had a part of it.
    Something,
    /// Nothing of it is known to have been sent.
    All,
}

impl Part {
    /// Finds what is closed to processes that give it to others then. `plan` is the part with its senders
    /// and receivers.
    pub(crate) fn begin_anew(&mut self, plan: &Plan, catalogue: &Catalogue) {
        let ended = self.senders.iter().map(|(key, sender)| {
            let crossing = self.connectors.get(key);
            (*sender, crossing.is_some_and(|one| one.shore.was_ended()))
        });
        let map = Map::new(plan, catalogue, ended.collect());
        self.closed = map.closed();
        for link in &self.closed {
            let to = &plan.processes[plan.links[*link].to.process].address;
            tracing::debug!(part = %self.name, %to, "was served before: what is for it goes to others");
        }
    }

    /// Closes it, before anything runs.
    pub(crate) fn close(&self, links: &[Arc<Wire>]) {
        for link in self.closed.iter().map(|link| &links[*link]) {
            link.close_reader(Received::default(), false);
            (0..link.writers.len()).for_each(|writer| link.close_writer(writer));
        }
    }
}

/// The ways through a part.
struct Map<'a> {
    ways: Ways<'a>,
    /// The senders to other parts: whether the end of what they send had been told before.
    ended: BTreeMap<usize, bool>,
}

impl<'a> Map<'a> {
    fn new(plan: &'a Plan, catalogue: &'a Catalogue, ended: BTreeMap<usize, bool>) -> Self {
        Self {
            ways: Ways::new(plan, catalogue),
            ended,
        }
    }

    fn closed(&self) -> Vec<usize> {
        if !self.ended.values().any(|ended| *ended) {
            return Vec::new();
        }
        let processes = 0..self.ways.plan.processes.len();
        let choosing = processes.filter(|process| self.chooses_anew(*process));
        choosing
            .flat_map(|process| self.closed_to(process))
            .collect()
    }

    /// Whether a process may divide what it is given in another way than in a former life, and passes over
    /// those who have left. One with tables learns of those too late, and one in a subnet that begins anew with
    /// each group forgets them.
    fn chooses_anew(&self, process: usize) -> bool {
        if self.ways.has_tables(process) || self.ways.plan.processes[process].scope.is_some() {
            return false;
        }
        let passes_over = |spec: &Spec| {
            let by_order = spec.sends == Sends::InStep;
            spec.passes_over && !(by_order && self.ways.comes_in_order(process))
        };
        self.ways.spec(process).is_some_and(passes_over)
    }

    /// Of the links by which a process sends from one port, those behind which less arrives than behind others:
    /// somebody must be left, and when nothing arrives anywhere, everything had been sent.
    fn closed_to(&self, process: usize) -> Vec<usize> {
        let mut ports: BTreeMap<&str, BTreeMap<usize, Arrival>> = BTreeMap::new();
        for at in &self.ways.out_of[process] {
            let link = &self.ways.plan.links[*at];
            let own = link.from.iter().filter(|one| one.end.process == process);
            for writer in own {
                let port = ports.entry(&writer.end.port).or_default();
                port.entry(*at).or_insert_with(|| self.arrives(link));
            }
        }
        let mut closed = Vec::new();
        for links in ports.into_values() {
            let most = links.values().max().copied();
            let less = links
                .into_iter()
                .filter(|(_, arrival)| Some(*arrival) < most);
            closed.extend(
                less.map(|(at, _)| at)
                    .filter(|at| self.is_own(process, *at)),
            );
        }
        closed
    }

    /// Whether a process alone writes to a link, and nothing goes elsewhere when that is full.
    fn is_own(&self, process: usize, at: usize) -> bool {
        let link = &self.ways.plan.links[at];
        let mut fed = self.ways.plan.inports.iter();
        let is_fed = fed.any(|export| {
            let (end, to) = (&export.end, &link.to);
            (end.process, &end.port, end.index) == (to.process, &to.port, to.index)
        });
        let mut writers = link.writers();
        link.divert.is_none() && !is_fed && writers.all(|writer| writer.end.process == process)
    }

    /// What arrives of what is sent to a link: at other parts, and at those who send to nobody.
    fn arrives(&self, link: &Link) -> Arrival {
        let (mut met, mut next) = (BTreeSet::new(), vec![link.to.process]);
        let (mut is_ended, mut is_open) = (false, false);
        while let Some(process) = next.pop() {
            if !met.insert(process) {
                continue;
            }
            match self.ended.get(&process) {
                Some(true) => is_ended = true,
                Some(false) => is_open = true,
                None => {
                    let links = self.ways.out_of[process].iter();
                    next.extend(links.map(|link| self.ways.plan.links[*link].to.process));
                    is_open |= self.is_end(process);
                }
            }
        }
        match (is_ended, is_open) {
            (true, false) => Arrival::Nothing,
            (true, true) => Arrival::Something,
            (false, _) => Arrival::All,
        }
    }

    /// Whether what is sent to a process may arrive there and nowhere else.
    fn is_end(&self, process: usize) -> bool {
        let mut exports = self.ways.plan.outports.iter();
        self.ways.out_of[process].is_empty() || exports.any(|export| export.end.process == process)
    }
}

#[cfg(test)]
mod tests {
    use paperflow_core::{Activity, Component, Fault, Params};
    use paperflow_graph::plan::{End, Process, Writer};

    use super::*;

    const NONE: [usize; 0] = [];

    struct Named(Spec);

    impl Component for Named {
        fn spec(&self) -> &Spec {
            &self.0
        }

        fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
            Err(Fault::new("it is never opened"))
        }
    }

    fn catalogue() -> Catalogue {
        let named = |name| Spec::new(name, "A component.");
        Catalogue::new()
            .with(Named(named("t/source").repeats()))
            .with(Named(named("t/pass").plain()))
            .with(Named(named("t/sort")))
            .with(Named(named("t/balance").passes_over()))
            .with(Named(named("t/deal").passes_over().sends(Sends::InStep)))
    }

    /// The links, by their writers and readers, that are closed in a part with these processes, while these
    /// senders had told the end of what they send, and those had not.
    fn closed(
        components: &[&str],
        links: &[(&[usize], usize)],
        ended: &[usize],
        open: &[usize],
    ) -> Vec<usize> {
        let end = |process| End {
            process,
            port: String::from("OUT"),
            ..End::default()
        };
        let process = |component: &&str| Process {
            component: format!("t/{component}"),
            ..Process::default()
        };
        let writer = |process: &usize| Writer {
            end: end(*process),
            ..Writer::default()
        };
        let link = |(from, to): &(&[usize], usize)| Link {
            from: from.iter().map(writer).collect(),
            to: end(*to),
            ..Link::default()
        };
        let plan = Plan {
            processes: components.iter().map(process).collect(),
            links: links.iter().map(link).collect(),
            ..Plan::default()
        };
        let told = |all: &[usize], is| all.iter().map(move |one| (*one, is)).collect::<Vec<_>>();
        let ended = told(ended, true).into_iter().chain(told(open, false));
        Map::new(&plan, &catalogue(), ended.collect()).closed()
    }

    #[test]
    fn what_had_ended_is_closed_when_something_else_is_left() {
        let components = ["source", "balance", "pass", "pass", "send", "send"];
        let links: [(&[usize], usize); 5] = [(&[0], 1), (&[1], 2), (&[1], 3), (&[2], 4), (&[3], 5)];
        assert_eq!(closed(&components, &links, &[4], &[5]), [1]);
        assert_eq!(closed(&components, &links, &[5], &[4]), [2]);
        assert_eq!(closed(&components, &links, &[4, 5], &[]), NONE);
        assert_eq!(closed(&components, &links, &[], &[4, 5]), NONE);
        // Who sends nothing is left as well.
        let links: [(&[usize], usize); 4] = [(&[0], 1), (&[1], 2), (&[1], 3), (&[2], 4)];
        assert_eq!(closed(&components, &links, &[4], &[5]), [1]);
    }

    #[test]
    fn where_a_part_of_it_arrives_is_better_than_where_nothing_does() {
        let components = [
            "source", "balance", "pass", "pass", "send", "send", "send", "pass",
        ];
        let both: [(&[usize], usize); 6] = [
            (&[0], 1),
            (&[1], 2),
            (&[1], 3),
            (&[2], 4),
            (&[3], 5),
            (&[3], 6),
        ];
        assert_eq!(closed(&components, &both, &[4, 5], &[6]), [1]);
        assert_eq!(closed(&components, &both, &[5], &[4, 6]), [2]);
        let mut third = both.to_vec();
        third.push((&[1], 7));
        assert_eq!(closed(&components, &third, &[4, 5], &[6]), [1, 2]);
    }

    #[test]
    fn what_others_write_to_as_well_stays_open() {
        let components = ["source", "balance", "pass", "pass", "send", "send"];
        let links: [(&[usize], usize); 5] =
            [(&[0], 1), (&[1, 0], 2), (&[1], 3), (&[2], 4), (&[3], 5)];
        assert_eq!(closed(&components, &links, &[4], &[5]), NONE);
    }

    #[test]
    fn who_deals_in_turn_divides_the_same_in_the_same_way() {
        let dealt = |before: &[(&[usize], usize)], components: [&str; 3]| {
            let mut links = before.to_vec();
            links.extend([(&[3][..], 4), (&[3], 5)]);
            let components: Vec<_> = components
                .into_iter()
                .chain(["deal", "send", "send"])
                .collect();
            closed(&components, &links, &[4], &[5])
        };
        let row: [(&[usize], usize); 3] = [(&[0], 1), (&[1], 2), (&[2], 3)];
        assert_eq!(dealt(&row, ["source", "pass", "pass"]), NONE);
        assert_eq!(
            dealt(&row, ["receive", "pass", "pass"]),
            [3],
            "what was settled does not come again"
        );
        let merged: [(&[usize], usize); 3] = [(&[0, 1], 2), (&[2], 3), (&[0], 1)];
        assert_eq!(dealt(&merged, ["source", "pass", "pass"]), [3]);
        let circle: [(&[usize], usize); 3] = [(&[2], 1), (&[1], 2), (&[2], 3)];
        assert_eq!(dealt(&circle, ["source", "pass", "pass"]), [3]);
        assert_eq!(dealt(&row, ["source", "balance", "pass"]), [3]);
        assert_eq!(dealt(&row, ["source", "sort", "pass"]), [3]);
    }
}
