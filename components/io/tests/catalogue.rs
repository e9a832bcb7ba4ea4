//! What the catalogue says of itself.

use paperflow_engine::rig::Rig;

#[test]
fn every_example_shows_what_happens() {
    for component in paperflow_io::catalogue().iter() {
        for example in &component.spec().examples {
            Rig::check_example(component, example);
        }
    }
}

#[test]
fn every_alias_leads_to_a_component() {
    let catalogue = paperflow_io::catalogue();
    for (alias, name) in catalogue.aliases() {
        assert!(catalogue.get(alias).is_some(), "{alias} stands for {name}");
    }
}
