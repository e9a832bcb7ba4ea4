//! The card reader, and the card company behind it.

use paperflow_core::{Out, Typed, component};

use crate::papers::{CardAnswer, CardFault, CardResult, CardTask, Pence, StatementLine, Task};

/// Wraps the card company: takes money from a card, or gives back what was taken.
///
/// The card company is a stand-in that goes by the last four digits of the card: `0002` is an invalid
/// card, `9995` has not enough on it, for `0119` the company never answers, for `0259` it answers the
/// second time it is asked; every other card pays. Its statement is kept apart from what it tells the
/// payment desk, so that the books can be compared.
#[component("course/card-reader", work = compute)]
#[example(
    posin = [
        { "order": "12345", "task": { "charge": "4000" }, "amount": 1038, "attempt": 1 },
        { "order": "12346", "task": { "charge": "4000 0002" }, "amount": 500, "attempt": 1 }
    ],
    posout = [{ "order": "12345", "result": { "charged": "A-12345" } }],
    poserr = [{ "order": "12346", "result": { "failed": "invalid-card" } }],
    statement = [{ "order": "12345", "auth": "A-12345", "amount": 1038 }]
)]
pub fn card_reader(
    /// What to do.
    posin: Typed<CardTask>,
    /// What was done.
    posout: &mut Out<Typed<CardAnswer>>,
    /// What could not be done, and why.
    poserr: &mut Out<Typed<CardAnswer>>,
    /// The card company's statement, a line for each movement of money.
    #[optional]
    statement: &mut Out<Typed<StatementLine>>,
) {
    let Typed(CardTask {
        order,
        task,
        amount,
        attempt,
    }) = posin;
    let (auth, moved, result) = match task {
        Task::Charge(card) => match trouble(&card, attempt) {
            Some(code) => {
                return poserr.put(CardAnswer {
                    order,
                    result: CardResult::Failed(code),
                });
            }
            None => charge(&order, amount),
        },
        Task::Reverse(auth) => (auth, -amount, CardResult::Reversed),
    };
    statement.put(StatementLine {
        order: order.clone(),
        auth,
        amount: moved,
    });
    posout.put(CardAnswer { order, result });
}

fn charge(order: &str, amount: Pence) -> (String, Pence, CardResult) {
    let auth = format!("A-{order}");
    (auth.clone(), amount, CardResult::Charged(auth))
}

/// What is wrong with a card, the how manyth time it is tried.
fn trouble(card: &str, attempt: u32) -> Option<CardFault> {
    let digits: String = card.chars().filter(char::is_ascii_digit).collect();
    let last = digits.len().saturating_sub(4);
    match &digits[last..] {
        "0002" => Some(CardFault::InvalidCard),
        "9995" => Some(CardFault::InsufficientFunds),
        "0119" => Some(CardFault::ProviderDown),
        "0259" if attempt == 1 => Some(CardFault::ProviderDown),
        _ => None,
    }
}
