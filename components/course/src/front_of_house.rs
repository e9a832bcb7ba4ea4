//! The restaurant's front of house.

use paperflow_core::{Fault, Got, In, Out, Table, Typed, component};

use crate::desk::first;
use crate::papers::{FoodOrder, OrderConfirmation};

/// Takes orders in at the restaurant's door and sends the answer back out.
///
/// The answer comes from the kitchen, which rejects, or from the courier, who confirms: both write to
/// the same port. An order that comes twice is cooked once; if it has been answered already, the same
/// answer goes out again.
#[component("course/front-of-house", work = compute)]
#[example(
    order_for_restaurant = [{ "order": "12345", "restaurant": "R-77", "dishes": ["MARG"],
                              "postcode": "SW17 3NJ", "time": "18:40" }],
    food_order = [{ "order": "12345", "restaurant": "R-77", "dishes": ["MARG"],
                    "postcode": "SW17 3NJ", "time": "18:40" }]
)]
pub async fn front_of_house(
    /// Orders from the agency.
    order_for_restaurant: In<Typed<FoodOrder>>,
    /// Answers, from the kitchen and from the courier.
    confirm_order: In<Typed<OrderConfirmation>>,
    /// Orders for the kitchen.
    food_order: Out<Typed<FoodOrder>>,
    /// Answers for the agency.
    order_confirmation: Out<Typed<OrderConfirmation>>,
    /// Orders in progress, each with its answer once there is one.
    progress: Table<String, Option<OrderConfirmation>>,
) -> Result<(), Fault> {
    let mut desk = Desk { progress };
    loop {
        let answer = async { confirm_order.next().await.map(Event::Answer) };
        let order = async { order_for_restaurant.next().await.map(Event::Order) };
        match first(answer, order).await.map(|event| desk.handle(event)) {
            Some(Some(Move::Cook(order))) => food_order.send(order).await?,
            Some(Some(Move::Answer(answer))) => order_confirmation.send(answer).await?,
            Some(None) => {}
            None => return Ok(()),
        }
    }
}

enum Event {
    Answer(Got<Typed<OrderConfirmation>>),
    Order(Got<Typed<FoodOrder>>),
}

/// What happens next about an order.
enum Move {
    Cook(FoodOrder),
    Answer(OrderConfirmation),
}

struct Desk {
    progress: Table<String, Option<OrderConfirmation>>,
}

impl Desk {
    fn handle(&mut self, event: Event) -> Option<Move> {
        match event {
            Event::Order(order) => self.open(order.into_inner().0),
            Event::Answer(answer) => self.close(answer.into_inner().0),
        }
    }

    fn open(&mut self, order: FoodOrder) -> Option<Move> {
        if let Some(known) = self.progress.get(&order.order) {
            return known.map(Move::Answer);
        }
        self.progress.put(order.order.clone(), None);
        Some(Move::Cook(order))
    }

    /// Only the first answer to an order that is in progress goes out.
    fn close(&mut self, answer: OrderConfirmation) -> Option<Move> {
        if self.progress.get(&answer.order)?.is_some() {
            return None;
        }
        self.progress
            .put(answer.order.clone(), Some(answer.clone()));
        Some(Move::Answer(answer))
    }
}
