//! Where connectors cannot be: between automatic ports, and inside what starts anew for each group.

use crate::diagnostic::Diagnostic;
use crate::diagnostics::no_connector::{self, Reason};
use crate::expand::AUTOMATIC;
use crate::plan::{Link, Writer};

use super::View;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    for link in &view.plan.links {
        let Some(connector) = &link.connector else {
            continue;
        };
        let reasons = link.from.iter().map(|writer| reason(view, link, writer));
        if let Some(reason) = reasons.flatten().next() {
            let kind = connector.kind.word();
            found.push(no_connector::at(kind, &reason, connector.span));
        }
    }
}

fn reason(view: &View<'_>, link: &Link, writer: &Writer) -> Option<Reason> {
    if link.to.port == AUTOMATIC || writer.end.port == AUTOMATIC {
        return Some(Reason::Automatic);
    }
    let (from, to) = (writer.end.process, link.to.process);
    let (before, after) = (scopes(view, from), scopes(view, to));
    let shared = before.iter().find(|scope| after.contains(scope));
    let inner = |process: usize, scopes: &[usize]| {
        let is_border = BORDERS.contains(&view.plan.processes[process].component.as_str());
        scopes.first().copied().filter(|_| !is_border)
    };
    let entered = inner(to, &after).or_else(|| inner(from, &before));
    let scope = shared.copied().or(entered)?;
    Some(Reason::Scope(view.plan.scopes[scope].address.clone()))
}

/// What stands between a subnet that starts anew and what is around it.
const BORDERS: [&str; 2] = ["subnet/in-ss", "subnet/out-ss"];

/// The scopes around a process, the innermost first.
fn scopes(view: &View<'_>, process: usize) -> Vec<usize> {
    let scopes = &view.plan.scopes;
    let around = |scope: &usize| scopes.get(*scope).and_then(|scope| scope.parent);
    std::iter::successors(view.plan.processes[process].scope, around).collect()
}
