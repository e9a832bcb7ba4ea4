//! Ports that components do not have, and indexes that ports do not have.

use std::collections::HashSet;

use crate::catalogue::Component;
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::unknown_port::Wrong;
use crate::expand::{AUTOMATIC, Side};

use super::{Used, View, declared};

/// Ports that were probably meant by a wrong name; they count as connected.
pub(super) type Misnamed = HashSet<(usize, Side, String)>;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Misnamed {
    let mut misnamed = Misnamed::new();
    check_automatic(view, found);
    for used in view.used() {
        let (side, end) = (used.side, used.end);
        let Some(component) = view.components.get(end.process).copied().flatten() else {
            continue;
        };
        match view.port(side, end) {
            Some(port) if port.array || end.index.is_none() => {}
            Some(port) => {
                let address = view.address(end.process);
                found.push(diagnostics::plain_index::at(address, &port.name, used.span));
            }
            None => {
                let (diagnostic, meant) = unknown(view, component, &used);
                found.push(diagnostic);
                let meant = meant.or_else(|| only_required(component, side));
                misnamed.extend(meant.map(|meant| (end.process, side, meant)));
                // An arrow the wrong way round would connect the port it names.
                let other = (end.process, side.opposite(), end.port.to_uppercase());
                misnamed.insert(other);
            }
        }
    }
    misnamed
}

/// An automatic port has no elements.
fn check_automatic(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let writers = view.plan.links.iter().flat_map(|link| &link.from);
    let ends = view.plan.links.iter().map(|link| &link.to);
    let ends = ends.chain(writers.map(|writer| &writer.end));
    for end in ends.filter(|end| end.port == AUTOMATIC && end.index.is_some()) {
        let address = view.address(end.process);
        found.push(diagnostics::plain_index::at(address, AUTOMATIC, end.span));
    }
}

/// The port that can only have been meant when no name is near.
fn only_required(component: &Component, side: Side) -> Option<String> {
    let only = |is_param: bool| {
        let ports = declared(component, side).iter();
        let mut required = ports.filter(|port| port.required && port.param == is_param);
        let only = required.next().filter(|_| required.next().is_none());
        only.map(|port| port.name.clone())
    };
    let takes = declared(component, side).iter().any(|port| !port.param);
    only(!takes)
}

fn unknown(
    view: &View<'_>,
    component: &Component,
    used: &Used<'_>,
) -> (Diagnostic, Option<String>) {
    let names = |side| {
        declared(component, side)
            .iter()
            .map(|port| port.name.as_str())
    };
    let wrong = Wrong {
        process: view.address(used.end.process),
        port: &used.end.port,
        implied: used.implied && used.span.start < used.span.end,
        side: used.side,
        span: used.span,
    };
    let here: Vec<_> = names(used.side).collect();
    let there: Vec<_> = names(used.side.opposite()).collect();
    diagnostics::unknown_port::at(&wrong, &here, &there)
}
