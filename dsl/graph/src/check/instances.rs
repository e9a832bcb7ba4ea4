//! Processes that are to be several: whether their work can be shared.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::cannot_share::Reason;
use crate::expand::{AUTOMATIC, MOST_PROCESSES, Side};
use crate::instances::{BACKLOG, BALANCE, INSTANCES, balance_address, dealt_to, number};
use crate::plan::{End, Process};

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
        } else if !balance && is_dealt(view, at) {
            found.push(diagnostics::unknown_component::at(
                BALANCE,
                span,
                [].into_iter(),
            ));
        }
        check_address(view, process, found);
    }
}

/// Whether a balance process is needed: something comes that does not deal by itself.
fn is_dealt(view: &View<'_>, process: usize) -> bool {
    dealt_to(view.plan).contains(&process)
}

/// That a store keeps a table of it.
fn kept(view: &View<'_>, process: usize) -> Option<Reason> {
    let mut tables = view.plan.tables.iter();
    let table = tables.find(|table| table.process == process)?;
    Some(Reason::Kept(table.name.clone()))
}

/// The addresses of workers and balance process must be free.
fn check_address(view: &View<'_>, process: &Process, found: &mut Vec<Diagnostic>) {
    let address = balance_address(&process.address);
    let worker = |other: &Process| {
        let rest = other.address.strip_prefix(&process.address);
        let number = rest.and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let mut others = view.plan.processes.iter();
    if let Some(other) = others.find(|other| other.address == address || worker(other)) {
        let (first, second) = (process.component_span, other.span);
        found.push(diagnostics::clashing_name::at(
            &other.address,
            first,
            second,
        ));
    }
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
