//! What the descriptions show is true.

use paperflow_engine::rig::Rig;

#[test]
fn every_example_runs() {
    for component in paperflow_messaging::catalogue().iter() {
        for example in &component.spec().examples {
            Rig::check_example(component, example);
        }
    }
}
