//! What goes wrong with a connector, and when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use paperflow_core::connector::{Delivery, Disturbance, StoreFault, StoreFaultKind};
use paperflow_core::message::{Id, Message, hash_of_key};
use parking_lot::Mutex;

use super::Chaos;

/// So many calls are not answered, one after the other.
const OUTAGE: u64 = 2;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Lost,
    Unconfirmed,
    HandedOutTwice,
    WrittenTwice,
    Overtaken,
    Damaged,
    Unanswered,
}

/// Everything that is counted, in the order of its numbers.
const COUNTS: usize = Count::Unanswered as usize + 1;

/// What goes wrong with a connector.
pub(super) struct Trouble {
    name: String,
    chaos: Chaos,
    /// The order of its messages is kept.
    pub(super) is_ordered: bool,
    counts: [AtomicU64; COUNTS],
    /// How often something has happened to a message, one time after the other.
    before: Mutex<HashMap<(&'static str, Id), u32>>,
    line: Mutex<Line>,
}

/// Whether calls are answered.
#[derive(Default)]
struct Line {
    calls: u64,
    /// So many more calls are not.
    down: u64,
}

impl Trouble {
    pub(super) fn new(name: &str, chaos: Chaos, is_ordered: bool) -> Self {
        Self {
            name: name.to_owned(),
            chaos,
            is_ordered,
            counts: Default::default(),
            before: Mutex::default(),
            line: Mutex::default(),
        }
    }

    pub(super) fn count(&self, what: Count, more: usize) {
        self.counts[what as usize].fetch_add(more as u64, Ordering::Relaxed);
    }

    /// What was done so far.
    pub(super) fn told(&self) -> Disturbance {
        let count = |what: Count| self.counts[what as usize].load(Ordering::Relaxed);
        Disturbance {
            connector: self.name.clone(),
            lost: count(Count::Lost),
            unconfirmed: count(Count::Unconfirmed),
            handed_out_twice: count(Count::HandedOutTwice),
            written_twice: count(Count::WrittenTwice),
            overtaken: count(Count::Overtaken),
            damaged: count(Count::Damaged),
            unanswered: count(Count::Unanswered),
        }
    }

    /// A number that follows from the seed, the connector and what it is for.
    fn hash(&self, what: &str, which: impl std::fmt::Display) -> u64 {
        hash_of_key(&format!("{} {} {what} {which}", self.chaos.seed, self.name))
    }

    /// Whether something happens that happens to this share of all.
    fn happens(&self, what: &str, which: impl std::fmt::Display, share: f64) -> bool {
        // 32 bits are enough chance.
        let chance = f64::from((self.hash(what, which) >> 32) as u32) / f64::from(u32::MAX);
        chance < share
    }

    /// Whether it happens to a message once more; if not, the next time is as the first.
    fn happens_again(&self, what: &'static str, (id, attempt): (Id, u32), share: f64) -> bool {
        let mut before = self.before.lock();
        let times = before.get(&(what, id)).copied().unwrap_or_default();
        let happens = self.happens(what, format_args!("{id} {attempt} {times}"), share);
        if happens {
            before.insert((what, id), times + 1);
        } else {
            before.remove(&(what, id));
        }
        happens
    }

    /// Somebody calls: whether there is an answer.
    pub(super) fn answer(&self) -> Result<(), StoreFault> {
        let mut line = self.line.lock();
        if line.down == 0 {
            line.calls += 1;
            if self.happens("down", line.calls, self.chaos.down) {
                line.down = OUTAGE;
            }
        }
        if line.down == 0 {
            return Ok(());
        }
        line.down -= 1;
        self.count(Count::Unanswered, 1);
        let reason = format!("chaos: `{}` does not answer", self.name);
        Err(StoreFault::new(StoreFaultKind::Unavailable, reason))
    }

    /// Whether a send that begins with this message is not confirmed.
    pub(super) fn is_unconfirmed(&self, first: Id) -> bool {
        let is_so = self.happens_again("send", (first, 0), self.chaos.drop);
        self.count(Count::Unconfirmed, usize::from(is_so));
        is_so
    }

    /// One of so many, at least one.
    pub(super) fn pick(&self, id: Id, of: usize) -> usize {
        let of = of.max(1) as u64;
        usize::try_from(self.hash("pick", id) % of).unwrap_or_default()
    }

    pub(super) fn is_written_twice(&self, id: Id) -> bool {
        self.happens("write twice", id, self.chaos.dup)
    }

    pub(super) fn is_handed_out_twice(&self, delivery: &Delivery) -> bool {
        let which = format_args!("{} {}", delivery.message.id, delivery.attempt);
        let is_so = self.happens("hand out twice", which, self.chaos.dup);
        self.count(Count::HandedOutTwice, usize::from(is_so));
        is_so
    }

    /// Whether a delivery does not arrive.
    pub(super) fn is_lost(&self, delivery: &Delivery) -> bool {
        let which = (delivery.message.id, delivery.attempt);
        let is_so = self.happens_again("lose", which, self.chaos.drop);
        self.count(Count::Lost, usize::from(is_so));
        is_so
    }

    /// Whether a delivery is to be held back.
    pub(super) fn is_overtaken(&self, delivery: &Delivery) -> bool {
        let which = format_args!("{} {}", delivery.message.id, delivery.attempt);
        let is_so = !self.is_ordered && self.happens("hold back", which, self.chaos.reorder);
        self.count(Count::Overtaken, usize::from(is_so));
        is_so
    }

    /// Changes a bit of a delivery on its way. Whether its checksum tells.
    pub(super) fn is_damaged(&self, delivery: &mut Delivery) -> bool {
        let which = (delivery.message.id, delivery.attempt);
        if !self.happens_again("damage", which, self.chaos.corrupt) {
            return false;
        }
        self.count(Count::Damaged, 1);
        let before = checksum(&delivery.message);
        let bit = self.hash("bit", delivery.message.id);
        flip(&mut delivery.message, bit);
        checksum(&delivery.message) != before
    }
}

/// Changes a bit of the payload, or of the id of a message that has none.
fn flip(message: &mut Message, bit: u64) {
    let bodies = message.parts.iter_mut().map(|part| &mut part.body);
    let mut bodies = bodies.filter(|body| !body.is_empty());
    let mask = 1 << (bit % 8);
    let place = |length: usize| usize::try_from(bit / 8 % length.max(1) as u64).unwrap_or_default();
    match bodies.next() {
        Some(body) => {
            let at = place(body.len());
            body[at] ^= mask;
        }
        None => {
            let mut bytes = message.id.to_bytes();
            bytes[place(bytes.len())] ^= mask;
            message.id = Id::from_bytes(bytes);
        }
    }
}

fn checksum(message: &Message) -> u64 {
    hash_of_key(&format!("{message:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paperflow_core::Packet;
    use paperflow_core::connector::Recall;

    fn delivery(name: &str, packet: &Packet) -> Delivery {
        Delivery {
            ticket: 1,
            message: Message::of(Id::of(name), packet).unwrap_or_else(|reason| panic!("{reason}")),
            attempt: 1,
            recall: Recall::default(),
        }
    }

    #[test]
    fn a_share_of_all_is_that_share() {
        let chaos = Chaos {
            dup: 0.2,
            ..Chaos::default()
        };
        let trouble = Trouble::new("q", chaos, false);
        let ids = (0..10_000).map(|at: u32| Id::of(&at.to_string()));
        let twice = ids.filter(|id| trouble.is_written_twice(*id)).count();
        assert!((1_900..2_100).contains(&twice), "{twice}");
    }

    #[test]
    fn every_bit_that_is_changed_is_told() {
        for packet in [Packet::text("some text"), Packet::int(7), Packet::null()] {
            for seed in 0..200 {
                let chaos = Chaos {
                    corrupt: 1.0,
                    seed,
                    ..Chaos::default()
                };
                let (before, mut after) = (delivery("m", &packet), delivery("m", &packet));
                assert!(Trouble::new("q", chaos, false).is_damaged(&mut after));
                assert_ne!(before.message, after.message);
            }
        }
    }

    #[test]
    fn the_same_seed_does_the_same_and_another_one_something_else() {
        let lost = |seed| {
            let chaos = Chaos {
                drop: 0.5,
                seed,
                ..Chaos::default()
            };
            let trouble = Trouble::new("q", chaos, false);
            let is_lost = |at: u32| trouble.is_lost(&delivery(&at.to_string(), &Packet::text("x")));
            (0..64).map(is_lost).collect::<Vec<_>>()
        };
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
    }
}
