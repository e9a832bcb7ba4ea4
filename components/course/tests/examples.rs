//! What the desks' descriptions show is true.

use paperflow_engine::rig::Rig;

#[test]
fn every_example_runs() {
    for component in paperflow_course::catalogue().iter() {
        for example in &component.spec().examples {
            Rig::check_example(component, example);
        }
    }
}

#[test]
fn every_component_has_an_example() {
    for spec in paperflow_course::catalogue().specs() {
        assert!(!spec.examples.is_empty(), "{} has no example", spec.name);
    }
}
