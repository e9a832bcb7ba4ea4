//! Connectors in the making: what their names are, who shares one, and what is asked of it.
//!
//! A queue is named after its in-port and holds whatever arrows of its kind and store lead there. A
//! stream or a publish-subscribe channel is named after its out-port, and each arrow from there is a
//! reader. `name=` takes the place of either; what has the same name in the same store is one connector.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::attributes::Setting;
use crate::diagnostic::Diagnostic;
use crate::diagnostics::{self, conflict};
use crate::plan::{
    Chaos, Connector, ConnectorKind, End, Link, OnError, Plan, Process, Retain, Writer,
};
use crate::source::Span;

use super::links::key;
use super::terms::{Disagreement, MEANINGS, Terms, is_for};

/// What ends are called in the names of connectors.
pub(super) struct Names<'a> {
    graph: &'a str,
    processes: &'a [Process],
}

impl<'a> Names<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        Self {
            graph: &plan.id,
            processes: &plan.processes,
        }
    }

    /// `GRAPH.Outer/Inner.PORT[i]`.
    fn of_end(&self, end: &End) -> String {
        let address = &self.processes[end.process].address;
        let element = end.index.map(|index| format!("[{index}]"));
        let element = element.unwrap_or_default();
        format!("{}.{address}.{}{element}", self.graph, end.port)
    }
}

/// An arrow that asks for a connector, from one writer to one reader.
struct Arc {
    /// Its number among all arrows.
    order: usize,
    kind: ConnectorKind,
    writer: Writer,
    to: End,
    terms: Terms,
}

/// What arrows have in common that are named together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    /// Those of queues of one store into one in-port.
    Queue(usize, String, Option<u32>, Option<String>),
    /// Those from one out-port.
    Other(&'static str, usize, String, Option<u32>),
}

/// What tells one connector from another: its store and its name.
type Identity = (Option<String>, String);

/// The arrows that ask for connectors.
#[derive(Default)]
pub(super) struct Connectors {
    arcs: Vec<Arc>,
}

/// What several arrows agree on that share a name.
const NAMING: [&str; 2] = ["name", "via"];

/// What is said of the arrow and its reader, and not of the connector.
const OWN: [&str; 3] = ["kind", "group", "pattern"];

impl Connectors {
    pub(super) fn add(
        &mut self,
        order: usize,
        kind: ConnectorKind,
        (writer, to): (Writer, End),
        terms: Terms,
    ) {
        self.arcs.push(Arc {
            order,
            kind,
            writer,
            to,
            terms,
        });
    }

    /// The links of all connectors, each with the number of its first arrow.
    pub(super) fn finish(
        self,
        names: &Names<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<(usize, Link)> {
        let identities = self.identities(names, diagnostics);
        let agreed = self.agreed(&identities, diagnostics);
        for (identity, (kind, terms)) in &agreed {
            check(*kind, &identity.1, terms, diagnostics);
        }
        let mut links = Vec::<(usize, Link, Terms)>::new();
        let mut index = BTreeMap::new();
        for (arc, identity) in self.arcs.into_iter().zip(identities) {
            let place = (key(&arc.to), identity.clone());
            let at = *index.entry(place).or_insert(links.len());
            if at == links.len() {
                let connector = connector(&arc, &identity, &agreed[&identity].1);
                links.push((arc.order, link(&arc, connector), Terms::default()));
            }
            let (_, link, terms) = &mut links[at];
            link.from.push(arc.writer);
            let differing = terms.merge(&arc.terms, |key| key == "group");
            report(arc.kind, &identity.1, &differing, diagnostics);
        }
        let grouped = links.into_iter().map(|(order, link, terms)| {
            let group = terms.text("group").map(String::from);
            (order, grouped(link, group, names))
        });
        grouped.collect()
    }

    /// The connector of each arrow.
    fn identities(&self, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Identity> {
        let mut homes = BTreeMap::<Home, Terms>::new();
        for arc in &self.arcs {
            let terms = homes.entry(arc.home()).or_default();
            let differing = terms.merge(&arc.terms, |key| NAMING.contains(&key));
            report(arc.kind, &arc.usual_name(names), &differing, diagnostics);
        }
        let identity = |arc: &Arc| {
            let terms = &homes[&arc.home()];
            let name = terms.text("name").map(String::from);
            let name = name.unwrap_or_else(|| arc.usual_name(names));
            (terms.text("via").map(String::from), name)
        };
        self.arcs.iter().map(identity).collect()
    }

    /// What is asked of each connector.
    fn agreed(
        &self,
        identities: &[Identity],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> BTreeMap<Identity, (ConnectorKind, Terms)> {
        let mut agreed = BTreeMap::<Identity, (ConnectorKind, Terms)>::new();
        let mut first = BTreeMap::<&Identity, &Arc>::new();
        for (arc, identity) in self.arcs.iter().zip(identities) {
            let entry = agreed.entry(identity.clone());
            let (kind, terms) = entry.or_insert_with(|| (arc.kind, Terms::default()));
            let first = first.entry(identity).or_insert(arc);
            if *kind != arc.kind {
                // Kinds that share an out-port are reported for that.
                if key(&first.writer.end) != key(&arc.writer.end) {
                    let spans = [first.span(), arc.span()];
                    let values = [*kind, arc.kind];
                    diagnostics.push(conflict::of_kinds(&identity.1, values, spans));
                }
                continue;
            }
            let is_shared = |key: &str| {
                let own = [&OWN[..], &NAMING, &MEANINGS].concat();
                !own.contains(&key)
            };
            let differing = terms.merge(&arc.terms, is_shared);
            report(arc.kind, &identity.1, &differing, diagnostics);
        }
        agreed
    }
}

impl Arc {
    fn home(&self) -> Home {
        match self.kind {
            ConnectorKind::Queue => {
                let (process, port, index) = key(&self.to);
                let store = self.terms.text("via").map(String::from);
                Home::Queue(process, port, index, store)
            }
            ConnectorKind::Stream | ConnectorKind::Pubsub => {
                let (process, port, index) = key(&self.writer.end);
                Home::Other(self.kind.word(), process, port, index)
            }
        }
    }

    fn usual_name(&self, names: &Names<'_>) -> String {
        match self.kind {
            ConnectorKind::Queue => names.of_end(&self.to),
            ConnectorKind::Stream | ConnectorKind::Pubsub => names.of_end(&self.writer.end),
        }
    }

    /// Where its kind is written.
    fn span(&self) -> Span {
        self.terms
            .get("kind")
            .map_or(self.writer.span, |kind| kind.span)
    }
}

fn report(
    kind: ConnectorKind,
    name: &str,
    differing: &[Disagreement],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let owner = format!("{kind} `{name}`");
    let found = differing.iter().map(|(key, first, second)| {
        let what = match *key {
            "capacity" => String::from("capacities"),
            "name" => String::from("names"),
            "via" => String::from("stores"),
            key => format!("values of `{key}`"),
        };
        let values = [first.text.as_str(), second.text.as_str()];
        conflict::at(&owner, &what, values, [first.span, second.span])
    });
    diagnostics.extend(found);
}

/// What cannot be asked of a connector of this kind.
fn check(kind: ConnectorKind, name: &str, terms: &Terms, diagnostics: &mut Vec<Diagnostic>) {
    let strategy = terms.text("on-error");
    check_chaos(kind, name, terms, diagnostics);
    for (key, term) in terms.iter() {
        if !is_for(key, kind.word()) {
            let waits = key == "full" && term.text == "wait";
            let found = diagnostics::misplaced_setting::at(key, kind, term.span);
            diagnostics.extend((!waits).then_some(found));
        } else if kind == ConnectorKind::Stream
            && REQUEUES.contains(&key)
            && strategy.is_none_or(|strategy| strategy == "skip")
        {
            diagnostics.push(diagnostics::requeue_on_stream::at(key, name, term.span));
        } else if key == "copy-to" && strategy != Some("copy") {
            diagnostics.push(diagnostics::misplaced_setting::no_copy(term.span));
        }
    }
}

/// That it misbehaves on purpose, and whether it can.
fn check_chaos(kind: ConnectorKind, name: &str, terms: &Terms, diagnostics: &mut Vec<Diagnostic>) {
    let Some(term) = terms.get("chaos") else {
        return;
    };
    diagnostics.push(diagnostics::misbehaves::at(kind, name, term.span));
    let reorders = chaos(&term.value).is_some_and(|chaos| chaos.reorder > 0.0);
    if reorders && kind == ConnectorKind::Stream {
        diagnostics.push(diagnostics::misplaced_chaos::reordered(name, term.span));
    }
}

/// What only makes sense when a message is tried again later.
const REQUEUES: [&str; 4] = ["retries", "delay", "backoff", "dead-letter"];

fn link(arc: &Arc, connector: Connector) -> Link {
    Link {
        to: arc.to.clone(),
        capacity: connector.capacity,
        connector: Some(Box::new(connector)),
        ..Link::default()
    }
}

fn grouped(mut link: Link, group: Option<String>, names: &Names<'_>) -> Link {
    if let Some(connector) = &mut link.connector {
        connector.group = group.unwrap_or_else(|| names.of_end(&link.to));
    }
    link
}

fn connector(arc: &Arc, (store, name): &Identity, terms: &Terms) -> Connector {
    let text = |key| terms.text(key).map(String::from);
    let value = |key| terms.get(key).map(|term| &term.value);
    Connector {
        kind: arc.kind,
        store: store.clone(),
        name: name.clone(),
        group: String::new(),
        capacity: terms.capacity(),
        bytes: value("bytes").and_then(size),
        retries: value("retries").and_then(count),
        delay: value("delay").and_then(time),
        backoff: value("backoff").and_then(factor),
        lease: value("lease").and_then(time),
        dead_letter: text("dead-letter"),
        invalid: text("invalid"),
        key: text("key"),
        partitions: value("partitions").and_then(count),
        on_error: terms.text("on-error").map(|strategy| match strategy {
            "skip" => OnError::Skip,
            "copy" => OnError::Copy(text("copy-to").unwrap_or_else(|| format!("{name}.delay"))),
            _ => OnError::Retry,
        }),
        retain: value("retain").and_then(retain).unwrap_or_default(),
        retained: value("retained") == Some(&Setting::Switch(true)),
        chaos: value("chaos").and_then(chaos),
        span: arc.span(),
    }
}

fn count(setting: &Setting) -> Option<u32> {
    match setting {
        Setting::Count(count) => Some(u32::try_from(*count).unwrap_or(u32::MAX)),
        _ => None,
    }
}

fn size(setting: &Setting) -> Option<u64> {
    match setting {
        Setting::Bytes(bytes) => Some(*bytes),
        _ => None,
    }
}

fn time(setting: &Setting) -> Option<Duration> {
    match setting {
        Setting::Time(time) => Some(*time),
        _ => None,
    }
}

fn factor(setting: &Setting) -> Option<f64> {
    match setting {
        Setting::Factor(factor) => Some(*factor),
        _ => None,
    }
}

fn chaos(setting: &Setting) -> Option<Chaos> {
    match setting {
        Setting::Chaos(chaos) => Some(*chaos),
        _ => None,
    }
}

fn retain(setting: &Setting) -> Option<Retain> {
    match setting {
        Setting::Retain(retain) => Some(*retain),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
