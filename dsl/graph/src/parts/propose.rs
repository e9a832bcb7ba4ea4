//! Where a graph would be cut well.

use std::fmt;

use crate::guarantee::Hop;
use crate::plan::Plan;

use super::{Cut, HOST, ORG, cut::cut, hops, said};

/// Why an arc is a good place for a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its ends run on these hosts.
    Hosts(String, String),
    /// What travels along it changes hands, between these.
    Orgs(String, String),
    /// A store keeps it already.
    Kept,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(from, to) => write!(f, "from host {from} to {to}"),
            Self::Orgs(from, to) => write!(f, "from {from} to {to}"),
            Self::Kept => f.write_str("kept by a store already"),
        }
    }
}

/// The cut at all arcs where hosts differ, or where what travels changes hands, or that a store keeps: as
/// many of them as part the graph. What has no `org=` is of one kind with all others that have none.
#[must_use]
pub fn propose(plan: &Plan) -> (Cut, Vec<(Hop, Why)>) {
    let mut places: Vec<(Hop, Why)> = hops(plan)
        .filter_map(|hop| Some((hop, why(plan, hop)?)))
        .collect();
    loop {
        let at: Vec<Hop> = places.iter().map(|(hop, _)| *hop).collect();
        match cut(plan, &at) {
            Ok(cut) => return (cut, places),
            Err(undivided) => {
                let is_joined = |hop: Hop| undivided.iter().any(|one| one.at == hop);
                places.retain(|(hop, _)| !is_joined(*hop));
            }
        }
    }
}

fn why(plan: &Plan, hop: Hop) -> Option<Why> {
    let link = &plan.links[hop.link];
    let from = &plan.processes[link.writers().nth(hop.writer)?.end.process];
    let to = &plan.processes[link.to.process];
    if let (Some(from), Some(to)) = (said(from, HOST), said(to, HOST))
        && from != to
    {
        return Some(Why::Hosts(from, to));
    }
    let own = |org: Option<String>| org.unwrap_or_else(|| String::from("the house"));
    let (from, to) = (said(from, ORG), said(to, ORG));
    if from != to {
        return Some(Why::Orgs(own(from), own(to)));
    }
    link.connector.is_some().then_some(Why::Kept)
}
