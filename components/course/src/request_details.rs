//! The desk that asks restaurants for their menus.

use std::time::Duration;

use paperflow_core::{Fault, Got, In, Moment, Out, Param, Table, Timer, Typed, component};
use serde::{Deserialize, Serialize};

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{Enquiry, MenuAnswer, MenuRequest, Page};

/// A row of the desk's file: a menu we have asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Whose menu.
    pub enquiry: Enquiry,
    /// The how manyth menu of this restaurant it is.
    pub version: u32,
    /// How far it has come.
    pub state: State,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// We have sent this many faxes, and look again at this moment.
    Waiting(u32, Moment),
    /// The menu is here.
    Done,
    /// The restaurant never answered.
    GivenUp,
}

/// Asks each accepted restaurant for its menu by fax, and puts the answer together with the enquiry.
///
/// The desk files a request before it faxes it. The answer quotes the reference, `ON-1`, and finds the
/// request in the file; a second answer to the same request is dropped. When no answer comes in time
/// the same fax goes out again, under the same reference, a few times; then the desk gives up.
#[component("course/request-details", work = compute)]
#[example(
    retries = 0,
    request_details = [{ "restaurant": "R-77", "name": "Pizza 'R Us", "postcode": "SW17 5HK", "fax": "0077", "call": 1 }],
    fax_out = [{ "correlation": "ON-1", "restaurant": "R-77", "fax": "0077", "call": 1, "ask": "menu" }]
)]
#[example(
    fax_in = [{ "correlation": "ON-9", "dishes": {}, "delivery": 0 }],
    unmatched = [{ "correlation": "ON-9", "dishes": {}, "delivery": 0 }]
)]
#[allow(
    clippy::too_many_arguments,
    reason = "a component has as many arguments as it has ports"
)]
pub async fn request_details(
    /// Restaurants whose menu we need.
    request_details: In<Typed<Enquiry>>,
    /// Menus that came by fax.
    fax_in: In<Typed<MenuAnswer>>,
    /// How long to wait for an answer before the fax goes out again.
    #[default("1s")]
    timeout: Param<Duration>,
    /// How often a fax goes out again.
    #[default(3)]
    retries: Param<u32>,
    /// Faxes that ask for a menu.
    fax_out: Out<Typed<MenuRequest>>,
    /// The restaurant with its menu.
    restaurant_details: Out<Typed<Page>>,
    /// Restaurants that never answered.
    #[optional]
    timed_out: Out<Typed<Enquiry>>,
    /// Answers to something we never asked.
    #[optional]
    unmatched: Out<Typed<MenuAnswer>>,
    /// Every request, by its reference.
    workflow: Table<String, Request>,
    timer: Timer,
) -> Result<(), Fault> {
    let mut desk = Desk {
        timeout: *timeout,
        retries: *retries,
        workflow,
        timer,
    };
    while let Some(event) = desk.next(&fax_in, &request_details).await {
        match event {
            Event::Answer(answer) => match desk.file(&answer) {
                Filed::Details(page) => restaurant_details.send(page).await?,
                Filed::Again => {}
                Filed::Unknown => unmatched.send(answer).await?,
            },
            Event::Silence(reference) => match desk.remind(&reference) {
                Reminded::Fax(request) => fax_out.send(request).await?,
                Reminded::GiveUp(enquiry) => timed_out.send(enquiry).await?,
                Reminded::Settled => {}
            },
            Event::Enquiry(enquiry) => fax_out.send(desk.open(enquiry.into_inner().0)).await?,
        }
    }
    Ok(())
}

/// What can happen at the desk.
enum Event {
    Answer(Got<Typed<MenuAnswer>>),
    Silence(String),
    Enquiry(Got<Typed<Enquiry>>),
}

/// What an answer turned out to be.
enum Filed {
    Details(Page),
    Again,
    Unknown,
}

/// What to do about a request that nobody has answered.
enum Reminded {
    Fax(MenuRequest),
    GiveUp(Enquiry),
    Settled,
}

struct Desk {
    timeout: Duration,
    retries: u32,
    workflow: Table<String, Request>,
    timer: Timer,
}

impl Desk {
    async fn next(
        &self,
        answers: &In<Typed<MenuAnswer>>,
        enquiries: &In<Typed<Enquiry>>,
    ) -> Option<Event> {
        let answer = async { answers.next().await.map(Event::Answer) };
        let room = self.waiting().count() < IN_FLIGHT;
        let enquiry = async { next_if(room, enquiries).await.map(Event::Enquiry) };
        first(answer, first(self.silence(), enquiry)).await
    }

    /// The requests that have not been answered, with the moment to look again.
    fn waiting(&self) -> impl Iterator<Item = (&String, Moment)> {
        self.workflow
            .iter()
            .filter_map(|(reference, request)| match request.state {
                State::Waiting(_, until) => Some((reference, until)),
                State::Done | State::GivenUp => None,
            })
    }

    /// Waits until the first request is overdue.
    async fn silence(&self) -> Option<Event> {
        let (reference, until) = self.waiting().min_by_key(|(_, until)| *until)?;
        self.timer.until(until).await;
        Some(Event::Silence(reference.clone()))
    }

    /// Files a new request, under the next reference.
    fn open(&mut self, enquiry: Enquiry) -> MenuRequest {
        let reference = format!("ON-{}", self.workflow.len() + 1);
        let same = |request: &&Request| request.enquiry.restaurant == enquiry.restaurant;
        let earlier = self
            .workflow
            .iter()
            .map(|(_, request)| request)
            .filter(same);
        let version = earlier.map(|request| request.version).max().unwrap_or(0) + 1;
        let fax = fax(&reference, &enquiry);
        let state = State::Waiting(1, self.deadline());
        self.workflow.put(
            reference,
            Request {
                enquiry,
                version,
                state,
            },
        );
        fax
    }

    /// Finds the request that an answer belongs to, and closes it.
    fn file(&mut self, answer: &MenuAnswer) -> Filed {
        let Some(mut request) = self.workflow.get(&answer.correlation) else {
            return Filed::Unknown;
        };
        if request.state == State::Done {
            return Filed::Again;
        }
        request.state = State::Done;
        self.workflow
            .put(answer.correlation.clone(), request.clone());
        Filed::Details(page(request, answer))
    }

    /// Faxes again, or gives up.
    fn remind(&mut self, reference: &str) -> Reminded {
        let Some(mut request) = self.workflow.get(reference) else {
            return Reminded::Settled;
        };
        let State::Waiting(sent, _) = request.state else {
            return Reminded::Settled;
        };
        let enquiry = request.enquiry.clone();
        let give_up = sent > self.retries;
        let waiting = State::Waiting(sent + 1, self.deadline());
        request.state = if give_up { State::GivenUp } else { waiting };
        self.workflow.put(reference.to_owned(), request);
        if give_up {
            Reminded::GiveUp(enquiry)
        } else {
            Reminded::Fax(fax(reference, &enquiry))
        }
    }

    fn deadline(&self) -> Moment {
        self.timer.now().saturating_add(self.timeout)
    }
}

fn fax(reference: &str, enquiry: &Enquiry) -> MenuRequest {
    MenuRequest {
        correlation: reference.to_owned(),
        restaurant: enquiry.restaurant.clone(),
        fax: enquiry.fax.clone(),
        call: enquiry.call,
        ask: String::from("menu"),
    }
}

fn page(request: Request, answer: &MenuAnswer) -> Page {
    Page {
        restaurant: request.enquiry.restaurant,
        version: request.version,
        name: request.enquiry.name,
        postcode: request.enquiry.postcode,
        dishes: answer.dishes.clone(),
        delivery: answer.delivery,
    }
}
