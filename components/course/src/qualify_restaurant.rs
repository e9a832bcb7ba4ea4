//! The sales desk.

use paperflow_core::{Out, Typed, component};

use crate::papers::Enquiry;

/// Accepts an enquiry when we could work with the restaurant: it has a number, a name, an address and
/// a fax line.
#[component("course/qualify-restaurant", work = compute)]
#[example(
    onboard_restaurant = [
        { "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 },
        { "restaurant": "R-13", "name": "No Phone", "postcode": "SW17 5HK", "fax": "", "call": 1 }
    ],
    qualified_restaurant = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 }],
    not_qualified = [{ "restaurant": "R-13", "name": "No Phone", "postcode": "SW17 5HK", "fax": "", "call": 1 }]
)]
pub fn qualify_restaurant(
    /// A restaurant's enquiry.
    onboard_restaurant: Typed<Enquiry>,
    /// Enquiries we go on with.
    qualified_restaurant: &mut Out<Typed<Enquiry>>,
    /// Enquiries we do not go on with.
    #[optional]
    not_qualified: &mut Out<Typed<Enquiry>>,
) {
    if is_qualified(&onboard_restaurant) {
        qualified_restaurant.put(onboard_restaurant);
    } else {
        not_qualified.put(onboard_restaurant);
    }
}

fn is_qualified(enquiry: &Enquiry) -> bool {
    let needed = [
        &enquiry.restaurant,
        &enquiry.name,
        &enquiry.postcode,
        &enquiry.fax,
    ];
    needed.iter().all(|entry| !entry.trim().is_empty())
}
