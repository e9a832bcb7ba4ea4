//! One part of a graph as a plan of its own.

use crate::plan::{Connector, Departure, End, Export, Link, Plan, Scope, Share, Writer};

use super::Division;

/// The plan of one part: its processes, what joins them, and what it exchanges with the others. No arc
/// that cannot be between two parts leads out of it or in.
#[must_use]
pub fn share(plan: Plan, division: &Division, part: usize) -> Plan {
    let whole = Plan {
        parts: division.parts.clone(),
        ..plan
    };
    let restriction = Restriction::new(&whole, &division.parts[part].processes);
    let mut links = Vec::new();
    let mut places = vec![None; whole.links.len()];
    let mut departures: Vec<Departure> = Vec::new();
    for (at, link) in whole.links.iter().enumerate() {
        if let Some(kept) = restriction.link(link) {
            places[at] = Some(links.len());
            links.push(kept);
        } else if let Some(connector) = &link.connector {
            restriction.depart(&mut departures, connector, link);
        }
    }
    for link in &mut links {
        link.divert = link.divert.and_then(|target| places[target]);
    }
    Plan {
        links,
        share: Some(Box::new(Share {
            part,
            departures,
            whole: whole.clone(),
        })),
        ..restriction.rest(whole.clone())
    }
}

/// Whether two links are one connector.
fn is_same(one: &Connector, other: &Connector) -> bool {
    one.name == other.name && one.store == other.store
}

/// Where the processes of a part lie in its plan.
struct Restriction {
    places: Vec<Option<usize>>,
    /// Where its re-armed subnets lie.
    scopes: Vec<Option<usize>>,
}

impl Restriction {
    fn new(whole: &Plan, processes: &[usize]) -> Self {
        let mut places = vec![None; whole.processes.len()];
        for (place, process) in processes.iter().enumerate() {
            places[*process] = Some(place);
        }
        let around = |scope: &usize| whole.scopes.get(*scope).and_then(|scope| scope.parent);
        let mut used = vec![false; whole.scopes.len()];
        for process in processes {
            for scope in std::iter::successors(whole.processes[*process].scope, around) {
                used[scope] = true;
            }
        }
        let mut next = 0..;
        let scopes = used.into_iter();
        let scopes = scopes.map(|is_used| is_used.then(|| next.next()).flatten());
        Self {
            places,
            scopes: scopes.collect(),
        }
    }

    fn end(&self, end: &End) -> Option<End> {
        Some(End {
            process: self.places[end.process]?,
            ..end.clone()
        })
    }

    fn writers(&self, writers: &[Writer]) -> Vec<Writer> {
        let here = |writer: &Writer| {
            Some(Writer {
                end: self.end(&writer.end)?,
                ..writer.clone()
            })
        };
        writers.iter().filter_map(here).collect()
    }

    /// A link whose reader is here, with those of its writers that are.
    fn link(&self, link: &Link) -> Option<Link> {
        Some(Link {
            to: self.end(&link.to)?,
            from: self.writers(&link.from),
            diverted: self.writers(&link.diverted),
            ..link.clone()
        })
    }

    /// What is written here for readers elsewhere.
    fn depart(&self, departures: &mut Vec<Departure>, connector: &Connector, link: &Link) {
        let from = self.writers(&link.from);
        if from.is_empty() {
            return;
        }
        let known = departures.iter_mut();
        let known = known.filter(|departure| is_same(&departure.connector, connector));
        match known.into_iter().next() {
            Some(departure) => {
                let is_new = |writer: &Writer| {
                    let mut known = departure.from.iter();
                    !known.any(|other| same(&other.end, &writer.end))
                };
                let more: Vec<_> = from.into_iter().filter(is_new).collect();
                departure.from.extend(more);
            }
            None => departures.push(Departure {
                from,
                connector: Box::new(connector.clone()),
            }),
        }
    }

    fn exports(&self, exports: Vec<Export>) -> Vec<Export> {
        let here = |export: Export| {
            Some(Export {
                end: self.end(&export.end)?,
                ..export
            })
        };
        exports.into_iter().filter_map(here).collect()
    }

    /// All but the links.
    fn rest(&self, mut plan: Plan) -> Plan {
        let mut place = self.places.iter();
        plan.processes
            .retain(|_| place.next().is_some_and(Option::is_some));
        for process in &mut plan.processes {
            process.scope = process.scope.and_then(|scope| self.scopes[scope]);
        }
        let scopes = std::mem::take(&mut plan.scopes).into_iter().enumerate();
        let scopes = scopes.filter(|(at, _)| self.scopes[*at].is_some());
        let scope = |(_, scope): (usize, Scope)| Scope {
            parent: scope.parent.and_then(|parent| self.scopes[parent]),
            ..scope
        };
        plan.scopes = scopes.map(scope).collect();
        plan.initials.retain_mut(|initial| {
            let end = self.end(&initial.to);
            end.map(|end| initial.to = end).is_some()
        });
        plan.tables.retain_mut(|table| {
            let place = self.places[table.process];
            place.map(|place| table.process = place).is_some()
        });
        plan.inports = self.exports(plan.inports);
        plan.outports = self.exports(plan.outports);
        for subnet in &mut plan.subnets {
            subnet.inports = self.exports(std::mem::take(&mut subnet.inports));
            subnet.outports = self.exports(std::mem::take(&mut subnet.outports));
        }
        plan.parts.clear();
        plan
    }
}

fn same(one: &End, other: &End) -> bool {
    (one.process, &one.port, one.index) == (other.process, &other.port, other.index)
}
