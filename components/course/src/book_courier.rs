//! The courier's booking desk.

use paperflow_core::{Out, Param, Typed, component};

use crate::papers::{Answer, FoodOrder, NoDriver, OrderConfirmation, TimeToCook};

/// Books a driver for an order and works out when cooking must start.
///
/// A driver has a round: the addresses whose postcode goes on with the driver's digit after the blank,
/// so SW17 3NJ is on the round of driver D-3. The driver comes three quarters of an hour after the
/// order and the food takes a quarter, so cooking starts half an hour after the order.
#[component("course/book-courier", work = compute)]
#[example(
    book_delivery = [
        { "order": "12345", "restaurant": "R-77", "dishes": ["MARG"], "postcode": "SW17 3NJ", "time": "18:40" },
        { "order": "12346", "restaurant": "R-77", "dishes": ["MARG"], "postcode": "SW17 9AA", "time": "18:40" }
    ],
    time_to_cook = [{ "order": "12345", "start": "19:10" }],
    confirm_order = [{ "order": "12345", "answer": { "accepted": { "driver": "D-3", "start": "19:10" } } }],
    no_driver = [{ "order": "12346" }]
)]
pub fn book_courier(
    /// Orders to be collected.
    book_delivery: Typed<FoodOrder>,
    /// How many drivers there are: D-1, D-2 and so on.
    #[default(8)]
    drivers: Param<u32>,
    /// When to start, for the kitchen.
    time_to_cook: &mut Out<Typed<TimeToCook>>,
    /// The restaurant's yes, for the front of house.
    confirm_order: &mut Out<Typed<OrderConfirmation>>,
    /// What the kitchen is to forget.
    #[optional]
    no_driver: &mut Out<Typed<NoDriver>>,
) {
    let Typed(FoodOrder {
        order,
        postcode,
        time,
        ..
    }) = book_delivery;
    let Some(round) = round(&postcode).filter(|round| (1..=*drivers).contains(round)) else {
        return no_driver.put(NoDriver { order });
    };
    let start = time.later(HALF_AN_HOUR);
    time_to_cook.put(TimeToCook {
        order: order.clone(),
        start,
    });
    let answer = Answer::Accepted {
        driver: format!("D-{round}"),
        start,
    };
    confirm_order.put(OrderConfirmation { order, answer });
}

const HALF_AN_HOUR: u16 = 30;

/// The digit after the blank.
fn round(postcode: &str) -> Option<u32> {
    postcode
        .split_whitespace()
        .nth(1)?
        .chars()
        .next()?
        .to_digit(10)
}
