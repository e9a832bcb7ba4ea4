//! Tokens: who still has to do with a delivery of a store.
//!
//! A packet that came from a connector carries a [`Token`]; what follows from it holds the token too.
//! When nobody holds it any more the delivery is settled, by the worst that was said of it. So an
//! input is settled only when everything that followed from it has been settled, stored, or dropped by
//! a process.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::connector::{Disposition, Failure, Recall, Settlement, Subscription};
use crate::message::Id;

/// A share in a delivery.
#[derive(Clone)]
pub struct Token(Arc<Delivered>);

/// A delivery, and the worst that was said of it.
struct Delivered {
    subscription: Arc<dyn Subscription>,
    ticket: u64,
    recall: Recall,
    worst: Mutex<Settlement>,
}

impl Drop for Delivered {
    fn drop(&mut self) {
        crate::failpoint!("before_settle");
        let worst = self.worst.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.subscription.settle(self.ticket, std::mem::take(worst));
    }
}

impl Token {
    /// The first share in a delivery.
    #[must_use]
    pub fn new(subscription: Arc<dyn Subscription>, ticket: u64) -> Self {
        Self::with_recall(subscription, ticket, Recall::default())
    }

    /// The first share in a delivery that its store may want back.
    #[must_use]
    pub fn with_recall(subscription: Arc<dyn Subscription>, ticket: u64, recall: Recall) -> Self {
        Self(Arc::new(Delivered {
            subscription,
            ticket,
            recall,
            worst: Mutex::default(),
        }))
    }

    fn worsen(&self, disposition: Disposition, failure: Option<&Failure>) {
        let worst = &self.0.worst;
        let mut worst = worst.lock().unwrap_or_else(PoisonError::into_inner);
        if disposition > worst.disposition {
            worst.disposition = disposition;
            worst.failure = failure.cloned();
        }
    }
}

/// Any number of tokens, shared.
#[derive(Clone, Default)]
pub struct Tokens(Option<Arc<Node>>);

struct Node {
    own: Vec<Token>,
    joined: Vec<Tokens>,
    depth: usize,
}

/// Tokens that were joined more often than this, one after the other, are put into one list.
const DEPTH: usize = 32;

impl From<Token> for Tokens {
    fn from(token: Token) -> Self {
        Self(Some(Arc::new(Node {
            own: vec![token],
            joined: Vec::new(),
            depth: 0,
        })))
    }
}

impl Tokens {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// Whether they are those of one delivery, which its store wants back.
    #[must_use]
    pub fn are_recalled(&self) -> bool {
        match self
            .0
            .as_deref()
            .map(|node| (&node.own[..], node.joined.is_empty()))
        {
            Some(([token], true)) => token.0.recall.is_recalled(),
            _ => false,
        }
    }

    /// All of both.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        if other.is_empty() || self.is_same(other) {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        Self::all(vec![self.clone(), other.clone()])
    }

    /// All of several.
    fn all(mut joined: Vec<Self>) -> Self {
        if joined.len() < 2 {
            return joined.pop().unwrap_or_default();
        }
        let depths = joined.iter().map(Self::depth);
        let depth = depths.max().unwrap_or_default() + 1;
        let node = if depth > DEPTH {
            let mut own = Vec::new();
            joined.iter().for_each(|tokens| tokens.list(&mut own));
            own.sort_by_key(|token| Arc::as_ptr(&token.0));
            own.dedup_by(|one, two| Arc::ptr_eq(&one.0, &two.0));
            Node {
                own,
                joined: Vec::new(),
                depth: 0,
            }
        } else {
            Node {
                own: Vec::new(),
                joined,
                depth,
            }
        };
        Self(Some(Arc::new(node)))
    }

    fn depth(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.depth)
    }

    fn list(&self, into: &mut Vec<Token>) {
        if let Some(node) = &self.0 {
            into.extend(node.own.iter().cloned());
            node.joined.iter().for_each(|tokens| tokens.list(into));
        }
    }

    /// Says of every delivery what has become of it here; the worst that anybody says counts.
    pub fn worsen(&self, disposition: Disposition, failure: Option<&Failure>) {
        if let Some(node) = &self.0 {
            let own = node.own.iter();
            own.for_each(|token| token.worsen(disposition, failure));
            let joined = node.joined.iter();
            joined.for_each(|tokens| tokens.worsen(disposition, failure));
        }
    }
}

/// Where a packet comes from, in a network with connectors.
#[derive(Clone, Default)]
pub struct Trail {
    /// Its identity.
    pub id: Option<Id>,
    /// The deliveries that it follows from.
    pub tokens: Tokens,
}

impl Trail {
    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.id.is_none() && self.tokens.is_empty()
    }
}

/// When a process lets go of the deliveries that it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settle {
    /// What it has received and dropped is held by all that it sends from its next send on, until it
    /// receives again. This is right for every component.
    #[default]
    Unit,
    /// What it has received is held by what it sends until it receives again, and then let go of: for
    /// filters and routers, which keep nothing from one packet to the next.
    Each,
}

impl Settle {
    /// Whether it is right for every component.
    #[must_use]
    pub fn is_unit(&self) -> bool {
        *self == Self::Unit
    }
}

/// Who a process is in a network with connectors.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its address.
    pub address: String,
    /// Its component.
    pub component: String,
    /// From which the ids of packets follow that are sent while another is handled. The same for all
    /// workers that share the work of a process, whichever of them it is.
    pub place: Id,
    /// From which the ids of all others follow.
    pub origin: Id,
    /// From which the ids of questions follow: no other life of the process has it.
    pub chance: Id,
    /// The elements of out-ports by which questions leave.
    pub afresh: Vec<usize>,
    /// When it lets go of the deliveries that it was given.
    pub settle: Settle,
}

/// The number of a packet that is passed on; what is made while one is handled is counted from 0.
const PASSED_ON: u64 = u64::MAX;

/// What a process has to do with deliveries: which ones it holds, and how it numbers what it sends.
pub(crate) struct Holding {
    identity: Arc<Identity>,
    /// The id of the packet that was received last.
    base: Option<Id>,
    /// Packets made since then, and packets made while there was none.
    index: u64,
    serial: u64,
    /// Questions sent.
    asked: u64,
    /// The packet that was received last has been passed on.
    has_passed_on: bool,
    /// It is called for each packet, and has no other one that it received.
    is_called: bool,
    /// Deliveries that were let go of and not sent on yet.
    pending: Vec<Tokens>,
    /// Deliveries that everything sent now follows from.
    unit: Tokens,
    /// By in-port element, as far as something has come.
    groups: Vec<Group>,
}

/// The group that is open at an in-port element, among what came from a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Group {
    /// Open brackets that are not closed.
    pub(crate) level: i64,
    /// It is not received, but given back.
    pub(crate) is_recalled: bool,
}

impl Holding {
    pub(crate) const fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            base: None,
            index: 0,
            serial: 0,
            asked: 0,
            has_passed_on: false,
            is_called: false,
            pending: Vec::new(),
            unit: Tokens(None),
            groups: Vec::new(),
        }
    }

    /// What is open at an in-port element.
    pub(crate) fn group(&mut self, element: usize) -> &mut Group {
        if self.groups.len() <= element {
            self.groups.resize(element + 1, Group::default());
        }
        &mut self.groups[element]
    }

    /// A packet is received: what was sent before is no longer this process's business.
    pub(crate) fn receive(&mut self, trail: &Trail) {
        self.base = trail.id;
        self.index = 0;
        self.has_passed_on = false;
        self.unit = match self.identity.settle {
            Settle::Unit => Tokens::default(),
            Settle::Each => trail.tokens.clone(),
        };
    }

    /// A packet that was received has ended here, or is in the hands of code that does not say when.
    pub(crate) fn keep(&mut self, tokens: Tokens) {
        let is_last = self
            .pending
            .last()
            .is_some_and(|last| last.is_same(&tokens));
        if self.identity.settle == Settle::Unit && !tokens.is_empty() && !is_last {
            self.pending.push(tokens);
        }
    }

    /// These deliveries are no longer held; the failure says which process it was.
    pub(crate) fn part_with(&mut self, tokens: &Tokens, failure: &mut Failure) {
        if self.unit.is_same(tokens) {
            self.unit = Tokens::default();
        }
        failure.process.clone_from(&self.identity.address);
        failure.component.clone_from(&self.identity.component);
    }

    /// Gives everything that it holds to whoever keeps it until it is safe.
    pub(crate) fn take_all(&mut self) -> Vec<Tokens> {
        let mut all = std::mem::take(&mut self.pending);
        all.push(std::mem::take(&mut self.unit));
        all.retain(|tokens| !tokens.is_empty());
        all
    }

    /// A call begins: everything it sends follows from these deliveries, and from nothing else.
    pub(crate) fn begin_call(&mut self, tokens: Tokens) {
        self.unit = tokens;
        self.is_called = true;
    }

    /// Lets go of everything, and says what has become of it.
    pub(crate) fn let_go(&mut self, disposition: Disposition, failure: Option<&Failure>) {
        if disposition != Disposition::Done {
            let held = self.pending.iter().chain([&self.unit]);
            held.for_each(|tokens| tokens.worsen(disposition, failure));
        }
        self.pending.clear();
        self.unit = Tokens::default();
    }

    /// Lets go of everything, which is held by a packet now that has `own` deliveries already. The packet
    /// is the one that was received last.
    pub(crate) fn regain(&mut self, own: &Tokens) -> Trail {
        let mut all = std::mem::take(&mut self.pending);
        all.extend([std::mem::take(&mut self.unit), own.clone()]);
        all.retain(|tokens| !tokens.is_empty());
        Trail {
            id: self.base,
            tokens: Tokens::all(all),
        }
    }

    /// The packet that was received last.
    pub(crate) const fn base(&self) -> Option<Id> {
        self.base
    }

    /// Whether it holds anything.
    pub(crate) fn is_holding(&self) -> bool {
        !self.pending.is_empty() || !self.unit.is_empty()
    }

    /// The trail of a packet that is sent to an element of an out-port, where `own` is the one that it had.
    ///
    /// The identity of a packet that is passed on follows from its own, whatever has been received since: a
    /// process that holds packets passes them on as the same ones in each life, also when they come in another
    /// order. So does that of the packet that was received last, once: what leaves by ERROR after it was passed
    /// on is another one.
    pub(crate) fn send(&mut self, at: usize, own: &Trail, is_passed_on: bool) -> Trail {
        if !self.pending.is_empty() {
            let mut all = std::mem::take(&mut self.pending);
            if !self.unit.is_empty() {
                all.push(self.unit.clone());
            }
            self.unit = Tokens::all(all);
        }
        let is_last = own.id == self.base;
        let passed_on = own.id.filter(|_| match is_last {
            true => is_passed_on && !self.has_passed_on,
            false => is_passed_on && !self.is_called,
        });
        let id = match passed_on {
            _ if self.identity.afresh.contains(&at) => self.question(),
            Some(own) => {
                self.has_passed_on |= is_last;
                own.derive(self.identity.place, PASSED_ON)
            }
            None => self.next_id(),
        };
        Trail {
            id: Some(id),
            tokens: own.tokens.join(&self.unit),
        }
    }

    fn question(&mut self) -> Id {
        self.asked += 1;
        self.identity.chance.derive(self.identity.place, self.asked)
    }

    /// The identity of the next packet that is made here.
    fn next_id(&mut self) -> Id {
        let (base, index) = match self.base {
            Some(base) => (base, &mut self.index),
            None => (self.identity.origin, &mut self.serial),
        };
        *index += 1;
        base.derive(self.identity.place, *index - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::{Delivery, Found, Outlook, StoreFault};

    #[derive(Default)]
    struct Settled(Mutex<Vec<(u64, Disposition)>>);

    impl Subscription for Settled {
        fn receive(&self, _: usize, _: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
            Ok(Found::Empty(Outlook::default()))
        }

        fn settle(&self, ticket: u64, settlement: Settlement) {
            let mut settled = self.0.lock().unwrap();
            settled.push((ticket, settlement.disposition));
        }

        fn flush(&self) -> Result<(), StoreFault> {
            Ok(())
        }

        fn close(&self) {}
    }

    impl Settled {
        fn tokens(self: &Arc<Self>, ticket: u64) -> Tokens {
            Token::new(Arc::clone(self) as Arc<dyn Subscription>, ticket).into()
        }

        fn all(&self) -> Vec<(u64, Disposition)> {
            self.0.lock().unwrap().clone()
        }
    }

    fn identity() -> Arc<Identity> {
        Arc::new(Identity {
            address: String::from("P[1]"),
            component: String::from("t/p"),
            place: Id::of("P"),
            origin: Id::of("P[1]"),
            chance: Id::of("by chance"),
            afresh: vec![1],
            settle: Settle::Unit,
        })
    }

    #[test]
    fn a_delivery_is_settled_when_nobody_holds_it() {
        let settled = Arc::new(Settled::default());
        let tokens = settled.tokens(1);
        let copy = tokens.clone();
        drop(tokens);
        assert!(settled.all().is_empty());
        drop(copy);
        assert_eq!(settled.all(), [(1, Disposition::Done)]);
    }

    #[test]
    fn the_worst_that_anybody_says_wins() {
        let settled = Arc::new(Settled::default());
        let (one, two) = (settled.tokens(1), settled.tokens(2));
        let both = one.join(&two);
        one.worsen(Disposition::Reject, None);
        both.worsen(Disposition::Retry, None);
        drop((one, two));
        drop(both);
        let mut all = settled.all();
        all.sort();
        assert_eq!(all, [(1, Disposition::Reject), (2, Disposition::Retry)]);
    }

    #[test]
    fn what_is_dropped_is_held_by_what_is_sent_next_until_the_next_receive() {
        let settled = Arc::new(Settled::default());
        let mut holding = Holding::new(identity());
        for ticket in 1..=3 {
            holding.receive(&Trail::default());
            holding.keep(settled.tokens(ticket));
        }
        assert!(settled.all().is_empty());
        let sent = holding.send(0, &Trail::default(), false);
        holding.receive(&Trail::default());
        assert!(settled.all().is_empty(), "held by what was sent");
        drop(sent);
        assert_eq!(settled.all().len(), 3);
    }

    #[test]
    fn tokens_joined_again_and_again_do_not_nest_without_end() {
        let settled = Arc::new(Settled::default());
        let mut all = settled.tokens(0);
        for ticket in 1..=3_000 {
            all = all.join(&settled.tokens(ticket % 7));
        }
        assert!(all.depth() <= DEPTH);
        drop(all);
        assert_eq!(settled.all().len(), 3_001);
    }

    #[test]
    fn work_that_is_done_again_gives_the_same_ids() {
        let ids = || {
            let mut holding = Holding::new(identity());
            holding.receive(&Trail {
                id: Some(Id::of("order")),
                tokens: Tokens::default(),
            });
            [
                holding.send(0, &Trail::default(), false).id,
                holding.send(0, &Trail::default(), false).id,
            ]
        };
        assert_eq!(ids(), ids());
        assert_ne!(ids()[0], ids()[1]);
    }

    #[test]
    fn what_is_passed_on_has_the_same_id_whatever_came_last() {
        let held = |name: &str| Trail {
            id: Some(Id::of(name)),
            tokens: Tokens::default(),
        };
        let ids = |order: [&str; 2]| {
            let mut holding = Holding::new(identity());
            order.iter().for_each(|name| holding.receive(&held(name)));
            ["a", "b"].map(|name| holding.send(0, &held(name), true).id)
        };
        let [a, b] = ids(["a", "b"]);
        assert_eq!(ids(["b", "a"]), [a, b]);
        assert_ne!(a, b);
        let mut holding = Holding::new(identity());
        holding.receive(&held("a"));
        let copy = holding.send(0, &held("a"), false).id;
        assert_eq!(holding.send(0, &held("a"), true).id, a);
        let again = holding.send(0, &held("a"), true).id;
        assert!(
            copy != a && again != a && copy != again,
            "each is another one"
        );
    }

    #[test]
    fn who_is_called_for_each_has_nothing_else_to_pass_on() {
        let trail = |name: &str| Trail {
            id: Some(Id::of(name)),
            tokens: Tokens::default(),
        };
        let mut holding = Holding::new(identity());
        let ids = ["a", "b"].map(|name| {
            holding.receive(&trail(name));
            holding.begin_call(Tokens::default());
            holding.send(0, &trail("remembered"), true).id
        });
        assert_ne!(ids[0], ids[1], "the same copy put twice is two packets");
    }

    #[test]
    fn questions_are_others_in_each_life() {
        let questions = |chance: &str| {
            let identity = Identity {
                chance: Id::of(chance),
                ..Identity::clone(&identity())
            };
            let mut holding = Holding::new(Arc::new(identity));
            let item = Trail {
                id: Some(Id::of("item")),
                tokens: Tokens::default(),
            };
            holding.receive(&item);
            [true, false].map(|is_passed_on| holding.send(1, &item, is_passed_on).id)
        };
        let (one, two) = (questions("one"), questions("two"));
        assert_ne!(one[0], one[1]);
        assert!(one.iter().all(|id| !two.contains(id)), "{one:?} {two:?}");
    }
}
