//! Several workers in place of one process: `instances=N`.
//!
//! The checks see what the author drew, one process. [`spread`] then puts a balance process and
//! the workers in its place, so that the engine need not know of it.

use crate::plan::{End, Export, Initial, Link, Plan, Process, Writer};

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
/// balance process to the workers come last. The plan must have passed the checks.
#[must_use]
pub fn spread(plan: Plan) -> Plan {
    let shared = plan.processes.iter().any(|process| workers(process) > 1);
    if !shared {
        return plan;
    }
    let mut places = Vec::new();
    let mut processes = Vec::new();
    for process in &plan.processes {
        let first = processes.len();
        processes.extend(placed(process));
        places.push(Place {
            first,
            workers: processes.len() - first,
        });
    }
    let spread = Spread { places };
    let dealt = spread.dealt(&plan);
    Plan {
        processes,
        links: plan
            .links
            .iter()
            .map(|link| spread.link(link))
            .chain(dealt)
            .collect(),
        initials: plan
            .initials
            .iter()
            .flat_map(|initial| spread.initials(initial))
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

/// The process itself, or its balance process and its workers.
fn placed(process: &Process) -> Vec<Process> {
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
    std::iter::once(balance)
        .chain((1..=count).map(worker))
        .collect()
}

/// Where the balance process of a process lives.
pub(crate) fn balance_address(address: &str) -> String {
    format!("{address}/balance")
}

/// Where a process of the drawing is in the new list: itself, or balance process and workers.
struct Place {
    first: usize,
    workers: usize,
}

struct Spread {
    places: Vec<Place>,
}

impl Spread {
    fn is_shared(&self, process: usize) -> bool {
        self.places[process].workers > 1
    }

    /// Those who do the work of a process.
    fn all(&self, process: usize) -> std::ops::Range<usize> {
        let Place { first, workers } = self.places[process];
        let skip = usize::from(workers > 1);
        first + skip..first + workers
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
        if self.is_shared(end.process) {
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

    fn link(&self, link: &Link) -> Link {
        Link {
            to: self.reader(&link.to),
            from: self.writers(&link.from),
            diverted: self.writers(&link.diverted),
            ..link.clone()
        }
    }

    fn writers(&self, writers: &[Writer]) -> Vec<Writer> {
        let each = |writer: &Writer| {
            let writer = writer.clone();
            self.each(&writer.end)
                .map(|end| Writer { end, ..writer })
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

    fn exports(&self, exports: Vec<Export>, at: fn(&Self, &End) -> End) -> Vec<Export> {
        let moved = exports.into_iter().map(|export| Export {
            end: at(self, &export.end),
            ..export
        });
        moved.collect()
    }

    /// The links from balance processes to their workers.
    fn dealt(&self, plan: &Plan) -> Vec<Link> {
        let linked = plan.links.iter().map(|link| {
            let place = link
                .writers()
                .next()
                .map_or(link.to.span, |first| first.span);
            (&link.to, place)
        });
        let fed = plan.inports.iter();
        let fed = fed.filter(|export| !plan.links.iter().any(|link| same(&link.to, &export.end)));
        let fed = fed.map(|export| (&export.end, export.span));
        let ends = linked
            .chain(fed)
            .filter(|(end, _)| self.is_shared(end.process));
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
            }],
            to,
            capacity: Some(capacity),
            ..Link::default()
        };
        (0..).zip(self.each(to)).map(hand).collect()
    }
}

fn same(one: &End, two: &End) -> bool {
    (one.process, &one.port, one.index) == (two.process, &two.port, two.index)
}

#[cfg(test)]
mod tests;
