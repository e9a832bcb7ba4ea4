//! Where restaurants call in.

use paperflow_core::{Out, Typed, component};

use crate::papers::{Enquiry, Menu, Restaurant};

/// Lets restaurants call in: each call is an enquiry for the office, and a menu on a kitchen wall that
/// the office has not seen yet.
#[component("course/onboard-ui", work = compute)]
#[example(
    restaurants = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077",
                     "menu": { "MARG": 599 }, "delivery": 199 }],
    menu = [{ "restaurant": "R-77", "dishes": { "MARG": 599 }, "delivery": 199 }],
    out = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077" }]
)]
pub fn onboard_ui(
    /// Restaurants as they are, one record for each call.
    restaurants: Typed<Restaurant>,
    /// The menu, for the restaurant's own wall.
    menu: &mut Out<Typed<Menu>>,
    /// The enquiry: who is calling, without the menu.
    out: &mut Out<Typed<Enquiry>>,
) {
    let Typed(Restaurant {
        enquiry,
        menu: dishes,
        delivery,
    }) = restaurants;
    menu.put(Menu {
        restaurant: enquiry.restaurant.clone(),
        dishes,
        delivery,
    });
    out.put(enquiry);
}
