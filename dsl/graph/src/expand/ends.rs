//! Following an end of an arrow to the ports of the plan it reaches.

use std::sync::Arc;

use crate::catalogue::Component;
use crate::diagnostics;
use crate::diagnostics::no_connector::Reason;
use crate::model::{self, Connection, Origin, PortRef};
use crate::plan::{End, Export, Initial, Writer};
use crate::source::Span;

use super::terms::{Terms, Written};
use super::tree::{Node, Tree};
use super::{Question, Side};

/// The automatic port.
pub(crate) const AUTOMATIC: &str = "*";

/// A port that an end of an arrow reaches, and the attributes of border arrows on the way.
pub(super) struct Reached {
    pub(super) end: End,
    attributes: Vec<Written>,
}

impl Tree<'_> {
    /// Turns the arrows of every opened graph into links and initial packets.
    pub(super) fn join(&mut self) {
        for index in 0..self.opened.len() {
            let graph = Arc::clone(&self.opened[index].graph);
            for arrow in &graph.connections {
                self.join_arrow(index, arrow);
            }
        }
        self.join_diverts();
        self.plan.inports = self.exported(0, Side::In);
        self.plan.outports = self.exported(0, Side::Out);
        self.plan.subnets = (1..self.opened.len())
            .map(|index| self.record(index))
            .collect();
    }

    fn join_arrow(&mut self, index: usize, arrow: &Connection) {
        self.rules.extend(rules(arrow));
        let opened = &self.opened[index];
        let to = opened.node(&arrow.to.process);
        match &arrow.from {
            Origin::Port(from) => {
                let nodes = [opened.node(&from.process), to];
                match border_of([from, &arrow.to], nodes) {
                    Some((border, side)) => self.loosen(index, border, [from, &arrow.to], side),
                    None => self.join_ports(index, from, arrow, nodes),
                }
            }
            // What a border is told is its name, or nothing.
            Origin::Initial(_) if matches!(to, Some(Node::Border(_))) => {}
            Origin::Initial(initial) => self.join_initial(index, initial, arrow, to),
        }
    }

    fn join_initial(
        &mut self,
        index: usize,
        initial: &model::Initial,
        arrow: &Connection,
        to: Option<Node>,
    ) {
        let attributes = arrow.attributes.iter();
        let idle = attributes.map(|attribute| match attribute.key.as_str() {
            "kind" if attribute.value != "memory" => {
                diagnostics::no_connector::at(&attribute.value, &Reason::Initial, attribute.span)
            }
            key => diagnostics::needs_connector::at(key, attribute.span),
        });
        self.diagnostics.extend(idle);
        for reached in self.reach_end(index, &arrow.to, to, Side::In) {
            let value = initial.value.clone();
            self.plan.initials.push(Initial {
                to: reached.end,
                value,
                span: initial.span,
            });
        }
    }

    /// Behind a border without a name, which is reported, ports count as connected.
    fn loosen(&mut self, index: usize, border: &str, [from, to]: [&model::End; 2], side: Side) {
        let opened = &self.opened[index];
        if opened.exports(side).has(border) {
            return;
        }
        let far = if side == Side::In { to } else { from };
        let node = opened.node(&far.process);
        let reached = self.reach_end(index, far, node, side);
        self.loose
            .extend(reached.into_iter().map(|reached| (side, reached.end)));
    }

    fn join_ports(
        &mut self,
        index: usize,
        from: &model::End,
        arrow: &Connection,
        [source, target]: [Option<Node>; 2],
    ) {
        let sources = self.reach_end(index, from, source, Side::Out);
        let targets = self.reach_end(index, &arrow.to, target, Side::In);
        let written = sources
            .iter()
            .chain(&targets)
            .map(|reached| &reached.attributes);
        let own: Vec<Written> = in_graph(index, arrow).collect();
        let written = std::iter::once(&own).chain(written);
        let drawn = self.agreed(written);
        if sources.is_empty() || targets.is_empty() {
            drawn.check_memory(&mut self.diagnostics);
            let known = sources.into_iter().map(|source| (Side::Out, source.end));
            let known = known.chain(targets.into_iter().map(|target| (Side::In, target.end)));
            self.loose.extend(known);
            return;
        }
        self.questions
            .extend(questions(drawn.answer(), &sources, &targets));
        let names = self.drawn_names(index, from, &arrow.to);
        for target in targets {
            let mut together = Vec::with_capacity(sources.len());
            for source in &sources {
                let writer = Writer {
                    end: source.end.clone(),
                    span: arrow.span,
                    into: target.end.span,
                    meaning: drawn.meaning(),
                };
                let wired = names.as_ref();
                let wired = wired.and_then(|names| self.wiring_of(names, &source.end, &target.end));
                match wired {
                    None => together.push(writer),
                    Some(wired) => self.join_wired(target.end.clone(), writer, &drawn, &wired),
                }
            }
            if !together.is_empty() {
                drawn.check_memory(&mut self.diagnostics);
                self.links
                    .join(target.end, together, &drawn, &mut self.diagnostics);
            }
        }
    }

    /// What is written on all pieces of an arrow, which must not contradict each other.
    fn agreed<'w>(&mut self, pieces: impl Iterator<Item = &'w Vec<Written>>) -> Terms {
        let mut agreed = Terms::default();
        for piece in pieces {
            let terms = Terms::read(piece, &mut self.diagnostics);
            for (key, first, second) in agreed.merge(&terms, |_| true) {
                let values = [first.text.as_str(), second.text.as_str()];
                let what = format!("values of `{key}`");
                let spans = [first.span, second.span];
                self.diagnostics
                    .push(diagnostics::conflict::at("arrow", &what, values, spans));
            }
        }
        agreed
    }

    /// The exports of an opened graph, each as the port of the plan it leads to.
    pub(super) fn exported(&mut self, index: usize, side: Side) -> Vec<Export> {
        let mut found = Vec::new();
        for export in self.opened[index].exports(side).lasting() {
            let public = &export.public;
            let Some(node) = self.opened[index].node(&export.process) else {
                self.loosen_meant(index, &export.process, &export.port, side);
                continue;
            };
            let reached = self.reach_node(index, node, &export.process, &export.port, side);
            found.extend(reached.into_iter().map(|reached| Export {
                public: public.clone(),
                end: reached.end,
                span: export.span,
            }));
        }
        found
    }

    /// What an end leads to, whose process stands for this node.
    fn reach_end(
        &mut self,
        index: usize,
        end: &model::End,
        node: Option<Node>,
        side: Side,
    ) -> Vec<Reached> {
        match node {
            Some(node) => self.reach_node(index, node, &end.process, &end.port, side),
            None => {
                self.loosen_meant(index, &end.process, &end.port, side);
                Vec::new()
            }
        }
    }

    /// The port of the process whose name is near an unknown one counts as connected.
    fn loosen_meant(&mut self, index: usize, name: &str, port: &PortRef, side: Side) {
        let Some(meant) = self.opened[index].meant(name) else {
            return;
        };
        let known = self.diagnostics.len();
        let node = self.opened[index].node(&meant);
        // The arrow at hand may be one of the border's own.
        let node = node.filter(|node| !matches!(node, Node::Border(_)));
        let reached = node.map(|node| self.reach_node(index, node, &meant, port, side));
        // The guess is no mistake of the author's.
        self.diagnostics.truncate(known);
        let ends = reached.into_iter().flatten().map(|reached| reached.end);
        let declared = ends.filter(|end| {
            let component = self.components[end.process];
            component.is_some_and(|component| match side {
                Side::In => component.input(&end.port).is_some(),
                Side::Out => component.output(&end.port).is_some(),
            })
        });
        let declared: Vec<_> = declared.map(|end| (side, end)).collect();
        self.loose.extend(declared);
    }

    pub(super) fn reach_node(
        &mut self,
        index: usize,
        node: Node,
        name: &str,
        port: &PortRef,
        side: Side,
    ) -> Vec<Reached> {
        match node {
            Node::Process(process) => vec![self.plain_end(process, port, side)],
            Node::Subnet(inner) if port.name == AUTOMATIC => self.every_process(inner, port.span),
            Node::Subnet(inner) => self.reach_export(inner, port, side),
            Node::Border(at) if at == side => self.reach_through(index, name, port, side),
            Node::Border(_) => {
                self.diagnostics
                    .push(diagnostics::straight_border::at(name, port.span));
                Vec::new()
            }
        }
    }

    /// The port of a process, spelled as its component declares it.
    fn plain_end(&self, process: usize, port: &PortRef, side: Side) -> Reached {
        let component = self.components[process];
        Reached {
            end: spelled(process, component, port, side),
            attributes: Vec::new(),
        }
    }

    fn every_process(&self, inner: usize, span: Span) -> Vec<Reached> {
        let automatic = |process| Reached {
            end: End {
                process,
                port: String::from(AUTOMATIC),
                index: None,
                span,
            },
            attributes: Vec::new(),
        };
        self.opened[inner]
            .processes
            .clone()
            .map(automatic)
            .collect()
    }

    /// Through a subnet's public port to the inner one.
    fn reach_export(&mut self, inner: usize, port: &PortRef, side: Side) -> Vec<Reached> {
        let exports = self.opened[inner].exports(side);
        let Some(export) = exports.find(&port.name).cloned() else {
            self.report_unknown_export(inner, port, side);
            return Vec::new();
        };
        let Some(node) = self.opened[inner].node(&export.process) else {
            return Vec::new();
        };
        if export.port.index.is_some() && port.index.is_some() {
            let at = &self.opened[inner].address;
            self.diagnostics
                .push(diagnostics::plain_index::at(at, &port.name, port.span));
        }
        let inner_port = PortRef {
            name: export.port.name.clone(),
            index: export.port.index.or(port.index),
            span: port.span,
            implied: false,
        };
        self.reach_node(inner, node, &export.process, &inner_port, side)
    }

    /// Reports a public port that is not there; the one that was probably meant counts as used.
    fn report_unknown_export(&mut self, inner: usize, port: &PortRef, side: Side) {
        let opened = &self.opened[inner];
        let names = |side| opened.exports(side).names();
        let wrong = diagnostics::unknown_port::Wrong {
            process: &opened.address,
            port: &port.name,
            implied: port.implied,
            side,
            span: port.span,
        };
        let here: Vec<_> = names(side).collect();
        let there: Vec<_> = names(side.opposite()).collect();
        let (found, meant) = diagnostics::unknown_port::at(&wrong, &here, &there);
        self.diagnostics.push(found);
        if let Some(meant) = meant {
            let port = PortRef {
                name: meant,
                ..port.clone()
            };
            let ends = self.reach_export(inner, &port, side);
            self.loose
                .extend(ends.into_iter().map(|reached| (side, reached.end)));
        }
    }

    /// Through a classic border along its inner arrows.
    fn reach_through(
        &mut self,
        index: usize,
        border: &str,
        port: &PortRef,
        side: Side,
    ) -> Vec<Reached> {
        if port.index.is_some() {
            self.diagnostics
                .push(diagnostics::plain_index::at(border, &port.name, port.span));
        }
        let graph = Arc::clone(&self.opened[index].graph);
        let arrows = self.opened[index].arrows_beyond(border).iter();
        let arrows: Vec<_> = arrows
            .filter_map(|at| {
                let arrow = &graph.connections[*at];
                let Origin::Port(from) = &arrow.from else {
                    return None;
                };
                let far = if side == Side::In { &arrow.to } else { from };
                Some((arrow, far))
            })
            .collect();
        let spans: Vec<_> = arrows.iter().map(|(arrow, _)| arrow.span).collect();
        let mut reached: Vec<_> = arrows
            .into_iter()
            .flat_map(|(arrow, far)| self.reach_beyond(index, border, far, arrow, side))
            .collect();
        if side == Side::In && spans.len() > 1 {
            self.diagnostics.extend(diagnostics::fan_out::at(
                &format!("{border}.OUT"),
                &[],
                &spans,
            ));
            let others = reached.drain(1.min(reached.len())..);
            self.loose.extend(others.map(|reached| (side, reached.end)));
        }
        reached
    }

    fn reach_beyond(
        &mut self,
        index: usize,
        border: &str,
        far: &model::End,
        arrow: &Connection,
        side: Side,
    ) -> Vec<Reached> {
        let node = self.opened[index].node(&far.process);
        if let Some(Node::Border(_)) = node {
            self.diagnostics
                .push(diagnostics::straight_border::at(border, arrow.span));
            return Vec::new();
        }
        let mut reached = self.reach_end(index, far, node, side);
        for one in &mut reached {
            one.attributes.extend(in_graph(index, arrow));
        }
        reached
    }
}

/// The border that an arrow joins to an inner port.
fn border_of(ends: [&model::End; 2], nodes: [Option<Node>; 2]) -> Option<(&str, Side)> {
    let [from, to] = ends;
    match nodes {
        [Some(Node::Border(Side::In)), _] => Some((&from.process, Side::In)),
        [_, Some(Node::Border(Side::Out))] => Some((&to.process, Side::Out)),
        _ => None,
    }
}

/// Who expects an answer, and of whom.
fn questions(answer: Option<Span>, sources: &[Reached], targets: &[Reached]) -> Vec<Question> {
    let Some(span) = answer else {
        return Vec::new();
    };
    let question = |from: &Reached, to: &Reached| Question {
        from: from.end.process,
        to: to.end.process,
        span,
    };
    let ends = sources
        .iter()
        .flat_map(|from| targets.iter().map(move |to| (from, to)));
    ends.map(|(from, to)| question(from, to)).collect()
}

/// The attributes of an arrow, with the opened graph it is in.
fn in_graph(index: usize, arrow: &Connection) -> impl Iterator<Item = Written> {
    let attributes = arrow.attributes.iter().cloned();
    attributes.map(move |attribute| (index, attribute))
}

/// An end with its port spelled as declared, element 0 of an array port when none was written.
fn spelled(process: usize, component: Option<&Component>, port: &PortRef, side: Side) -> End {
    let declared = component.and_then(|component| match side {
        Side::In => component.input(&port.name),
        Side::Out => component.output(&port.name),
    });
    let index = match declared {
        Some(declared) if declared.array => Some(port.index.unwrap_or(0)),
        _ => port.index,
    };
    let name = declared.map_or(&port.name, |declared| &declared.name);
    End {
        process,
        port: name.clone(),
        index,
        span: port.span,
    }
}

/// Keys under which other systems write what a connector lets through.
const RULES: &[&str] = &[
    "condition",
    "expr",
    "expression",
    "filter",
    "if",
    "match",
    "predicate",
    "rule",
    "rules",
    "script",
    "select",
    "selector",
    "switch",
    "transform",
    "when",
    "where",
];

/// What on an arrow decides by content which packets pass.
fn rules(arrow: &Connection) -> impl Iterator<Item = (String, Span)> {
    let free = arrow.metadata.iter().enumerate();
    let free = free.filter(|(_, (key, _))| RULES.contains(&key.to_lowercase().as_str()));
    free.map(|(at, (key, _))| {
        let span = arrow.metadata_spans.get(at).copied();
        (key.clone(), span.unwrap_or(arrow.span))
    })
}
