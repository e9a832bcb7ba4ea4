//! Ordering and paying.

use serde::{Deserialize, Serialize};

use super::{Pence, TimeOfDay};

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
