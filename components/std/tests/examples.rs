//! What the specs say is true.

use paperflow_engine::rig::Rig;

#[test]
fn every_example_runs() {
    for component in paperflow_std::catalogue().iter() {
        for example in &component.spec().examples {
            Rig::check_example(component, example);
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
