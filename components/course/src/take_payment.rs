//! The payment desk.

use paperflow_core::{Fault, Got, In, Out, Table, Typed, component};
use serde::{Deserialize, Serialize};

use crate::desk::{IN_FLIGHT, first, next_if};
use crate::papers::{
    CardAnswer, CardFault, CardResult, CardTask, Ending, Outcome, PaidOrder, PricedOrder, Reason,
    RefusedCard, RejectedOrder, Task,
};

/// How often the desk asks the card company again when it does not answer.
const ATTEMPTS: u32 = 3;

/// How many cards a customer may try.
const CARDS: u32 = 3;

/// A row of the desk's file: the payment for one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// What is to be paid, and with which card.
    pub priced: PricedOrder,
    /// Cards refused so far.
    pub refused: u32,
    /// How far it has come.
    pub state: State,
}

/// How far a payment has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The reader has been asked this often to take the money.
    Asking(u32),
    /// The card was refused; another one may come.
    Refused,
    /// Too many cards were refused.
    Cancelled,
    /// The money is ours, under this reference.
    Paid(String),
    /// The reader has been asked to give it back.
    Refunding {
        /// The reference.
        auth: String,
        /// Why it goes back.
        reason: Reason,
        /// How often the reader has been asked.
        attempt: u32,
    },
    /// The money is the customer's again.
    Refunded,
    /// The money should be the customer's again and is not: a person must see to it.
    Stuck,
}

/// Takes the money for an order, once, and gives it back when the restaurant turns the order down.
///
/// The desk files the payment, asks the card reader, and finds the payment again by the order's number
/// when the reader answers. What becomes of a refusal depends on its code: when the card company does
/// not answer, the desk asks again and bothers nobody; when the card is no good, the customer is asked
/// for another one; after three bad cards the order is cancelled. An order that is priced twice is
/// charged once, and a payment that is to be refunded twice is refunded once.
#[component("course/take-payment", work = compute)]
#[example(
    priced_order = [{ "card": "4000", "amount": 1038, "order": {
        "order": "12345", "customer": "C-42", "postcode": "SW17 3NJ", "restaurant": "R-77", "version": 1,
        "dishes": ["MARG", "GARL"], "time": "18:40" } }],
    card_reader_out = [{ "order": "12345", "task": { "charge": "4000" }, "amount": 1038, "attempt": 1 }]
)]
#[allow(
    clippy::too_many_arguments,
    reason = "a component has as many arguments as it has ports"
)]
pub async fn take_payment(
    /// Orders to be paid.
    priced_order: In<Typed<PricedOrder>>,
    /// What the card reader says.
    card_reader_in: In<Typed<CardAnswer>>,
    /// Paid orders that the restaurant has turned down.
    #[optional]
    refund: In<Typed<RejectedOrder>>,
    /// What the card reader is to do.
    card_reader_out: Out<Typed<CardTask>>,
    /// Orders that are paid.
    paid_order: Out<Typed<PaidOrder>>,
    /// Cards that were refused.
    #[optional]
    card_error: Out<Typed<RefusedCard>>,
    /// Orders cancelled because no card would do.
    #[optional]
    order_rejected: Out<Typed<Outcome>>,
    /// Orders turned down whose money is the customer's again.
    #[optional]
    payment_refunded: Out<Typed<Outcome>>,
    /// The payments, by order.
    payments: Table<String, Payment>,
) -> Result<(), Fault> {
    let asked = payments
        .iter()
        .filter(|(_, payment)| payment.is_asked())
        .count();
    let mut desk = Desk { payments, asked };
    while let Some(event) = desk.next(&card_reader_in, &refund, &priced_order).await {
        match desk.handle(event) {
            Some(Move::Ask(task)) => card_reader_out.send(task).await?,
            Some(Move::Paid(order)) => paid_order.send(order).await?,
            Some(Move::Refused(card)) => card_error.send(card).await?,
            Some(Move::Cancelled(outcome)) => order_rejected.send(outcome).await?,
            Some(Move::Refunded(outcome)) => payment_refunded.send(outcome).await?,
            None => {}
        }
    }
    Ok(())
}

enum Event {
    Answer(Got<Typed<CardAnswer>>),
    Refund(Got<Typed<RejectedOrder>>),
    Priced(Got<Typed<PricedOrder>>),
}

/// What the desk does next about a payment.
enum Move {
    Ask(CardTask),
    Paid(PaidOrder),
    Refused(RefusedCard),
    Cancelled(Outcome),
    Refunded(Outcome),
}

struct Desk {
    payments: Table<String, Payment>,
    asked: usize,
}

impl Desk {
    async fn next(
        &self,
        answers: &In<Typed<CardAnswer>>,
        refunds: &In<Typed<RejectedOrder>>,
        orders: &In<Typed<PricedOrder>>,
    ) -> Option<Event> {
        let answer = async { answers.next().await.map(Event::Answer) };
        let room = self.asked < IN_FLIGHT;
        let refund = async { next_if(room, refunds).await.map(Event::Refund) };
        let order = async { next_if(room, orders).await.map(Event::Priced) };
        first(answer, first(refund, order)).await
    }

    fn handle(&mut self, event: Event) -> Option<Move> {
        let (id, mut payment) = match &event {
            Event::Answer(answer) => (&answer.order, self.payments.get(&answer.order)?),
            Event::Refund(rejected) => (&rejected.order, self.payments.get(&rejected.order)?),
            Event::Priced(priced) => (&priced.order.id, self.payment(priced)),
        };
        let before = payment.is_asked();
        let next = match &event {
            Event::Answer(answer) => payment.answer(&answer.result)?,
            Event::Refund(rejected) => payment.refund(rejected.reason)?,
            Event::Priced(priced) => payment.ask_for(priced)?,
        };
        self.asked = self.asked + usize::from(payment.is_asked()) - usize::from(before);
        self.payments.put(id.clone(), payment);
        Some(next)
    }

    fn payment(&self, priced: &PricedOrder) -> Payment {
        let new = || Payment {
            priced: priced.clone(),
            refused: 0,
            state: State::Refused,
        };
        self.payments.get(&priced.order.id).unwrap_or_else(new)
    }
}

impl Payment {
    /// Whether the reader owes us an answer.
    const fn is_asked(&self) -> bool {
        matches!(self.state, State::Asking(_) | State::Refunding { .. })
    }

    /// A price, the first time or with another card.
    fn ask_for(&mut self, priced: &PricedOrder) -> Option<Move> {
        if self.state != State::Refused {
            return None;
        }
        self.priced = priced.clone();
        self.state = State::Asking(1);
        self.ask()
    }

    /// The restaurant will not cook.
    fn refund(&mut self, reason: Reason) -> Option<Move> {
        let State::Paid(auth) = &self.state else {
            return None;
        };
        self.state = State::Refunding {
            auth: auth.clone(),
            reason,
            attempt: 1,
        };
        self.ask()
    }

    /// The reader has answered.
    fn answer(&mut self, result: &CardResult) -> Option<Move> {
        match (&mut self.state, result) {
            (State::Asking(_), CardResult::Charged(auth)) => {
                self.state = State::Paid(auth.clone());
                let PricedOrder { order, amount, .. } = self.priced.clone();
                Some(Move::Paid(PaidOrder {
                    order,
                    amount,
                    auth: auth.clone(),
                }))
            }
            (
                State::Asking(attempt) | State::Refunding { attempt, .. },
                CardResult::Failed(code),
            ) if code.is_technical() && *attempt < ATTEMPTS => {
                *attempt += 1;
                self.ask()
            }
            (State::Asking(_), CardResult::Failed(code)) => Some(self.refuse(*code)),
            (State::Refunding { reason, .. }, CardResult::Reversed) => {
                let reason = *reason;
                self.state = State::Refunded;
                let mut outcome = self.rejected(reason);
                outcome.refunded = outcome.amount;
                Some(Move::Refunded(outcome))
            }
            (State::Refunding { .. }, CardResult::Failed(_)) => {
                self.state = State::Stuck;
                Some(Move::Refunded(self.rejected(Reason::RefundFailed)))
            }
            _ => None,
        }
    }

    /// The card was refused: another one, or the end.
    fn refuse(&mut self, code: CardFault) -> Move {
        let order = self.priced.order.id.clone();
        self.refused += 1;
        if self.refused < CARDS {
            self.state = State::Refused;
            return Move::Refused(RefusedCard { order, code });
        }
        self.state = State::Cancelled;
        Move::Cancelled(Outcome::new(&order, Ending::Rejected, Reason::CardDeclined))
    }

    /// What the reader is to do, as things stand.
    fn ask(&self) -> Option<Move> {
        let (task, attempt) = match &self.state {
            State::Asking(attempt) => (Task::Charge(self.priced.card.clone()), *attempt),
            State::Refunding { auth, attempt, .. } => (Task::Reverse(auth.clone()), *attempt),
            _ => return None,
        };
        let order = self.priced.order.id.clone();
        Some(Move::Ask(CardTask {
            order,
            task,
            amount: self.priced.amount,
            attempt,
        }))
    }

    fn rejected(&self, reason: Reason) -> Outcome {
        let outcome = Outcome::new(&self.priced.order.id, Ending::Rejected, reason);
        Outcome {
            amount: Some(self.priced.amount),
            ..outcome
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::papers::{Order, TimeOfDay};

    fn priced(card: &str) -> PricedOrder {
        let order = Order {
            id: String::from("12345"),
            customer: String::from("C-42"),
            postcode: String::from("SW17 3NJ"),
            restaurant: String::from("R-77"),
            version: 1,
            dishes: vec![String::from("MARG")],
            time: TimeOfDay::parse("18:40").expect("it is a time"),
        };
        PricedOrder {
            order,
            card: String::from(card),
            amount: 1038,
        }
    }

    fn asked() -> Payment {
        let (priced, state) = (priced("4000"), State::Refused);
        let mut payment = Payment {
            priced: priced.clone(),
            refused: 0,
            state,
        };
        assert!(matches!(payment.ask_for(&priced), Some(Move::Ask(_))));
        payment
    }

    fn paid() -> Payment {
        let mut payment = asked();
        assert!(matches!(payment.answer(&charged()), Some(Move::Paid(_))));
        payment
    }

    fn charged() -> CardResult {
        CardResult::Charged(String::from("A-1"))
    }

    const INVALID: CardResult = CardResult::Failed(CardFault::InvalidCard);
    const DOWN: CardResult = CardResult::Failed(CardFault::ProviderDown);

    #[test]
    fn an_answer_that_comes_twice_counts_once() {
        let mut payment = paid();
        assert!(payment.answer(&charged()).is_none());
        assert!(payment.answer(&INVALID).is_none());
        assert_eq!(payment.state, State::Paid(String::from("A-1")));
    }

    #[test]
    fn a_silent_card_company_is_asked_three_times_before_the_customer_hears_of_it() {
        let mut payment = asked();
        let mut attempts = Vec::new();
        while let Some(Move::Ask(task)) = payment.answer(&DOWN) {
            attempts.push(task.attempt);
        }
        assert_eq!(attempts, [2, 3]);
        assert_eq!((payment.refused, payment.state), (1, State::Refused));
    }

    #[test]
    fn the_third_bad_card_cancels_the_order_for_good() {
        let mut payment = asked();
        for _ in 1..CARDS {
            assert!(matches!(payment.answer(&INVALID), Some(Move::Refused(_))));
            let another = payment.ask_for(&priced("4001"));
            assert!(matches!(another, Some(Move::Ask(_))));
        }
        assert!(matches!(payment.answer(&INVALID), Some(Move::Cancelled(_))));
        assert!(payment.ask_for(&priced("4002")).is_none());
    }

    #[test]
    fn a_refund_is_made_once_under_the_reference_of_the_payment() {
        let mut payment = paid();
        let Some(Move::Ask(task)) = payment.refund(Reason::NoDriver) else {
            panic!("nothing is asked")
        };
        assert_eq!(task.task, Task::Reverse(String::from("A-1")));
        assert!(payment.refund(Reason::NoDriver).is_none());
        let Some(Move::Refunded(outcome)) = payment.answer(&CardResult::Reversed) else {
            panic!("nobody is told")
        };
        let said = (outcome.reason, outcome.refunded);
        assert_eq!(said, (Some(Reason::NoDriver), Some(1038)));
        assert!(payment.refund(Reason::NoDriver).is_none());
        assert!(payment.answer(&CardResult::Reversed).is_none());
    }

    #[test]
    fn a_refund_that_cannot_be_made_is_told() {
        let mut payment = paid();
        assert!(payment.refund(Reason::NoDriver).is_some());
        let Some(Move::Refunded(outcome)) = payment.answer(&INVALID) else {
            panic!("nobody is told")
        };
        let said = (outcome.reason, outcome.refunded);
        assert_eq!(said, (Some(Reason::RefundFailed), None));
    }
}
