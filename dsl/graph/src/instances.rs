//! Several workers in place of one process: `instances=N`.
//!
//! The checks see what the author drew, one process. [`spread`] then puts a balance process and
//! the workers in its place, so that the engine need not know of it.
//!
//! A queue or a stream deals by itself: each worker reads from it, as one of several competing
//! consumers or as a member of the same group. So there is a balance process only for what comes by
//! memory, and for what comes by publish-subscribe, of which all workers together get one copy.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use crate::plan::{ConnectorKind, End, Export, Initial, Link, Plan, Process, Table, Writer};

/// How many workers share the work.
pub(crate) const INSTANCES: &str = "instances";

/// How many packets may wait for each worker.
pub(crate) const BACKLOG: &str = "backlog";

/// More of them than this are taken for a mistake.
pub(crate) const MOST: usize = 65_536;

/// The component that deals packets to the workers.
pub(crate) const BALANCE: &str = "flow/balance";

/// The last value of a number in a process's metadata, `Err` with its text if it is none.
pub(crate) fn number(process: &Process, key: &str) -> Option<Result<usize, String>> {
    let mut pairs = process.metadata.iter().rev();
    let (_, value) = pairs.find(|(name, _)| name == key)?;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), String::from);
    let number = text.parse().ok();
    let number = number.filter(|number| (1..=MOST).contains(number));
    Some(number.ok_or(text))
}

/// Puts a balance process and workers in place of each process with `instances=N` of two or more.
///
/// A process `P` becomes `P/balance` and `P[1]` to `P[N]`. Links keep their indexes; those from the
/// balance process to the workers come last, and before them those of further workers that read from
/// the same connector. The plan must have passed the checks.
#[must_use]
pub fn spread(plan: Plan) -> Plan {
    let shared = plan.processes.iter().any(|process| workers(process) > 1);
    if !shared {
        return plan;
    }
    let dealt_to = dealt_to(&plan);
    let mut places = Vec::new();
    let mut processes = Vec::new();
    for (at, process) in plan.processes.iter().enumerate() {
        let first = processes.len();
        let has_balance = dealt_to.contains(&at);
        processes.extend(placed(process, has_balance));
        let workers = first + usize::from(has_balance)..processes.len();
        places.push(Place { first, workers });
    }
    let spread = Spread { places };
    let further = plan.links.iter().flat_map(|link| spread.further(link));
    let dealt = spread.dealt(&plan);
    Plan {
        processes,
        links: plan
            .links
            .iter()
            .map(|link| spread.link(link))
            .chain(further)
            .chain(dealt)
            .collect(),
        initials: plan
            .initials
            .iter()
            .flat_map(|initial| spread.initials(initial))
            .collect(),
        tables: spread.tables(&plan.tables),
        parts: plan
            .parts
            .into_iter()
            .map(|mut part| {
                part.processes = spread.whole(&part.processes);
                part
            })
            .collect(),
        inports: spread.exports(plan.inports, Spread::reader),
        outports: spread.exports(plan.outports, Spread::first_worker),
        subnets: plan
            .subnets
            .into_iter()
            .map(|mut subnet| {
                subnet.inports = spread.exports(subnet.inports, Spread::reader);
                subnet.outports = spread.exports(subnet.outports, Spread::first_worker);
                subnet
            })
            .collect(),
        ..plan
    }
}

fn workers(process: &Process) -> usize {
    number(process, INSTANCES).and_then(Result::ok).unwrap_or(1)
}

/// The processes whose workers a balance process deals to.
pub(crate) fn dealt_to(plan: &Plan) -> BTreeSet<usize> {
    let linked = plan.links.iter().filter(|link| !deals(link));
    let linked = linked.map(|link| &link.to);
    let ends = linked.chain(plan.inports.iter().map(|export| &export.end));
    let shared = ends.filter(|end| workers(&plan.processes[end.process]) > 1);
    shared.map(|end| end.process).collect()
}

/// Whether several may read from this link, each its share.
fn deals(link: &Link) -> bool {
    let kind = link.connector.as_ref().map(|connector| connector.kind);
    matches!(kind, Some(ConnectorKind::Queue | ConnectorKind::Stream))
}

/// The process itself, or its balance process, if it needs one, and its workers.
fn placed(process: &Process, has_balance: bool) -> Vec<Process> {
    let count = workers(process);
    if count == 1 {
        return vec![process.clone()];
    }
    let balance = Process {
        address: balance_address(&process.address),
        component: String::from(BALANCE),
        metadata: Vec::new(),
        ..process.clone()
    };
    let worker = |number: usize| Process {
        address: format!("{}[{number}]", process.address),
        metadata: process
            .metadata
            .iter()
            .filter(|(key, _)| key != INSTANCES && key != BACKLOG)
            .cloned()
            .collect(),
        ..process.clone()
    };
    let balance = has_balance.then_some(balance);
    balance.into_iter().chain((1..=count).map(worker)).collect()
}

/// Where the balance process of a process lives.
fn balance_address(address: &str) -> String {
    format!("{address}/balance")
}

/// The process whose balance process or worker would live at an address, if it is such an address.
pub(crate) fn spread_from(address: &str) -> Option<&str> {
    if let Some(process) = address.strip_suffix("/balance") {
        return Some(process);
    }
    let (process, number) = address.strip_suffix(']')?.rsplit_once('[')?;
    number.parse::<u32>().is_ok().then_some(process)
}

/// Where a process of the drawing is in the new list: itself, or balance process and workers.
struct Place {
    /// The process, its balance process, or its first worker when nothing is dealt.
    first: usize,
    workers: Range<usize>,
}

struct Spread {
    places: Vec<Place>,
}

impl Spread {
    /// Whether a balance process deals to workers.
    fn is_dealt(&self, process: usize) -> bool {
        let Place { first, workers } = &self.places[process];
        *first < workers.start
    }

    /// Those who do the work of a process.
    fn all(&self, process: usize) -> Range<usize> {
        self.places[process].workers.clone()
    }

    /// The same end at each of the workers.
    fn each<'a>(&self, end: &'a End) -> impl Iterator<Item = End> + use<'a> {
        self.all(end.process).map(|process| End {
            process,
            ..end.clone()
        })
    }

    /// Where packets for an in-port arrive.
    fn reader(&self, end: &End) -> End {
        let process = self.places[end.process].first;
        if self.is_dealt(end.process) {
            End {
                process,
                port: String::from("IN"),
                index: None,
                span: end.span,
            }
        } else {
            End {
                process,
                ..end.clone()
            }
        }
    }

    fn first_worker(&self, end: &End) -> End {
        End {
            process: self.all(end.process).start,
            ..end.clone()
        }
    }

    /// The link, into the balance process or the first worker.
    fn link(&self, link: &Link) -> Link {
        let to = if deals(link) {
            self.first_worker(&link.to)
        } else {
            self.reader(&link.to)
        };
        self.leading(link, to)
    }

    /// The same for every worker but the first, when each reads for itself.
    fn further(&self, link: &Link) -> impl Iterator<Item = Link> {
        let others = self.each(&link.to).skip(1).filter(|_| deals(link));
        others.map(|to| self.leading(link, to))
    }

    fn leading(&self, link: &Link, to: End) -> Link {
        Link {
            to,
            from: self.writers(&link.from),
            diverted: self.writers(&link.diverted),
            ..link.clone()
        }
    }

    fn writers(&self, writers: &[Writer]) -> Vec<Writer> {
        let each = |writer: &Writer| {
            let writer = writer.clone();
            self.each(&writer.end)
                .map(|end| Writer {
                    end,
                    ..writer.clone()
                })
                .collect::<Vec<_>>()
        };
        writers.iter().flat_map(each).collect()
    }

    fn initials(&self, initial: &Initial) -> impl Iterator<Item = Initial> {
        self.each(&initial.to).map(|to| Initial {
            to,
            ..initial.clone()
        })
    }

    fn tables(&self, tables: &[Table]) -> Vec<Table> {
        let each = |table: &Table| {
            let table = table.clone();
            self.all(table.process).map(move |process| Table {
                process,
                ..table.clone()
            })
        };
        tables.iter().flat_map(each).collect()
    }

    /// Balance processes and workers of these.
    fn whole(&self, processes: &[usize]) -> Vec<usize> {
        let places = processes.iter().map(|process| &self.places[*process]);
        places
            .flat_map(|place| place.first..place.workers.end)
            .collect()
    }

    fn exports(&self, exports: Vec<Export>, at: fn(&Self, &End) -> End) -> Vec<Export> {
        let moved = exports.into_iter().map(|export| Export {
            end: at(self, &export.end),
            ..export
        });
        moved.collect()
    }

    /// The links from balance processes to their workers.
    fn dealt<'p>(&self, plan: &'p Plan) -> Vec<Link> {
        let linked = plan.links.iter().filter(|link| !deals(link));
        let linked = linked.map(|link| {
            let place = link
                .writers()
                .next()
                .map_or(link.to.span, |first| first.span);
            (&link.to, place)
        });
        let fed = plan.inports.iter();
        let key = |end: &'p End| (end.process, &end.port, end.index);
        let into: HashSet<_> = linked.clone().map(|(end, _)| key(end)).collect();
        let fed = fed.filter(|export| !into.contains(&key(&export.end)));
        let fed = fed.map(|export| (&export.end, export.span));
        let ends = linked
            .chain(fed)
            .filter(|(end, _)| self.is_dealt(end.process));
        // Links of several kinds into one in-port are dealt together.
        let mut seen = HashSet::new();
        let ends = ends.filter(|(end, _)| seen.insert(key(end)));
        ends.flat_map(|(end, span)| self.hands(&plan.processes[end.process], end, span))
            .collect()
    }

    /// One link to each worker of a process.
    fn hands(&self, process: &Process, to: &End, span: crate::Span) -> Vec<Link> {
        let balance = self.places[to.process].first;
        let capacity = number(process, BACKLOG).and_then(Result::ok).unwrap_or(1);
        let hand = |(element, to): (u32, End)| Link {
            from: vec![Writer {
                end: End {
                    process: balance,
                    port: String::from("OUT"),
                    index: Some(element),
                    span: to.span,
                },
                span,
                into: to.span,
                meaning: None,
            }],
            to,
            capacity: Some(capacity),
            ..Link::default()
        };
        (0..).zip(self.each(to)).map(hand).collect()
    }
}

#[cfg(test)]
mod tests;
