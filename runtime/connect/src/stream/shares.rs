//! Who of a consumer group reads which partition.
//!
//! A partition has one reader at most. Everybody has as many partitions as the others, or one less, and
//! keeps those that it has as far as that allows. A reader that is to give a partition up keeps it while
//! it holds records of it that are not settled. Each time a partition gets a reader it gets a new *epoch*;
//! who speaks of an older one is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A consumer, by a number that no other has.
pub(crate) type Member = u64;

/// Who has a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The consumer.
    pub(crate) member: Member,
    /// Which assignment of this partition it is, from 1.
    pub(crate) epoch: u64,
    /// It gets no more records and gives the partition up once it holds none.
    pub(crate) is_leaving: bool,
}

/// The partitions of a stream among the consumers of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shares {
    /// In the order in which they came.
    members: Vec<Member>,
    owners: Vec<Option<Owner>>,
    epochs: Vec<u64>,
    /// Somebody else, who knows all consumers, gives and takes the partitions.
    #[cfg(feature = "assigned")]
    #[serde(skip)]
    is_assigned: bool,
}

impl Shares {
    /// The stream has more partitions now.
    pub(crate) fn grow(&mut self, partitions: usize) {
        if partitions > self.owners.len() {
            self.owners.resize(partitions, None);
            self.epochs.resize(partitions, 0);
        }
    }

    /// Partitions that somebody else gives and takes.
    #[cfg(feature = "assigned")]
    pub(crate) fn assigned(partitions: usize) -> Self {
        Self {
            owners: vec![None; partitions],
            is_assigned: true,
            ..Self::default()
        }
    }

    /// A partition is given or taken.
    #[cfg(feature = "assigned")]
    pub(crate) fn assign(&mut self, partition: usize, owner: Option<Owner>) {
        if let Some(place) = self.owners.get_mut(partition) {
            *place = owner;
        }
    }

    /// A consumer comes.
    pub(crate) fn join(&mut self, member: Member) {
        if !self.members.contains(&member) {
            self.members.push(member);
        }
    }

    /// A consumer is to have no partition, and gives up those it has as soon as it holds nothing of them.
    pub(crate) fn retire(&mut self, member: Member) {
        self.members.retain(|other| *other != member);
    }

    /// A consumer goes, and holds nothing any more.
    pub(crate) fn leave(&mut self, member: Member) {
        self.members.retain(|other| *other != member);
        for owner in &mut self.owners {
            if owner.is_some_and(|owner| owner.member == member) {
                *owner = None;
            }
        }
    }

    /// Shares the partitions out; a partition that is busy stays with its reader until it is not. Whether
    /// a partition has got a reader or lost one.
    pub(crate) fn balance(&mut self, is_busy: impl Fn(usize) -> bool) -> bool {
        #[cfg(feature = "assigned")]
        if self.is_assigned {
            return false;
        }
        let before = self.owners.clone();
        let quotas = self.quotas();
        self.mark_leaving(&quotas, &is_busy);
        for (at, owner) in self.owners.iter_mut().enumerate() {
            if owner.is_some_and(|owner| owner.is_leaving) && !is_busy(at) {
                *owner = None;
            }
        }
        self.hand_out(&quotas);
        before != self.owners
    }

    /// How many partitions each consumer is to have. Those that have the most keep one more when
    /// they do not come out even.
    fn quotas(&self) -> BTreeMap<Member, usize> {
        let mut counts: BTreeMap<Member, usize> = BTreeMap::new();
        for owner in self.owners.iter().flatten() {
            *counts.entry(owner.member).or_default() += 1;
        }
        let count = |member: &Member| counts.get(member).copied().unwrap_or_default();
        let mut ranked = self.members.clone();
        // A stable sort: of equals the first to come is the first to have one more.
        ranked.sort_by_key(|member| std::cmp::Reverse(count(member)));
        let count = ranked.len().max(1);
        let (each, over) = (self.owners.len() / count, self.owners.len() % count);
        let quota = |(rank, member)| (member, each + usize::from(rank < over));
        ranked.into_iter().enumerate().map(quota).collect()
    }

    /// Everybody keeps as many as it may; of the others, those that can go at once go first.
    fn mark_leaving(&mut self, quotas: &BTreeMap<Member, usize>, is_busy: impl Fn(usize) -> bool) {
        for owner in self.owners.iter_mut().flatten() {
            owner.is_leaving = !quotas.contains_key(&owner.member);
        }
        for (member, quota) in quotas {
            let mut own: Vec<usize> = (0..self.owners.len())
                .filter(|at| self.owners[*at].is_some_and(|owner| owner.member == *member))
                .collect();
            own.sort_by_key(|at| !is_busy(*at));
            for (rank, at) in own.into_iter().enumerate() {
                if let Some(owner) = &mut self.owners[at] {
                    owner.is_leaving = rank >= *quota;
                }
            }
        }
    }

    /// Gives what nobody has to those who have too few, one at a time.
    fn hand_out(&mut self, quotas: &BTreeMap<Member, usize>) {
        for at in 0..self.owners.len() {
            if self.owners[at].is_some() {
                continue;
            }
            let lacks = |member: &&Member| {
                let quota = quotas.get(*member).copied().unwrap_or_default();
                quota.saturating_sub(self.count(**member))
            };
            let poorest = self
                .members
                .iter()
                .rev()
                .max_by_key(lacks)
                .filter(|member| lacks(member) > 0);
            if let Some(member) = poorest.copied() {
                self.epochs[at] += 1;
                self.owners[at] = Some(Owner {
                    member,
                    epoch: self.epochs[at],
                    is_leaving: false,
                });
            }
        }
    }

    /// A partition stays where it is, in a new epoch: what was held of it has no say any more.
    #[cfg(feature = "nats")]
    pub(crate) fn renew(&mut self, partition: usize) {
        let place = (
            self.owners.get_mut(partition),
            self.epochs.get_mut(partition),
        );
        if let (Some(owner), Some(epoch)) = place {
            *epoch += 1;
            if let Some(owner) = owner {
                owner.epoch = *epoch;
            }
        }
    }

    /// Whether a consumer is to have partitions.
    #[cfg(feature = "nats")]
    pub(crate) fn has(&self, member: Member) -> bool {
        self.members.contains(&member)
    }

    /// Whether anybody is to have partitions.
    pub(crate) fn is_live(&self) -> bool {
        !self.members.is_empty()
    }

    fn count(&self, member: Member) -> usize {
        let owners = self.owners.iter().flatten();
        owners.filter(|owner| owner.member == member).count()
    }

    /// Who has a partition.
    pub(crate) fn owner(&self, partition: usize) -> Option<Owner> {
        self.owners.get(partition).copied().flatten()
    }

    /// The partitions that a consumer may get records of.
    pub(crate) fn read_by(&self, member: Member) -> impl Iterator<Item = usize> {
        let owners = self.owners.iter().enumerate();
        owners.filter_map(move |(at, owner)| {
            let reads = owner.is_some_and(|owner| owner.member == member && !owner.is_leaving);
            reads.then_some(at)
        })
    }

    /// Whether a consumer may still speak for a partition as of this epoch.
    pub(crate) fn is_current(&self, partition: usize, member: Member, epoch: u64) -> bool {
        self.owner(partition)
            .is_some_and(|owner| (owner.member, owner.epoch) == (member, epoch))
    }
}

#[cfg(test)]
mod tests;
