//! The takeaway's desks: the business components of the order flow.
//!
//! Each desk is a component in a file of its own, named after the desk. A desk knows its ports and its
//! own file (a table), and no other desk. The world outside the office (restaurants, the card company,
//! kitchens, couriers, customers) is made of components too, driven by the input alone, so that the
//! same calls always end in the same way.
//!
//! `graphs/order-flow` joins them into one network.

mod desk;
pub mod papers;

pub mod book_courier;
pub mod card_reader;
pub mod confirm_order;
pub mod cook_food;
pub mod fax_line;
pub mod front_of_house;
pub mod ledger;
pub mod make_catalogue;
pub mod onboard_ui;
pub mod order_ui;
pub mod place_order;
pub mod qualify_restaurant;
pub mod request_details;
pub mod take_order;
pub mod take_payment;

use paperflow_core::Catalogue;

/// Every desk, and every piece of the world outside.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(onboard_ui::onboard_ui)
        .with(qualify_restaurant::qualify_restaurant)
        .with(request_details::request_details)
        .with(fax_line::fax_line)
        .with(make_catalogue::make_catalogue)
        .with(order_ui::order_ui)
        .with(take_order::take_order)
        .with(take_payment::take_payment)
        .with(card_reader::card_reader)
        .with(place_order::place_order)
        .with(front_of_house::front_of_house)
        .with(cook_food::cook_food)
        .with(book_courier::book_courier)
        .with(confirm_order::confirm_order)
        .with(ledger::ledger)
}
