//! What belongs to the ports of one process, found by the name and the element of the port.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

use paperflow_core::Spec;

use crate::form::Form;
use crate::process::Special;

/// Things of one process, in the order of their port elements. Most processes have two or three, and
/// then a list is smaller than any map, which is what counts in a network of a million processes; an
/// array port may have a hundred thousand, mostly in order.
#[derive(Clone, Debug)]
pub(crate) struct ByPort<T>(List<(PortKey, T)>);

/// The name of a port in capitals, and the number of its element.
type PortKey = (Arc<str>, u32);

impl<T> Default for ByPort<T> {
    fn default() -> Self {
        Self(List::Short(None))
    }
}

impl<T> ByPort<T> {
    /// Adds one, or replaces what was there.
    pub(crate) fn insert(&mut self, key: PortKey, value: T) {
        match self.find(&key.0, key.1) {
            Ok(at) => self.0.as_mut_slice()[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn get(&self, port: &str, element: u32) -> Option<&T> {
        let at = self.find(port, element).ok()?;
        Some(&self.0.as_slice()[at].1)
    }

    /// Where it is, or where it belongs.
    fn find(&self, port: &str, element: u32) -> Result<usize, usize> {
        let key = |(name, number): &PortKey| (**name).cmp(port).then(number.cmp(&element));
        self.0.as_slice().binary_search_by(|(other, _)| key(other))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32, &T)> {
        self.0
            .as_slice()
            .iter()
            .map(|((name, element), value)| (&**name, *element, value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

/// A list that needs no memory of its own while there is at most one item.
#[derive(Clone, Debug)]
enum List<T> {
    Short(Option<T>),
    Long(Vec<T>),
}

impl<T> List<T> {
    fn insert(&mut self, at: usize, item: T) {
        match self {
            Self::Short(none @ None) => *none = Some(item),
            Self::Short(one) => {
                let mut list: Vec<T> = one.take().into_iter().collect();
                list.insert(at, item);
                *self = Self::Long(list);
            }
            Self::Long(list) => list.insert(at, item),
        }
    }

    const fn as_slice(&self) -> &[T] {
        match self {
            Self::Short(one) => one.as_slice(),
            Self::Long(list) => list.as_slice(),
        }
    }

    const fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::Short(one) => one.as_mut_slice(),
            Self::Long(list) => list.as_mut_slice(),
        }
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
    forms: BTreeMap<usize, Arc<Form>>,
    /// Most processes have nothing special.
    nothing: Arc<Special>,
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

    /// Nothing special is there once.
    pub(crate) fn special(&self, special: Special) -> Arc<Special> {
        if special.is_nothing() {
            Arc::clone(&self.nothing)
        } else {
            Arc::new(special)
        }
    }

    /// The form of all processes with this component, if it is known.
    pub(crate) fn form(&self, spec: &Arc<Spec>) -> Option<Arc<Form>> {
        self.forms.get(&Arc::as_ptr(spec).addr()).cloned()
    }

    /// Remembers a form that other processes have, too: one without array ports.
    pub(crate) fn add_form(&mut self, form: &Arc<Form>) {
        let mut ports = form.spec.inputs.iter().chain(&form.spec.outputs);
        if !ports.any(|port| port.array) {
            let key = Arc::as_ptr(&form.spec).addr();
            self.forms.insert(key, Arc::clone(form));
        }
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
