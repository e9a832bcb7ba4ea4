//! What may not share a port: arrows, initial packets, exports.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::expand::AUTOMATIC;
use crate::plan::{ConnectorKind, End, Export};
use crate::source::Span;

use super::View;

/// What tells one element of a port from another.
type Key<'a> = (usize, &'a str, Option<u32>);

fn key(end: &End) -> Key<'_> {
    (end.process, end.port.as_str(), end.index)
}

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let arrows = arrows(view);
    for (end, arrows) in arrows.values() {
        if !arrows.may_share() {
            let name = view.name(end);
            found.extend(diagnostics::fan_out::at(
                &name,
                &arrows.kinds,
                &arrows.spans,
            ));
        }
    }
    check_outports(view, &arrows, found);
    check_initials(view, found);
}

/// The arrows from an out-port element.
#[derive(Default)]
struct Leaving {
    /// In text order.
    spans: Vec<Span>,
    /// The kinds of those that are not memory, each once.
    kinds: Vec<ConnectorKind>,
    has_memory: bool,
}

impl Leaving {
    /// Whether all are readers of one connector.
    fn may_share(&self) -> bool {
        let shared = [ConnectorKind::Stream, ConnectorKind::Pubsub];
        !self.has_memory && self.kinds.len() == 1 && shared.contains(&self.kinds[0])
    }

    fn add(&mut self, kind: Option<ConnectorKind>, span: Span) {
        self.spans.push(span);
        match kind {
            None => self.has_memory = true,
            Some(kind) if !self.kinds.contains(&kind) => self.kinds.push(kind),
            Some(_) => {}
        }
    }
}

/// The arrows from each out-port element.
type Arrows<'a> = BTreeMap<Key<'a>, (&'a End, Leaving)>;

fn arrows<'a>(view: &View<'a>) -> Arrows<'a> {
    let mut arrows = Arrows::new();
    for link in &view.plan.links {
        let kind = link.connector.as_ref().map(|connector| connector.kind);
        for writer in link
            .from
            .iter()
            .filter(|writer| writer.end.port != AUTOMATIC)
        {
            let entry = arrows.entry(key(&writer.end));
            let (_, leaving) = entry.or_insert_with(|| (&writer.end, Leaving::default()));
            leaving.add(kind, writer.span);
        }
    }
    for (_, leaving) in arrows.values_mut() {
        leaving.spans.sort();
    }
    arrows
}

/// An exported out-port is as good as connected.
fn check_outports(view: &View<'_>, arrows: &Arrows<'_>, found: &mut Vec<Diagnostic>) {
    let mut exported: HashMap<Key<'_>, &Export> = HashMap::new();
    for export in &view.plan.outports {
        let key = key(&export.end);
        let arrow = arrows
            .get(&key)
            .and_then(|(_, leaving)| leaving.spans.first())
            .copied();
        let earlier = exported.insert(key, export).map(|earlier| earlier.span);
        if let Some(other) = arrow.or(earlier) {
            let name = view.name(&export.end);
            found.push(diagnostics::connected_export::at(&name, export.span, other));
        }
    }
}

fn check_initials(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let into = into(view);
    let mut first: HashMap<Key<'_>, Span> = HashMap::new();
    for initial in &view.plan.initials {
        let end = &initial.to;
        if end.port == AUTOMATIC {
            let address = view.address(end.process);
            found.push(diagnostics::initial_automatic::at(address, initial.span));
            continue;
        }
        let name = view.name(end);
        if let Some(arrow) = into.get(&key(end)) {
            found.push(diagnostics::initial_beside_arrow::at(
                &name,
                initial.span,
                *arrow,
            ));
        }
        if let Some(earlier) = first.get(&key(end)) {
            found.push(diagnostics::two_initials::at(&name, *earlier, initial.span));
        }
        first.entry(key(end)).or_insert(initial.span);
    }
}

/// An arrow or export into each in-port element.
fn into<'a>(view: &View<'a>) -> HashMap<Key<'a>, Span> {
    let exports = view
        .plan
        .inports
        .iter()
        .map(|export| (key(&export.end), export.span));
    let links = view.plan.links.iter();
    let arrows = links.filter_map(|link| Some((key(&link.to), link.writers().next()?.span)));
    exports.chain(arrows).collect()
}
