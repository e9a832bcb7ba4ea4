//! Ports that must be connected and are not, those of fixed array ports included.

use std::collections::BTreeMap;

use crate::catalogue::{Component, Port};
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::Side;
use crate::plan::{Export, Subnet};
use crate::source::Span;

use super::lists::Lists;
use super::ports::Misnamed;
use super::{Used, View, declared};

/// A port of a process.
type Key<'a> = (usize, Side, &'a str);

/// Missing ports by the process or subnet that lacks them.
type Missing<'a> = BTreeMap<(Span, &'a str), Vec<(Side, &'a str)>>;

pub(super) fn check(view: &View<'_>, misnamed: &Misnamed, found: &mut Vec<Diagnostic>) {
    let ends: Vec<Used<'_>> = view.used().collect();
    let numbers = || ends.iter().map(|used| used.end.process).zip(0..);
    let by_process = Lists::of(view.plan.processes.len(), numbers);
    let doors = doors(view);
    let mut missing = Missing::new();
    for (process, component) in view.components.iter().enumerate() {
        let Some(component) = component else { continue };
        for (side, port) in both(component) {
            let key = (process, side, port.name.as_str());
            let own = by_process.at(process).iter().map(|at| &ends[*at]);
            let own = own.filter(|used| used.side == side && used.end.port == port.name);
            let mut own = own.peekable();
            if own.peek().is_some() {
                check_elements(view, key, port, own, found);
            } else if port.required && !misnamed.contains(&(process, side, port.name.clone())) {
                add_missing(view, &doors, key, &mut missing);
            }
        }
    }
    let reports = missing.iter();
    found.extend(
        reports.map(|((span, name), ports)| diagnostics::missing_port::at(name, ports, *span)),
    );
}

fn both(component: &Component) -> impl Iterator<Item = (Side, &Port)> {
    let ports = |side| {
        declared(component, side)
            .iter()
            .map(move |port| (side, port))
    };
    ports(Side::In).chain(ports(Side::Out))
}

/// The outermost public port that leads to an inner one, with its subnet.
type Doors<'a> = BTreeMap<Key<'a>, (&'a Subnet, &'a str)>;

fn doors<'a>(view: &View<'a>) -> Doors<'a> {
    let mut doors = Doors::new();
    for subnet in &view.plan.subnets {
        let mut add = |side, exports: &'a [Export]| {
            for export in exports {
                let key = (export.end.process, side, export.end.port.as_str());
                doors.entry(key).or_insert((subnet, export.public.as_str()));
            }
        };
        add(Side::In, &subnet.inports);
        add(Side::Out, &subnet.outports);
    }
    doors
}

/// Notes a missing port where its user can mend it: at the subnet that exports it, if any.
fn add_missing<'a>(view: &View<'a>, doors: &Doors<'a>, key: Key<'a>, missing: &mut Missing<'a>) {
    let (process, side, port) = key;
    let place = match doors.get(&key) {
        Some((subnet, public)) => ((subnet.span, subnet.address.as_str()), (side, *public)),
        None => (
            (view.plan.processes[process].span, view.address(process)),
            (side, port),
        ),
    };
    let ports = missing.entry(place.0).or_default();
    if !ports.contains(&place.1) {
        ports.push(place.1);
    }
}

/// Compares the elements in use with those of a fixed array port.
///
/// An element that does not exist was probably meant to be one that is missing.
fn check_elements<'a>(
    view: &View<'_>,
    (process, _, name): Key<'_>,
    port: &Port,
    ends: impl Iterator<Item = &'a Used<'a>>,
    found: &mut Vec<Diagnostic>,
) {
    let Some(size) = port.size.filter(|_| port.array) else {
        return;
    };
    // Where each element is first written.
    let mut used = BTreeMap::new();
    for Used { end, span, .. } in ends {
        used.entry(end.index.unwrap_or(0)).or_insert(*span);
    }
    let full = format!("{}.{name}", view.address(process));
    let beyond: Vec<_> = used.range(size..).collect();
    let lacking: Vec<_> = (0..size)
        .filter(|index| !used.contains_key(index))
        .collect();
    for (index, span) in &beyond {
        let element = format!("{full}[{index}]");
        found.push(diagnostics::element_beyond::at(&element, size, **span));
    }
    if lacking.len() > beyond.len() {
        let span = view.plan.processes[process].span;
        found.push(diagnostics::missing_element::at(
            &full, size, &lacking, span,
        ));
    }
}
