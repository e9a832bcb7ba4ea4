//! Links in the making: arrows into one in-port element share one.

use std::hash::{Hash, Hasher};

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::places::Places;
use crate::plan::{End, Full, Link, Writer};
use crate::source::Span;

use super::connectors::{Connectors, Names};
use super::terms::{Disagreement, Target, Terms, WhenFull};

/// What tells one in-port element from another.
type Key = (usize, String, Option<u32>);

pub(super) fn key(end: &End) -> Key {
    (end.process, end.port.to_uppercase(), end.index)
}

/// An in-port element, told from others without regard to the case of its port.
struct Element<'a>(&'a End);

impl Element<'_> {
    fn letters(&self) -> impl Iterator<Item = char> {
        self.0.port.chars().flat_map(char::to_uppercase)
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.0, other.0);
        one.process == two.process
            && one.index == two.index
            && (one.port == two.port || self.letters().eq(other.letters()))
    }
}

impl Eq for Element<'_> {}

impl Hash for Element<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.process, self.0.index).hash(state);
        self.letters().for_each(|letter| letter.hash(state));
    }
}

/// A memory link and what was written about it.
struct Made {
    link: Link,
    terms: Terms,
    /// Its first arrow, by number.
    order: usize,
}

/// The links found so far, in order of their first arrow.
#[derive(Default)]
pub(super) struct Links {
    made: Vec<Made>,
    /// Where the memory link into each in-port element is.
    index: Places,
    connectors: Connectors,
    /// How many arrows there were.
    arrows: usize,
}

/// What arrows into one memory link agree on.
const SHARED: [&str; 3] = ["capacity", "full", "divert"];

impl Links {
    /// Adds writers to the link into `to`, which they share with earlier ones of the same kind.
    pub(super) fn join(
        &mut self,
        to: End,
        writers: Vec<Writer>,
        terms: &Terms,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        self.arrows += 1;
        if let Some(kind) = terms.kind() {
            let order = self.arrows;
            return writers.into_iter().for_each(|writer| {
                self.connectors
                    .add(order, kind, (writer, to.clone()), terms.clone());
            });
        }
        let at = self.into(to);
        let made = &mut self.made[at];
        if made.link.from.is_empty() {
            made.link.from = writers;
        } else {
            made.link.from.extend(writers);
        }
        let differing = made.terms.merge(terms, |key| SHARED.contains(&key));
        let port = &made.link.to.port;
        diagnostics.extend(differing.iter().map(|found| disagreement(port, found)));
    }

    /// Which links divert, and where to; reports those that say only half of it.
    pub(super) fn diverting(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<(usize, Target)> {
        let mut found = Vec::new();
        for (at, made) in self.made.iter().enumerate() {
            match (made.terms.full(), made.terms.divert()) {
                (Some((WhenFull::Divert, _)), Some(target)) => found.push((at, target)),
                (Some((WhenFull::Divert, span)), None) => {
                    diagnostics.push(diagnostics::half_divert::no_target(span));
                }
                (_, Some(target)) => {
                    diagnostics.push(diagnostics::half_divert::no_policy(target.span));
                }
                (_, None) => {}
            }
        }
        found
    }

    /// Lets what the link `at` refuses go to the link into `to`, which is made if need be.
    pub(super) fn divert(&mut self, at: usize, to: End, span: Span) {
        let target = self.into(to);
        let own = self.made[at].link.from.iter().cloned();
        let more: Vec<_> = own
            .map(|writer| Writer {
                into: span,
                ..writer
            })
            .collect();
        self.made[target].link.diverted.extend(more);
        self.made[at].link.divert = Some(target);
    }

    /// The memory link into `to`.
    fn into(&mut self, to: End) -> usize {
        let made = &mut self.made;
        let element_at = |at: usize| Element(&made[at].link.to);
        let at = self.index.enter(&Element(&to), made.len(), element_at);
        if at == made.len() {
            made.push(Made {
                link: Link {
                    to,
                    ..Link::default()
                },
                terms: Terms::default(),
                order: self.arrows,
            });
        }
        at
    }

    /// The links that divert in a circle, each circle from its first link.
    pub(super) fn rings(&self) -> Vec<Vec<usize>> {
        let mut walk_of = vec![usize::MAX; self.made.len()];
        let mut rings = Vec::new();
        for start in 0..self.made.len() {
            let mut way = Vec::new();
            let mut next = Some(start);
            while let Some(at) = next.filter(|at| walk_of[*at] == usize::MAX) {
                walk_of[at] = start;
                way.push(at);
                next = self.made[at].link.divert;
            }
            let back = next.and_then(|again| way.iter().position(|at| *at == again));
            rings.extend(back.map(|first| way.split_off(first)));
        }
        rings
    }

    /// The in-port that a link leads to.
    pub(super) fn end(&self, at: usize) -> &End {
        &self.made[at].link.to
    }

    /// All links, in order of their first arrow, connectors under their names.
    pub(super) fn finish(self, names: &Names<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Link> {
        let memory = self.made.into_iter();
        let kept = self.connectors.finish(names, diagnostics);
        if kept.is_empty() {
            return memory.map(|made| settled(made.link, &made.terms)).collect();
        }
        let memory = memory.map(|made| (made.order, settled(made.link, &made.terms)));
        in_order(memory.chain(kept).collect())
    }
}

/// Links sorted by the number beside them; diverts lead to where their link is then.
fn in_order(links: Vec<(usize, Link)>) -> Vec<Link> {
    let mut sorted: Vec<_> = links.into_iter().enumerate().collect();
    sorted.sort_by_key(|(_, (order, _))| *order);
    let mut places = vec![0; sorted.len()];
    for (now, (before, _)) in sorted.iter().enumerate() {
        places[*before] = now;
    }
    let links = sorted.into_iter().map(|(_, (_, link))| link);
    let moved = links.map(|link| Link {
        divert: link.divert.map(|target| places[target]),
        ..link
    });
    moved.collect()
}

fn settled(link: Link, terms: &Terms) -> Link {
    let full = match terms.full() {
        Some((WhenFull::Alone(full), _)) => full,
        // A diverting link refuses the new packet.
        Some((WhenFull::Divert, _)) => Full::DropNew,
        None => Full::Wait,
    };
    Link {
        capacity: terms.capacity(),
        full,
        ..link
    }
}

/// Two different written values for one link.
fn disagreement(to: &str, (key, first, second): &Disagreement) -> Diagnostic {
    let what = match *key {
        "capacity" => "capacities",
        "full" => "policies",
        _ => "ways to divert",
    };
    let owner = format!("link into `{to}`");
    let values = [first.text.as_str(), second.text.as_str()];
    diagnostics::conflict::at(&owner, what, values, [first.span, second.span])
}
