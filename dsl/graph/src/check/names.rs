//! Addresses that two processes share.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;

use super::View;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let mut first = HashMap::new();
    let subnets = view
        .plan
        .subnets
        .iter()
        .map(|subnet| (&subnet.address, subnet.span));
    let processes = view
        .plan
        .processes
        .iter()
        .map(|process| (&process.address, process.span));
    for (address, span) in processes.chain(subnets) {
        if let Some(earlier) = first.insert(address, span) {
            found.push(diagnostics::clashing_name::at(address, earlier, span));
        }
    }
}
