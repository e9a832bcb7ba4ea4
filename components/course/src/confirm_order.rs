//! Customer care.

use paperflow_core::{Out, Table, Typed, component};

use crate::papers::{ConfirmedOrder, Ending, Outcome};

/// Calls the customer of a confirmed order, once.
#[component("course/confirm-order", work = compute)]
#[example(
    confirmed_order = [
        { "order": "12345", "customer": "C-42", "amount": 1038, "driver": "D-3", "start": "19:10" },
        { "order": "12345", "customer": "C-42", "amount": 1038, "driver": "D-3", "start": "19:10" }
    ],
    notify = [{ "order": "12345", "outcome": "confirmed", "amount": 1038, "driver": "D-3", "start": "19:10" }]
)]
pub fn confirm_order(
    /// Orders that the restaurant will cook.
    confirmed_order: Typed<ConfirmedOrder>,
    /// What the customer is told.
    notify: &mut Out<Typed<Outcome>>,
    /// The orders whose customers have been called, with the customer.
    notified: &mut Table<String, String>,
) {
    let Typed(ConfirmedOrder {
        order,
        customer,
        amount,
        driver,
        start,
    }) = confirmed_order;
    if notified.put(order.clone(), customer).is_some() {
        return;
    }
    notify.put(Outcome {
        amount: Some(amount),
        driver: Some(driver),
        start: Some(start),
        ..Outcome::new(&order, Ending::Confirmed, None)
    });
}
