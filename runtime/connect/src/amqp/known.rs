//! What this process knows of the messages of a queue: a message that lies there twice is handled once.
//!
//! Whoever has not heard whether a message is safe sends it again, so it lies there twice when the server
//! had it and could not say so. The second one is known by its identity if it comes while the first one is
//! here, or was done here not long ago. What was set aside or rests may come again and is not passed over.

use std::collections::{HashSet, VecDeque};

use paperflow_core::message::Id;

/// So many that were acknowledged are remembered: more than are ever on their way.
pub(super) const REMEMBERED: usize = 4_096;

/// A message, and how often it had been delivered when it was written here: a copy of it that comes back
/// from its rest is another one.
pub(super) type Copied = (Id, u64);

/// See the module.
#[derive(Default)]
pub(super) struct Known {
    /// What has come and is neither acknowledged nor given back.
    here: HashSet<Copied>,
    /// What was acknowledged last, and whether it was done.
    recent: VecDeque<(Copied, bool)>,
    /// What of this was done.
    done: HashSet<Copied>,
}

impl Known {
    /// A message has come. False: it is here, or done here, a second time.
    pub(super) fn comes(&mut self, copied: Copied) -> bool {
        !self.done.contains(&copied) && self.here.insert(copied)
    }

    /// A message goes back to the server.
    pub(super) fn goes_back(&mut self, copied: Copied) {
        self.here.remove(&copied);
    }

    /// All goes back to the server but these, which are in somebody's hands or settled.
    pub(super) fn all_go_back_but(&mut self, these: impl IntoIterator<Item = Copied>) {
        self.here = these.into_iter().collect();
    }

    /// These were acknowledged, each with whether it was done.
    pub(super) fn acknowledged(&mut self, these: impl IntoIterator<Item = (Copied, bool)>) {
        for (copied, is_done) in these {
            self.here.remove(&copied);
            if is_done {
                self.done.insert(copied);
            }
            self.recent.push_back((copied, is_done));
        }
        let over = self.recent.len().saturating_sub(REMEMBERED);
        for (copied, is_done) in self.recent.drain(..over) {
            if is_done {
                self.done.remove(&copied);
            }
        }
    }

    /// What was acknowledged last, and whether it was done: a server that is killed may not know.
    pub(super) fn recent(&self) -> impl Iterator<Item = (Copied, bool)> {
        self.recent.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> Copied {
        (Id::of(&number.to_string()), 0)
    }

    #[test]
    fn what_is_here_or_done_here_is_passed_over() {
        let mut known = Known::default();
        assert!(known.comes(message(1)));
        assert!(!known.comes(message(1)), "it is here");
        known.acknowledged([(message(1), true)]);
        assert!(!known.comes(message(1)), "it is done");
    }

    #[test]
    fn what_went_back_or_was_copied_is_not() {
        let mut known = Known::default();
        for number in 1..=3 {
            assert!(known.comes(message(number)));
        }
        known.goes_back(message(1));
        known.acknowledged([(message(2), false)]);
        known.all_go_back_but([]);
        for number in 1..=3 {
            assert!(known.comes(message(number)), "{number}");
        }
    }

    #[test]
    fn no_more_is_remembered_than_is_on_its_way() {
        let mut known = Known::default();
        let many = REMEMBERED as u64 + 1;
        known.acknowledged((0..many).map(|number| (message(number), true)));
        assert_eq!(known.recent().count(), REMEMBERED);
        assert!(known.comes(message(0)), "it is forgotten");
        assert!(!known.comes(message(1)));
    }
}
