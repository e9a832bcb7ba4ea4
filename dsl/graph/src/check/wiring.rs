//! What may not share a port: arrows, initial packets, exports.

use hashbrown::HashMap;

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
    let groups = arrows.chunk_by(|one, two| key(one.end) == key(two.end));
    for group in groups.filter(|group| group.len() > 1) {
        let kinds = kinds(group);
        if !may_share(group, &kinds) {
            let name = view.name(group[0].end);
            let spans: Vec<_> = group.iter().map(|arrow| arrow.span).collect();
            found.extend(diagnostics::fan_out::at(&name, &kinds, &spans));
        }
    }
    check_outports(view, &arrows, found);
    check_initials(view, found);
}

/// An arrow from an out-port element.
struct Leaving<'a> {
    end: &'a End,
    span: Span,
    /// What it is when it is not memory.
    kind: Option<ConnectorKind>,
}

/// The kinds of those that are not memory, each once.
fn kinds(arrows: &[Leaving<'_>]) -> Vec<ConnectorKind> {
    let mut kinds = Vec::new();
    for kind in arrows.iter().filter_map(|arrow| arrow.kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// Whether all are readers of one connector.
fn may_share(arrows: &[Leaving<'_>], kinds: &[ConnectorKind]) -> bool {
    let has_memory = arrows.iter().any(|arrow| arrow.kind.is_none());
    !has_memory && matches!(kinds, [ConnectorKind::Stream | ConnectorKind::Pubsub])
}

/// The arrows from all out-port elements, by element, those of one in text order.
fn arrows<'a>(view: &View<'a>) -> Vec<Leaving<'a>> {
    let links = view.plan.links.iter();
    let arrows = links.flat_map(|link| {
        let kind = link.connector.as_ref().map(|connector| connector.kind);
        link.from.iter().map(move |writer| Leaving {
            end: &writer.end,
            span: writer.span,
            kind,
        })
    });
    let mut arrows: Vec<_> = arrows.filter(|arrow| arrow.end.port != AUTOMATIC).collect();
    arrows.sort_by(|one, two| (key(one.end), one.span).cmp(&(key(two.end), two.span)));
    arrows
}

/// An exported out-port is as good as connected.
fn check_outports(view: &View<'_>, arrows: &[Leaving<'_>], found: &mut Vec<Diagnostic>) {
    let mut exported: HashMap<Key<'_>, &Export> = HashMap::new();
    for export in &view.plan.outports {
        let key = key(&export.end);
        let first = arrows.partition_point(|arrow| self::key(arrow.end) < key);
        let arrow = arrows.get(first);
        let arrow = arrow.filter(|arrow| self::key(arrow.end) == key);
        let arrow = arrow.map(|arrow| arrow.span);
        let earlier = exported.insert(key, export).map(|earlier| earlier.span);
        if let Some(other) = arrow.or(earlier) {
            let name = view.name(&export.end);
            found.push(diagnostics::connected_export::at(&name, export.span, other));
        }
    }
}

fn check_initials(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    if view.plan.initials.is_empty() {
        return;
    }
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
