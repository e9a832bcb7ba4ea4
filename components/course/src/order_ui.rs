//! The telephones where customers order.

use std::collections::{BTreeSet, VecDeque};

use paperflow_core::{Fault, Got, In, Out, Record, Typed, component};
use serde::Deserialize;

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{Call, CardOrder, Ending, Outcome, Reason, RefusedCard};

/// Lets customers call in, and keeps each of them on the line until their order has ended.
///
/// There are three telephones. A caller orders and presents the first card; when the card is refused
/// and the caller has another one, the same order goes in again with that. What the caller is told at
/// the end is written down, in the order of the calls: whoever called first is written first, and a
/// call is only taken when it is among the next three to be written. An order number that has been
/// heard before is not taken again: that call ends at once as a duplicate.
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
) -> Result<(), Fault> {
    let mut lines = Lines::default();
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
    while let Some(ended) = lines.cut() {
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
#[derive(Default)]
struct Lines {
    callers: VecDeque<Caller>,
    numbers: BTreeSet<String>,
}

/// Somebody on the line.
struct Caller {
    order: String,
    talk: Talk,
}

/// How far a caller's business has come.
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
        let free = self.callers.len() < IN_FLIGHT;
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
        self.callers.push_back(Caller { order, talk });
        self.callers.back_mut().and_then(Caller::present_card)
    }

    fn talk(&mut self, call: Call) -> Talk {
        if self.numbers.insert(call.order.id.clone()) {
            return Talk::Waiting(call);
        }
        Talk::Over(Outcome::new(&call.order.id, Ending::Duplicate, None))
    }

    /// The same order with the caller's next card, if there is one.
    fn other_card(&mut self, order: &str) -> Option<CardOrder> {
        self.waiting(order)?.present_card()
    }

    /// Tells a caller how the order ended.
    fn end(&mut self, outcome: Outcome) {
        if let Some(caller) = self.waiting(&outcome.order) {
            caller.talk = Talk::Over(outcome);
        }
    }

    fn waiting(&mut self, order: &str) -> Option<&mut Caller> {
        let waits =
            |caller: &&mut Caller| caller.order == order && matches!(caller.talk, Talk::Waiting(_));
        self.callers.iter_mut().find(waits)
    }

    /// The outcome of the first caller, once it is known.
    fn hang_up(&mut self) -> Option<Outcome> {
        let over = |caller: &mut Caller| matches!(caller.talk, Talk::Over(_));
        self.callers.pop_front_if(over).map(Caller::outcome)
    }

    /// The outcome of the first caller, known or not.
    fn cut(&mut self) -> Option<Outcome> {
        self.callers.pop_front().map(Caller::outcome)
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

    fn outcome(self) -> Outcome {
        match self.talk {
            Talk::Over(outcome) => outcome,
            Talk::Waiting(_) => Outcome::new(&self.order, Ending::Unanswered, None),
        }
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
