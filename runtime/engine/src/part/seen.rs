//! What is known of all programs that run parts of the graph.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Account;

/// A program of which nothing has been seen for so long is gone, if another copy of its part is there.
const LOST: Duration = Duration::from_secs(30);

/// The notes of a run, by the names of parts and copies.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, Known>);

struct Known {
    account: Account,
    /// When it was found changed.
    changed: Instant,
}

impl Seen {
    pub(super) fn of(notes: Vec<(String, String)>, run: u64) -> Self {
        let mut seen = Self::default();
        seen.update(notes, run);
        seen
    }

    /// Takes in what has been read.
    pub(super) fn update(&mut self, notes: Vec<(String, String)>, run: u64) {
        for (name, text) in notes {
            let Some(account) = Account::read(&text, run) else {
                continue;
            };
            if self.account(&name) != Some(&account) {
                let changed = Instant::now();
                self.0.insert(name, Known { account, changed });
            }
        }
    }

    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.0.get(name).map(|known| &known.account)
    }

    /// Those programs that have a say, with their names: all that have not left and are not lost.
    pub(super) fn present(&self) -> impl Iterator<Item = (&str, &Account)> {
        let known = self.0.iter();
        let present = known.filter(|(_, known)| !known.is_gone());
        present.map(|(name, known)| (name.as_str(), &known.account))
    }

    /// The programs that run or have run a part.
    fn copies<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (&'a str, &'a Known)> {
        let known = self.0.iter();
        let names = known.map(|(name, known)| (name.as_str(), known));
        names.filter(move |(name, _)| part_of(name) == part)
    }

    /// Whether at least one copy of a part is so, and all that are not gone; without regard to one.
    fn all(&self, part: &str, but: Option<&str>, is: impl Fn(&Account) -> bool) -> bool {
        let mut others = self.copies(part).filter(|(name, _)| Some(*name) != but);
        let mut is_any = but.is_some_and(|own| part_of(own) == part);
        let all = others.all(|(_, known)| {
            let is = is(&known.account);
            is_any |= is;
            is || known.is_gone()
        });
        all && is_any
    }

    pub(super) fn is_finished(&self, part: &str) -> bool {
        self.all(part, None, |account| account.is_finished)
    }

    /// Whether a part sends nothing to a connector any more, without regard to one of its copies.
    pub(super) fn has_ended(&self, part: &str, connector: &str, but: &str) -> bool {
        self.all(part, Some(but), |account| account.has_ended(connector))
    }

    /// Whether a part has subscribed to a connector, or will not any more.
    pub(super) fn listens(&self, part: &str, connector: &str) -> bool {
        self.all(part, None, |account| {
            account.is_finished || account.listens.contains(connector)
        })
    }

    /// Whether a part reads a connector no more, without regard to one of its copies.
    pub(super) fn has_deserted(&self, part: &str, connector: &str, but: &str) -> bool {
        self.all(part, Some(but), |account| account.has_deserted(connector))
    }
}

impl Known {
    fn is_gone(&self) -> bool {
        let is_silent = !self.account.is_finished && self.changed.elapsed() > LOST;
        self.account.has_left || is_silent
    }
}

/// The part, by the name of a note.
pub(super) fn part_of(note: &str) -> &str {
    note.rsplit_once('/').map_or(note, |(part, _)| part)
}
