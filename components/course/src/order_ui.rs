//! The telephones where customers order.

use paperflow_core::{Fault, Got, In, Out, Record, Table, Typed, component};
use serde::{Deserialize, Serialize};

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{Call, CardOrder, Ending, Outcome, Reason, RefusedCard};

/// Lets customers call in, and keeps each of them on the line until their order has ended.
///
/// There are three telephones. A caller orders and presents the first card; when the card is refused
/// and the caller has another one, the same order goes in again with that. What the caller is told at
/// the end is written down, in the order of the calls: whoever called first is written first, and a
/// call is only taken when it is among the next three to be written. An order number that has been
/// heard before is not taken again: that call ends at once as a duplicate. Whoever is on the line when
/// nothing more can come is told that there is no answer; where a store keeps the calls they go on in the
/// next run.
#[component("course/order-ui", work = compute)]
#[example(
    orders = [{ "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
                "dishes": ["MARG"], "time": "18:40", "cards": ["4000"] }],
    out = [{ "card": "4000", "order": {
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG"], "time": "18:40" } }]
)]
#[example(
    orders = [{ "order": "12346", "note": "shouting in the background" }],
    outcome = [{ "order": "12346", "outcome": "invalid", "reason": "unreadable" }]
)]
pub async fn order_ui(
    /// What the callers say, one record for each call: the order and the cards they have.
    orders: In<Record>,
    /// Callers to ask for another card.
    represent_card: In<Typed<RefusedCard>>,
    /// How orders ended, from whichever desk ended them.
    told: In<Typed<Outcome>>,
    /// Orders, each with a card to pay for it.
    out: Out<Typed<CardOrder>>,
    /// How each call ended, in the order of the calls.
    outcome: Out<Typed<Outcome>>,
    /// The callers on the line, in the order in which they called.
    calls: Table<u64, Caller>,
    /// The order numbers that have been heard.
    heard: Table<String, bool>,
) -> Result<(), Fault> {
    let mut lines = Lines { calls, heard };
    loop {
        while let Some(ended) = lines.hang_up() {
            outcome.send(ended).await?;
        }
        match lines.next(&told, &represent_card, &orders).await {
            Some(Event::Told(ending)) => lines.end(ending.into_inner().0),
            Some(Event::Refused(refused)) => {
                if let Some(again) = lines.other_card(&refused.order) {
                    out.send(again).await?;
                }
            }
            Some(Event::Call(call)) => {
                if let Some(order) = lines.pick_up(&call) {
                    out.send(order).await?;
                }
            }
            None => break,
        }
    }
    for ended in lines.unanswered() {
        outcome.send(ended).await?;
    }
    Ok(())
}

enum Event {
    Told(Got<Typed<Outcome>>),
    Refused(Got<Typed<RefusedCard>>),
    Call(Got<Record>),
}

/// The callers on the line, in the order in which they called.
struct Lines {
    calls: Table<u64, Caller>,
    heard: Table<String, bool>,
}

/// Somebody on the line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caller {
    order: String,
    talk: Talk,
}

/// How far a caller's business has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Talk {
    Waiting(Call),
    Over(Outcome),
}

impl Lines {
    async fn next(
        &self,
        told: &In<Typed<Outcome>>,
        refused: &In<Typed<RefusedCard>>,
        calls: &In<Record>,
    ) -> Option<Event> {
        let told = async { told.next().await.map(Event::Told) };
        let refused = async { refused.next().await.map(Event::Refused) };
        let free = self.calls.len() < IN_FLIGHT;
        let call = async { next_if(free, calls).await.map(Event::Call) };
        first(told, first(refused, call)).await
    }

    /// A new caller: the order with the first card, unless there is nothing to be done.
    fn pick_up(&mut self, said: &Record) -> Option<CardOrder> {
        let (order, talk) = match Call::deserialize(&**said) {
            Ok(call) => (call.order.id.clone(), self.talk(call)),
            Err(_) => {
                let order = number(said);
                let outcome = Outcome::new(&order, Ending::Invalid, Reason::Unreadable);
                (order, Talk::Over(outcome))
            }
        };
        let last = self.calls.iter().map(|(place, _)| *place).max();
        let mut caller = Caller { order, talk };
        let card = caller.present_card();
        self.calls.put(last.map_or(0, |place| place + 1), caller);
        card
    }

    fn talk(&mut self, call: Call) -> Talk {
        if self.heard.put(call.order.id.clone(), true).is_none() {
            return Talk::Waiting(call);
        }
        Talk::Over(Outcome::new(&call.order.id, Ending::Duplicate, None))
    }

    /// The same order with the caller's next card, if there is one.
    fn other_card(&mut self, order: &str) -> Option<CardOrder> {
        let (place, mut caller) = self.waiting(order)?;
        let card = caller.present_card();
        self.calls.put(place, caller);
        card
    }

    /// Tells a caller how the order ended.
    fn end(&mut self, outcome: Outcome) {
        if let Some((place, mut caller)) = self.waiting(&outcome.order) {
            caller.talk = Talk::Over(outcome);
            self.calls.put(place, caller);
        }
    }

    fn waiting(&self, order: &str) -> Option<(u64, Caller)> {
        let waits =
            |caller: &Caller| caller.order == order && matches!(caller.talk, Talk::Waiting(_));
        let mut calls = self.calls.iter();
        let found = calls.find(|(_, caller)| waits(caller));
        found.map(|(place, caller)| (*place, caller.clone()))
    }

    /// The outcome of the first caller, once it is known.
    fn hang_up(&mut self) -> Option<Outcome> {
        let (place, caller) = self.calls.iter().next()?;
        let (place, Talk::Over(outcome)) = (*place, caller.talk.clone()) else {
            return None;
        };
        self.calls.remove(&place);
        Some(outcome)
    }

    /// What callers are told whose order has not ended.
    fn unanswered(self) -> Vec<Outcome> {
        let callers = self.calls.iter().map(|(_, caller)| &caller.order);
        let unanswered = |order: &String| Outcome::new(order, Ending::Unanswered, None);
        callers.map(unanswered).collect()
    }
}

impl Caller {
    /// The order with the next card; a caller without one gives up.
    fn present_card(&mut self) -> Option<CardOrder> {
        let Talk::Waiting(call) = &mut self.talk else {
            return None;
        };
        if call.cards.is_empty() {
            self.talk = Talk::Over(Outcome::new(
                &self.order,
                Ending::Rejected,
                Reason::NoOtherCard,
            ));
            return None;
        }
        let card = call.cards.remove(0);
        Some(CardOrder {
            order: call.order.clone(),
            card,
        })
    }
}

/// The order number in something that is not an order, as well as it can be made out.
fn number(said: &Record) -> String {
    match said.get("order") {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::from("?"),
    }
}
