//! The committed input of the order flow is what the generator writes.

#[allow(dead_code, reason = "the command around the generator is not run here")]
#[path = "../examples/generate.rs"]
mod generate;

fn committed(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../graphs/order-flow/");
    std::fs::read_to_string(format!("{folder}{name}")).expect("the input is committed")
}

#[test]
fn the_restaurants_are_those_that_the_generator_writes() {
    assert_eq!(committed("restaurants.jsonl"), generate::restaurants());
}

#[test]
fn the_orders_are_those_that_the_generator_writes() {
    assert_eq!(committed("orders.jsonl"), generate::orders());
}
