//! Components whose packets come twice.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use paperflow_core::*;
use paperflow_engine::rig::{Mismatch, Rig, try_example, try_twice};

/// Sets the price of a dish.
#[component("i/set-price", work = compute, idempotent)]
#[example(
    input = [{"dish": "pizza", "price": 8}, {"dish": "soup", "price": 5}, {"dish": "pizza", "price": 9}],
    out = ["pizza", "soup", "pizza"]
)]
fn set_price(
    /// A dish and its price.
    input: Record,
    /// By dish.
    prices: &mut Table<String, i64>,
    /// The dish.
    out: &mut Out<Text>,
) {
    let dish = input["dish"].as_str().unwrap_or_default().to_owned();
    prices.put(dish.clone(), input["price"].as_i64().unwrap_or_default());
    out.put(dish);
}

/// Counts what comes.
#[component("i/add-one", work = compute, idempotent)]
#[example(input = [7, 8], out = ["seen", "seen"])]
fn add_one(
    /// Anything.
    input: i64,
    /// How many have come.
    total: &mut Table<String, i64>,
    /// `seen`.
    out: &mut Out<Text>,
) {
    let _ = input;
    total.put("all".into(), total.get("all").unwrap_or(0) + 1);
    out.put("seen");
}

/// Keeps a row for each packet, and sends the sum.
#[component("i/append", work = compute)]
#[example(input = [1, open, 2, close], out = [1, open, 3, close])]
fn append(
    /// Numbers.
    input: i64,
    /// By place.
    list: &mut Table<usize, i64>,
    /// The sum so far.
    out: &mut Out<i64>,
) {
    list.put(list.len(), input);
    out.put(list.iter().map(|(_, number)| number).sum::<i64>());
}

fn told(component: impl Component + 'static, run: Run) -> Vec<String> {
    let component: Arc<dyn Component> = Arc::new(component);
    let example = component.spec().examples[0].clone();
    let found = run(&component, &example);
    found.iter().map(ToString::to_string).collect()
}

type Run = fn(&Arc<dyn Component>, &Example) -> Vec<Mismatch>;

#[test]
fn r10_what_is_set_is_the_same_when_it_is_set_twice() {
    assert!(set_price().spec().idempotent);
    assert_eq!(told(set_price, try_example), [""; 0]);
    // 8, 8, 5, 5, 9, 9: not 8, 5, 9, 8, 5, 9.
    assert_eq!(told(set_price, try_twice), [""; 0]);
}

#[test]
fn r10_what_is_added_is_not_and_what_differs_is_told() {
    assert_eq!(told(add_one, try_example), [""; 0]);
    assert_eq!(
        told(add_one, try_twice),
        [
            "table TOTAL has 2 under \"all\" when each packet comes once, and 4 when each comes twice"
        ]
    );
    assert_eq!(
        told(append, try_twice),
        [
            "only when each packet comes once OUT gives 3, and only when each comes twice 2 4 6",
            "table LIST has 2 under 1 when each packet comes once, and 1 when each comes twice",
            "table LIST has no row under 2 when each packet comes once, and 2 when each comes twice",
            "table LIST has no row under 3 when each packet comes once, and 2 when each comes twice",
        ]
    );
}

#[test]
fn an_example_that_is_not_true_says_what_is() {
    /// Doubles numbers.
    #[component("i/double", work = compute)]
    #[example(input = [1, 2], out = [2, 5])]
    fn double(
        /// Numbers.
        input: i64,
        /// Twice as much.
        out: &mut Out<i64>,
    ) {
        out.put(2 * input);
    }
    let told = told(double, try_example);
    assert_eq!(told, ["OUT should give 2 5, and gives 2 4"]);
}

#[test]
fn an_example_that_fails_says_how() {
    /// Refuses.
    #[component("i/refuse", work = compute)]
    #[example(input = [1], out = [1])]
    fn refuse(
        /// Numbers.
        input: i64,
        /// The same.
        out: &mut Out<i64>,
    ) -> Result<(), Fault> {
        out.put(input);
        Err(Fault::new("never"))
    }
    assert_eq!(told(refuse, try_example), ["it fails: never"]);
}

#[test]
fn tables_are_read_when_the_rig_keeps_them() {
    let rig = Rig::of(set_price).feed(
        "IN",
        [Record::new(serde_json::json!({"dish": "a", "price": 1}))],
    );
    let (scheduler, capacity) = paperflow_engine::rig::DRIVERS[0];
    let ran = rig.run(&["OUT"], scheduler, capacity);
    assert!(ran.rows().is_empty());
    let ran = rig.keep_tables().run(&["OUT"], scheduler, capacity);
    assert_eq!(ran.rows()["PRICES"]["\"a\""], "1");
}
