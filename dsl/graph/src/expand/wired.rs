//! Arcs of which a wiring file says something.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics::unknown_wired;
use crate::model;
use crate::plan::{End, Writer};
use crate::similar::suggest;
use crate::wiring::{Named, Wiring, named};

use super::terms::{Terms, Written};
use super::tree::Tree;

/// The arcs of a wiring file, by both ends, and which of them are in the graph.
#[derive(Default)]
pub(super) struct Wired {
    arcs: Vec<Option<(Named, Named)>>,
    /// The numbers of those that leave each process, by its address.
    leaving: HashMap<String, Vec<usize>>,
    found: Vec<bool>,
    /// Every arc of the graph, for suggestions.
    known: Vec<String>,
}

impl Wired {
    pub(super) fn of(wiring: Option<&Wiring>) -> Self {
        let arcs = wiring.map_or(&[][..], |wiring| &wiring.arcs).iter();
        let arcs: Vec<_> = arcs.map(|arc| named(&arc.name.text)).collect();
        let mut leaving: HashMap<_, Vec<_>> = HashMap::new();
        for (at, arc) in arcs.iter().enumerate() {
            if let Some((from, _)) = arc {
                leaving.entry(from.address.clone()).or_default().push(at);
            }
        }
        Self {
            leaving,
            found: vec![false; arcs.len()],
            arcs,
            known: Vec::new(),
        }
    }

    /// The numbers of the arcs that may be one with these ends, in their order.
    fn candidates(&self, ends: [&Drawn; 2]) -> BTreeSet<usize> {
        let leaving = ends
            .into_iter()
            .filter_map(|[from, _]| self.leaving.get(&from.0));
        leaving.flatten().copied().collect()
    }

    /// Reports arcs that are not in the graph.
    pub(super) fn report(&self, wiring: &Wiring, diagnostics: &mut Vec<Diagnostic>) {
        let arcs = wiring.arcs.iter().zip(&self.arcs).zip(&self.found);
        for ((arc, ends), _) in arcs.filter(|(_, found)| !**found) {
            diagnostics.push(match ends {
                None => unknown_wired::no_arc_name(&arc.name),
                Some(_) => {
                    let known = self.known.iter().map(String::as_str);
                    unknown_wired::arc(&arc.name, suggest(&arc.name.text, known).as_deref())
                }
            });
        }
    }
}

/// Address, port and index.
type Place = (String, String, Option<u32>);

/// Both ends of an arrow as they are drawn, with their paths.
pub(super) type Drawn = [Place; 2];

impl Tree<'_> {
    /// The ends of an arrow as an author sees them, which may be public ports of subnets; nothing when no wiring
    /// says anything of arcs.
    pub(super) fn drawn_names(
        &self,
        opened: usize,
        from: &model::End,
        to: &model::End,
    ) -> Option<Drawn> {
        self.around
            .wiring
            .filter(|wiring| !wiring.arcs.is_empty())?;
        let outer = &self.opened[opened].address;
        let name = |end: &model::End| {
            let address = match outer.as_str() {
                "" => end.process.clone(),
                outer => format!("{outer}/{}", end.process),
            };
            (address, end.port.name.clone(), end.port.index)
        };
        Some([name(from), name(to)])
    }

    /// What the wiring says of the arc between two ports, if anything.
    pub(super) fn wiring_of(&mut self, drawn: &Drawn, from: &End, to: &End) -> Option<Terms> {
        let wiring = self.around.wiring?;
        let ends = [from, to].map(|end| {
            let address = self.plan.processes[end.process].address.clone();
            (address, end.port.clone(), end.index)
        });
        self.wired.known.push(shown(&ends));
        let mut terms: Option<Terms> = None;
        for at in self.wired.candidates([&ends, drawn]) {
            let names = self.wired.arcs[at].as_ref();
            if names.is_some_and(|names| is(names, &ends) || is(names, drawn)) {
                self.wired.found[at] = true;
                let attributes = wiring.arcs[at].attributes.iter().cloned();
                let written: Vec<Written> = attributes.map(|one| (0, one)).collect();
                let more = Terms::read(&written, &mut self.diagnostics);
                terms = Some(terms.unwrap_or_default().overridden(&more));
            }
        }
        terms
    }

    /// Joins one writer of an arrow with what the wiring says instead of the arrow.
    pub(super) fn join_wired(&mut self, to: End, writer: Writer, drawn: &Terms, wired: &Terms) {
        let terms = drawn.overridden(wired);
        let writer = Writer {
            meaning: terms.meaning(),
            ..writer
        };
        terms.check_memory(&mut self.diagnostics);
        self.links
            .join(to, vec![writer], &terms, &mut self.diagnostics);
    }
}

fn is((from, to): &(Named, Named), ends: &Drawn) -> bool {
    let same = |named: &Named, end: &Place| named.is(&end.0, &end.1, end.2);
    same(from, &ends[0]) && same(to, &ends[1])
}

/// `A.OUT[1] -> B.IN`.
fn shown(ends: &Drawn) -> String {
    let [from, to] = ends.each_ref().map(|(address, port, index)| {
        let element = index.map(|index| format!("[{index}]")).unwrap_or_default();
        format!("{address}.{port}{element}")
    });
    format!("{from} -> {to}")
}
