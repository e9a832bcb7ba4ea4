//! What can be told from one drawing alone, without opening its subnets.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::Side;
use crate::model::{Export, Graph};

/// Reports arrows and exports that name undefined processes, and what is defined twice.
pub fn check(graph: &Graph, found: &mut Vec<Diagnostic>) {
    let names = graph
        .processes
        .iter()
        .map(|process| process.name.as_str())
        .collect();
    let arrows = graph.connections.iter();
    found.extend(arrows.flat_map(|arrow| diagnostics::unknown_process::of(arrow, &names)));
    let redefined = graph
        .processes
        .iter()
        .filter(|process| !process.redefined.is_empty());
    found.extend(redefined.map(diagnostics::redefined_process::at));
    check_exports(&names, &graph.inports, Side::In, found);
    check_exports(&names, &graph.outports, Side::Out, found);
}

fn check_exports(
    names: &HashSet<&str>,
    exports: &[Export],
    side: Side,
    found: &mut Vec<Diagnostic>,
) {
    for (at, export) in exports.iter().enumerate() {
        if !names.contains(export.process.as_str()) {
            found.push(diagnostics::export_nowhere::at(export, side, names));
        }
        let same = |other: &&Export| other.public.eq_ignore_ascii_case(&export.public);
        if let Some(first) = exports[..at].iter().find(same) {
            found.push(diagnostics::doubled_export::at(first, export, side));
        }
    }
}
