//! A program that has a network inside: it feeds orders in, takes priced orders out, and stops it.
//!
//! ```sh
//! cargo run --example embed
//! ```
//!
//! The graph is a text in this file. Its exported ports are where the program and the network meet.

#![expect(clippy::print_stdout, reason = "a program says what it found out")]

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::Duration;

use paperflow::{
    Closed, Either, Fault, In, Network, Options, Out, Packet, Record, Table, Text, component,
    describe, load_text, select,
};
use serde_json::json;

/// Reads an order written as `customer dish`.
///
/// A plain function: called once for each packet, with no memory of its own.
#[component("shop/read-order", work = compute)]
#[example(input = ["ann soup"], order = [{ "customer": "ann", "dish": "soup" }])]
pub(crate) fn read_order(
    /// A line with a customer and a dish.
    input: Text,
    /// The order as a record.
    order: &mut Out<Record>,
) -> Result<(), Fault> {
    let Some((customer, dish)) = input.split_once(' ') else {
        return Err(Fault::new(format!("no order: {:?}", input.as_str())));
    };
    order.put(Record::new(json!({ "customer": customer, "dish": dish })));
    Ok(())
}

/// Prices orders by the menu as it is when they come.
///
/// A looper: it runs once, keeps what it must not lose in a table, and receives from whichever port
/// it likes. News of the menu go before orders.
#[component("shop/price", work = compute)]
#[example(
    menu = [],
    orders = [{ "customer": "bob", "dish": "pie" }],
    priced = ["bob: no pie today"]
)]
pub(crate) async fn price(
    /// What a dish costs from now on.
    menu: In<Record>,
    /// Orders, as records.
    orders: In<Record>,
    /// The price of each dish.
    mut prices: Table<String, i64>,
    /// What each customer is told.
    priced: Out<Text>,
) -> Result<(), Closed> {
    while let Some(next) = select(menu.next(), orders.next()).await {
        match next {
            Either::Left(news) => {
                let dish = news["dish"].as_str().unwrap_or_default();
                prices.put(dish.to_owned(), news["price"].as_i64().unwrap_or(0));
            }
            Either::Right(order) => {
                let (customer, dish) = (order["customer"].as_str(), order["dish"].as_str());
                let (customer, dish) = (customer.unwrap_or("?"), dish.unwrap_or("?"));
                let told = match prices.get(dish) {
                    Some(price) => format!("{customer} pays {price} for {dish}"),
                    None => format!("{customer}: no {dish} today"),
                };
                priced.send(told).await?;
            }
        }
    }
    Ok(())
}

const GRAPH: &str = "
INPORT=Read.IN:ORDERS
INPORT=Price.MENU:MENU
OUTPORT=Price.PRICED:PRICED

Read(shop/read-order) ORDER -> ORDERS Price(shop/price)
";

fn main() -> Result<(), Box<dyn Error>> {
    // From text to a network: load, see that nothing is wrong, say which exported ports are ours.
    let catalogue = paperflow::standard().with(read_order).with(price);
    let loaded = load_text(
        Path::new("shop.fbp"),
        GRAPH.to_owned(),
        &describe(&catalogue),
    );
    if loaded.has_errors() {
        return Err(format!("the graph is broken: {:#?}", loaded.diagnostics).into());
    }
    let options = Options::default();
    let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
    network.input("MENU")?;
    network.input("ORDERS")?;
    network.output("PRICED")?;

    // It runs from here on; the handles come in the order in which they were asked for.
    let mut started = network.start()?;
    let control = started.running.control();
    let mut priced = started.outputs.remove(0);
    let orders = started.inputs.remove(1);
    let menu = started.inputs.remove(0);

    for (dish, price) in [("soup", 5), ("pie", 7)] {
        menu.send(Packet::record(json!({ "dish": dish, "price": price })))?;
    }
    for order in ["ann soup", "bob pie", "cid cake"] {
        orders.send(order)?;
        // One question, one answer: the network works while this thread waits.
        println!("{}", priced.recv().ok_or(STOPPED)?);
    }

    // Packets may as well be fed by one thread and taken by another, until somebody says stop.
    let feeder = thread::spawn(move || (1..).find(|number| orders.send(order(*number)).is_err()));
    let answers = priced.by_ref().take(1000).count();
    println!("{answers} more orders are priced");

    // From now on nothing is taken in; what is inside still comes out.
    control.stop(Duration::from_secs(10));
    let rest = thread::spawn(move || priced.count());
    let outcome = started.running.wait();
    feeder.join().map_err(|_| "the feeder failed")?;
    rest.join().map_err(|_| "the taker failed")?;

    println!("ended well: {}", outcome.is_success());
    println!(
        "every packet accounted for: {}",
        outcome.statistics.totals.is_conserved()
    );
    Ok(())
}

const STOPPED: &str = "the network has stopped";

fn order(number: u64) -> String {
    format!("customer-{number} soup")
}
