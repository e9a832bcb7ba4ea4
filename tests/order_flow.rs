//! The main job: the takeaway's order flow, stage by stage and as a whole.
//!
//! What the whole flow gives is compared with a calculation of its own in this file, which knows the
//! rules of the business and nothing of desks, ports or links.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use paperflow::{
    Input, Network, Options, Outcome, Output, Packet, Running, Scheduler, Verdict, describe, load,
};
use serde_json::{Value, json};

const FOLDER: &str = "graphs/order-flow";

// ---- one stage at a time ----

/// A stage that runs alone, with the test in place of its neighbours.
struct Stage {
    running: Running,
    inputs: BTreeMap<&'static str, Input>,
    outputs: BTreeMap<&'static str, Output>,
}

impl Stage {
    fn start(graph: &str, inputs: &[&'static str], outputs: &[&'static str]) -> Self {
        Self::start_with(Options::default(), graph, inputs, outputs)
    }

    fn start_with(
        options: Options,
        graph: &str,
        inputs: &[&'static str],
        outputs: &[&'static str],
    ) -> Self {
        let catalogue = paperflow::standard();
        let path = format!("{FOLDER}/{graph}.fbp");
        let loaded = load(path, &describe(&catalogue)).expect("the graph can be read");
        assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
        let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, options);
        for port in inputs {
            network.input(port).expect("the graph exports it");
        }
        for port in outputs {
            network.output(port).expect("the graph exports it");
        }
        let started = network.start().expect("the graph is sound");
        Self {
            running: started.running,
            inputs: inputs.iter().copied().zip(started.inputs).collect(),
            outputs: outputs.iter().copied().zip(started.outputs).collect(),
        }
    }

    fn give(&self, port: &str, record: Value) {
        self.inputs[port]
            .send(Packet::record(record))
            .expect("the stage is listening");
    }

    fn take(&self, port: &str) -> Value {
        self.outputs[port]
            .recv()
            .expect("the stage has not ended")
            .to_json()
    }

    /// Ends the inputs, gives what still comes out, and waits for the end.
    fn end(self) -> BTreeMap<&'static str, Vec<Value>> {
        drop(self.inputs);
        let rest = |output: Output| output.map(|packet| packet.to_json()).collect();
        let left = self
            .outputs
            .into_iter()
            .map(|(port, output)| (port, rest(output)))
            .collect();
        assert_success(&self.running.wait());
        left
    }
}

fn assert_success(outcome: &Outcome) {
    assert_eq!(outcome.verdict, Verdict::Finished);
    assert!(outcome.is_success(), "{outcome:?}");
    assert!(
        outcome.statistics.totals.is_conserved(),
        "{:?}",
        outcome.statistics.totals
    );
}

fn page() -> Value {
    json!({
        "restaurant": "R-77", "version": 1, "name": "Pizza 'R Us", "postcode": "SW17 5HK",
        "dishes": { "MARG": 599, "GARL": 240 }, "delivery": 199,
    })
}

fn order() -> Value {
    json!({
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG", "GARL"], "time": "18:40",
    })
}

fn call(cards: Value) -> Value {
    let mut call = order();
    call["cards"] = cards;
    call
}

fn paid() -> Value {
    json!({ "order": order(), "amount": 1038, "auth": "A-12345" })
}

fn confirmed() -> Value {
    json!({ "order": "12345", "customer": "C-42", "amount": 1038, "driver": "D-3", "start": "19:10" })
}

#[test]
fn x1_an_enquiry_becomes_a_catalogue_page_with_the_menu_that_came_by_fax() {
    let stage = Stage::start(
        "onboard-restaurant",
        &["IN", "FAX_IN"],
        &["FAX_OUT", "OUT", "UNMATCHED"],
    );
    stage.give("IN", json!({ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 }));
    let request = stage.take("FAX_OUT");
    assert_eq!(request["correlation"], "ON-1");
    let answer =
        json!({ "correlation": "ON-1", "dishes": { "MARG": 599, "GARL": 240 }, "delivery": 199 });
    stage.give("FAX_IN", answer.clone());
    assert_eq!(stage.take("OUT"), page());

    let unknown = json!({ "correlation": "ON-9", "dishes": {}, "delivery": 0 });
    stage.give("FAX_IN", answer);
    stage.give("FAX_IN", unknown.clone());
    let left = stage.end();
    assert_eq!(
        left["OUT"],
        [] as [Value; 0],
        "a second answer adds nothing"
    );
    assert_eq!(left["UNMATCHED"], [unknown]);
}

#[test]
fn x2_an_order_is_priced_from_the_catalogue_and_paid() {
    let stage = Stage::start("order-food", &["IN", "NEW_CATALOGUE"], &["OUT"]);
    stage.give("IN", json!({ "order": order(), "card": "4000" }));
    stage.give("NEW_CATALOGUE", page());
    assert_eq!(stage.take("OUT"), paid());
    assert_eq!(stage.end()["OUT"], [] as [Value; 0]);
}

#[test]
fn x3_a_paid_order_is_confirmed_with_driver_and_cooking_start() {
    let stage = Stage::start("order-placement", &["IN"], &["OUT", "ORDER_REJECTED"]);
    stage.give("IN", paid());
    assert_eq!(stage.take("OUT"), confirmed());
    stage.give("IN", paid());
    let left = stage.end();
    assert_eq!(
        left["OUT"],
        [] as [Value; 0],
        "an order that is paid twice is placed once"
    );
    assert_eq!(left["ORDER_REJECTED"], [] as [Value; 0]);
}

#[test]
fn x4_the_customer_of_a_confirmed_order_is_called_once() {
    let stage = Stage::start("order-confirmation", &["IN"], &["OUT"]);
    stage.give("IN", confirmed());
    stage.give("IN", confirmed());
    let told = json!({ "order": "12345", "outcome": "confirmed", "amount": 1038, "driver": "D-3", "start": "19:10" });
    assert_eq!(stage.end()["OUT"], [told]);
}

#[test]
fn x5_after_an_invalid_card_the_same_order_is_paid_with_another() {
    let stage = Stage::start(
        "order-errors",
        &["IN", "NEW_CATALOGUE"],
        &["OUT", "STATEMENT"],
    );
    stage.give("NEW_CATALOGUE", page());
    stage.give("IN", call(json!(["4000 0002", "4000 1111"])));
    assert_eq!(stage.take("OUT"), paid());
    let left = stage.end();
    assert_eq!(left["OUT"], [] as [Value; 0]);
    assert_eq!(
        left["STATEMENT"],
        [json!({ "order": "12345", "auth": "A-12345", "amount": 1038 })]
    );
}

#[test]
fn x5_three_bad_cards_end_the_order() {
    let stage = Stage::start(
        "order-errors",
        &["IN", "NEW_CATALOGUE"],
        &["OUT", "OUTCOME", "STATEMENT"],
    );
    stage.give("NEW_CATALOGUE", page());
    stage.give(
        "IN",
        call(json!(["4000 0002", "4000 9995", "4000 0002", "4000 1111"])),
    );
    let left = stage.end();
    assert_eq!(
        left["OUTCOME"],
        [json!({ "order": "12345", "outcome": "rejected", "reason": "card-declined" })]
    );
    assert_eq!(left["OUT"], [] as [Value; 0]);
    assert_eq!(left["STATEMENT"], [] as [Value; 0]);
}

#[test]
fn a_rejected_order_is_refunded_once_under_the_reference_it_was_paid_with() {
    let stage = Stage::start(
        "order-errors",
        &["IN", "NEW_CATALOGUE", "REFUND"],
        &["OUT", "OUTCOME", "STATEMENT"],
    );
    stage.give("NEW_CATALOGUE", page());
    stage.give("IN", call(json!(["4000"])));
    assert_eq!(stage.take("OUT"), paid());
    let rejected = json!({ "order": "12345", "customer": "C-42", "reason": "kitchen-closed" });
    stage.give("REFUND", rejected.clone());
    stage.give("REFUND", rejected);
    let left = stage.end();
    assert_eq!(left["OUTCOME"], [refunded("12345", 1038, "kitchen-closed")]);
    let line = |amount: i64| json!({ "order": "12345", "auth": "A-12345", "amount": amount });
    assert_eq!(left["STATEMENT"], [line(1038), line(-1038)]);
}

fn refunded(order: &str, amount: i64, reason: &str) -> Value {
    json!({ "order": order, "outcome": "rejected", "reason": reason, "amount": amount, "refunded": amount })
}

// ---- stages under load, with room for one packet in each link ----

/// Feeds one port of a stage while another is read; each packet in must give one out.
fn flood(graph: &str, page: Option<Value>, fed: &[Value], read: &'static str) {
    let ports: &[_] = if page.is_some() {
        &["IN", "NEW_CATALOGUE"]
    } else {
        &["IN"]
    };
    for scheduler in [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)] {
        let options = Options {
            scheduler,
            capacity: 1,
            ..Options::default()
        };
        let mut stage = Stage::start_with(options, graph, ports, &[read]);
        if let Some(page) = &page {
            stage.give("NEW_CATALOGUE", page.clone());
        }
        let input = stage.inputs.remove("IN").expect("it was asked for");
        let came = std::thread::scope(|scope| {
            scope.spawn(move || {
                let send = |record: &Value| input.send(Packet::record(record.clone()));
                fed.iter()
                    .try_for_each(send)
                    .expect("the stage is listening");
            });
            stage.end()[read].len()
        });
        assert_eq!(came, fed.len(), "{graph} with {scheduler:?}");
    }
}

/// Five hundred records like this one, numbered at that place.
fn numbered(record: &Value, place: &str) -> Vec<Value> {
    let number = |number: u32| {
        let mut record = record.clone();
        *record.pointer_mut(place).expect("there is a number") = json!(number.to_string());
        record
    };
    (1..=500).map(number).collect()
}

#[test]
fn x2_any_number_of_cards_can_be_refused() {
    let orders = numbered(
        &json!({ "order": order(), "card": "4000 0002" }),
        "/order/order",
    );
    flood("order-food", Some(page()), &orders, "REPRESENT_CARD");
}

#[test]
fn x3_any_number_of_orders_can_be_confirmed() {
    flood(
        "order-placement",
        None,
        &numbered(&paid(), "/order/order"),
        "OUT",
    );
}

#[test]
fn x3_any_number_of_orders_can_be_rejected() {
    let mut late = paid();
    late["order"]["time"] = json!("23:40");
    flood(
        "order-placement",
        None,
        &numbered(&late, "/order/order"),
        "ORDER_REJECTED",
    );
}

#[test]
fn x5_any_number_of_callers_can_run_out_of_cards() {
    let calls = numbered(&call(json!(["4000 0002", "4000 9995"])), "/order");
    flood("order-errors", Some(page()), &calls, "OUTCOME");
}

// ---- the whole flow ----

/// What the command prints, given these options; it must succeed and say nothing else.
fn run(options: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    let command = command
        .args(["run", "graphs/order-flow/order-flow.fbp"])
        .args(options);
    let output = command.output().expect("the command can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{options:?}: {}\n{said}",
        output.status
    );
    assert_eq!(said, "", "{options:?}");
    String::from_utf8(output.stdout).expect("records are text")
}

fn committed(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}")).expect("it is committed")
}

fn records(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line is a record"))
        .collect()
}

#[test]
fn x6_every_scheduler_and_every_capacity_gives_the_same_bytes() {
    let expected = committed("expected.jsonl");
    for scheduler in ["threads", "pool=1", "pool=2"] {
        for capacity in ["1", "2", "128"] {
            let options = ["--scheduler", scheduler, "--capacity", capacity];
            assert!(
                run(&options) == expected,
                "{options:?} gives something else"
            );
        }
    }
}

#[test]
#[cfg(feature = "sqlite")]
fn x6_with_what_must_not_be_lost_in_a_store_it_gives_the_same_bytes_and_ends() {
    let expected = committed("expected.jsonl");
    let wiring = format!("{FOLDER}/durable.toml");
    for scheduler in ["threads", "pool=2"] {
        let data = format!("{}/order-flow-{scheduler}", env!("CARGO_TARGET_TMPDIR"));
        drop(std::fs::remove_dir_all(&data));
        let options = ["--wiring", &wiring, "--data", &data];
        let options = [&options[..], &["--scheduler", scheduler]].concat();
        assert!(
            run(&options) == expected,
            "{scheduler} gives something else"
        );
    }
}

#[test]
fn x6_the_orders_worked_out_by_hand_come_out_as_worked_out() {
    let printed = records(&committed("expected.jsonl"));
    let confirmed = |order: &str, amount: i64| json!({ "order": order, "outcome": "confirmed", "amount": amount, "driver": "D-3", "start": "19:10" });
    assert_eq!(printed[0], confirmed("12345", 599 + 240 + 199));
    assert_eq!(
        printed[1],
        confirmed("12346", 649 + 240 + 199),
        "the menu has changed"
    );
    assert_eq!(printed[2], refunded("12347", 1038, "kitchen-closed"));
    assert_eq!(
        printed[3],
        json!({ "order": "12345", "outcome": "duplicate" })
    );
}

#[test]
fn x6_every_order_ends_as_an_independent_calculation_says() {
    let mut office = Calculation::new(&committed("restaurants.jsonl"));
    let expected: Vec<Value> = records(&committed("orders.jsonl"))
        .iter()
        .map(|call| office.outcome(call))
        .collect();
    let mut printed = records(&committed("expected.jsonl"));
    let summary = printed.pop().expect("there is a last line");
    assert!(expected.len() >= 2_000);
    for (at, (printed, expected)) in printed.iter().zip(&expected).enumerate() {
        assert_eq!(printed, expected, "line {}", at + 1);
    }
    assert_eq!(printed.len(), expected.len());
    assert_eq!(summary, totals(&expected));
}

#[test]
fn x6_every_kind_of_end_is_among_the_orders() {
    let summary = records(&committed("expected.jsonl"))
        .pop()
        .expect("there is a last line");
    let endings = ["confirmed", "rejected", "invalid", "duplicate"];
    let reasons = [
        "unreadable",
        "no-dishes",
        "unknown-dish",
        "unknown-restaurant",
        "unknown-version",
        "no-other-card",
        "card-declined",
        "kitchen-closed",
        "no-driver",
    ];
    assert!(
        endings
            .iter()
            .all(|ending| summary["endings"][ending].is_u64()),
        "{summary}"
    );
    assert!(
        reasons
            .iter()
            .all(|reason| summary["reasons"][reason].is_u64()),
        "{summary}"
    );
    assert_eq!(summary["balanced"], true);
}

#[test]
fn x6_other_orders_can_be_given() {
    let path = std::env::temp_dir().join(format!("paperflow-other-orders-{}", std::process::id()));
    std::fs::write(&path, format!("{}\n", call(json!(["4000"]))))
        .expect("there is room for a line");
    let printed = records(&run(&[
        "--set",
        &format!("Orders.SOURCE={}", path.display()),
    ]));
    std::fs::remove_file(&path).expect("it was written");
    assert_eq!(printed[0]["amount"], 1038);
    assert_eq!(printed[1]["balanced"], true);
    assert_eq!(printed.len(), 2);
}

#[test]
fn x6_without_any_order_the_books_are_closed_all_the_same() {
    let printed = records(&run(&["--set", "Orders.SOURCE=/dev/null"]));
    assert_eq!(printed.len(), 1);
    assert_eq!(printed[0]["balanced"], true);
}

// ---- the same business, calculated without a graph ----

struct Calculation {
    menus: BTreeMap<(String, u64), Value>,
    heard: BTreeSet<String>,
}

impl Calculation {
    fn new(restaurants: &str) -> Self {
        let mut menus = BTreeMap::new();
        for restaurant in records(restaurants)
            .into_iter()
            .filter(|restaurant| restaurant["fax"] != "")
        {
            let name = text(&restaurant["restaurant"]);
            let version = (1..).find(|version| !menus.contains_key(&(name.clone(), *version)));
            menus.insert(
                (name, version.expect("versions do not run out")),
                restaurant,
            );
        }
        Self {
            menus,
            heard: BTreeSet::new(),
        }
    }

    fn outcome(&mut self, call: &Value) -> Value {
        let order = text(&call["order"]);
        let end = |outcome: &str, reason: &str| json!({ "order": order, "outcome": outcome, "reason": reason });
        if call["customer"].is_null() {
            return end("invalid", "unreadable");
        }
        if !self.heard.insert(order.clone()) {
            return json!({ "order": order, "outcome": "duplicate" });
        }
        let amount = match self.price(call) {
            Ok(amount) => amount,
            Err(reason) => return end("invalid", reason),
        };
        if let Some(reason) = payment_fails(call) {
            return end("rejected", reason);
        }
        let (hour, minute) = time(call);
        let round = text(&call["postcode"])
            .rsplit(' ')
            .next()
            .and_then(|code| code.chars().next());
        match round {
            _ if !(11..23).contains(&hour) => refunded(&order, amount, "kitchen-closed"),
            Some(round @ '1'..='8') => {
                let start = hour * 60 + minute + 30;
                let start = format!("{:02}:{:02}", start / 60 % 24, start % 60);
                let driver = format!("D-{round}");
                json!({ "order": order, "outcome": "confirmed", "amount": amount, "driver": driver, "start": start })
            }
            _ => refunded(&order, amount, "no-driver"),
        }
    }

    fn price(&self, call: &Value) -> Result<i64, &'static str> {
        let restaurant = text(&call["restaurant"]);
        let version = call["version"].as_u64().unwrap_or_default();
        let known = self.menus.keys().any(|(known, _)| *known == restaurant);
        let menu = self.menus.get(&(restaurant, version));
        let menu = menu.ok_or(if known {
            "unknown-version"
        } else {
            "unknown-restaurant"
        })?;
        let dishes = call["dishes"]
            .as_array()
            .filter(|dishes| !dishes.is_empty())
            .ok_or("no-dishes")?;
        let prices = dishes.iter().map(|dish| menu["menu"][text(dish)].as_i64());
        let food: Option<i64> = prices.sum();
        Ok(food.ok_or("unknown-dish")? + menu["delivery"].as_i64().unwrap_or_default())
    }
}

/// Why none of the cards pays.
fn payment_fails(call: &Value) -> Option<&'static str> {
    let bad = |card: &String| {
        ["0002", "9995", "0119"]
            .iter()
            .any(|end| card.ends_with(end))
    };
    let cards: Vec<String> = call["cards"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    match cards.iter().take_while(|card| bad(card)).count() {
        3.. => Some("card-declined"),
        refused if refused == cards.len() => Some("no-other-card"),
        _ => None,
    }
}

fn time(call: &Value) -> (u32, u32) {
    let time = text(&call["time"]);
    let (hour, minute) = time.split_once(':').expect("a time has a colon");
    (
        hour.parse().expect("an hour"),
        minute.parse().expect("a minute"),
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The closing line, from the outcomes.
fn totals(outcomes: &[Value]) -> Value {
    let count = |key: &str| {
        let mut counts = BTreeMap::<String, u64>::new();
        for value in outcomes.iter().filter_map(|outcome| outcome[key].as_str()) {
            *counts.entry(value.to_owned()).or_default() += 1;
        }
        counts
    };
    let sum = |wanted: fn(&Value) -> bool| -> i64 {
        outcomes
            .iter()
            .filter(|outcome| wanted(outcome))
            .filter_map(|outcome| outcome["amount"].as_i64())
            .sum()
    };
    json!({
        "orders": outcomes.len(),
        "endings": count("outcome"),
        "reasons": count("reason"),
        "taken": sum(|_| true),
        "kept": sum(|outcome| outcome["outcome"] == "confirmed"),
        "refunded": sum(|outcome| outcome["outcome"] == "rejected"),
        "balanced": true,
    })
}
