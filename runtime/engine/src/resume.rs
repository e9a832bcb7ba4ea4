//! A network that is told to stop while stores have a part in it: what goes on in the next run does not
//! end in this one.
//!
//! Whoever has a table in a store, or writes to a connector, or stands behind one of them, *outlasts* the
//! run: the next one goes on with it. When its input stops because the run does, it is not told that its
//! input has ended; it would draw its conclusions from that, and they would be wrong. It works off what
//! there is, and when nothing moves any more the run is over, as if it had been killed then: what it
//! holds of a store is given back. All others see the end of their input, and do what is to be done then.

use std::sync::atomic::Ordering;

use paperflow_core::Spec;
use paperflow_graph::plan::Plan;

use crate::network::Net;
use crate::process::{Life, Process};
use crate::report::Verdict;
use crate::roster::Who;

/// What a process is over the end of a run that is cut short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// The next run goes on with it.
    pub(crate) outlasts: bool,
    /// What it has sent may come from somebody who never sends the same again.
    pub(crate) is_unsafe: bool,
}

/// What is known of a process in the plan.
pub(crate) struct Role<'a> {
    pub(crate) spec: &'a Spec,
    /// A store keeps tables of it.
    pub(crate) has_desk: bool,
    /// It reads from a connector.
    pub(crate) is_receiver: bool,
    /// It writes to one.
    pub(crate) is_sender: bool,
    /// The embedding program feeds it.
    pub(crate) is_fed: bool,
}

impl Role<'_> {
    /// A store keeps what it has, or what it has had.
    const fn is_kept(&self) -> bool {
        self.has_desk || self.is_receiver || self.is_sender
    }
}

/// The fate of each process.
pub(crate) fn fates(plan: &Plan, roles: &[Role<'_>]) -> Vec<Fate> {
    let mut behind = vec![Vec::new(); roles.len()];
    let mut is_written = vec![false; roles.len()];
    for link in &plan.links {
        for writer in link.writers() {
            behind[writer.end.process].push(link.to.process);
            is_written[link.to.process] = true;
        }
    }
    let mut fates = vec![Fate::default(); roles.len()];
    let kept = (0..roles.len()).filter(|at| roles[*at].is_kept());
    follow(&behind, kept.collect(), |at| {
        !std::mem::replace(&mut fates[at].outlasts, true)
    });
    let unsure = (0..roles.len()).filter(|at| {
        let is_source = !is_written[*at] && !roles[*at].spec.repeats;
        roles[*at].is_fed || is_source
    });
    follow(&behind, unsure.collect(), |at| {
        !roles[at].is_kept() && !std::mem::replace(&mut fates[at].is_unsafe, true)
    });
    fates
}

/// Goes to some processes and those behind them, as far as each has not been reached before.
fn follow(behind: &[Vec<usize>], some: Vec<usize>, mut reach: impl FnMut(usize) -> bool) {
    let mut next = some;
    while let Some(process) = next.pop() {
        if reach(process) {
            next.extend(&behind[process]);
        }
    }
}

impl Net {
    /// Whether it was told to stop, and the next run goes on with what is not done.
    pub(crate) fn is_cut_short(&self) -> bool {
        let is_kept = !self.entered.is_empty() || self.part.is_some();
        is_kept && self.is_stopping.load(Ordering::Acquire)
    }

    /// Whether everybody has done what there was to do before the next run. Nobody is busy.
    pub(crate) fn is_at_rest(&self) -> bool {
        let rests = |process: &Process| {
            let status = process.status();
            let is_elsewhere = status.life == Life::Suspended && status.waits.is_empty();
            let is_outside =
                process.is_outside.load(Ordering::Acquire) || status.waits.outside || is_elsewhere;
            process.is_over.load(Ordering::Acquire) || !is_outside || process.special.desk.is_some()
        };
        self.processes.iter().all(rests) && !self.is_left_unread()
    }

    /// The end of a run that was told to stop and is at rest.
    pub(crate) fn stopped(&self) -> Verdict {
        let left = self.unfinished_but(|process| !self.leaves_something(process));
        if left.is_empty() {
            Verdict::Finished
        } else {
            Verdict::Abandoned(left)
        }
    }

    /// Whether a process has something, or something waits for it, that may never come again.
    fn leaves_something(&self, process: &Process) -> bool {
        let holds =
            process.fate.is_unsafe && process.special.desk.is_none() && process.fate.outlasts;
        let waits = |link: usize| {
            let link = &self.links[link];
            let mut writers = link.writers.iter();
            link.observe().fill > 0
                && writers.any(|writer| match writer {
                    Who::Process(writer) => self.processes[*writer].fate.is_unsafe,
                    Who::External(_) => true,
                })
        };
        holds || process.links_in().any(waits)
    }
}
