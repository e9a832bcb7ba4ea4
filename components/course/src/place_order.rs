//! The desk that places paid orders with restaurants.

use paperflow_core::{Fault, Got, In, Out, Table, Typed, component};
use serde::{Deserialize, Serialize};

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{
    Answer, ConfirmedOrder, FoodOrder, OrderConfirmation, PaidOrder, RejectedOrder,
};

/// A row of the desk's file: an order that has gone to a restaurant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The paid order.
    pub paid: PaidOrder,
    /// Whether the restaurant has answered.
    pub answered: bool,
}

/// Sends paid orders to the restaurant and files them until the restaurant answers.
///
/// An accepted order goes on to customer care, a rejected one back to the payment desk. An order that
/// is paid twice is placed once, and an answer that comes twice counts once.
#[component("course/place-order", work = compute)]
#[example(
    paid_order = [{ "amount": 1038, "auth": "A-12345", "order": {
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG", "GARL"], "time": "18:40" } }],
    order_for_restaurant = [{ "order": "12345", "restaurant": "R-77", "dishes": ["MARG", "GARL"],
                              "postcode": "SW17 3NJ", "time": "18:40" }]
)]
pub async fn place_order(
    /// Orders that are paid.
    paid_order: In<Typed<PaidOrder>>,
    /// The restaurant's answers.
    order_confirmation: In<Typed<OrderConfirmation>>,
    /// Orders for the restaurant.
    order_for_restaurant: Out<Typed<FoodOrder>>,
    /// Orders that the restaurant will cook.
    confirmed_order: Out<Typed<ConfirmedOrder>>,
    /// Orders that it will not.
    #[optional]
    order_rejected: Out<Typed<RejectedOrder>>,
    /// Every order placed.
    orders: Table<String, Placed>,
) -> Result<(), Fault> {
    let waiting = orders.iter().filter(|(_, placed)| !placed.answered).count();
    let mut desk = Desk { orders, waiting };
    while let Some(event) = desk.next(&order_confirmation, &paid_order).await {
        match desk.handle(event) {
            Some(Move::Place(order)) => order_for_restaurant.send(order).await?,
            Some(Move::Confirm(order)) => confirmed_order.send(order).await?,
            Some(Move::Reject(order)) => order_rejected.send(order).await?,
            None => {}
        }
    }
    Ok(())
}

enum Event {
    Answer(Got<Typed<OrderConfirmation>>),
    Paid(Got<Typed<PaidOrder>>),
}

/// What the desk does next about an order.
enum Move {
    Place(FoodOrder),
    Confirm(ConfirmedOrder),
    Reject(RejectedOrder),
}

struct Desk {
    orders: Table<String, Placed>,
    waiting: usize,
}

impl Desk {
    async fn next(
        &self,
        answers: &In<Typed<OrderConfirmation>>,
        orders: &In<Typed<PaidOrder>>,
    ) -> Option<Event> {
        let room = self.waiting < IN_FLIGHT;
        let answer = async { answers.next().await.map(Event::Answer) };
        let order = async { next_if(room, orders).await.map(Event::Paid) };
        first(answer, order).await
    }

    fn handle(&mut self, event: Event) -> Option<Move> {
        match event {
            Event::Paid(paid) => self.place(paid.into_inner().0),
            Event::Answer(confirmation) => self.answer(confirmation.into_inner().0),
        }
    }

    fn place(&mut self, paid: PaidOrder) -> Option<Move> {
        if self.orders.contains(&paid.order.id) {
            return None;
        }
        let food = FoodOrder::from(&paid.order);
        self.orders.put(
            food.order.clone(),
            Placed {
                paid,
                answered: false,
            },
        );
        self.waiting += 1;
        Some(Move::Place(food))
    }

    fn answer(&mut self, confirmation: OrderConfirmation) -> Option<Move> {
        let mut placed = self
            .orders
            .get(&confirmation.order)
            .filter(|placed| !placed.answered)?;
        placed.answered = true;
        self.orders.put(confirmation.order, placed.clone());
        self.waiting -= 1;
        Some(settle(placed.paid, confirmation.answer))
    }
}

fn settle(paid: PaidOrder, answer: Answer) -> Move {
    let PaidOrder { order, amount, .. } = paid;
    let (order, customer) = (order.id, order.customer);
    match answer {
        Answer::Accepted { driver, start } => Move::Confirm(ConfirmedOrder {
            order,
            customer,
            amount,
            driver,
            start,
        }),
        Answer::Rejected(reason) => Move::Reject(RejectedOrder {
            order,
            customer,
            reason,
        }),
    }
}
