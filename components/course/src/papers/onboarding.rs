//! Signing up a restaurant.

use serde::{Deserialize, Serialize};

use super::{Dishes, Pence};

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
