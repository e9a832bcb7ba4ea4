//! Writes the input of the order flow, the same every time:
//! `cargo run -p paperflow-course --example generate -- graphs/order-flow`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

/// How many calls there are after the opening ones.
const CALLS: usize = 2_100;

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return complain("say which folder to write to");
    };
    let files = [
        ("restaurants.jsonl", restaurants()),
        ("orders.jsonl", orders()),
    ];
    for (name, text) in files {
        let path = directory.join(name);
        if let Err(error) = std::fs::write(&path, text) {
            return complain(&format!("{}: {error}", path.display()));
        }
    }
    ExitCode::SUCCESS
}

#[allow(clippy::print_stderr, reason = "this is a command")]
fn complain(message: &str) -> ExitCode {
    eprintln!("generate: {message}");
    ExitCode::from(2)
}

/// Every call of a restaurant, as lines: the first menus, then the changes.
pub(crate) fn restaurants() -> String {
    let first = RESTAURANTS.iter().map(|restaurant| restaurant.call(1));
    let without_fax = json!({
        "restaurant": NO_FAX, "name": "The Fax-Free Fig", "postcode": "SW17 8AB", "fax": "",
        "menu": { "FIGS": 450 }, "delivery": 150,
    });
    let changes = (2..=3).flat_map(|version| {
        let changed = RESTAURANTS
            .iter()
            .filter(move |restaurant| version <= restaurant.versions);
        changed.map(move |restaurant| restaurant.call(version))
    });
    lines(first.chain([without_fax]).chain(changes))
}

/// Every call of a customer, as lines.
pub(crate) fn orders() -> String {
    let mut dice = Dice(77);
    let mut taken: Vec<Value> = Vec::new();
    let mut calls = opening();
    for number in 0..CALLS {
        let case = CASES[number % CASES.len()];
        let call = match case {
            Case::Again if !taken.is_empty() => taken[dice.roll(taken.len())].clone(),
            _ => call(20_001 + number, case, &mut dice),
        };
        taken.push(call.clone());
        calls.push(call);
    }
    lines(calls.into_iter())
}

fn lines(records: impl Iterator<Item = Value>) -> String {
    records.map(|record| format!("{record}\n")).collect()
}

/// The calls that are worked out by hand in the README.
fn opening() -> Vec<Value> {
    let call = |order: &str, version: u32, time: &str| {
        json!({
            "order": order, "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77",
            "version": version, "dishes": ["MARG", "GARL"], "time": time, "cards": [GOOD[0]],
        })
    };
    vec![
        call("12345", 1, "18:40"),
        call("12346", 2, "18:40"),
        call("12347", 1, "23:40"),
        call("12345", 1, "18:40"),
        json!({ "order": "12348", "note": "could not be understood, there was a dog barking" }),
    ]
}

/// What is particular about a call.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Good,
    /// Names the newest menu.
    NewMenu,
    InvalidCard,
    NoFunds,
    SlowCompany,
    SilentCompany,
    ThreeBadCards,
    OnlyABadCard,
    UnknownDish,
    NoDishes,
    UnknownRestaurant,
    NoFaxRestaurant,
    NoSuchVersion,
    KitchenClosed,
    NoDriver,
    /// The same call again.
    Again,
}

const CASES: [Case; 25] = [
    Case::NewMenu,
    Case::Good,
    Case::UnknownRestaurant,
    Case::Good,
    Case::InvalidCard,
    Case::Good,
    Case::KitchenClosed,
    Case::Good,
    Case::ThreeBadCards,
    Case::NewMenu,
    Case::UnknownDish,
    Case::Good,
    Case::NoDriver,
    Case::Again,
    Case::Good,
    Case::NoSuchVersion,
    Case::SlowCompany,
    Case::Good,
    Case::NoFunds,
    Case::NoDishes,
    Case::SilentCompany,
    Case::NewMenu,
    Case::OnlyABadCard,
    Case::NoFaxRestaurant,
    Case::Good,
];

const NO_FAX: &str = "R-94";
const GOOD: [&str; 3] = [
    "4000 0000 0000 1111",
    "4000 0000 0000 2222",
    "4000 0000 0000 3333",
];
const INVALID: &str = "4000 0000 0000 0002";
const NO_FUNDS: &str = "4000 0000 0000 9995";
const SILENT: &str = "4000 0000 0000 0119";
const SLOW: &str = "4000 0000 0000 0259";

fn call(number: usize, case: Case, dice: &mut Dice) -> Value {
    let restaurant = match case {
        Case::NewMenu => {
            let changed: Vec<_> = RESTAURANTS.iter().filter(|one| one.versions > 1).collect();
            changed[dice.roll(changed.len())]
        }
        _ => &RESTAURANTS[dice.roll(RESTAURANTS.len())],
    };
    json!({
        "order": number.to_string(),
        "customer": format!("C-{}", 100 + dice.roll(400)),
        "postcode": postcode(case, dice),
        "restaurant": match case {
            Case::UnknownRestaurant => "R-99",
            Case::NoFaxRestaurant => NO_FAX,
            _ => restaurant.id,
        },
        "version": match case {
            Case::NewMenu => restaurant.versions,
            Case::NoSuchVersion => 9,
            _ => 1,
        },
        "dishes": dishes(restaurant, case, dice),
        "time": time(case, dice),
        "cards": cards(case, dice),
    })
}

fn postcode(case: Case, dice: &mut Dice) -> String {
    let round = if case == Case::NoDriver {
        [0, 9][dice.roll(2)]
    } else {
        1 + dice.roll(8)
    };
    let letters = ["AA", "BD", "NJ", "HK", "QX"][dice.roll(5)];
    format!("SW{} {round}{letters}", 1 + dice.roll(20))
}

fn dishes(restaurant: &Restaurant, case: Case, dice: &mut Dice) -> Vec<String> {
    let count = if case == Case::NoDishes {
        0
    } else {
        1 + dice.roll(4)
    };
    let menu = restaurant.menu(1);
    let mut dishes: Vec<String> = (0..count)
        .map(|_| menu[dice.roll(menu.len())].0.to_owned())
        .collect();
    if case == Case::UnknownDish {
        dishes.push(String::from("HAGGIS"));
    }
    dishes
}

fn time(case: Case, dice: &mut Dice) -> String {
    let closed = [23, 0, 1, 9, 10];
    let hour = if case == Case::KitchenClosed {
        closed[dice.roll(5)]
    } else {
        11 + dice.roll(12)
    };
    format!("{hour:02}:{:02}", dice.roll(60))
}

fn cards(case: Case, dice: &mut Dice) -> Vec<&'static str> {
    let good = GOOD[dice.roll(GOOD.len())];
    match case {
        Case::InvalidCard => vec![INVALID, good],
        Case::NoFunds => vec![NO_FUNDS, INVALID, good],
        Case::SlowCompany => vec![SLOW],
        Case::SilentCompany => vec![SILENT, good],
        Case::ThreeBadCards => vec![INVALID, NO_FUNDS, INVALID, good],
        Case::OnlyABadCard => vec![INVALID],
        _ => vec![good],
    }
}

/// A restaurant, with the number of menus it will have had.
struct Restaurant {
    id: &'static str,
    name: &'static str,
    postcode: &'static str,
    versions: u32,
}

const fn at(
    id: &'static str,
    name: &'static str,
    postcode: &'static str,
    versions: u32,
) -> Restaurant {
    Restaurant {
        id,
        name,
        postcode,
        versions,
    }
}

const RESTAURANTS: [Restaurant; 24] = [
    at("R-70", "Curry Leaf", "SW17 9NA", 1),
    at("R-71", "Dragon Inn", "SW12 8QR", 2),
    at("R-72", "El Sombrero", "SW11 3TU", 1),
    at("R-73", "Fish and Chipper", "SW18 4PL", 3),
    at("R-74", "Golden Wok", "SW19 2RD", 1),
    at("R-75", "Hot Pot", "SW16 6EE", 1),
    at("R-76", "Il Forno", "SW15 1SZ", 2),
    at("R-77", "Pizza 'R Us", "SW17 5HK", 2),
    at("R-78", "Kebab Corner", "SW17 0RN", 1),
    at("R-79", "La Crêpe", "SW4 7AB", 1),
    at("R-80", "Maharaja", "SW17 7TR", 3),
    at("R-81", "Noodle Bar", "SW12 9AS", 1),
    at("R-82", "Olive Tree", "SW20 8LR", 1),
    at("R-83", "Pho Real", "SW9 8LF", 2),
    at("R-84", "Quiche Me Quick", "SW6 4UL", 1),
    at("R-85", "Rice and Easy", "SW8 2LJ", 1),
    at("R-86", "Sushi Go", "SW5 9QF", 2),
    at("R-87", "Thai Me Up", "SW2 1JQ", 1),
    at("R-88", "Udon Know", "SW3 3RP", 1),
    at("R-89", "Vegan Vault", "SW10 0TW", 2),
    at("R-90", "Wrap Star", "SW13 9LF", 1),
    at("R-91", "Xiao Long", "SW14 8LS", 1),
    at("R-92", "Yakitori Yard", "SW7 3DL", 2),
    at("R-93", "Zorba's", "SW1V 2QQ", 1),
];

const DISHES: [&str; 12] = [
    "SOUP", "RICE", "NOOD", "CURR", "GRIL", "SALA", "BREA", "TOFU", "FISH", "LAMB", "CAKE", "TEAS",
];

impl Restaurant {
    /// Its menu, dish by dish. With each version the first dish costs 50p more.
    fn menu(&self, version: u32) -> Vec<(&'static str, i64)> {
        let dearer = i64::from(version - 1) * 50;
        if self.id == "R-77" {
            return vec![("MARG", 599 + dearer), ("GARL", 240)];
        }
        let mut dice = self.dice();
        let start = dice.roll(DISHES.len());
        let count = 3 + dice.roll(4);
        let mut menu: Vec<_> = (0..count)
            .map(|at| {
                (
                    DISHES[(start + at) % DISHES.len()],
                    250 + pence(&mut dice, 800),
                )
            })
            .collect();
        menu[0].1 += dearer;
        menu
    }

    fn call(&self, version: u32) -> Value {
        let menu: serde_json::Map<_, _> = self
            .menu(version)
            .into_iter()
            .map(|(dish, price)| (dish.into(), price.into()))
            .collect();
        let delivery = if self.id == "R-77" {
            199
        } else {
            99 + pence(&mut self.dice(), 200)
        };
        let fax = format!("00{}", &self.id[2..]);
        json!({
            "restaurant": self.id, "name": self.name, "postcode": self.postcode, "fax": fax,
            "menu": menu, "delivery": delivery,
        })
    }

    fn dice(&self) -> Dice {
        Dice(
            self.id
                .bytes()
                .fold(7, |seed, byte| seed * 31 + u64::from(byte)),
        )
    }
}

fn pence(dice: &mut Dice, below: usize) -> i64 {
    i64::try_from(dice.roll(below)).unwrap_or_default()
}

/// Dice that fall the same way every time.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}
