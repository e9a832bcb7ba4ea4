//! Addresses that two processes share.

use hashbrown::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;

use super::View;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let plan = view.plan;
    let mut first = HashMap::with_capacity(plan.processes.len() + plan.subnets.len());
    let subnets = plan
        .subnets
        .iter()
        .map(|subnet| (&subnet.address, subnet.span));
    let processes = plan
        .processes
        .iter()
        .map(|process| (&process.address, process.span));
    for (address, span) in processes.chain(subnets) {
        if let Some(earlier) = first.insert(address, span) {
            found.push(diagnostics::clashing_name::at(address, earlier, span));
        }
    }
}
