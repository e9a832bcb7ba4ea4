//! A group of which this process knows one consumer: a broker knows the others, and gives and takes the
//! partitions.

use std::task::Waker;

use super::{Group, Kept, Page, Partition};
use crate::stream::mark::{Failed, Offset, Reading};
use crate::stream::shares::{Member, Owner, Shares};

/// What a consumer says of a partition that somebody else has given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) partition: usize,
    pub(crate) epoch: u64,
    /// Delivered and not settled.
    pub(crate) unsettled: usize,
    /// To be delivered again, beside those that were never delivered.
    pub(crate) again: u64,
    /// The end of what was delivered.
    pub(crate) reached: Offset,
    /// It holds nothing of it, neither unsettled nor read from the store.
    pub(crate) is_idle: bool,
}

impl Group {
    /// What one consumer knows of its group, when somebody else gives and takes the partitions; and the
    /// consumer.
    pub(crate) fn assigned(name: &str) -> (Self, Member) {
        let mut group = Self {
            name: name.to_owned(),
            shares: Shares::assigned(0),
            ..Self::default()
        };
        let member = group.join(name, Waker::noop().clone());
        (group, member)
    }

    /// A partition is given, as it was kept; what was held of it under another epoch has no say any more.
    pub(crate) fn give(
        &mut self,
        (at, member, epoch): (usize, Member, u64),
        (state, failed): (Kept, Vec<(Offset, Failed)>),
    ) {
        if at >= self.partitions.len() {
            self.partitions.resize_with(at + 1, Partition::default);
            self.shares.grow(at + 1);
        }
        self.flights.retain(|_, flight| flight.partition != at);
        self.partitions[at] = Partition {
            reading: Reading::at(state.mark, failed),
            state,
            saved: state,
            ..Partition::default()
        };
        let owner = Owner {
            member,
            epoch,
            is_leaving: false,
        };
        self.shares.assign(at, Some(owner));
    }

    /// A partition is to be given up as soon as nothing of it is held, or stays after all.
    pub(crate) fn leaves(&mut self, at: usize, is_leaving: bool) {
        if let Some(owner) = self.shares.owner(at) {
            self.shares.assign(
                at,
                Some(Owner {
                    is_leaving,
                    ..owner
                }),
            );
        }
        if let Some(partition) = self.partitions.get_mut(at).filter(|_| is_leaving) {
            partition.page = Page::default();
        }
    }

    /// A partition is in other hands.
    pub(crate) fn take_away(&mut self, at: usize) {
        self.flights.retain(|_, flight| flight.partition != at);
        if let Some(partition) = self.partitions.get_mut(at) {
            *partition = Partition::default();
        }
        self.shares.assign(at, None);
    }

    /// All failures in a partition that are not over.
    #[cfg(feature = "kafka")]
    pub(crate) fn failures(&self, at: usize) -> Vec<(Offset, Failed)> {
        let reading = self.partitions.get(at).map(|partition| &partition.reading);
        let failed = reading.into_iter().flat_map(|reading| {
            let offsets = reading.all_failed();
            offsets.filter_map(|offset| Some((offset, reading.failed(offset)?)))
        });
        failed.collect()
    }

    /// How it stands with the partitions that it has.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let partitions = self.partitions.iter().enumerate();
        let own =
            partitions.filter_map(|(at, partition)| Some((at, partition, self.shares.owner(at)?)));
        own.map(|(at, partition, owner)| {
            let reached = partition.reading.reached();
            Report {
                partition: at,
                epoch: owner.epoch,
                unsettled: partition.reading.unsettled(),
                again: partition.reading.unread(reached),
                reached,
                is_idle: partition.reading.unsettled() == 0 && partition.page.records.is_empty(),
            }
        })
        .collect()
    }
}
