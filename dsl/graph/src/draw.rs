//! Drawings of a plan, for people: DOT for Graphviz, Mermaid for documents.
//!
//! Parts and subnets are clusters, ports stand on the arrows, initial packets are notes, and a written
//! capacity stands on its arrow, as do the kind of an arc that a store keeps and what it guarantees.

mod dot;
mod mermaid;

use serde_json::Value;

pub use dot::to_dot;
pub use mermaid::to_mermaid;

use crate::guarantee::of_link;
use crate::plan::{End, Full, Link, Plan};

/// Initial packets longer than this are cut in a drawing.
const LONGEST_NOTE: usize = 30;

/// A part, or a subnet, with its own processes and the subnets directly inside it.
#[derive(Debug, Default)]
struct Cluster<'a> {
    /// The part that it is, or is in.
    part: Option<&'a str>,
    address: &'a str,
    component: &'a str,
    processes: Vec<usize>,
    inner: Vec<Self>,
}

impl<'a> Cluster<'a> {
    /// The whole plan as one cluster without address; its parts, if it has some, are clusters in it.
    fn of(plan: &'a Plan) -> Self {
        let whole = Self::of_processes(plan, |_| true);
        if plan.parts.is_empty() {
            return whole;
        }
        let mut top = Self::default();
        for part in &plan.parts {
            let mut own = Self::of_processes(plan, |process| part.processes.contains(&process));
            own.belong(&part.name);
            top.inner.push(own);
        }
        top
    }

    fn belong(&mut self, part: &'a str) {
        self.part = Some(part);
        self.inner.iter_mut().for_each(|inner| inner.belong(part));
    }

    /// A name that no other cluster has.
    fn id(&self) -> String {
        let names = self
            .part
            .into_iter()
            .chain((!self.address.is_empty()).then_some(self.address));
        names.collect::<Vec<_>>().join(": ")
    }

    /// What stands on a cluster inside this one.
    fn title(&self, inner: &Self) -> String {
        match inner.part {
            Some(part) if inner.address.is_empty() => format!("part {part}"),
            _ => format!("{}\n{}", self.local(inner.address), inner.component),
        }
    }

    /// Some of the processes with the subnets around them.
    fn of_processes(plan: &'a Plan, is_in: impl Fn(usize) -> bool) -> Self {
        let mut top = Self::default();
        for subnet in &plan.subnets {
            let at = top.around(&subnet.address);
            let (address, component) = (subnet.address.as_str(), subnet.component.as_str());
            at.inner.push(Self {
                address,
                component,
                ..Self::default()
            });
        }
        let processes = plan.processes.iter().enumerate();
        for (index, process) in processes.filter(|(index, _)| is_in(*index)) {
            top.around(&process.address).processes.push(index);
        }
        if !plan.parts.is_empty() {
            top.leave_out_empty();
        }
        top
    }

    /// Subnets of which nothing is here are not drawn.
    fn leave_out_empty(&mut self) {
        self.inner.iter_mut().for_each(Self::leave_out_empty);
        self.inner
            .retain(|inner| !inner.processes.is_empty() || !inner.inner.is_empty());
    }

    /// The innermost cluster around an address.
    fn around(&mut self, address: &str) -> &mut Self {
        let inside = |cluster: &Self| {
            address
                .strip_prefix(cluster.address)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        match self.inner.iter().position(inside) {
            Some(at) => self.inner[at].around(address),
            None => self,
        }
    }

    /// What remains of an address inside this cluster.
    fn local<'b>(&self, address: &'b str) -> &'b str {
        let rest = address.strip_prefix(self.address).unwrap_or(address);
        rest.strip_prefix('/')
            .filter(|_| !self.address.is_empty())
            .unwrap_or(address)
    }
}

/// `OUT[1]`.
fn port(end: &End) -> String {
    match end.index {
        Some(index) => format!("{}[{index}]", end.port),
        None => end.port.clone(),
    }
}

/// What stands on an arrow: its ports and what was written about its link.
fn arrow(plan: &Plan, from: &End, link: &Link) -> String {
    let ports = format!("{} -> {}", port(from), port(&link.to));
    let capacity = link.capacity.map(|capacity| capacity.to_string());
    let full = (link.full != Full::Wait).then(|| link.full.to_string());
    let kind = link.connector.as_ref();
    let kind = kind.map(|connector| connector.kind.to_string());
    let holds = of_link(plan, link).map(|guarantee| guarantee.to_string());
    let terms = [kind, capacity, full, holds].into_iter().flatten();
    let terms: Vec<_> = terms.collect();
    if terms.is_empty() {
        ports
    } else {
        format!("{ports} ({})", terms.join(", "))
    }
}

/// The value of an initial packet as a note, cut if it is long.
fn note(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), String::from);
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST_NOTE && line.len() == text.trim_end().len() {
        return format!("'{line}'");
    }
    let start: String = line.chars().take(LONGEST_NOTE).collect();
    format!("'{start}...'")
}

#[cfg(test)]
mod tests;
