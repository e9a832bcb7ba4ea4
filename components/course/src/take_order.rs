//! The order taker.

use std::pin::pin;

use paperflow_core::{Closed, Fault, Got, In, Out, Table, Typed, component};

use crate::desk::first;
use crate::papers::{
    CardOrder, Ending, Order, Outcome, Page, Pence, PricedOrder, Reason, RefusedCard,
};

/// Checks orders against the catalogue and prices them.
///
/// The catalogue is a table on the desk, built from the stream of new pages: nobody is asked. An order
/// is priced from the version of the menu that it names, whatever else is in the catalogue by then; an
/// order that names a version which is not there yet is held until it comes, and is invalid when the
/// catalogue's stream ends without it. A card that was refused goes back to the customer from here.
#[component("course/take-order", work = compute)]
#[example(
    new_catalogue = [{ "restaurant": "R-77", "version": 1, "name": "Pizza 'R Us", "postcode": "SW17 5HK",
                       "dishes": { "MARG": 599, "GARL": 240 }, "delivery": 199 }],
    order_food = [{ "card": "4000", "order": {
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG", "GARL"], "time": "18:40" } }],
    priced_order = [{ "card": "4000", "amount": 1038, "order": {
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG", "GARL"], "time": "18:40" } }]
)]
pub async fn take_order(
    /// Orders, each with the card presented.
    order_food: In<Typed<CardOrder>>,
    /// Pages of the catalogue, as they come out.
    new_catalogue: In<Typed<Page>>,
    /// Cards that were refused.
    #[optional]
    invalid_card: In<Typed<RefusedCard>>,
    /// Proper orders, with their price.
    priced_order: Out<Typed<PricedOrder>>,
    /// Customers to ask for another card.
    #[optional]
    represent_card: Out<Typed<RefusedCard>>,
    /// What is no proper order, and why.
    #[optional]
    invalid_order: Out<Typed<Outcome>>,
    /// The catalogue: every version of every restaurant's menu.
    catalogue: Table<(String, u32), Page>,
) -> Result<(), Fault> {
    let ways = Ways {
        invalid_card,
        priced_order,
        represent_card,
        invalid_order,
    };
    let mut desk = Desk {
        catalogue,
        complete: false,
        held: Vec::new(),
    };
    while let Some(event) = desk
        .next(&ways.invalid_card, &new_catalogue, &order_food)
        .await
    {
        let ready = match event {
            Event::Refused(refused) => {
                ways.represent_card.send(refused).await?;
                continue;
            }
            Event::Order(order) => desk.check_all([order]),
            Event::Page(page) => desk.turn(page),
        };
        for checked in ready {
            ways.hand_over(checked).await?;
        }
    }
    Ok(())
}

enum Event {
    Refused(Got<Typed<RefusedCard>>),
    /// A new page, or the end of all pages.
    Page(Option<Got<Typed<Page>>>),
    Order(Got<Typed<CardOrder>>),
}

/// An order with its price, or with what is wrong with it.
struct Checked {
    order: Got<Typed<CardOrder>>,
    price: Result<Pence, Reason>,
}

/// The catalogue, and the orders that wait for it.
struct Desk {
    catalogue: Table<(String, u32), Page>,
    complete: bool,
    held: Vec<Got<Typed<CardOrder>>>,
}

impl Desk {
    async fn next(
        &self,
        refused: &In<Typed<RefusedCard>>,
        pages: &In<Typed<Page>>,
        orders: &In<Typed<CardOrder>>,
    ) -> Option<Event> {
        let refused = async { refused.next().await.map(Event::Refused) };
        let page = async {
            if self.complete {
                None
            } else {
                Some(Event::Page(pages.next().await))
            }
        };
        let order = async { orders.next().await.map(Event::Order) };
        first(refused, first(page, order)).await
    }

    /// Adds a page, or learns that there are no more, and looks at the orders held for it.
    fn turn(&mut self, page: Option<Got<Typed<Page>>>) -> Vec<Checked> {
        match page.map(|page| page.into_inner().0) {
            Some(page) => {
                let key = (page.restaurant.clone(), page.version);
                self.catalogue.put(key, page);
            }
            None => self.complete = true,
        }
        let held = std::mem::take(&mut self.held);
        self.check_all(held)
    }

    /// Checks orders; those that nothing can be said about yet are held.
    fn check_all(
        &mut self,
        orders: impl IntoIterator<Item = Got<Typed<CardOrder>>>,
    ) -> Vec<Checked> {
        let mut ready = Vec::new();
        for order in orders {
            match self.check(&order.order) {
                Some(price) => ready.push(Checked { order, price }),
                None => self.held.push(order),
            }
        }
        ready
    }

    /// The price of an order, or what is wrong with it; nothing as long as its page may still come.
    fn check(&self, order: &Order) -> Option<Result<Pence, Reason>> {
        let key = (order.restaurant.clone(), order.version);
        match self.catalogue.get(&key) {
            Some(page) => Some(price(&page, &order.dishes)),
            None if !self.complete => None,
            None if self.knows(&order.restaurant) => Some(Err(Reason::UnknownVersion)),
            None => Some(Err(Reason::UnknownRestaurant)),
        }
    }

    fn knows(&self, restaurant: &str) -> bool {
        self.catalogue
            .iter()
            .any(|((known, _), _)| known == restaurant)
    }
}

/// What the dishes cost, delivery included.
fn price(page: &Page, dishes: &[String]) -> Result<Pence, Reason> {
    if dishes.is_empty() {
        return Err(Reason::NoDishes);
    }
    dishes.iter().try_fold(page.delivery, |sum, dish| {
        let price = page.dishes.get(dish).ok_or(Reason::UnknownDish)?;
        Ok(sum.saturating_add(*price))
    })
}

/// The ways out of the desk, and the one back from the payment desk.
struct Ways {
    invalid_card: In<Typed<RefusedCard>>,
    priced_order: Out<Typed<PricedOrder>>,
    represent_card: Out<Typed<RefusedCard>>,
    invalid_order: Out<Typed<Outcome>>,
}

impl Ways {
    async fn hand_over(&self, checked: Checked) -> Result<(), Closed> {
        let CardOrder { order, card } = checked.order.into_inner().0;
        match checked.price {
            Ok(amount) => {
                self.send_priced(PricedOrder {
                    order,
                    card,
                    amount,
                })
                .await
            }
            Err(reason) => {
                let outcome = Outcome::new(&order.id, Ending::Invalid, reason);
                self.invalid_order.send(outcome).await
            }
        }
    }

    /// Sends an order on to payment, and goes on taking refused cards meanwhile: the payment desk may
    /// be waiting to hand one back before it takes the order.
    async fn send_priced(&self, order: PricedOrder) -> Result<(), Closed> {
        let mut sending = pin!(self.priced_order.send(order));
        loop {
            let refused = async { self.invalid_card.next().await.map(Meanwhile::Refused) };
            let sent = async { Some(Meanwhile::Sent(sending.as_mut().await)) };
            match first(refused, sent).await {
                Some(Meanwhile::Refused(refused)) => self.represent_card.send(refused).await?,
                Some(Meanwhile::Sent(result)) => return result,
                None => return Ok(()),
            }
        }
    }
}

/// What can happen while an order waits to be sent on.
enum Meanwhile {
    Refused(Got<Typed<RefusedCard>>),
    Sent(Result<(), Closed>),
}
