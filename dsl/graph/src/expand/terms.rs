//! What the attributes of an arrow ask of its link.

use std::collections::BTreeMap;
use std::fmt;

use crate::attributes::{Setting, find};
use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::model::Attribute;
use crate::plan::{ConnectorKind, Full, Intent, Meaning, Shape};
use crate::source::Span;

/// What is to happen to a packet that finds the link full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// What a link does by itself.
    Alone(Full),
    /// The packet goes to another in-port.
    Divert,
}

impl fmt::Display for WhenFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone(full) => full.fmt(f),
            Self::Divert => f.write_str("divert"),
        }
    }
}

/// Where refused packets go, as written.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The opened graph whose names it uses.
    pub(super) opened: usize,
    pub(super) text: String,
    pub(super) span: Span,
}

/// A written term.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) value: Setting,
    /// As written.
    pub(super) text: String,
    pub(super) span: Span,
    /// The opened graph whose names it uses.
    opened: usize,
}

/// The written terms of an arrow, a link or a connector, by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    terms: BTreeMap<&'static str, Term>,
    /// The kind that is asked for is none, so it is not clear what the others mean.
    is_unclear: bool,
}

/// What is said of the messages of an arrow, and not of its link.
pub(super) const MEANINGS: [&str; 4] = ["intent", "shape", "datatype", "entity"];

/// An attribute and the opened graph in which it is written.
pub(super) type Written = (usize, Attribute);

/// Two values of one term, with its key: the one that was there and the one that does not go with it.
pub(super) type Disagreement = (&'static str, Term, Term);

impl Terms {
    /// Reads the attributes of an arrow, the last of equal keys; reports what cannot be understood.
    pub(super) fn read(written: &[Written], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut terms = Self::default();
        for (at, one) in written.iter().enumerate() {
            let overridden = written[at + 1..]
                .iter()
                .any(|(_, later)| later.key == one.1.key);
            if !overridden {
                terms.take(one, diagnostics);
            }
        }
        terms
    }

    fn take(&mut self, (opened, attribute): &Written, diagnostics: &mut Vec<Diagnostic>) {
        let Some(spec) = find(&attribute.key) else {
            return diagnostics.push(diagnostics::needs_connector::at(
                &attribute.key,
                attribute.span,
            ));
        };
        let Some(value) = spec.form.read(&attribute.value) else {
            self.is_unclear |= spec.name == "kind";
            return diagnostics.push(unreadable(attribute));
        };
        let term = Term {
            value,
            text: attribute.value.clone(),
            span: attribute.span,
            opened: *opened,
        };
        self.terms.insert(spec.name, term);
    }

    pub(super) fn get(&self, key: &str) -> Option<&Term> {
        self.terms.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Term)> {
        self.terms.iter().map(|(key, term)| (*key, term))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|term| term.text.as_str())
    }

    /// The kind of connector that is asked for; none for memory.
    pub(super) fn kind(&self) -> Option<ConnectorKind> {
        match self.text("kind")? {
            "queue" => Some(ConnectorKind::Queue),
            "stream" => Some(ConnectorKind::Stream),
            "pubsub" => Some(ConnectorKind::Pubsub),
            _ => None,
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match self.get("capacity")?.value {
            Setting::Count(count) => usize::try_from(count).ok(),
            _ => None,
        }
    }

    pub(super) fn full(&self) -> Option<(WhenFull, Span)> {
        let term = self.get("full")?;
        let full = match term.text.as_str() {
            "drop-oldest" => WhenFull::Alone(Full::DropOldest),
            "drop-new" => WhenFull::Alone(Full::DropNew),
            "divert" => WhenFull::Divert,
            _ => WhenFull::Alone(Full::Wait),
        };
        Some((full, term.span))
    }

    pub(super) fn divert(&self) -> Option<Target> {
        self.get("divert").map(|term| Target {
            opened: term.opened,
            text: term.text.clone(),
            span: term.span,
        })
    }

    /// Where it says that an answer to each packet is expected.
    pub(super) fn answer(&self) -> Option<Span> {
        let pattern = self.get("pattern")?;
        (pattern.text == "in-out").then_some(pattern.span)
    }

    /// What is said of the messages, if anything.
    pub(super) fn meaning(&self) -> Option<Box<Meaning>> {
        let terms = MEANINGS.iter().filter_map(|key| self.get(key));
        let span = terms.map(|term| term.span).reduce(Span::to)?;
        let text = |key| self.text(key).map(String::from);
        Some(Box::new(Meaning {
            intent: self.text("intent").map(|intent| match intent {
                "command" => Intent::Command,
                "query" => Intent::Query,
                "value" => Intent::Value,
                _ => Intent::Event,
            }),
            shape: self.text("shape").map(|shape| match shape {
                "series" => Shape::Series,
                _ => Shape::Discrete,
            }),
            datatype: text("datatype"),
            entity: text("entity"),
            span,
        }))
    }

    /// Adds the terms that are wanted and not yet written here, and gives those that are and differ.
    pub(super) fn merge(
        &mut self,
        other: &Self,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Disagreement> {
        let mut differing = Vec::new();
        for (key, term) in other.iter().filter(|(key, _)| wanted(key)) {
            let own = self.terms.entry(key).or_insert_with(|| term.clone());
            if own.value != term.value {
                differing.push((key, own.clone(), term.clone()));
            }
        }
        self.is_unclear |= other.is_unclear;
        differing
    }

    /// These terms with others in the place of those that both have. What was meant for another kind than
    /// memory is left out when memory is asked for now.
    pub(super) fn overridden(&self, by: &Self) -> Self {
        let mut terms = self.terms.clone();
        terms.extend(by.terms.clone());
        if by.text("kind") == Some("memory") {
            terms.retain(|key, _| is_for(key, "memory") || by.terms.contains_key(key));
        }
        Self {
            terms,
            is_unclear: self.is_unclear || by.is_unclear,
        }
    }

    /// Reports what means nothing to a memory link.
    pub(super) fn check_memory(&self, diagnostics: &mut Vec<Diagnostic>) {
        if self.is_unclear || self.kind().is_some() {
            return;
        }
        for (key, term) in self.iter().filter(|(key, _)| !is_for(key, "memory")) {
            diagnostics.push(match key {
                "chaos" => diagnostics::misplaced_chaos::memory(term.span),
                _ => diagnostics::needs_connector::at(key, term.span),
            });
        }
    }
}

/// Whether an attribute means something to a kind of arc.
pub(super) fn is_for(key: &str, kind: &str) -> bool {
    find(key).is_some_and(|spec| spec.kinds.contains(&kind))
}

fn unreadable(attribute: &Attribute) -> Diagnostic {
    match attribute.key.as_str() {
        "capacity" => diagnostics::bad_capacity::at(attribute),
        "full" => diagnostics::bad_policy::at(attribute),
        "kind" => diagnostics::unknown_kind::at(attribute),
        _ => diagnostics::bad_setting::at(attribute),
    }
}
