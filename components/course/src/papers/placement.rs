//! Cooking and bringing.

use serde::{Deserialize, Serialize};

use super::{Order, Pence, Reason, TimeOfDay};

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
