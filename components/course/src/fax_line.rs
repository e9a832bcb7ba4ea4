//! The restaurants' end of the fax line.

use std::collections::{BTreeMap, VecDeque};

use paperflow_core::{Fault, Got, In, Out, Typed, component};

use crate::desk::first;
use crate::papers::{Menu, MenuAnswer, MenuRequest};

/// Stands in for the restaurants: the fax operator takes the request to the chef, the chef copies the
/// menu from the wall, and the operator faxes it back with the reference of the request.
///
/// The first request to a restaurant gets its first menu, the next one its next menu. A request that
/// comes before the menu is on the wall waits for it.
#[component("course/fax-line", work = compute)]
#[example(
    menu = [{ "restaurant": "R-77", "dishes": { "MARG": 599 }, "delivery": 199 }],
    fax_in = [{ "correlation": "ON-1", "restaurant": "R-77", "fax": "0077", "ask": "menu" }],
    fax_out = [{ "correlation": "ON-1", "dishes": { "MARG": 599 }, "delivery": 199 }]
)]
pub async fn fax_line(
    /// Menus as the chefs write them on their walls.
    menu: In<Typed<Menu>>,
    /// Requests that arrive at the restaurants.
    fax_in: In<Typed<MenuRequest>>,
    /// Menus that are faxed back.
    fax_out: Out<Typed<MenuAnswer>>,
) -> Result<(), Fault> {
    let mut kitchens = Kitchens::default();
    loop {
        let wall = async { menu.next().await.map(Event::Menu) };
        let fax = async { fax_in.next().await.map(Event::Fax) };
        let answer = match first(wall, fax).await {
            Some(Event::Menu(menu)) => kitchens.hang_up(menu.into_inner().0),
            Some(Event::Fax(request)) => kitchens.copy(&request),
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

/// What the restaurants know, by restaurant.
#[derive(Default)]
struct Kitchens {
    /// Menus nobody has asked for yet.
    walls: BTreeMap<String, VecDeque<Menu>>,
    /// References of requests that wait for a menu.
    trays: BTreeMap<String, VecDeque<String>>,
    /// What has been answered, by reference: a fax that comes twice gets the same answer twice.
    answered: BTreeMap<String, MenuAnswer>,
}

impl Kitchens {
    /// A new menu; it answers a request that was waiting for it.
    fn hang_up(&mut self, menu: Menu) -> Option<MenuAnswer> {
        let waiting = self
            .trays
            .get_mut(&menu.restaurant)
            .and_then(VecDeque::pop_front);
        if let Some(correlation) = waiting {
            return Some(self.answer(correlation, menu));
        }
        self.walls
            .entry(menu.restaurant.clone())
            .or_default()
            .push_back(menu);
        None
    }

    /// The answer to a request, if the menu is there.
    fn copy(&mut self, request: &MenuRequest) -> Option<MenuAnswer> {
        if let Some(answer) = self.answered.get(&request.correlation) {
            return Some(answer.clone());
        }
        if let Some(menu) = self
            .walls
            .get_mut(&request.restaurant)
            .and_then(VecDeque::pop_front)
        {
            return Some(self.answer(request.correlation.clone(), menu));
        }
        let tray = self.trays.entry(request.restaurant.clone()).or_default();
        if !tray.contains(&request.correlation) {
            tray.push_back(request.correlation.clone());
        }
        None
    }

    fn answer(&mut self, correlation: String, menu: Menu) -> MenuAnswer {
        let answer = MenuAnswer {
            correlation,
            dishes: menu.dishes,
            delivery: menu.delivery,
        };
        self.answered
            .insert(answer.correlation.clone(), answer.clone());
        answer
    }
}
