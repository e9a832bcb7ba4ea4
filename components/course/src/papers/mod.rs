//! The papers that travel between the desks, and the few words they are written in.

mod onboarding;
mod ordering;
mod outcome;
mod placement;
mod time;

pub use onboarding::{Enquiry, Menu, MenuAnswer, MenuRequest, Page, Restaurant};
pub use ordering::{
    Call, CardAnswer, CardFault, CardOrder, CardResult, CardTask, Order, PaidOrder, PricedOrder,
    RefusedCard, StatementLine, Task,
};
pub use outcome::{Ending, Outcome, Reason, Summary};
pub use placement::{
    Answer, ConfirmedOrder, FoodOrder, NoDriver, OrderConfirmation, RejectedOrder, TimeToCook,
};
pub use time::TimeOfDay;

use std::collections::BTreeMap;

/// Money, in pence.
pub type Pence = i64;

/// What a restaurant cooks: dish to price.
pub type Dishes = BTreeMap<String, Pence>;
