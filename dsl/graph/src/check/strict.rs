//! The narrower rules of the course, for `--strict`.

use std::collections::{BTreeMap, HashSet};

use crate::catalogue::{Catalogue, Component};
use crate::diagnostic::Diagnostic;
use crate::diagnostics::{idle_out_port, no_verb, routing_rule, several_initials};
use crate::expand::{Expanded, Side};
use crate::source::Span;

use super::{View, tidy};

/// Every rule that holds only with `--strict`, with the row of the mission it comes from.
pub const STRICT: &[(&str, &str)] = &[
    ("P0216", "process names are verbs (P2)"),
    ("P0320", "a process has at most one initial packet (B7)"),
    (
        "P0321",
        "every out-port is connected, but for ERROR and those of who keeps what it takes (B1)",
    ),
    ("P0322", "arrows carry no rules about contents (W7)"),
];

/// What the course's narrower rules find in a graph before its instances are spread, in text order.
#[must_use]
pub fn strict(expanded: &Expanded, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let view = View::new(expanded, catalogue);
    let mut found = initials(&view);
    found.extend(verbs(&view));
    found.extend(idle(&view));
    let rules = expanded.rules.iter();
    found.extend(rules.map(|(key, span)| routing_rule::at(key, *span)));
    tidy(found)
}

fn initials(view: &View<'_>) -> Vec<Diagnostic> {
    let mut spans: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    for initial in &view.plan.initials {
        spans
            .entry(initial.to.process)
            .or_default()
            .push(initial.span);
    }
    let several = spans.into_iter().filter_map(|(process, mut spans)| {
        spans.sort();
        several_initials::at(view.address(process), &spans)
    });
    several.collect()
}

/// Names of things that do all and nothing.
const VAGUE: &[&str] = &[
    "manager",
    "handler",
    "service",
    "helper",
    "processor",
    "controller",
    "engine",
    "module",
    "system",
    "util",
    "utils",
];

/// How nouns end.
const NOUNS: &[&str] = &[
    "er", "or", "ion", "ment", "ness", "ity", "ance", "ence", "ist",
];

fn verbs(view: &View<'_>) -> Vec<Diagnostic> {
    let processes = view.plan.processes.iter();
    let processes = processes.map(|process| (&process.address, &process.component, process.span));
    let subnets = view.plan.subnets.iter();
    let subnets = subnets.map(|subnet| (&subnet.address, &subnet.component, subnet.span));
    let all = processes.chain(subnets);
    let wrong = all.filter_map(|(address, component, span)| {
        let name = last(address);
        let why = no_verb(name, last(component))?;
        Some(no_verb::at(name, &why, span))
    });
    wrong.collect()
}

/// Why a name is no verb, if it is none.
fn no_verb(name: &str, component: &str) -> Option<String> {
    if name.starts_with('_') {
        return None;
    }
    let (name, component) = (folded(name), folded(component));
    if let Some(vague) = VAGUE.iter().find(|vague| name.ends_with(**vague)) {
        return Some(format!("ends in `{vague}`"));
    }
    let plural = name.ends_with('s') && !name.ends_with("ss");
    let noun = plural || NOUNS.iter().any(|end| name.ends_with(end));
    (noun && name == component).then(|| String::from("only repeats the name of its component"))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The letters of a name in small, without digits behind them.
fn folded(name: &str) -> String {
    let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn idle(view: &View<'_>) -> Vec<Diagnostic> {
    let used: HashSet<_> = view
        .used()
        .filter(|used| used.side == Side::Out)
        .map(|used| (used.end.process, used.end.port.as_str()))
        .collect();
    let mut found = Vec::new();
    for (process, component) in view.components.iter().enumerate() {
        let Some(component) = component else { continue };
        let leaves = component.outputs.iter();
        let mut leaves = leaves.filter(|port| port.name != "ERROR");
        if ends_here(
            component,
            leaves.any(|port| used.contains(&(process, port.name.as_str()))),
        ) {
            continue;
        }
        // Required ports are reported in any case.
        let outputs = component.outputs.iter();
        let free = outputs.filter(|port| !port.required && port.name != "ERROR");
        let names = free.map(|port| port.name.as_str());
        let idle: Vec<_> = names
            .filter(|name| !used.contains(&(process, *name)))
            .collect();
        if !idle.is_empty() {
            let span = view.plan.processes[process].span;
            found.push(idle_out_port::at(view.address(process), &idle, span));
        }
    }
    found
}

/// Whether the journey of packets may end here: all they could leave by is optional and left out, as
/// with a console or a file at the end of a line.
fn ends_here(component: &Component, leaves: bool) -> bool {
    let takes = component.inputs.iter().any(|port| !port.param);
    takes && !leaves && component.outputs.iter().all(|port| !port.required)
}

#[cfg(test)]
mod tests;
