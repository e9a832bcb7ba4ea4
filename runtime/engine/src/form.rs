//! What a process is by its component and its port elements alone.

use std::sync::Arc;

use paperflow_core::component::{Elements, Layout};
use paperflow_core::spec::{self, PortSpec};
use paperflow_core::turn::Passing;
use paperflow_core::{Component, Spec};

use crate::wiring::Wiring;

/// All processes with the same component share it, when that has no array ports.
pub(crate) struct Form {
    pub(crate) component: Arc<dyn Component>,
    pub(crate) spec: Arc<Spec>,
    pub(crate) layout: Arc<Layout>,
    pub(crate) passing: Arc<Passing>,
    pub(crate) inputs: Box<[Element]>,
    pub(crate) outputs: Box<[Element]>,
}

/// A port element of the component.
pub(crate) struct Element {
    /// Which port of the description it belongs to.
    port: usize,
    number: u32,
    /// `IN` or `IN[2]`.
    pub(crate) name: Arc<str>,
}

impl Form {
    /// In-port elements: each one's port, by its name in the description, and its number there.
    pub(crate) fn ports_in(&self) -> impl Iterator<Item = (&str, u32)> {
        named(&self.inputs, &self.spec.inputs)
    }

    /// The same for out-port elements.
    pub(crate) fn ports_out(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&str, u32)> + ExactSizeIterator {
        named(&self.outputs, &self.spec.outputs)
    }

    /// The port element ERROR, which is the last.
    pub(crate) fn error(&self) -> Option<usize> {
        let last = self.outputs.len().checked_sub(1)?;
        (*self.outputs[last].name == *spec::ERROR).then_some(last)
    }

    /// What an out-port element is called; behind those of the component lie automatic ones.
    pub(crate) fn output_name(&self, element: usize) -> &str {
        self.outputs.get(element).map_or("*", |output| &output.name)
    }
}

fn named<'a>(
    elements: &'a [Element],
    ports: &'a [PortSpec],
) -> impl DoubleEndedIterator<Item = (&'a str, u32)> + ExactSizeIterator {
    let elements = elements.iter();
    elements.map(|element| (&*ports[element.port].name, element.number))
}

impl Wiring {
    /// The form of a process.
    pub(crate) fn form(&mut self, process: usize) -> Arc<Form> {
        let spec = Arc::clone(&self.specs[process]);
        if let Some(known) = self.shared.form(&spec) {
            return known;
        }
        let inputs = spec.inputs.iter().map(|port| {
            let linked = self.into[process].iter();
            let linked = linked.filter(|(name, ..)| **name == port.name);
            let initials = self.initials(process, &port.name);
            let initials = initials.iter().map(|(number, _)| *number);
            numbers(
                port.array,
                linked.map(|(_, number, _)| number).chain(initials),
            )
        });
        let outputs = spec.outputs.iter().map(|port| {
            let linked = self.out_of[process].iter();
            let linked = linked.filter(|(name, ..)| **name == port.name);
            numbers(port.array, linked.map(|(_, number, _)| number))
        });
        let layout = Layout {
            inputs: laid_out(inputs),
            outputs: laid_out(outputs),
        };
        let form = Arc::new(Form {
            component: Arc::clone(&self.components[process]),
            passing: Arc::new(Passing {
                elements: passing(&spec, &layout.outputs),
                bypass: bypass(&spec, &layout.outputs),
            }),
            inputs: self.elements(&spec.inputs, &layout.inputs),
            outputs: self.elements(&spec.outputs, &layout.outputs),
            layout: Arc::new(layout),
            spec,
        });
        self.shared.add_form(&form);
        form
    }

    fn elements(&mut self, ports: &[PortSpec], elements: &[Elements]) -> Box<[Element]> {
        let ports = ports.iter().zip(elements).enumerate();
        let all = ports.flat_map(|(at, (port, elements))| {
            let numbers = elements.numbers.iter();
            numbers.map(move |number| (at, port, *number))
        });
        let all = all.map(|(at, port, number)| Element {
            port: at,
            number,
            name: if port.array {
                self.shared.name(&format!("{}[{number}]", port.name))
            } else {
                self.shared.name(&port.name)
            },
        });
        all.collect()
    }
}

/// The element numbers of a port, in order; a plain port has one element even when nothing leads there.
fn numbers(array: bool, used: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = if array { used.collect() } else { vec![0] };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Ports in their order, by their element numbers.
fn laid_out(ports: impl Iterator<Item = Vec<u32>>) -> Vec<Elements> {
    let mut first = 0;
    let elements = ports.map(|numbers| {
        let elements = Elements {
            first,
            numbers: numbers.into(),
        };
        first += elements.numbers.len();
        elements
    });
    elements.collect()
}

/// Where brackets pass to: every out-port element but ERROR.
fn passing(spec: &Spec, elements: &[Elements]) -> Box<[usize]> {
    let ports = spec
        .outputs
        .iter()
        .zip(elements)
        .filter(|(port, _)| port.name != spec::ERROR);
    ports
        .flat_map(|(_, elements)| elements.first..elements.first + elements.numbers.len())
        .collect()
}

/// A looper with one in-port and one out-port lets brackets pass there.
fn bypass(spec: &Spec, elements: &[Elements]) -> Option<usize> {
    let mut ports = spec
        .outputs
        .iter()
        .zip(elements)
        .filter(|(port, _)| port.name != spec::ERROR);
    let (port, elements) = ports.next()?;
    let single =
        ports.next().is_none() && spec.inputs.len() == 1 && !spec.inputs[0].array && !port.array;
    single.then_some(elements.first)
}
