//! What belongs to the ports of one process, found by the name and the element of the port.

use std::collections::BTreeMap;
use std::sync::Arc;

use paperflow_core::Spec;
use paperflow_core::component::Layout;

/// A few things of one process, by port element. Most processes have two or three, so a list is smaller
/// than any map, and in a network of a million processes that is what counts.
#[derive(Clone, Debug)]
pub(crate) struct ByPort<T>(Vec<(PortKey, T)>);

/// The name of a port in capitals, and the number of its element.
type PortKey = (Arc<str>, u32);

impl<T> Default for ByPort<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByPort<T> {
    /// Adds one, or replaces what was there.
    pub(crate) fn insert(&mut self, key: PortKey, value: T) {
        match self.0.iter_mut().find(|(other, _)| *other == key) {
            Some((_, there)) => *there = value,
            None => {
                self.0.reserve_exact(1);
                self.0.push((key, value));
            }
        }
    }

    pub(crate) fn get(&self, port: &str, element: u32) -> Option<&T> {
        let is_it = |(name, number): &PortKey| *number == element && **name == *port;
        let found = self.0.iter().find(|(key, _)| is_it(key));
        found.map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32, &T)> {
        self.0
            .iter()
            .map(|((name, element), value)| (&**name, *element, value))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names and shapes that many processes share.
#[derive(Default)]
pub(crate) struct Shared {
    names: BTreeMap<String, Arc<str>>,
    /// By the address of the description.
    forms: BTreeMap<usize, Form>,
}

/// What all processes with the same component share, when it has no array ports.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) layout: Arc<Layout>,
    pub(crate) passing: Arc<[usize]>,
}

impl Shared {
    /// The name, as everybody has it.
    pub(crate) fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        self.names.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }

    /// The form of a process with this component; `new` is its own.
    pub(crate) fn form(&mut self, spec: &Arc<Spec>, new: Form) -> Form {
        let mut ports = spec.inputs.iter().chain(&spec.outputs);
        if ports.any(|port| port.array) {
            return new;
        }
        let key = Arc::as_ptr(spec).addr();
        self.forms.entry(key).or_insert(new).clone()
    }
}
