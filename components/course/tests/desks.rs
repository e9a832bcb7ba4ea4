//! Each desk alone: what it does when things are missing, late, doubled or wrong.

use paperflow_core::Packet;
use paperflow_course::{
    book_courier::book_courier, confirm_order::confirm_order, cook_food::cook_food,
    fax_line::fax_line, ledger::ledger, order_ui::order_ui, place_order::place_order,
    request_details::request_details, take_order::take_order, take_payment::take_payment,
};
use paperflow_engine::rig::Rig;
use serde_json::{Value, json};

/// Records as packets.
fn records<const N: usize>(records: [Value; N]) -> [Packet; N] {
    records.map(Packet::record)
}

const NONE: [Packet; 0] = [];

fn enquiry(restaurant: &str) -> Value {
    json!({ "restaurant": restaurant, "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 })
}

fn page(version: u32, margherita: i64) -> Value {
    json!({
        "restaurant": "R-77", "version": version, "name": "Pizza 'R Us", "postcode": "SW17 5HK",
        "dishes": { "MARG": margherita, "GARL": 240 }, "delivery": 199,
    })
}

fn order(id: &str, restaurant: &str, version: u32, dishes: &[&str]) -> Value {
    json!({
        "order": id, "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": restaurant, "version": version,
        "dishes": dishes, "time": "18:40",
    })
}

fn card_order(id: &str, restaurant: &str, version: u32, dishes: &[&str]) -> Value {
    json!({ "order": order(id, restaurant, version, dishes), "card": "4000" })
}

fn priced(id: &str, amount: i64) -> Value {
    json!({ "order": order(id, "R-77", 1, &["MARG"]), "card": "4000", "amount": amount })
}

fn invalid(id: &str, reason: &str) -> Value {
    json!({ "order": id, "outcome": "invalid", "reason": reason })
}

#[test]
fn a_lost_fax_goes_out_again_under_the_same_reference_and_then_the_desk_gives_up() {
    let fax = json!({ "correlation": "ON-1", "restaurant": "R-77", "fax": "0077", "call": 1, "ask": "menu" });
    let rig = Rig::of(request_details)
        .set("TIMEOUT", "1s")
        .set("RETRIES", "3");
    rig.feed("REQUEST_DETAILS", records([enquiry("R-77")]))
        .expect(
            "FAX_OUT",
            records([fax.clone(), fax.clone(), fax.clone(), fax]),
        )
        .expect("TIMED_OUT", records([enquiry("R-77")]))
        .expect("RESTAURANT_DETAILS", NONE);
}

#[test]
fn requests_are_numbered_in_the_order_of_the_enquiries() {
    let fax = |reference: &str, restaurant: &str| json!({ "correlation": reference, "restaurant": restaurant, "fax": "0077", "call": 1, "ask": "menu" });
    Rig::of(request_details)
        .set("RETRIES", "0")
        .feed(
            "REQUEST_DETAILS",
            records(["R-1", "R-2", "R-1", "R-3", "R-4"].map(enquiry)),
        )
        .expect(
            "FAX_OUT",
            records([
                fax("ON-1", "R-1"),
                fax("ON-2", "R-2"),
                fax("ON-3", "R-1"),
                fax("ON-4", "R-3"),
                fax("ON-5", "R-4"),
            ]),
        );
}

#[test]
fn a_request_gets_the_menu_of_the_call_it_refers_to() {
    let menu = |call: u32, price: i64| json!({ "restaurant": "R-77", "call": call, "dishes": { "MARG": price }, "delivery": 199 });
    let fax = |reference: &str, call: u32| json!({ "correlation": reference, "restaurant": "R-77", "fax": "0077", "call": call, "ask": "menu" });
    let answer = |reference: &str, price: i64| json!({ "correlation": reference, "dishes": { "MARG": price }, "delivery": 199 });
    Rig::of(fax_line)
        .feed("MENU", records([menu(1, 599), menu(3, 649)]))
        .feed(
            "FAX_IN",
            records([fax("ON-1", 1), fax("ON-2", 3), fax("ON-3", 4)]),
        )
        .expect(
            "FAX_OUT",
            records([answer("ON-1", 599), answer("ON-2", 649)]),
        );
}

#[test]
fn an_order_is_priced_from_the_version_it_names() {
    let orders =
        [1, 2].map(|version| card_order(&format!("{version}"), "R-77", version, &["MARG", "GARL"]));
    let priced = |version: u32, amount: i64| json!({ "order": order(&format!("{version}"), "R-77", version, &["MARG", "GARL"]), "card": "4000", "amount": amount });
    Rig::of(take_order)
        .feed("NEW_CATALOGUE", records([page(1, 599), page(2, 649)]))
        .feed("ORDER_FOOD", records(orders))
        .expect("PRICED_ORDER", records([priced(1, 1038), priced(2, 1088)]));
}

#[test]
fn an_order_that_the_catalogue_never_catches_up_with_is_invalid() {
    Rig::of(take_order)
        .feed("NEW_CATALOGUE", records([page(1, 599)]))
        .feed(
            "ORDER_FOOD",
            records([
                card_order("1", "R-77", 9, &["MARG"]),
                card_order("2", "R-99", 1, &["MARG"]),
            ]),
        )
        .expect(
            "INVALID_ORDER",
            records([
                invalid("1", "unknown-version"),
                invalid("2", "unknown-restaurant"),
            ]),
        )
        .expect("PRICED_ORDER", NONE);
}

#[test]
fn an_order_of_nothing_or_of_something_else_is_invalid() {
    Rig::of(take_order)
        .feed("NEW_CATALOGUE", records([page(1, 599)]))
        .feed(
            "ORDER_FOOD",
            records([
                card_order("1", "R-77", 1, &["HAGGIS"]),
                card_order("2", "R-77", 1, &[]),
            ]),
        )
        .expect(
            "INVALID_ORDER",
            records([invalid("1", "unknown-dish"), invalid("2", "no-dishes")]),
        );
}

#[test]
fn an_order_that_is_priced_twice_is_charged_once() {
    let ask = json!({ "order": "1", "task": { "charge": "4000" }, "amount": 799, "attempt": 1 });
    Rig::of(take_payment)
        .feed(
            "PRICED_ORDER",
            records([priced("1", 799), priced("1", 799)]),
        )
        .expect("CARD_READER_OUT", records([ask]));
}

#[test]
fn a_refund_of_what_was_never_paid_is_not_made() {
    let rejected = json!({ "order": "1", "customer": "C-42", "reason": "kitchen-closed" });
    Rig::of(take_payment)
        .feed("REFUND", records([rejected]))
        .expect("CARD_READER_OUT", NONE)
        .expect("PAYMENT_REFUNDED", NONE);
}

#[test]
fn an_order_that_is_paid_twice_is_placed_once() {
    let paid = json!({ "order": order("1", "R-77", 1, &["MARG"]), "amount": 799, "auth": "A-1" });
    let food = json!({ "order": "1", "restaurant": "R-77", "dishes": ["MARG"], "postcode": "SW17 3NJ", "time": "18:40" });
    Rig::of(place_order)
        .feed("PAID_ORDER", records([paid.clone(), paid]))
        .expect("ORDER_FOR_RESTAURANT", records([food]))
        .expect("CONFIRMED_ORDER", NONE);
}

#[test]
fn hours_that_cannot_be_read_are_told() {
    Rig::of(cook_food)
        .set("HOURS", "all day")
        .feed("FOOD_ORDER", NONE)
        .feed(
            "TIME_TO_COOK",
            records([json!({ "order": "1", "start": "19:10" })]),
        )
        .expect_fault("not hours such as 11:00-23:00");
}

#[test]
fn cooking_after_midnight_is_on_the_next_day_and_an_address_without_a_round_has_no_driver() {
    let food = |id: &str, postcode: &str| json!({ "order": id, "restaurant": "R-77", "dishes": ["MARG"], "postcode": postcode, "time": "23:45" });
    Rig::of(book_courier)
        .feed(
            "BOOK_DELIVERY",
            records([
                food("1", "SW17 3NJ"),
                food("2", "SW17"),
                food("3", "SW17 0AA"),
            ]),
        )
        .expect(
            "TIME_TO_COOK",
            records([json!({ "order": "1", "start": "00:15" })]),
        )
        .expect(
            "NO_DRIVER",
            records([json!({ "order": "2" }), json!({ "order": "3" })]),
        );
}

#[test]
fn a_customer_is_called_once() {
    let confirmed = |id: &str| json!({ "order": id, "customer": "C-42", "amount": 1038, "driver": "D-3", "start": "19:10" });
    let told = |id: &str| json!({ "order": id, "outcome": "confirmed", "amount": 1038, "driver": "D-3", "start": "19:10" });
    Rig::of(confirm_order)
        .feed(
            "CONFIRMED_ORDER",
            records([confirmed("1"), confirmed("1"), confirmed("2")]),
        )
        .expect("NOTIFY", records([told("1"), told("2")]));
}

fn call(id: &str, cards: &[&str]) -> Value {
    let mut call = order(id, "R-77", 1, &["MARG"]);
    call["cards"] = json!(cards);
    call
}

#[test]
fn a_caller_without_a_card_is_turned_away_and_a_second_call_is_a_duplicate() {
    let rejected = json!({ "order": "1", "outcome": "rejected", "reason": "no-other-card" });
    Rig::of(order_ui)
        .feed(
            "ORDERS",
            records([
                call("1", &[]),
                call("1", &["4000"]),
                json!({ "order": 7 }),
                json!([]),
            ]),
        )
        .expect("OUT", NONE)
        .expect(
            "OUTCOME",
            records([
                rejected,
                json!({ "order": "1", "outcome": "duplicate" }),
                invalid("7", "unreadable"),
                invalid("?", "unreadable"),
            ]),
        );
}

#[test]
fn callers_who_are_never_told_are_written_down_as_unanswered() {
    let unanswered = |id: &str| json!({ "order": id, "outcome": "unanswered" });
    Rig::of(order_ui)
        .feed(
            "ORDERS",
            records([call("1", &["4000"]), call("2", &["4000"])]),
        )
        .expect("OUTCOME", records([unanswered("1"), unanswered("2")]));
}

fn summary(outcomes: [Value; 1], statement: [Value; 1], expected: Value) {
    Rig::of(ledger)
        .feed("OUTCOMES", records(outcomes))
        .feed("STATEMENT", records(statement))
        .expect("SUMMARY", records([expected]));
}

#[test]
fn money_that_was_taken_for_a_rejected_order_unbalances_the_books() {
    summary(
        [json!({ "order": "1", "outcome": "rejected", "reason": "refund-failed", "amount": 799 })],
        [json!({ "order": "1", "auth": "A-1", "amount": 799 })],
        json!({
            "orders": 1, "endings": { "rejected": 1 }, "reasons": { "refund-failed": 1 },
            "taken": 799, "kept": 0, "refunded": 0, "balanced": false,
        }),
    );
}

#[test]
fn equal_totals_of_different_orders_do_not_balance() {
    summary(
        [
            json!({ "order": "1", "outcome": "confirmed", "amount": 799, "driver": "D-3", "start": "19:10" }),
        ],
        [json!({ "order": "2", "auth": "A-2", "amount": 799 })],
        json!({
            "orders": 1, "endings": { "confirmed": 1 }, "reasons": {},
            "taken": 799, "kept": 799, "refunded": 0, "balanced": false,
        }),
    );
}
