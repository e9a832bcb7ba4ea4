//! Where links divert to.

use std::collections::HashMap;

use crate::check::drawing::SUGGESTIONS;
use crate::diagnostics;
use crate::diagnostics::unknown_divert::Lost;
use crate::model::PortRef;
use crate::plan::End;
use crate::similar::suggest;
use crate::source::Span;

use super::Side;
use super::ends::AUTOMATIC;
use super::terms::Target;
use super::tree::{Node, Tree};

/// A process of an opened graph, as a path named it.
struct Found<'a> {
    opened: usize,
    node: Node,
    name: &'a str,
}

impl Tree<'_> {
    /// Joins each diverting link to the one that takes what it refuses.
    pub(super) fn join_diverts(&mut self) {
        let diverting = self.links.diverting(&mut self.diagnostics);
        for (at, target) in &diverting {
            if let Some(end) = self.diverted_to(target) {
                self.links.divert(*at, end, target.span);
            }
        }
        let spans = diverting.iter().map(|(at, target)| (*at, target.span));
        let spans: HashMap<_, _> = spans.collect();
        for ring in self.links.rings() {
            let names: Vec<_> = ring.iter().map(|at| self.port_name(*at)).collect();
            let written = ring.iter().filter_map(|at| spans.get(at));
            let spans: Vec<_> = written.copied().collect();
            self.diagnostics
                .extend(diagnostics::divert_ring::at(&names, &spans));
        }
    }

    /// The in-port that a target names; reports it if there is none.
    fn diverted_to(&mut self, target: &Target) -> Option<End> {
        let Target { opened, text, span } = target;
        let dots = text.match_indices('.').map(|(at, _)| at);
        let ways: Vec<_> = dots.map(|at| (&text[..at], &text[at + 1..])).collect();
        let mut found = ways
            .iter()
            .filter_map(|(path, port)| Some((self.walk(*opened, path)?, port)));
        let Some((at, port)) = found.next() else {
            self.report_lost(*opened, text, ways.last().copied(), *span);
            return None;
        };
        match port_ref(port, *span) {
            Some(port) => {
                let reached = self.reach_node(at.opened, at.node, at.name, &port, Side::In);
                reached.into_iter().next().map(|reached| reached.end)
            }
            None => {
                self.diagnostics.push(diagnostics::unknown_divert::at(
                    text,
                    &Lost::Port(port),
                    *span,
                ));
                None
            }
        }
    }

    /// Follows `Outer/Inner` from an opened graph.
    fn walk<'a>(&self, opened: usize, path: &'a str) -> Option<Found<'a>> {
        let graph = &self.opened[opened];
        if let Some(node) = graph.node(path) {
            return Some(Found {
                opened,
                node,
                name: path,
            });
        }
        let mut splits = path.match_indices('/');
        splits.find_map(|(at, _)| match graph.node(&path[..at]) {
            Some(Node::Subnet(inner)) => self.walk(inner, &path[at + 1..]),
            _ => None,
        })
    }

    /// Reports a process that is not there; the one that was probably meant counts as reached.
    fn report_lost(&mut self, opened: usize, text: &str, way: Option<(&str, &str)>, span: Span) {
        self.lost_diverts += 1;
        let is_looked_up = self.lost_diverts <= SUGGESTIONS;
        let near = way.filter(|_| is_looked_up).and_then(|(path, _)| {
            let paths = self.paths(opened);
            suggest(path, paths.iter().map(String::as_str))
        });
        if let (Some(near), Some((_, port))) = (&near, way)
            && let Some(at) = self.walk(opened, near)
            && let Some(port) = port_ref(port, span)
        {
            let reached = self.reach_node(at.opened, at.node, at.name, &port, Side::In);
            let ends = reached.into_iter().map(|reached| (Side::In, reached.end));
            self.loose.extend(ends);
        }
        let lost = match way {
            None => Lost::NoPort,
            Some((path, _)) => Lost::Process(path, near),
        };
        self.diagnostics
            .push(diagnostics::unknown_divert::at(text, &lost, span));
    }

    /// What a target in this graph may name: its processes, and those of its subnets by path.
    fn paths(&self, opened: usize) -> Vec<String> {
        let opened = &self.opened[opened];
        let within = |address: &str| match opened.address.as_str() {
            "" => String::from(address),
            outer => String::from(address.get(outer.len() + 1..).unwrap_or_default()),
        };
        let processes = &self.plan.processes[opened.processes.clone()];
        processes
            .iter()
            .map(|process| within(&process.address))
            .collect()
    }

    fn port_name(&self, link: usize) -> String {
        let end = self.links.end(link);
        let address = &self.plan.processes[end.process].address;
        match end.index {
            Some(index) => format!("{address}.{}[{index}]", end.port),
            None => format!("{address}.{}", end.port),
        }
    }
}

/// `PORT` or `PORT[1]`.
fn port_ref(text: &str, span: Span) -> Option<PortRef> {
    let (name, index) = match text.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse().ok()?)),
        None => (text, None),
    };
    let plain = !name.is_empty() && name != AUTOMATIC;
    plain.then(|| PortRef {
        name: String::from(name),
        index,
        span,
        implied: false,
    })
}

#[cfg(test)]
mod tests;
