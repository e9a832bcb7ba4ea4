//! Ports that components do not have, and indexes that ports do not have.

use std::collections::HashSet;

use crate::catalogue::Component;
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::diagnostics::unknown_port::Wrong;
use crate::expand::Side;
use crate::plan::End;

use super::{Used, View, declared};

/// Ports that were probably meant by a wrong name; they count as connected.
pub(super) type Misnamed = HashSet<(usize, Side, String)>;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) -> Misnamed {
    let mut misnamed = Misnamed::new();
    for Used { side, end } in view.used() {
        let Some(component) = view.components.get(end.process).copied().flatten() else {
            continue;
        };
        match view.port(side, end) {
            Some(port) if port.array || end.index.is_none() => {}
            Some(port) => {
                let address = view.address(end.process);
                found.push(diagnostics::plain_index::at(address, &port.name, end.span));
            }
            None => {
                let (diagnostic, meant) = unknown(view, component, side, end);
                found.push(diagnostic);
                misnamed.extend(meant.map(|meant| (end.process, side, meant)));
            }
        }
    }
    misnamed
}

fn unknown(
    view: &View<'_>,
    component: &Component,
    side: Side,
    end: &End,
) -> (Diagnostic, Option<String>) {
    let names = |side| {
        declared(component, side)
            .iter()
            .map(|port| port.name.as_str())
    };
    let wrong = Wrong {
        process: view.address(end.process),
        port: &end.port,
        implied: false,
        side,
        span: end.span,
    };
    let here: Vec<_> = names(side).collect();
    let there: Vec<_> = names(side.opposite()).collect();
    diagnostics::unknown_port::at(&wrong, &here, &there)
}
