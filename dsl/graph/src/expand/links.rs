//! Links in the making: arrows into one in-port element share one.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::plan::{End, Full, Link, Writer};

use super::terms::Terms;

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
        let key = (to.process, to.port.to_uppercase(), to.index);
        let into = to.span;
        let at = *self.index.entry(key).or_insert(self.made.len());
        if at == self.made.len() {
            let link = Link {
                to,
                ..Link::default()
            };
            self.made.push((link, Terms::default()));
        }
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

    pub(super) fn finish(self) -> Vec<Link> {
        self.made
            .into_iter()
            .map(|(link, terms)| settled(link, &terms))
            .collect()
    }
}

fn settled(link: Link, terms: &Terms) -> Link {
    Link {
        capacity: terms.capacity.map(|(capacity, _)| capacity),
        full: terms.full.map_or(Full::Wait, |(full, _)| full),
        ..link
    }
}

/// Two different written values for one link.
fn disagreement(to: &str, agreed: &Terms, asked: &Terms) -> Option<Diagnostic> {
    if let (Some(first), Some(second)) = (agreed.capacity, asked.capacity)
        && first.0 != second.0
    {
        let values = [first.0.to_string(), second.0.to_string()];
        return Some(diagnostics::conflict::at(
            to,
            "capacities",
            &values,
            [first.1, second.1],
        ));
    }
    if let (Some(first), Some(second)) = (agreed.full, asked.full)
        && first.0 != second.0
    {
        let values = [first.0.to_string(), second.0.to_string()];
        return Some(diagnostics::conflict::at(
            to,
            "policies",
            &values,
            [first.1, second.1],
        ));
    }
    None
}
