//! What a program that runs a part tells the others.

use std::collections::{BTreeMap, BTreeSet};

use paperflow_core::connector::{Notes, StoreFault, StoreFaultKind};
use serde::{Deserialize, Serialize};

use crate::wiring::chance;

/// The note of one program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The run that it is a part of.
    pub(super) run: u64,
    /// How many programs of the same name ran before in this run; the last of them has the say.
    pub(super) term: u64,
    /// Tells this program from one that began at the same moment.
    pub(super) token: String,
    /// How often it has been written.
    pub(super) beat: u64,
    /// Nothing moves, and only what comes from other parts can move anything.
    pub(super) is_still: bool,
    /// Packets and messages that have moved.
    pub(super) moved: u64,
    /// Messages that it holds until its input has ended, by connector.
    pub(super) held: BTreeMap<String, u64>,
    /// Connectors to which it sends nothing any more.
    pub(super) ended: BTreeSet<String>,
    /// Connectors whose readers in it have all left of their own accord: it receives nothing there any more.
    #[serde(default)]
    pub(super) deserted: BTreeSet<String>,
    /// Connectors to which all its readers have subscribed.
    #[serde(default)]
    pub(super) listens: BTreeSet<String>,
    /// Its processes that have ended, of those that are in a cycle through several parts; by their numbers
    /// in the whole graph.
    pub(super) over: BTreeSet<usize>,
    /// It has ended well.
    pub(super) is_finished: bool,
    /// It was told to stop before its end.
    pub(super) has_left: bool,
}

impl Account {
    /// That of a program that begins, in the place of one that ran before in the same run: what that has
    /// ended stays ended.
    pub(super) fn new(run: u64, before: Option<&Self>) -> Self {
        Self {
            run,
            term: before.map_or(0, |before| before.term + 1),
            token: chance().to_string(),
            ended: before
                .map(|before| before.ended.clone())
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether it is that of another program, which has taken the place of this one.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        (other.term, &other.token) > (self.term, &self.token)
    }

    pub(super) fn has_ended(&self, connector: &str) -> bool {
        self.ended.contains(connector)
    }

    pub(super) fn has_deserted(&self, connector: &str) -> bool {
        self.deserted.contains(connector)
    }

    /// It has ended well, and sends nothing more to any of the ones, having left the others before their
    /// end; or it was cut short.
    pub(super) fn conclude(
        &mut self,
        is_finished: bool,
        sent: BTreeSet<String>,
        deserted: BTreeSet<String>,
    ) {
        self.is_finished = is_finished;
        self.has_left = !is_finished;
        self.is_still = is_finished;
        if is_finished {
            self.ended = sent;
            self.deserted = deserted;
        } else {
            self.deserted.clear();
        }
        self.held.clear();
    }

    /// Writes it once more.
    pub(super) fn beat(&mut self, notes: &dyn Notes, name: &str) -> Result<(), StoreFault> {
        self.beat += 1;
        self.write(notes, name)
    }

    pub(super) fn write(&self, notes: &dyn Notes, name: &str) -> Result<(), StoreFault> {
        let text = serde_json::to_string(self);
        let text =
            text.map_err(|error| StoreFault::new(StoreFaultKind::Unsupported, error.to_string()))?;
        notes.write(name, &text)
    }

    /// What somebody has written, if it is a note of this run.
    pub(super) fn read(text: &str, run: u64) -> Option<Self> {
        let account: Self = serde_json::from_str(text).ok()?;
        (account.run == run).then_some(account)
    }
}
