//! The kitchen.

use paperflow_core::{Fault, Got, In, Out, Param, Table, Typed, component};
use serde::{Deserialize, Serialize};

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{
    Answer, FoodOrder, NoDriver, OrderConfirmation, Reason, TimeOfDay, TimeToCook,
};

/// A row of the kitchen's queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ticket {
    /// Accepted; the courier has been asked.
    Booking,
    /// Cooking starts at this time.
    Cook(TimeOfDay),
    /// Rejected, or forgotten because no driver goes there.
    Off,
}

/// Accepts or rejects orders, books the delivery, and is told when to start cooking.
///
/// Orders that come in while the kitchen is closed are rejected, and so are those for which the courier
/// finds no driver.
#[component("course/cook-food", work = compute)]
#[example(
    hours = "11:00-23:00",
    food_order = [
        { "order": "12345", "restaurant": "R-77", "dishes": ["MARG"], "postcode": "SW17 3NJ", "time": "18:40" },
        { "order": "12346", "restaurant": "R-77", "dishes": ["MARG"], "postcode": "SW17 3NJ", "time": "23:30" }
    ],
    book_delivery = [{ "order": "12345", "restaurant": "R-77", "dishes": ["MARG"],
                       "postcode": "SW17 3NJ", "time": "18:40" }],
    reject_order = [{ "order": "12346", "answer": { "rejected": "kitchen-closed" } }]
)]
pub async fn cook_food(
    /// Orders to cook.
    food_order: In<Typed<FoodOrder>>,
    /// When to start, from the courier.
    time_to_cook: In<Typed<TimeToCook>>,
    /// What to forget, from the courier.
    #[optional]
    no_driver: In<Typed<NoDriver>>,
    /// When the kitchen takes orders: from the first time, up to and without the second.
    #[default("11:00-23:00")]
    hours: Param<String>,
    /// Orders that will not be cooked.
    reject_order: Out<Typed<OrderConfirmation>>,
    /// Orders to be collected.
    book_delivery: Out<Typed<FoodOrder>>,
    /// The kitchen's queue.
    kitchen: Table<String, Ticket>,
) -> Result<(), Fault> {
    let booking = kitchen
        .iter()
        .filter(|(_, ticket)| **ticket == Ticket::Booking)
        .count();
    let mut desk = Desk {
        hours: Hours::parse(&hours)?,
        kitchen,
        booking,
    };
    while let Some(event) = desk.next(&time_to_cook, &no_driver, &food_order).await {
        match desk.handle(event) {
            Some(Move::Book(order)) => book_delivery.send(order).await?,
            Some(Move::Reject(answer)) => reject_order.send(answer).await?,
            None => {}
        }
    }
    Ok(())
}

enum Event {
    Start(Got<Typed<TimeToCook>>),
    Forget(Got<Typed<NoDriver>>),
    Order(Got<Typed<FoodOrder>>),
}

/// What the kitchen does next about an order.
enum Move {
    Book(FoodOrder),
    Reject(OrderConfirmation),
}

struct Desk {
    hours: Hours,
    kitchen: Table<String, Ticket>,
    booking: usize,
}

impl Desk {
    async fn next(
        &self,
        starts: &In<Typed<TimeToCook>>,
        forgets: &In<Typed<NoDriver>>,
        orders: &In<Typed<FoodOrder>>,
    ) -> Option<Event> {
        let start = async { starts.next().await.map(Event::Start) };
        let forget = async { forgets.next().await.map(Event::Forget) };
        let room = self.booking < IN_FLIGHT;
        let order = async { next_if(room, orders).await.map(Event::Order) };
        first(first(start, forget), order).await
    }

    fn handle(&mut self, event: Event) -> Option<Move> {
        match event {
            Event::Start(start) => {
                self.booked(&start.order, Ticket::Cook(start.start));
                None
            }
            Event::Forget(forget) => self
                .booked(&forget.order, Ticket::Off)
                .then(|| reject(&forget.order, Reason::NoDriver)),
            Event::Order(order) => self.take(order.into_inner().0),
        }
    }

    /// The courier's answer to a booking; false when nothing is booked under that number.
    fn booked(&mut self, order: &str, ticket: Ticket) -> bool {
        let was_booking = self.kitchen.get(order) == Some(Ticket::Booking);
        if was_booking {
            self.kitchen.put(order.to_owned(), ticket);
            self.booking -= 1;
        }
        was_booking
    }

    fn take(&mut self, order: FoodOrder) -> Option<Move> {
        if self.kitchen.contains(&order.order) {
            return None;
        }
        if !self.hours.include(order.time) {
            self.kitchen.put(order.order.clone(), Ticket::Off);
            return Some(reject(&order.order, Reason::KitchenClosed));
        }
        self.kitchen.put(order.order.clone(), Ticket::Booking);
        self.booking += 1;
        Some(Move::Book(order))
    }
}

fn reject(order: &str, reason: Reason) -> Move {
    Move::Reject(OrderConfirmation {
        order: order.to_owned(),
        answer: Answer::Rejected(reason),
    })
}

/// When the kitchen takes orders.
struct Hours {
    open: TimeOfDay,
    close: TimeOfDay,
}

impl Hours {
    fn parse(text: &str) -> Result<Self, Fault> {
        let times = text.split_once('-').and_then(|(open, close)| {
            Some(Self {
                open: TimeOfDay::parse(open.trim())?,
                close: TimeOfDay::parse(close.trim())?,
            })
        });
        times.ok_or_else(|| Fault::new(format!("{text:?} are not hours such as 11:00-23:00")))
    }

    fn include(&self, time: TimeOfDay) -> bool {
        self.open <= time && time < self.close
    }
}
