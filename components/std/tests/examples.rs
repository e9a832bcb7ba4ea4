//! What the specs say is true.

mod bench;

use paperflow_core::spec::Sample;
use paperflow_core::{Component, Example, Packet};
use paperflow_engine::rig::Rig;
use std::sync::Arc;

fn packets(samples: &[Sample]) -> Vec<Packet> {
    let packet = |sample: &Sample| match sample {
        Sample::Open => Packet::open(),
        Sample::Close => Packet::close(),
        Sample::Data(value) => Packet::json(value.clone()),
    };
    samples.iter().map(packet).collect()
}

/// All ports in one run: what an array port sends depends on which elements there are.
fn check(component: &Arc<dyn Component>, example: &Example) {
    let mut rig = Rig::of_shared(component.clone());
    for (param, value) in &example.params {
        rig = rig.set(param, value.as_str());
    }
    for (port, samples) in &example.feeds {
        rig = rig.feed(port, packets(samples));
    }
    let expected: Vec<_> = example
        .expects
        .iter()
        .map(|(port, samples)| (port.as_str(), packets(samples)))
        .collect();
    bench::check(&rig, &expected);
}

#[test]
fn every_example_runs() {
    for component in paperflow_std::catalogue().iter() {
        for example in &component.spec().examples {
            println!("{}: {example:?}", component.spec().name);
            check(component, example);
        }
    }
}

#[test]
fn every_component_has_an_example() {
    for spec in paperflow_std::catalogue().specs() {
        assert!(!spec.examples.is_empty(), "{} has no example", spec.name);
    }
}

#[test]
fn every_alias_leads_somewhere() {
    let catalogue = paperflow_std::catalogue();
    for (alias, name) in catalogue.aliases() {
        assert!(
            catalogue.get(alias).is_some(),
            "{alias} stands for {name}, which does not exist"
        );
    }
}
