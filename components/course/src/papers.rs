//! The papers that travel between the desks, and the few words they are written in.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Money, in pence.
pub type Pence = i64;

/// What a restaurant cooks: dish to price.
pub type Dishes = BTreeMap<String, Pence>;

/// A time of day in the takeaway's world, `19:10`. It comes from the order, never from a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    const DAY: u16 = 24 * 60;

    /// This many minutes later; after midnight it is the next day.
    #[must_use]
    pub fn later(self, minutes: u16) -> Self {
        Self((self.0 + minutes % Self::DAY) % Self::DAY)
    }

    /// Reads `HH:MM`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a time such as 19:10"))
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

// ---- signing up a restaurant ----

/// A restaurant as it really is: what it tells us when it calls, and the menu on its kitchen wall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restaurant {
    /// How it introduces itself.
    #[serde(flatten)]
    pub enquiry: Enquiry,
    /// The menu it would fax if it were asked.
    pub menu: Dishes,
    /// What it charges for bringing the food.
    pub delivery: Pence,
}

/// A restaurant calls: it wants to be listed, or to change its menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enquiry {
    /// Its number with us, `R-77`.
    pub restaurant: String,
    /// Its name over the door.
    pub name: String,
    /// Where it is.
    pub postcode: String,
    /// Its fax line; without one we cannot work with it.
    #[serde(default)]
    pub fax: String,
    /// Which call it was, counted from 1.
    #[serde(default)]
    pub call: u32,
}

/// The menu on the kitchen wall, which only the restaurant knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Menu {
    /// Whose it is.
    pub restaurant: String,
    /// The call that made it known that there is one.
    pub call: u32,
    /// Dish to price.
    pub dishes: Dishes,
    /// Charge for delivery.
    pub delivery: Pence,
}

/// A fax to a restaurant: please send us your menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MenuRequest {
    /// Our reference, `ON-1`; the answer quotes it.
    pub correlation: String,
    /// Whom we ask.
    pub restaurant: String,
    /// The fax line that is dialled.
    pub fax: String,
    /// The call we refer to.
    pub call: u32,
    /// What we ask for.
    pub ask: String,
}

/// The fax that comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MenuAnswer {
    /// The reference of the request.
    pub correlation: String,
    /// Dish to price.
    pub dishes: Dishes,
    /// Charge for delivery.
    pub delivery: Pence,
}

/// A page of the catalogue: one restaurant, as of one version of its menu.
///
/// A whole page, never a change to one: a table of pages can be built from any part of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The restaurant.
    pub restaurant: String,
    /// 1 for its first menu, 2 for the next one.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub postcode: String,
    /// Dish to price.
    pub dishes: Dishes,
    /// Charge for delivery.
    pub delivery: Pence,
}

// ---- ordering and paying ----

/// What somebody wants to eat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    #[serde(rename = "order")]
    pub id: String,
    /// Who orders.
    pub customer: String,
    /// Where the food goes.
    pub postcode: String,
    /// Who is to cook.
    pub restaurant: String,
    /// The version of the restaurant's menu that the customer is looking at.
    pub version: u32,
    /// The dishes; one that is wanted twice stands there twice.
    pub dishes: Vec<String>,
    /// When the customer called.
    pub time: TimeOfDay,
}

/// A customer calls, with one or more cards to hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What they want.
    #[serde(flatten)]
    pub order: Order,
    /// The cards they would present, one after the other.
    pub cards: Vec<String>,
}

/// An order with the card that is to pay for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardOrder {
    /// What is wanted.
    pub order: Order,
    /// The card presented.
    pub card: String,
}

/// An order whose price is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PricedOrder {
    /// What is wanted.
    pub order: Order,
    /// The card presented.
    pub card: String,
    /// What it costs, delivery included.
    pub amount: Pence,
}

/// An order that has been paid for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaidOrder {
    /// What is wanted.
    pub order: Order,
    /// What was paid.
    pub amount: Pence,
    /// The card company's reference, needed to give the money back.
    pub auth: String,
}

/// Why a card did not pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardFault {
    /// The card is no good: ask the customer for another.
    InvalidCard,
    /// There is not enough on it: ask the customer for another.
    InsufficientFunds,
    /// The card company does not answer: the customer cannot help, try again.
    ProviderDown,
}

impl CardFault {
    /// Whether it is trouble between us and the card company, none of the customer's business.
    #[must_use]
    pub const fn is_technical(self) -> bool {
        matches!(self, Self::ProviderDown)
    }
}

/// A card was refused: the order needs another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedCard {
    /// Which order.
    pub order: String,
    /// Why.
    pub code: CardFault,
}

/// What the card reader is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardTask {
    /// For which order.
    pub order: String,
    /// Take the money, or give it back.
    pub task: Task,
    /// How much.
    pub amount: Pence,
    /// How often we have asked for just this, from 1.
    pub attempt: u32,
}

/// Take the money, or give it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Take it from this card.
    Charge(String),
    /// Give back what was taken under this reference.
    Reverse(String),
}

/// What the card reader says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardAnswer {
    /// For which order.
    pub order: String,
    /// What happened.
    pub result: CardResult,
}

/// What happened to the money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardResult {
    /// It was taken, under this reference.
    Charged(String),
    /// It was given back.
    Reversed,
    /// Nothing was moved.
    Failed(CardFault),
}

/// A line of the card company's statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementLine {
    /// For which order.
    pub order: String,
    /// The card company's reference.
    pub auth: String,
    /// Taken when above zero, given back when below.
    pub amount: Pence,
}

// ---- cooking and bringing ----

/// What the restaurant is asked to cook, from the front desk to the courier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoodOrder {
    /// The order's number.
    pub order: String,
    /// Who cooks.
    pub restaurant: String,
    /// What.
    pub dishes: Vec<String>,
    /// Where it goes.
    pub postcode: String,
    /// When it was ordered.
    pub time: TimeOfDay,
}

impl From<&Order> for FoodOrder {
    fn from(order: &Order) -> Self {
        Self {
            order: order.id.clone(),
            restaurant: order.restaurant.clone(),
            dishes: order.dishes.clone(),
            postcode: order.postcode.clone(),
            time: order.time,
        }
    }
}

/// The courier's word to the kitchen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeToCook {
    /// The order's number.
    pub order: String,
    /// When cooking must start for the food to be hot when the driver comes.
    pub start: TimeOfDay,
}

/// No driver goes there: the kitchen is to forget the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoDriver {
    /// The order's number.
    pub order: String,
}

/// The restaurant's answer to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderConfirmation {
    /// The order's number.
    pub order: String,
    /// Yes or no.
    pub answer: Answer,
}

/// Yes or no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It will be cooked and brought.
    Accepted {
        /// Who brings it.
        driver: String,
        /// When cooking starts.
        start: TimeOfDay,
    },
    /// It will not.
    Rejected(Reason),
}

/// An order that the restaurant has accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfirmedOrder {
    /// The order's number.
    pub order: String,
    /// Who ordered.
    pub customer: String,
    /// What they paid.
    pub amount: Pence,
    /// Who brings it.
    pub driver: String,
    /// When cooking starts.
    pub start: TimeOfDay,
}

/// A paid order that the restaurant will not cook: the money must go back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedOrder {
    /// The order's number.
    pub order: String,
    /// Who ordered.
    pub customer: String,
    /// Why not.
    pub reason: Reason,
}

// ---- how an order ends ----

/// What a customer is told at the end of an order. Every order ends with exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The order's number.
    pub order: String,
    /// Which end it is.
    pub outcome: Ending,
    /// Why, unless all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the customer paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Pence>,
    /// What they got back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Pence>,
    /// Who brings the food.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// When cooking starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<TimeOfDay>,
}

impl Outcome {
    /// The end of an order about which there is no more to say.
    #[must_use]
    pub fn new(order: &str, outcome: Ending, reason: impl Into<Option<Reason>>) -> Self {
        Self {
            order: order.to_owned(),
            outcome,
            reason: reason.into(),
            amount: None,
            refunded: None,
            driver: None,
            start: None,
        }
    }
}

/// The ways an order can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Food is on its way.
    Confirmed,
    /// We cannot do it; whatever was paid has been given back.
    Rejected,
    /// It was no proper order; nothing was ever paid.
    Invalid,
    /// The same order number had been given before; nothing was done.
    Duplicate,
    /// Nobody ever said what became of it: something in the flow is broken.
    Unanswered,
}

/// Why an order did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The call could not be understood.
    Unreadable,
    /// Nothing to eat was asked for.
    NoDishes,
    /// The menu has no such dish.
    UnknownDish,
    /// The catalogue has no such restaurant.
    UnknownRestaurant,
    /// The restaurant never had a menu of that version.
    UnknownVersion,
    /// The customer had no other card to present.
    NoOtherCard,
    /// Three cards were refused.
    CardDeclined,
    /// The kitchen was closed.
    KitchenClosed,
    /// No driver goes there.
    NoDriver,
    /// The money could not be given back yet: a person must see to it.
    RefundFailed,
}

/// The closing line of a run: how many orders ended in which way, and where the money went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Lines read, duplicates included.
    pub orders: u64,
    /// How many ended in each way.
    pub endings: BTreeMap<Ending, u64>,
    /// How many ended for each reason.
    pub reasons: BTreeMap<Reason, u64>,
    /// Money taken, by the card company's statement.
    pub taken: Pence,
    /// Money kept for confirmed orders, by what the customers were told.
    pub kept: Pence,
    /// Money given back, by the card company's statement.
    pub refunded: Pence,
    /// Taken equals kept and refunded, for each single order.
    pub balanced: bool,
}
