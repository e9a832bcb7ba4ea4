//! Who sends to whom in a plan with its senders and receivers, and what comes to a process in each of its lives.
//!
//! The identity of a packet follows from that of the packet handled and from the place that sends it. So what a
//! store delivers again, or a source repeats, arrives as the same packets, unless somebody on the way sends by
//! time, or by the order in which packets come.

use std::collections::BTreeSet;

use paperflow_core::{Catalogue, Spec};
use paperflow_graph::Full;
use paperflow_graph::plan::Plan;

/// The ways through a plan.
pub(crate) struct Ways<'a> {
    pub(crate) plan: &'a Plan,
    catalogue: &'a Catalogue,
    /// By process: its links in and out.
    into: Vec<Vec<usize>>,
    pub(crate) out_of: Vec<Vec<usize>>,
}

impl<'a> Ways<'a> {
    pub(crate) fn new(plan: &'a Plan, catalogue: &'a Catalogue) -> Self {
        let (mut into, mut out_of) = (vec![Vec::new(); plan.processes.len()], Vec::new());
        out_of.resize(plan.processes.len(), BTreeSet::new());
        for (at, link) in plan.links.iter().enumerate() {
            into[link.to.process].push(at);
            for writer in link.writers() {
                out_of[writer.end.process].insert(at);
            }
        }
        Self {
            plan,
            catalogue,
            into,
            out_of: out_of.into_iter().map(Vec::from_iter).collect(),
        }
    }

    pub(crate) fn spec(&self, process: usize) -> Option<&Spec> {
        let component = &self.plan.processes[process].component;
        self.catalogue.get(component).map(|found| found.spec())
    }

    /// Whether a store keeps tables of a process.
    pub(crate) fn has_tables(&self, process: usize) -> bool {
        let mut tables = self.plan.tables.iter();
        tables.any(|table| table.process == process)
    }

    /// Whether a process receives the same in the same order in each life: from one that repeats itself, by a row
    /// of processes that handle each packet by itself.
    pub(crate) fn comes_in_order(&self, process: usize) -> bool {
        let mut met = BTreeSet::new();
        let mut at = process;
        while met.insert(at) {
            let [link] = self.into[at].as_slice() else {
                return false;
            };
            let link = &self.plan.links[*link];
            let mut writers = link.writers();
            at = match (writers.next(), writers.next()) {
                (Some(writer), None) if link.full == Full::Wait => writer.end.process,
                _ => return false,
            };
            match self.spec(at) {
                Some(spec) if self.into[at].is_empty() => return spec.repeats,
                Some(spec) if spec.plain => {}
                _ => return false,
            }
        }
        false
    }

    /// Whether something may come to a process as another packet than in a former life. What comes from one of
    /// the `receivers`, or from a process with tables in a store, is the same.
    pub(crate) fn may_come_as_another(&self, process: usize, receivers: &[usize]) -> bool {
        let (mut met, mut next) = (BTreeSet::new(), vec![process]);
        while let Some(reader) = next.pop() {
            let links = self.into[reader].iter().map(|at| &self.plan.links[*at]);
            let writers = links.flat_map(|link| link.writers().map(|writer| writer.end.process));
            for writer in writers {
                if !met.insert(writer) || receivers.contains(&writer) || self.has_tables(writer) {
                    continue;
                }
                if self.into[writer].is_empty() || self.comes_in_order(writer) {
                    continue;
                }
                if !self.spec(writer).is_some_and(Spec::is_one_by_one) {
                    return true;
                }
                next.push(writer);
            }
        }
        false
    }
}
