//! Reading a connector that does things wrong.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{
    Delivery, Disposition, Found, Settlement, StoreFault, Subscription,
};
use parking_lot::Mutex;

use super::trouble::Trouble;

/// See [`Subscription`].
pub(super) struct Reading {
    subscription: Arc<dyn Subscription>,
    trouble: Arc<Trouble>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Deliveries that others overtake.
    held: Vec<Delivery>,
    /// Deliveries that were handed out twice, by ticket: what was said of the first.
    twice: HashMap<u64, Option<Settlement>>,
}

impl Reading {
    pub(super) fn new(subscription: Arc<dyn Subscription>, trouble: Arc<Trouble>) -> Self {
        Self {
            subscription,
            trouble,
            state: Mutex::default(),
        }
    }

    /// Hands out what arrives of this, and behind it what was held back before.
    fn hand_out(&self, found: Vec<Delivery>, into: &mut Vec<Delivery>) {
        let mut state = self.state.lock();
        let earlier = std::mem::take(&mut state.held);
        let mut is_cut = false;
        for mut delivery in found {
            let is_gone = is_cut || self.is_gone(&mut delivery);
            // What is behind it would come too early.
            is_cut = is_gone && self.trouble.is_ordered;
            if is_gone {
                self.give_back(delivery.ticket);
            } else {
                self.hand_out_one(delivery, &mut state, into);
            }
        }
        into.extend(earlier);
    }

    fn is_gone(&self, delivery: &mut Delivery) -> bool {
        self.trouble.is_lost(delivery) || self.trouble.is_damaged(delivery)
    }

    fn hand_out_one(&self, delivery: Delivery, state: &mut State, into: &mut Vec<Delivery>) {
        if self.trouble.is_handed_out_twice(&delivery) {
            state.twice.insert(delivery.ticket, None);
            let second = if self.trouble.is_ordered {
                &mut *into
            } else {
                &mut state.held
            };
            second.push(delivery.clone());
        }
        if self.trouble.is_overtaken(&delivery) {
            state.held.push(delivery);
        } else {
            into.push(delivery);
        }
    }

    /// The store gives it again; that delivery does not count.
    fn give_back(&self, ticket: u64) {
        self.subscription.settle(ticket, released());
    }

    /// What is said of a delivery; nothing while another one of it is out. The worse counts.
    fn said(&self, ticket: u64, settlement: Settlement) -> Option<Settlement> {
        let mut state = self.state.lock();
        let first = match state.twice.get_mut(&ticket) {
            None => return Some(settlement),
            Some(first @ None) => {
                *first = Some(settlement);
                return None;
            }
            Some(first) => first.take(),
        };
        state.twice.remove(&ticket);
        let is_worse = |first: &Settlement| first.disposition > settlement.disposition;
        Some(first.filter(is_worse).unwrap_or(settlement))
    }

    /// Nobody will receive what was held back. The other one of two says all there is to say.
    fn give_back_held(&self) {
        let held = std::mem::take(&mut self.state.lock().held);
        for Delivery { ticket, .. } in held {
            let other = self.state.lock().twice.remove(&ticket);
            match other {
                None => self.give_back(ticket),
                Some(None) => {}
                Some(Some(settlement)) => self.subscription.settle(ticket, settlement),
            }
        }
    }
}

impl Subscription for Reading {
    fn receive(&self, most: usize, into: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        self.trouble.answer()?;
        let before = into.len();
        loop {
            let mut some = Vec::new();
            let found = self.subscription.receive(most, &mut some)?;
            self.hand_out(some, into);
            if into.len() > before {
                return Ok(Found::Some);
            }
            if let Found::Empty(_) = found {
                return Ok(found);
            }
        }
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        if let Some(settlement) = self.said(ticket, settlement) {
            self.subscription.settle(ticket, settlement);
        }
    }

    fn requeue(&self, ticket: u64, rest: Duration) -> Result<(), StoreFault> {
        match self.said(ticket, released()) {
            None => Ok(()),
            Some(settlement) if settlement.disposition == Disposition::Release => {
                self.subscription.requeue(ticket, rest)
            }
            Some(settlement) => {
                self.subscription.settle(ticket, settlement);
                Ok(())
            }
        }
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.subscription.flush()
    }

    fn stop(&self) {
        self.give_back_held();
        self.subscription.stop();
    }

    fn close(&self) {
        *self.state.lock() = State::default();
        self.subscription.close();
    }
}

fn released() -> Settlement {
    Settlement {
        disposition: Disposition::Release,
        failure: None,
    }
}
