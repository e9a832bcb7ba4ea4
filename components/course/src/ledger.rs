//! The bookkeeper.

use paperflow_core::{Fault, Got, In, Out, Table, Typed, component};

use crate::desk::first;
use crate::papers::{Ending, Outcome, Pence, StatementLine, Summary};

/// Compares what customers were told with what the card company says, order by order, and closes the
/// books at the end of the run.
///
/// Every outcome is passed on. For each order the money on the statement must be the money that the
/// customer has been told was kept: all of it for a confirmed order, none for any other. The summary
/// says how many orders ended in which way, where the money went, and whether the books balance.
#[component("course/ledger", work = compute, must_run)]
#[example(
    statement = [{ "order": "12345", "auth": "A-12345", "amount": 1038 }],
    outcomes = [{ "order": "12345", "outcome": "confirmed", "amount": 1038, "driver": "D-3", "start": "19:10" }],
    out = [{ "order": "12345", "outcome": "confirmed", "amount": 1038, "driver": "D-3", "start": "19:10" }],
    summary = [{ "orders": 1, "endings": { "confirmed": 1 }, "reasons": {}, "taken": 1038, "kept": 1038,
                 "refunded": 0, "balanced": true }]
)]
pub async fn ledger(
    /// How orders ended.
    outcomes: In<Typed<Outcome>>,
    /// The card company's statement.
    #[optional]
    statement: In<Typed<StatementLine>>,
    /// The outcomes, as they came.
    #[optional]
    out: Out<Typed<Outcome>>,
    /// One record at the end of the run.
    summary: Out<Typed<Summary>>,
    /// The books so far, in one row.
    books: Table<String, Summary>,
    /// For each order, what the statement says less what the customer was told; none at zero.
    open: Table<String, Pence>,
) -> Result<(), Fault> {
    let mut books = Books {
        summary: books.get(BOOKS).unwrap_or_default(),
        books,
        open,
    };
    loop {
        let line = async { statement.next().await.map(Event::Statement) };
        let outcome = async { outcomes.next().await.map(Event::Outcome) };
        match first(line, outcome).await {
            Some(Event::Statement(line)) => books.enter_statement(&line),
            Some(Event::Outcome(outcome)) => {
                books.enter_outcome(&outcome);
                out.send(outcome).await?;
            }
            None => break,
        }
    }
    summary.send(books.close()).await?;
    Ok(())
}

enum Event {
    Statement(Got<Typed<StatementLine>>),
    Outcome(Got<Typed<Outcome>>),
}

/// The key of the only row.
const BOOKS: &str = "books";

struct Books {
    summary: Summary,
    books: Table<String, Summary>,
    open: Table<String, Pence>,
}

impl Books {
    fn enter_statement(&mut self, line: &StatementLine) {
        let side = if line.amount < 0 {
            &mut self.summary.refunded
        } else {
            &mut self.summary.taken
        };
        *side = side.saturating_add(line.amount.saturating_abs());
        self.enter(&line.order, line.amount);
        self.write_down();
    }

    fn enter_outcome(&mut self, outcome: &Outcome) {
        self.summary.orders += 1;
        *self.summary.endings.entry(outcome.outcome).or_default() += 1;
        if let Some(reason) = outcome.reason {
            *self.summary.reasons.entry(reason).or_default() += 1;
        }
        if outcome.outcome == Ending::Confirmed {
            let kept = outcome.amount.unwrap_or(0);
            self.summary.kept = self.summary.kept.saturating_add(kept);
            self.enter(&outcome.order, kept.saturating_neg());
        }
        self.write_down();
    }

    fn write_down(&mut self) {
        self.books.put(BOOKS.to_owned(), self.summary.clone());
    }

    fn enter(&mut self, order: &str, amount: Pence) {
        let balance = self.open.get(order).unwrap_or(0).saturating_add(amount);
        if balance == 0 {
            self.open.remove(order);
        } else {
            self.open.put(order.to_owned(), balance);
        }
    }

    fn close(mut self) -> Summary {
        let Summary {
            taken,
            kept,
            refunded,
            ..
        } = self.summary;
        let every_order_ended = !self.summary.endings.contains_key(&Ending::Unanswered);
        let adds_up = taken == kept.saturating_add(refunded);
        self.summary.balanced = self.open.is_empty() && adds_up && every_order_ended;
        self.summary
    }
}
