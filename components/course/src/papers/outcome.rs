//! How an order ends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Pence, TimeOfDay};

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
