//! Records that lie in a partition twice, because their sender was not told that they were safe.
//!
//! A store that knows identities does not keep the second one. Where a broker does, whoever reads passes
//! it over: it comes behind one of the same identity that was handed out not long ago. What one group is to
//! read again, as a copy that rested or was set aside, is no second one, nor is what is read again from an
//! earlier offset, nor a stranger's, who may mean something else by an identity.

use std::collections::{HashMap, VecDeque};

use paperflow_core::message::Id;

use super::log::Record;
use super::mark::Offset;

/// So many records of a partition are remembered: more than are ever sent at a time.
const REMEMBERED: usize = 4_096;

/// What was handed out of a partition.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    first: HashMap<Id, Offset>,
    recent: VecDeque<Id>,
}

impl Twins {
    /// Whether a record lies there once more, behind one that was handed out.
    pub(crate) fn is_second(&mut self, record: &Record) -> bool {
        let (Ok(message), None, true) = (&record.message, &record.only_for, record.may_be_twin)
        else {
            return false;
        };
        let id = message.id;
        if let Some(first) = self.first.get_mut(&id) {
            let is_second = *first < record.offset;
            *first = record.offset.min(*first);
            return is_second;
        }
        self.first.insert(id, record.offset);
        self.recent.push_back(id);
        if self.recent.len() > REMEMBERED
            && let Some(forgotten) = self.recent.pop_front()
        {
            self.first.remove(&forgotten);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use paperflow_core::Packet;
    use paperflow_core::message::Message;

    use super::*;

    fn record(offset: Offset, name: &str) -> Record {
        let message = Message::of(Id::of(name), &Packet::text(name));
        Record {
            offset,
            at: Default::default(),
            attempt: 1,
            only_for: None,
            may_be_twin: true,
            bytes: 1,
            message: message.map_err(|error| error.to_string()),
        }
    }

    #[test]
    fn what_lies_behind_another_is_the_second_one() {
        let mut twins = Twins::default();
        let seen: Vec<bool> = [(0, "a"), (1, "b"), (2, "a"), (5, "a"), (6, "c")]
            .map(|(offset, name)| twins.is_second(&record(offset, name)))
            .into();
        assert_eq!(seen, [false, false, true, true, false]);
    }

    #[test]
    fn what_is_read_again_is_not() {
        let mut twins = Twins::default();
        for reading in 0..2 {
            for (offset, name) in [(3, "a"), (4, "b")] {
                let is_second = twins.is_second(&record(offset, name));
                assert!(!is_second, "{name}, reading {reading}");
            }
        }
        assert!(!twins.is_second(&record(1, "a")), "further back");
        assert!(twins.is_second(&record(3, "a")), "it was the second one");
    }

    #[test]
    fn what_a_group_is_to_read_again_or_nobody_can_read_is_not() {
        let mut twins = Twins::default();
        let copy = |offset| Record {
            only_for: Some(String::from("g")),
            ..record(offset, "a")
        };
        let strange = |offset| Record {
            may_be_twin: false,
            ..record(offset, "a")
        };
        let unreadable = |offset| Record {
            message: Err(String::from("no event")),
            ..record(offset, "a")
        };
        assert!(!twins.is_second(&record(0, "a")));
        assert!(!twins.is_second(&copy(1)));
        assert!(!twins.is_second(&unreadable(2)));
        assert!(!twins.is_second(&strange(3)));
    }

    #[test]
    fn no_more_is_remembered_than_is_sent_at_a_time() {
        let mut twins = Twins::default();
        let many = REMEMBERED as Offset + 1;
        for offset in 0..many {
            assert!(!twins.is_second(&record(offset, &offset.to_string())));
        }
        assert!(!twins.is_second(&record(many, "0")), "it is forgotten");
        assert!(twins.is_second(&record(many + 1, "2")));
    }
}
