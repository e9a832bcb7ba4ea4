//! What belongs to the ports of one process, found by the name and the element of the port.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

use paperflow_core::Spec;
use paperflow_core::component::Layout;

/// Things of one process, in the order of their port elements. Most processes have two or three, and
/// then a list is smaller than any map, which is what counts in a network of a million processes; an
/// array port may have a hundred thousand, mostly in order.
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
        match self.find(&key.0, key.1) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (key, value));
            }
        }
    }

    pub(crate) fn get(&self, port: &str, element: u32) -> Option<&T> {
        let at = self.find(port, element).ok()?;
        Some(&self.0[at].1)
    }

    /// Where it is, or where it belongs.
    fn find(&self, port: &str, element: u32) -> Result<usize, usize> {
        let key = |(name, number): &PortKey| (**name).cmp(port).then(number.cmp(&element));
        self.0.binary_search_by(|(other, _)| key(other))
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

/// What is there for sure.
impl<T> Index<(&str, u32)> for ByPort<T> {
    type Output = T;

    fn index(&self, (port, element): (&str, u32)) -> &T {
        self.get(port, element).expect("the port is connected")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_in_order_whatever_the_order_in_which_they_come() {
        let mut by_port = ByPort::default();
        for (port, element) in [("OUT", 7), ("IN", 2), ("OUT", 0), ("IN", 10)] {
            by_port.insert((port.into(), element), format!("{port} {element}"));
        }
        by_port.insert(("IN".into(), 2), String::from("replaced"));
        let all: Vec<_> = by_port
            .iter()
            .map(|(port, element, _)| (port, element))
            .collect();
        assert_eq!(all, [("IN", 2), ("IN", 10), ("OUT", 0), ("OUT", 7)]);
        assert_eq!(by_port[("IN", 2)], "replaced");
        assert_eq!(by_port.get("IN", 3), None);
    }
}
