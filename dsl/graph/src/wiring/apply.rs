//! What a wiring says of the processes of a plan: their tables, parts and policies.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::capabilities::EMBEDDED;
use crate::catalogue::Catalogue;
use crate::diagnostic::Diagnostic;
use crate::diagnostics::{shared_part, unknown_store, unknown_wired};
use crate::plan::{Part, Plan, Table};
use crate::similar::suggest;
use crate::source::Span;

use super::{Wiring, Written};

/// An end of an arc, as a wiring names it: `Outer/Inner.PORT[1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) address: String,
    pub(crate) port: String,
    pub(crate) index: u32,
}

impl Named {
    fn read(text: &str) -> Option<Self> {
        let (address, port) = text.trim().rsplit_once('.')?;
        let (port, index) = match port.split_once('[') {
            Some((port, rest)) => (port, rest.strip_suffix(']')?.parse().ok()?),
            None => (port, 0),
        };
        (!address.is_empty() && !port.is_empty()).then(|| Self {
            address: String::from(address),
            port: String::from(port),
            index,
        })
    }

    /// Whether it is this port.
    pub(crate) fn is(&self, address: &str, port: &str, index: Option<u32>) -> bool {
        self.address == address
            && self.port.eq_ignore_ascii_case(port)
            && self.index == index.unwrap_or(0)
    }
}

/// Both ends of an arc, by its name `A.OUT -> B.IN`.
pub(crate) fn named(name: &str) -> Option<(Named, Named)> {
    let (from, to) = name.split_once("->")?;
    Some((Named::read(from)?, Named::read(to)?))
}

/// Adds what the wiring says of processes; reports what is not there.
pub(crate) fn apply(
    plan: &mut Plan,
    wiring: &Wiring,
    catalogue: &Catalogue,
    diagnostics: &mut Vec<Diagnostic>,
) {
    tables(plan, wiring, catalogue, diagnostics);
    parts(plan, wiring, diagnostics);
    policies(plan, wiring, diagnostics);
    stores(plan, wiring, diagnostics);
}

fn tables(
    plan: &mut Plan,
    wiring: &Wiring,
    catalogue: &Catalogue,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for table in &wiring.tables {
        let Some((address, name)) = table.name.text.rsplit_once('.') else {
            diagnostics.push(unknown_wired::no_table_name(&table.name));
            continue;
        };
        let Some(process) = plan.process(address) else {
            diagnostics.push(missing(plan, address, table.name.span));
            continue;
        };
        let component = catalogue.find(&plan.processes[process].component);
        let Some(component) = component else {
            continue;
        };
        let mut known = component.tables.iter();
        match known.find(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) => plan.tables.push(Table {
                process,
                name: known.clone(),
                store: table.store.as_ref().map(|store| store.text.clone()),
                keep: table.keep,
            }),
            None => {
                let found = unknown_wired::table(address, name, &component.tables, table.name.span);
                diagnostics.push(found);
            }
        }
    }
}

fn parts(plan: &mut Plan, wiring: &Wiring, diagnostics: &mut Vec<Diagnostic>) {
    let mut owners = BTreeMap::<usize, &Written>::new();
    for part in &wiring.parts {
        let mut processes = Vec::new();
        for address in &part.processes {
            let inside = within(plan, &address.text);
            if inside.is_empty() {
                diagnostics.push(missing(plan, &address.text, address.span));
            }
            let taken = inside.iter().find_map(|process| owners.get(process));
            if let Some(first) = taken {
                diagnostics.push(shared_part::at(address, first.span));
                continue;
            }
            owners.extend(inside.iter().map(|process| (*process, address)));
            processes.extend(inside);
        }
        plan.parts.push(Part {
            name: part.name.text.clone(),
            processes,
        });
    }
}

/// The process at an address, or those of the subnet there.
fn within(plan: &Plan, address: &str) -> Vec<usize> {
    let is_inside = |other: &str| {
        let rest = other.strip_prefix(address);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let processes = plan.processes.iter().enumerate();
    let inside = processes.filter(|(_, process)| is_inside(&process.address));
    inside.map(|(at, _)| at).collect()
}

/// Policies are node metadata, where the graph may have written them as well.
fn policies(plan: &mut Plan, wiring: &Wiring, diagnostics: &mut Vec<Diagnostic>) {
    for policy in &wiring.policies {
        let Written { text, span } = &policy.process;
        let Some(process) = plan.process(text) else {
            diagnostics.push(missing(plan, text, *span));
            continue;
        };
        let pairs = [("fault", &policy.fault), ("retries", &policy.retries)];
        let written = pairs.into_iter().filter_map(|(key, value)| {
            let value = Value::from(value.as_ref()?.text.as_str());
            Some((String::from(key), value))
        });
        plan.processes[process].metadata.extend(written);
    }
}

fn missing(plan: &Plan, address: &str, span: Span) -> Diagnostic {
    let subnets = plan.subnets.iter().map(|subnet| subnet.address.as_str());
    let addresses = plan.processes.iter();
    let addresses = addresses.map(|process| process.address.as_str());
    let near = suggest(address, addresses.chain(subnets));
    unknown_wired::process(address, near.as_deref(), span)
}

/// Stores that arcs and tables name and nothing declares.
fn stores(plan: &Plan, wiring: &Wiring, diagnostics: &mut Vec<Diagnostic>) {
    let connectors = plan.links.iter().filter_map(|link| link.connector.as_ref());
    let of_arcs = connectors.filter_map(|connector| {
        let name = connector.store.as_deref()?;
        Some((name, connector.span))
    });
    let tables = wiring.tables.iter();
    let of_tables = tables.filter_map(|table| {
        let store = table.store.as_ref()?;
        Some((store.text.as_str(), store.span))
    });
    let known = || wiring.stores.iter().map(|store| store.name.text.as_str());
    for (name, span) in of_arcs.chain(of_tables) {
        if name != EMBEDDED.name && wiring.store(name).is_none() {
            let near = suggest(name, known());
            diagnostics.push(unknown_store::at(name, near.as_deref(), span));
        }
    }
}
