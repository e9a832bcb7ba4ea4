//! The restaurants' end of the fax line.

use std::collections::BTreeMap;

use paperflow_core::{Fault, Got, In, Out, Table, Typed, component};

use crate::desk::first;
use crate::papers::{Menu, MenuAnswer, MenuRequest};

/// Stands in for the restaurants: the fax operator takes the request to the chef, the chef copies the
/// menu from the wall, and the operator faxes it back with the reference of the request.
///
/// The menu is the one of the call that the request refers to. A request that comes before the menu is
/// on the wall waits for it; one that comes again after its answer is answered again.
#[component("course/fax-line", work = compute)]
#[example(
    menu = [{ "restaurant": "R-77", "call": 1, "dishes": { "MARG": 599 }, "delivery": 199 }],
    fax_in = [{ "correlation": "ON-1", "restaurant": "R-77", "fax": "0077", "call": 1, "ask": "menu" }],
    fax_out = [{ "correlation": "ON-1", "dishes": { "MARG": 599 }, "delivery": 199 }]
)]
pub async fn fax_line(
    /// Menus as the chefs write them on their walls.
    menu: In<Typed<Menu>>,
    /// Requests that arrive at the restaurants.
    fax_in: In<Typed<MenuRequest>>,
    /// Menus that are faxed back.
    fax_out: Out<Typed<MenuAnswer>>,
    /// The menus on the walls, by call.
    walls: Table<u32, Menu>,
) -> Result<(), Fault> {
    let mut kitchens = Kitchens::new(walls);
    loop {
        let wall = async { menu.next().await.map(Event::Menu) };
        let fax = async { fax_in.next().await.map(Event::Fax) };
        let answer = match first(wall, fax).await {
            Some(Event::Menu(menu)) => kitchens.hang_up(menu.into_inner().0),
            Some(Event::Fax(request)) => {
                kitchens.copy(request.call, request.correlation.clone(), request)
            }
            None => return Ok(()),
        };
        if let Some(answer) = answer {
            fax_out.send(answer).await?;
        }
    }
}

enum Event {
    Menu(Got<Typed<Menu>>),
    Fax(Got<Typed<MenuRequest>>),
}

/// What the restaurants know, by call.
struct Kitchens<R> {
    walls: Table<u32, Menu>,
    /// The references of requests that wait for a menu, with the requests.
    trays: BTreeMap<u32, (String, R)>,
}

impl<R> Kitchens<R> {
    const fn new(walls: Table<u32, Menu>) -> Self {
        Self {
            walls,
            trays: BTreeMap::new(),
        }
    }

    /// A new menu; it answers a request that was waiting for it.
    fn hang_up(&mut self, menu: Menu) -> Option<MenuAnswer> {
        let call = menu.call;
        self.walls.put(call, menu);
        let (correlation, request) = self.trays.remove(&call)?;
        self.copy(call, correlation, request)
    }

    /// The answer to a request, if the menu is there. Else the request is kept.
    fn copy(&mut self, call: u32, correlation: String, request: R) -> Option<MenuAnswer> {
        let Some(menu) = self.walls.get(&call) else {
            self.trays.insert(call, (correlation, request));
            return None;
        };
        Some(MenuAnswer {
            correlation,
            dishes: menu.dishes.clone(),
            delivery: menu.delivery,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_waits_as_one_and_is_answered_again_afterwards() {
        let mut kitchens = Kitchens::new(Table::default());
        let ask = |kitchens: &mut Kitchens<()>| kitchens.copy(1, String::from("ON-1"), ());
        assert_eq!(ask(&mut kitchens), None);
        assert_eq!(ask(&mut kitchens), None);
        let menu = Menu {
            restaurant: String::from("R-77"),
            call: 1,
            dishes: [(String::from("MARG"), 599)].into(),
            delivery: 199,
        };
        let answer = kitchens.hang_up(menu);
        assert_eq!(
            answer.as_ref().map(|answer| &*answer.correlation),
            Some("ON-1")
        );
        assert_eq!(ask(&mut kitchens), answer);
    }
}
