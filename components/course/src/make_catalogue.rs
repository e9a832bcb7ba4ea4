//! The catalogue maker.

use paperflow_core::{Out, Typed, component};

use crate::papers::Page;

/// Turns a restaurant's details into a page of the catalogue and sends it to everyone who keeps one.
///
/// Dishes without a name or with a price below nothing do not get into print.
#[component("course/make-catalogue", work = compute)]
#[example(
    add_to_catalogue = [{ "restaurant": "R-77", "version": 1, "name": "Pizza 'R Us", "postcode": "SW17 5HK",
                          "dishes": { "MARG": 599, "TYPO": -1 }, "delivery": 199 }],
    new_catalogue = [{ "restaurant": "R-77", "version": 1, "name": "Pizza 'R Us", "postcode": "SW17 5HK",
                       "dishes": { "MARG": 599 }, "delivery": 199 }]
)]
pub fn make_catalogue(
    /// A restaurant with its menu.
    add_to_catalogue: Typed<Page>,
    /// The new page.
    new_catalogue: &mut Out<Typed<Page>>,
) {
    let Typed(mut page) = add_to_catalogue;
    page.dishes
        .retain(|dish, price| !dish.is_empty() && *price >= 0);
    new_catalogue.put(page);
}
