//! What the attributes of an arrow ask of its link.

use std::fmt;

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::model::Attribute;
use crate::plan::Full;
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

/// The written terms of an arrow or a link, each with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) capacity: Option<(usize, Span)>,
    pub(super) full: Option<(WhenFull, Span)>,
    pub(super) divert: Option<Target>,
    /// An answer to each packet is expected.
    pub(super) answer: Option<Span>,
    /// Asks for something other than a memory link.
    pub(super) connector: bool,
}

/// An attribute and the opened graph in which it is written.
pub(super) type Written = (usize, Attribute);

impl Terms {
    /// Reads the attributes of an arrow, the last of equal keys; reports what cannot be had.
    pub(super) fn read(written: &[Written], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let memory = is_memory(written);
        let mut terms = Self {
            connector: !memory,
            ..Self::default()
        };
        for (at, one) in written.iter().enumerate() {
            let overridden = written[at + 1..]
                .iter()
                .any(|(_, later)| later.key == one.1.key);
            if !overridden {
                terms.take(one, memory, diagnostics);
            }
        }
        terms
    }

    fn take(&mut self, written: &Written, memory: bool, diagnostics: &mut Vec<Diagnostic>) {
        let (_, attribute) = written;
        let problem = match attribute.key.as_str() {
            "capacity" => self.take_capacity(attribute),
            "full" => self.take_full(attribute),
            "divert" if memory => self.take_divert(written),
            "kind" => kind_problem(attribute),
            "pattern" => self.take_pattern(attribute),
            "name" => None,
            _ => memory.then(|| diagnostics::needs_connector::at(attribute)),
        };
        diagnostics.extend(problem);
    }

    fn take_capacity(&mut self, attribute: &Attribute) -> Option<Diagnostic> {
        match attribute.value.parse::<usize>() {
            Ok(capacity) if capacity > 0 => {
                self.capacity = Some((capacity, attribute.span));
                None
            }
            _ => Some(diagnostics::bad_capacity::at(attribute)),
        }
    }

    fn take_full(&mut self, attribute: &Attribute) -> Option<Diagnostic> {
        let full = match attribute.value.as_str() {
            "wait" => WhenFull::Alone(Full::Wait),
            "drop-oldest" => WhenFull::Alone(Full::DropOldest),
            "drop-new" => WhenFull::Alone(Full::DropNew),
            "divert" => WhenFull::Divert,
            _ => return Some(diagnostics::bad_policy::at(attribute)),
        };
        self.full = Some((full, attribute.span));
        None
    }

    fn take_divert(&mut self, (opened, attribute): &Written) -> Option<Diagnostic> {
        self.divert = Some(Target {
            opened: *opened,
            text: attribute.value.clone(),
            span: attribute.span,
        });
        None
    }

    /// Conversations change nothing about the link.
    fn take_pattern(&mut self, attribute: &Attribute) -> Option<Diagnostic> {
        self.answer = (attribute.value == "in-out").then_some(attribute.span);
        None
    }

    /// Adds what is not yet written here.
    pub(super) fn merge(&mut self, other: &Self) {
        self.capacity = self.capacity.or(other.capacity);
        self.full = self.full.or(other.full);
        self.divert = self.divert.take().or_else(|| other.divert.clone());
    }
}

fn is_memory(written: &[Written]) -> bool {
    let mut kinds = written.iter().rev();
    let kind = kinds.find(|(_, attribute)| attribute.key == "kind");
    kind.is_none_or(|(_, kind)| kind.value == "memory")
}

fn kind_problem(attribute: &Attribute) -> Option<Diagnostic> {
    (attribute.value != "memory").then(|| diagnostics::no_connector::at(attribute))
}
