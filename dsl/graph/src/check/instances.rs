//! Processes that are to be several: whether their work can be shared.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use hashbrown::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::cannot_share::Reason;
use crate::expand::{AUTOMATIC, MOST_PROCESSES, Side};
use crate::instances::{BACKLOG, BALANCE, INSTANCES, dealt_to, number, spread_from};
use crate::plan::{End, Plan, Process};

use super::{Used, View};

pub(super) fn check(view: &View<'_>, balance: bool, found: &mut Vec<Diagnostic>) {
    let mut shared = BTreeSet::new();
    let mut total = view.plan.processes.len();
    for (at, process) in view.plan.processes.iter().enumerate() {
        for key in [INSTANCES, BACKLOG] {
            if let Some(Err(value)) = number(process, key) {
                let at = process.component_span;
                found.push(diagnostics::bad_instances::at(
                    &process.address,
                    key,
                    &value,
                    at,
                ));
            }
        }
        if let Some(Ok(count @ 2..)) = number(process, INSTANCES) {
            shared.insert(at);
            let was_small = total <= MOST_PROCESSES;
            total += count;
            if was_small && total > MOST_PROCESSES {
                let span = process.component_span;
                found.push(diagnostics::bad_instances::too_many(&process.address, span));
            }
        }
    }
    if shared.is_empty() {
        return;
    }
    let ends = Ends::of(view, &shared);
    let (dealt, taken) = (dealt_to(view.plan), taken(view.plan));
    for at in shared {
        let process = &view.plan.processes[at];
        if view.components[at].is_none() {
            continue;
        }
        let span = process.component_span;
        if let Some(reason) = ends.reason(at).or_else(|| kept(view, at)) {
            found.push(diagnostics::cannot_share::at(
                &process.address,
                &reason,
                span,
            ));
        } else if !balance && dealt.contains(&at) {
            found.push(diagnostics::unknown_component::at(
                BALANCE,
                span,
                [].into_iter(),
            ));
        }
        if let Some(other) = taken.get(process.address.as_str()) {
            found.push(diagnostics::clashing_name::at(
                &other.address,
                span,
                other.span,
            ));
        }
    }
}

/// That a store keeps a table of it.
fn kept(view: &View<'_>, process: usize) -> Option<Reason> {
    let mut tables = view.plan.tables.iter();
    let table = tables.find(|table| table.process == process)?;
    Some(Reason::Kept(table.name.clone()))
}

/// The addresses that workers and balance processes would have and others have already: the first of these
/// others, by the process that they would belong to.
fn taken(plan: &Plan) -> HashMap<&str, &Process> {
    let mut taken = HashMap::new();
    for process in &plan.processes {
        if let Some(several) = spread_from(&process.address) {
            taken.entry(several).or_insert(process);
        }
    }
    taken
}

/// What is connected to processes that are to be several.
#[derive(Default)]
struct Ends {
    inputs: BTreeMap<usize, BTreeSet<String>>,
    elements: BTreeMap<usize, String>,
    exported: BTreeMap<usize, String>,
    automatic: HashSet<usize>,
}

impl Ends {
    fn of(view: &View<'_>, shared: &BTreeSet<usize>) -> Self {
        let mut ends = Self::default();
        for link in &view.plan.links {
            ends.input(&link.to);
            let gates = link.from.iter().map(|writer| &writer.end);
            let gates = gates.filter(|end| end.port == AUTOMATIC);
            ends.automatic.extend(gates.map(|end| end.process));
        }
        let loose = view.loose.iter().filter(|(side, _)| *side == Side::In);
        let fed = view.plan.inports.iter().map(|export| &export.end);
        fed.chain(loose.map(|(_, end)| end))
            .for_each(|end| ends.input(end));
        for Used { side, end, .. } in view.used() {
            if side == Side::Out && end.index.is_some() && shared.contains(&end.process) {
                ends.elements.insert(end.process, end.port.clone());
            }
        }
        for export in &view.plan.outports {
            let end = &export.end;
            ends.exported.insert(end.process, end.port.clone());
        }
        ends
    }

    fn input(&mut self, end: &End) {
        if end.port == AUTOMATIC {
            self.automatic.insert(end.process);
            return;
        }
        let name = match end.index {
            Some(index) => format!("{}[{index}]", end.port),
            None => end.port.clone(),
        };
        self.inputs.entry(end.process).or_default().insert(name);
    }

    /// Why this process cannot be several.
    fn reason(&self, process: usize) -> Option<Reason> {
        if self.automatic.contains(&process) {
            return Some(Reason::Automatic);
        }
        match self.inputs.get(&process) {
            None => return Some(Reason::NoInput),
            Some(ports) if ports.len() > 1 => {
                return Some(Reason::Inputs(ports.iter().cloned().collect()));
            }
            Some(_) => {}
        }
        let elements = self.elements.get(&process).cloned().map(Reason::Elements);
        elements.or_else(|| self.exported.get(&process).cloned().map(Reason::Exported))
    }
}
