//! What a process with tables in a store has committed and sent, until it is known to have arrived: what nobody
//! may deliver again to have it sent once more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::connector::{
    Delivery, Desk, Disposition, Failure, Found, Outlook, Settlement, StoreFault, Subscription,
};
use crate::message::Id;
use crate::settle::{Token, Tokens};

pub(super) struct Owing {
    desk: Arc<dyn Desk>,
    /// Calls the process.
    waker: Waker,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    last: u64,
    /// By ticket.
    debts: HashMap<u64, Debt>,
    /// What followed from these messages in a former life: the deliveries that have come again for it while it is on
    /// its way, and what becomes of it becomes of them; nothing once it has arrived.
    former: HashMap<Id, Option<Vec<Tokens>>>,
    /// What followed from these messages in a former life and could not be handled: a store may deliver them again.
    undone: HashMap<Id, Failure>,
    /// What was sent could not be handled, and nobody will try again in this run.
    failure: Option<Failure>,
}

/// What is owed.
#[derive(Clone, Copy)]
pub(super) enum Debt {
    /// What was sent of one's own accord, by the id of its first message: no store delivers anything again for it.
    Own(Id),
    /// What follows from this message, which a store delivers again, or sets aside, when it fails.
    Handled(Id),
    /// What followed from this message in a former life: a store may deliver it again.
    FormerLife(Id),
}

impl Owing {
    pub(super) fn new(desk: Arc<dyn Desk>, waker: Waker) -> Self {
        Self {
            desk,
            waker,
            book: Mutex::default(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.book().failure.take()
    }

    /// What could not be handled, and nothing has come again for it.
    pub(super) fn take_undone(&self) -> Option<Failure> {
        let undone = std::mem::take(&mut self.book().undone);
        undone.into_values().next()
    }

    /// Whoever holds the tokens has still to do with what was sent.
    pub(super) fn owe(self: &Arc<Self>, debt: Debt) -> Tokens {
        let mut book = self.book();
        book.last += 1;
        let ticket = book.last;
        book.debts.insert(ticket, debt);
        if let Debt::FormerLife(id) = debt {
            book.former.insert(id, Some(Vec::new()));
        }
        Token::new(Arc::clone(self) as Arc<dyn Subscription>, ticket).into()
    }

    /// The same for what is sent again, since the message of this id was delivered again; nothing when that has been
    /// done in this life.
    pub(super) fn owe_again(self: &Arc<Self>, id: Id, delivered: &Tokens) -> Option<Tokens> {
        let mut book = self.book();
        book.undone.remove(&id);
        match book.former.get_mut(&id) {
            None => {}
            Some(None) => return None,
            Some(Some(joined)) => {
                joined.push(delivered.clone());
                return None;
            }
        }
        drop(book);
        Some(self.owe(Debt::Handled(id)))
    }
}

impl Subscription for Owing {
    fn receive(&self, _: usize, _: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        Ok(Found::Empty(Outlook::default()))
    }

    /// What was not handled is found owed by the next run. What could not be handled, and no store gives again or
    /// sets aside, lets fail who sent it; what is of a former life at its end, if nothing has come again for it.
    fn settle(&self, ticket: u64, settlement: Settlement) {
        let mut book = self.book();
        let Some(debt) = book.debts.remove(&ticket) else {
            return;
        };
        let joined = match debt {
            Debt::FormerLife(id) => book.former.remove(&id).flatten().unwrap_or_default(),
            Debt::Own(_) | Debt::Handled(_) => Vec::new(),
        };
        let (disposition, failure) = (settlement.disposition, settlement.failure);
        let is_delivered = matches!(debt, Debt::Handled(_)) || !joined.is_empty();
        match (disposition, debt) {
            (Disposition::Done, Debt::Own(id)) => self.desk.paid(id),
            (Disposition::Done, Debt::Handled(id)) => self.desk.arrived(id),
            (Disposition::Done, Debt::FormerLife(id)) => {
                book.former.insert(id, None);
                self.desk.arrived(id);
            }
            (Disposition::Release, _) => {}
            (Disposition::Retry, _) if is_delivered => {}
            (
                Disposition::Reject | Disposition::Invalid,
                Debt::Handled(id) | Debt::FormerLife(id),
            ) if is_delivered => {
                self.desk.arrived(id);
            }
            (_, Debt::FormerLife(id)) => {
                book.undone.insert(id, failure.clone().unwrap_or_default());
            }
            (Disposition::Retry | Disposition::Reject | Disposition::Invalid, _) => {
                book.failure = Some(failure.clone().unwrap_or_default());
                self.waker.wake_by_ref();
            }
        }
        drop(book);
        for tokens in joined {
            tokens.worsen(disposition, failure.as_ref());
        }
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn close(&self) {}
}
