//! Ports that must be connected and are not, those of fixed array ports included.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::catalogue::{Component, Port};
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::Side;
use crate::plan::{Export, Subnet};
use crate::source::Span;

use super::ports::Misnamed;
use super::{Used, View, declared};

/// Elements in use, by process, side and port; a port without elements has the element 0.
type Elements<'a> = BTreeMap<(usize, Side, &'a str), BTreeSet<u32>>;

/// Missing ports by the process or subnet that lacks them.
type Missing<'a> = BTreeMap<(Span, &'a str), Vec<(Side, &'a str)>>;

pub(super) fn check(view: &View<'_>, misnamed: &Misnamed, found: &mut Vec<Diagnostic>) {
    let elements = elements(view);
    let doors = doors(view);
    let mut missing = Missing::new();
    for (process, component) in view.components.iter().enumerate() {
        let Some(component) = component else { continue };
        for (side, port) in both(component) {
            let key = (process, side, port.name.as_str());
            match elements.get(&key) {
                Some(used) => check_elements(view, key, port, used, found),
                None if !port.required => {}
                None if misnamed.contains(&(process, side, port.name.clone())) => {}
                None => add_missing(view, &doors, key, &mut missing),
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

fn elements<'a>(view: &View<'a>) -> Elements<'a> {
    let mut elements = Elements::new();
    for Used { side, end } in view.used() {
        let key = (end.process, side, end.port.as_str());
        elements
            .entry(key)
            .or_default()
            .insert(end.index.unwrap_or(0));
    }
    elements
}

/// The outermost public port that leads to an inner one, with its subnet.
type Doors<'a> = BTreeMap<(usize, Side, &'a str), (&'a Subnet, &'a str)>;

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
fn add_missing<'a>(
    view: &View<'a>,
    doors: &Doors<'a>,
    key: (usize, Side, &'a str),
    missing: &mut Missing<'a>,
) {
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

fn check_elements(
    view: &View<'_>,
    (process, side, name): (usize, Side, &str),
    port: &Port,
    used: &BTreeSet<u32>,
    found: &mut Vec<Diagnostic>,
) {
    let Some(size) = port.size.filter(|_| port.array) else {
        return;
    };
    let lacking: Vec<_> = (0..size).filter(|index| !used.contains(index)).collect();
    let span = view.plan.processes[process].span;
    let full = format!("{}.{name}", view.address(process));
    if !lacking.is_empty() {
        found.push(diagnostics::missing_element::at(
            &full, size, &lacking, span,
        ));
    }
    let mut reported = HashSet::new();
    for Used { end, .. } in view.used().filter(|used| used.side == side) {
        let here = end.process == process && end.port == name;
        let beyond = end.index.filter(|index| here && *index >= size);
        if beyond.is_some_and(|index| reported.insert(index)) {
            found.push(diagnostics::element_beyond::at(
                &view.name(end),
                size,
                end.span,
            ));
        }
    }
}
