//! Where restaurants call in.

use paperflow_core::{Fault, In, Out, Table, Typed, component};

use crate::papers::{Enquiry, Menu, Restaurant};

/// Lets restaurants call in: each call is an enquiry for the office, and a menu on a kitchen wall that
/// the office has not seen yet. Calls are numbered.
#[component("course/onboard-ui", work = compute)]
#[example(
    restaurants = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077",
                     "menu": { "MARG": 599 }, "delivery": 199 }],
    menu = [{ "restaurant": "R-77", "call": 1, "dishes": { "MARG": 599 }, "delivery": 199 }],
    out = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 }]
)]
pub async fn onboard_ui(
    /// Restaurants as they are, one record for each call.
    restaurants: In<Typed<Restaurant>>,
    /// The menu, for the restaurant's own wall.
    menu: Out<Typed<Menu>>,
    /// The enquiry: who is calling, without the menu.
    out: Out<Typed<Enquiry>>,
    /// Who has called, by the number of the call.
    mut calls: Table<u32, String>,
) -> Result<(), Fault> {
    while let Some(restaurant) = restaurants.next().await {
        let last = calls.iter().map(|(call, _)| *call).max();
        let call = last.map_or(1, |call| call + 1);
        let Typed(Restaurant {
            enquiry,
            menu: dishes,
            delivery,
        }) = restaurant.into_inner();
        calls.put(call, enquiry.restaurant.clone());
        menu.send(Menu {
            restaurant: enquiry.restaurant.clone(),
            call,
            dishes,
            delivery,
        })
        .await?;
        out.send(Enquiry { call, ..enquiry }).await?;
    }
    Ok(())
}
