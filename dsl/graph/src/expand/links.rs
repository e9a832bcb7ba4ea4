//! Links in the making: arrows into one in-port element share one.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::plan::{End, Full, Link, Writer};
use crate::source::Span;

use super::terms::{Target, Terms, WhenFull};

/// What tells one in-port element from another.
type Key = (usize, String, Option<u32>);

/// The links found so far, in order of their first arrow.
#[derive(Default)]
pub(super) struct Links {
    made: Vec<(Link, Terms)>,
    index: HashMap<Key, usize>,
}

impl Links {
    /// Adds writers to the link into `to`, which they share with earlier ones.
    pub(super) fn join(
        &mut self,
        to: End,
        writers: &[Writer],
        terms: &[Terms],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let into = to.span;
        let at = self.into(to);
        let (link, agreed) = &mut self.made[at];
        link.from.extend(
            writers
                .iter()
                .cloned()
                .map(|writer| Writer { into, ..writer }),
        );
        for asked in terms {
            diagnostics.extend(disagreement(&link.to.port, agreed, asked));
            agreed.merge(asked);
        }
    }

    /// Which links divert, and where to; reports those that say only half of it.
    pub(super) fn diverting(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<(usize, Target)> {
        let mut found = Vec::new();
        for (at, (_, terms)) in self.made.iter().enumerate() {
            match (&terms.full, &terms.divert) {
                (Some((WhenFull::Divert, _)), Some(target)) => found.push((at, target.clone())),
                (Some((WhenFull::Divert, span)), None) => {
                    diagnostics.push(diagnostics::half_divert::no_target(*span));
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
        let own = self.made[at].0.from.iter().cloned();
        let more: Vec<_> = own
            .map(|writer| Writer {
                into: span,
                ..writer
            })
            .collect();
        self.made[target].0.diverted.extend(more);
        self.made[at].0.divert = Some(target);
    }

    /// The link into `to`.
    fn into(&mut self, to: End) -> usize {
        let key = (to.process, to.port.to_uppercase(), to.index);
        let at = *self.index.entry(key).or_insert(self.made.len());
        if at == self.made.len() {
            let link = Link {
                to,
                ..Link::default()
            };
            self.made.push((link, Terms::default()));
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
                next = self.made[at].0.divert;
            }
            let back = next.and_then(|again| way.iter().position(|at| *at == again));
            rings.extend(back.map(|first| way.split_off(first)));
        }
        rings
    }

    /// The in-port that a link leads to.
    pub(super) fn end(&self, at: usize) -> &End {
        &self.made[at].0.to
    }

    pub(super) fn finish(self) -> Vec<Link> {
        self.made
            .into_iter()
            .map(|(link, terms)| settled(link, &terms))
            .collect()
    }
}

fn settled(link: Link, terms: &Terms) -> Link {
    let full = match terms.full {
        Some((WhenFull::Alone(full), _)) => full,
        // A diverting link refuses the new packet.
        Some((WhenFull::Divert, _)) => Full::DropNew,
        None => Full::Wait,
    };
    Link {
        capacity: terms.capacity.map(|(capacity, _)| capacity),
        full,
        ..link
    }
}

/// Two different written values for one link.
fn disagreement(to: &str, agreed: &Terms, asked: &Terms) -> Option<Diagnostic> {
    let capacity = |terms: &Terms| {
        terms
            .capacity
            .map(|(value, span)| (value.to_string(), span))
    };
    let full = |terms: &Terms| terms.full.map(|(value, span)| (value.to_string(), span));
    let divert = |terms: &Terms| {
        let target = terms.divert.as_ref();
        target.map(|target| (target.text.clone(), target.span))
    };
    differing(to, "capacities", capacity(agreed), capacity(asked))
        .or_else(|| differing(to, "policies", full(agreed), full(asked)))
        .or_else(|| differing(to, "ways to divert", divert(agreed), divert(asked)))
}

/// A written value and its place.
type Value = Option<(String, Span)>;

fn differing(to: &str, what: &str, first: Value, second: Value) -> Option<Diagnostic> {
    let ((first, here), (second, there)) = (first?, second?);
    let spans = [here, there];
    (first != second).then(|| diagnostics::conflict::at(to, what, &[first, second], spans))
}
