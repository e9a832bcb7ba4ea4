//! What the attributes of an arrow ask of its link.

use crate::diagnostic::Diagnostic;
use crate::diagnostics;
use crate::model::Attribute;
use crate::plan::Full;
use crate::source::Span;

/// The written terms of an arrow or a link, each with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) capacity: Option<(usize, Span)>,
    pub(super) full: Option<(Full, Span)>,
    /// Asks for something other than a memory link.
    pub(super) connector: bool,
}

impl Terms {
    /// Reads the attributes of an arrow, the last of equal keys; reports what cannot be had.
    pub(super) fn read(attributes: &[Attribute], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let memory = is_memory(attributes);
        let mut terms = Self {
            connector: !memory,
            ..Self::default()
        };
        for (at, attribute) in attributes.iter().enumerate() {
            let overridden = attributes[at + 1..]
                .iter()
                .any(|later| later.key == attribute.key);
            if !overridden {
                terms.take(attribute, memory, diagnostics);
            }
        }
        terms
    }

    fn take(&mut self, attribute: &Attribute, memory: bool, diagnostics: &mut Vec<Diagnostic>) {
        let problem = match attribute.key.as_str() {
            "capacity" => self.take_capacity(attribute),
            "full" => self.take_full(attribute),
            "kind" => kind_problem(attribute),
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
            "wait" => Full::Wait,
            "drop-oldest" => Full::DropOldest,
            "drop-new" => Full::DropNew,
            "divert" => return Some(diagnostics::no_divert::at(attribute)),
            _ => return Some(diagnostics::bad_policy::at(attribute)),
        };
        self.full = Some((full, attribute.span));
        None
    }

    /// Adds what is not yet written here.
    pub(super) fn merge(&mut self, other: &Self) {
        self.capacity = self.capacity.or(other.capacity);
        self.full = self.full.or(other.full);
    }
}

fn is_memory(attributes: &[Attribute]) -> bool {
    let kind = attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key == "kind");
    kind.is_none_or(|kind| kind.value == "memory")
}

fn kind_problem(attribute: &Attribute) -> Option<Diagnostic> {
    (attribute.value != "memory").then(|| diagnostics::no_connector::at(attribute))
}
