//! What all know of a group: one document, which each of its consumers changes in turn.
//!
//! Each time a partition changes hands it has a new epoch; who speaks of an older one is not heard.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::key;
use crate::clock::{millis, moment};
use crate::stream::group::{Kept, Now, Report, Unsaved};
use crate::stream::mark::{Failed, Offset};
use crate::stream::shares::{Member, Shares};

/// A group of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Common {
    /// Who reads what.
    pub(super) shares: Shares,
    /// How consumers are called: `SESSION:NUMBER.TIMES:NAME`.
    pub(super) consumers: BTreeMap<Member, String>,
    last: Member,
    pub(super) parts: Vec<Part>,
    /// Copies that are to come back.
    pub(super) delayed: Vec<Delayed>,
}

/// How far it is in a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Whoever has it holds something of it.
    pub(super) is_busy: bool,
    pub(super) unsettled: u64,
    /// To be delivered again.
    pub(super) again: u64,
    /// The end of what was delivered.
    pub(super) reached: Offset,
    pub(super) mark: Offset,
    pub(super) replayed: Offset,
    pub(super) skipped: u64,
    pub(super) expired: u64,
    failed: BTreeMap<Offset, Failure>,
}

/// A record that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failure {
    times: u32,
    /// Until when it rests, and when it failed first, in milliseconds since 1970.
    until: i64,
    first: i64,
}

/// A copy that is to come back to the end of its partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delayed {
    pub(super) partition: usize,
    pub(super) attempt: u32,
    /// Where it lies: the stream, its partition, and the server's number.
    pub(super) via: String,
    pub(super) shelf: usize,
    pub(super) seq: u64,
    /// When it comes back, in milliseconds since 1970.
    pub(super) due: i64,
}

/// A partition that a consumer has.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) at: usize,
    pub(super) epoch: u64,
    pub(super) is_leaving: bool,
    /// As it is kept, if the consumer does not know that yet.
    pub(super) kept: Option<(Kept, Vec<(Offset, Failed)>)>,
}

/// Where a group is kept.
pub(super) fn key_of(stream: &str, group: &str) -> String {
    key(&["group", stream, group])
}

/// The process of a consumer that is called so.
pub(super) fn session_of(token: &str) -> &str {
    token.split(':').next().unwrap_or_default()
}

/// The name of a consumer that is called so.
pub(super) fn name_of(token: &str) -> &str {
    token.splitn(3, ':').nth(2).unwrap_or(token)
}

impl Common {
    /// The stream has so many partitions.
    pub(super) fn grow(&mut self, partitions: usize) {
        if self.parts.len() < partitions {
            self.parts.resize_with(partitions, Part::default);
            self.shares.grow(partitions);
        }
    }

    /// A consumer, by how it is called.
    pub(super) fn member(&self, token: &str) -> Option<Member> {
        let mut consumers = self.consumers.iter();
        let (member, _) = consumers.find(|(_, own)| *own == token)?;
        Some(*member)
    }

    pub(super) fn join(&mut self, token: &str) -> Member {
        if let Some(member) = self.member(token) {
            return member;
        }
        self.last += 1;
        self.consumers.insert(self.last, token.to_owned());
        self.shares.join(self.last);
        self.last
    }

    /// A consumer goes, and holds nothing any more.
    pub(super) fn leave(&mut self, member: Member) {
        for at in 0..self.parts.len() {
            if self
                .shares
                .owner(at)
                .is_some_and(|owner| owner.member == member)
            {
                self.parts[at].free();
            }
        }
        self.shares.leave(member);
        self.consumers.remove(&member);
    }

    /// Shares the partitions out among those that there are.
    pub(super) fn balance(&mut self) {
        let before: Vec<_> = (0..self.parts.len())
            .map(|at| self.shares.owner(at))
            .collect();
        let parts = &self.parts;
        self.shares.balance(|at| parts[at].is_busy);
        for (at, before) in before.into_iter().enumerate() {
            let epoch =
                |owner: Option<crate::stream::shares::Owner>| owner.map(|owner| owner.epoch);
            if epoch(before) != epoch(self.shares.owner(at)) {
                self.parts[at].free();
            }
        }
    }

    /// A consumer says how far it is in a partition that it has; tells whether that is its own.
    pub(super) fn report(
        &mut self,
        member: Member,
        report: Report,
        kept: Kept,
        failures: Option<&Unsaved>,
        now: Now,
    ) -> bool {
        let at = report.partition;
        if !self.shares.is_current(at, member, report.epoch) {
            return false;
        }
        let part = &mut self.parts[at];
        part.unsettled = report.unsettled as u64;
        part.again = report.again;
        part.reached = report.reached;
        part.is_busy = !report.is_idle;
        part.keep(kept);
        for (offset, failed) in failures.iter().flat_map(|saved| &saved.failures) {
            match failed.filter(|failed| failed.times > 0) {
                Some(failed) => {
                    let failure = Failure {
                        times: failed.times,
                        until: millis(now.wall_at(failed.until)),
                        first: millis(failed.first),
                    };
                    part.failed.insert(*offset, failure);
                }
                None => {
                    part.failed.remove(offset);
                }
            }
        }
        true
    }

    /// The partitions of a consumer; of those in `known` it knows how they are kept.
    pub(super) fn shares_of(&self, member: Member, known: &[usize], now: Now) -> Vec<Share> {
        let own = (0..self.parts.len()).filter_map(|at| Some((at, self.shares.owner(at)?)));
        let own = own.filter(|(_, owner)| owner.member == member);
        own.map(|(at, owner)| Share {
            at,
            epoch: owner.epoch,
            is_leaving: owner.is_leaving,
            kept: (!known.contains(&at)).then(|| self.parts[at].kept(now)),
        })
        .collect()
    }

    /// What others than a consumer hold, and are to receive, when the partitions end there; and whether one
    /// of them is in another process.
    pub(super) fn elsewhere(&self, member: Member, session: &str, ends: &[Offset]) -> (u64, bool) {
        let (mut all, mut is_outside) = (0, false);
        for (at, part) in self.parts.iter().enumerate() {
            let owner = self.shares.owner(at);
            let Some(owner) = owner.filter(|owner| owner.member != member) else {
                continue;
            };
            let end = ends.get(at).copied().unwrap_or_default();
            let held = part.unsettled.max(u64::from(part.is_busy)) + part.unread(end);
            let token = self.consumers.get(&owner.member);
            all += held;
            is_outside |= held > 0 && token.is_some_and(|token| session_of(token) != session);
        }
        (all, is_outside)
    }

    /// How much it has still to receive.
    pub(super) fn unread(&self, ends: &[Offset]) -> u64 {
        let parts = self.parts.iter().zip(ends);
        parts.map(|(part, end)| part.unread(*end)).sum()
    }

    /// Whether it is further in a partition than that goes.
    pub(super) fn is_ahead(&self, ends: &[Offset]) -> bool {
        let mut parts = self.parts.iter().zip(ends);
        parts.any(|(part, end)| part.mark.max(part.reached) > *end)
    }

    /// The partitions end there, since the server was set back: what was read behind that is not what will be
    /// there, and what is held of such a partition has no say any more.
    pub(super) fn set_back(&mut self, ends: &[Offset]) {
        for (at, end) in ends.iter().enumerate() {
            let Some(part) = self.parts.get_mut(at) else {
                return;
            };
            if part.mark.max(part.reached) <= *end {
                continue;
            }
            part.mark = part.mark.min(*end);
            part.replayed = part.replayed.min(*end);
            part.failed.retain(|offset, _| offset < end);
            part.free();
            self.shares.renew(at);
        }
    }

    /// Goes on from another offset in a partition; what is held of it has no say any more.
    pub(super) fn seek(&mut self, at: usize, offset: Offset) {
        let part = &mut self.parts[at];
        part.replayed = part.replayed.max(part.reached).max(part.mark);
        part.mark = offset;
        part.failed.clear();
        part.free();
        self.shares.renew(at);
    }
}

impl Part {
    /// Nobody holds anything of it.
    fn free(&mut self) {
        self.is_busy = false;
        self.unsettled = 0;
        self.again = 0;
        self.reached = self.mark;
    }

    fn unread(&self, end: Offset) -> u64 {
        end.saturating_sub(self.reached) + self.again
    }

    fn keep(&mut self, kept: Kept) {
        self.mark = kept.mark;
        self.replayed = kept.replayed;
        self.skipped = kept.skipped;
        self.expired = kept.expired;
    }

    fn kept(&self, now: Now) -> (Kept, Vec<(Offset, Failed)>) {
        let kept = Kept {
            mark: self.mark,
            replayed: self.replayed,
            skipped: self.skipped,
            expired: self.expired,
        };
        let failed = self.failed.iter().map(|(offset, failure)| {
            let failed = Failed {
                times: failure.times,
                until: now.elapsed_at(moment(failure.until)),
                first: moment(failure.first),
            };
            (*offset, failed)
        });
        (kept, failed.collect())
    }
}
