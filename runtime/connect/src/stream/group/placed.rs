//! A group of which this process has some partitions and knows all of their consumers.

use super::{Group, Kept, Page, Partition};
use crate::stream::mark::{Failed, Offset, Reading};

/// How a group stands in a partition, with all that is to be kept of it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) state: Kept,
    pub(crate) failed: Vec<(Offset, Failed)>,
    /// Delivered and not settled.
    pub(crate) unsettled: usize,
    /// To be delivered again, beside those that were never delivered.
    pub(crate) again: u64,
    /// The end of what was delivered.
    pub(crate) reached: Offset,
}

impl Group {
    /// A partition may be read here, as it was kept; what was held of it before has no say any more.
    pub(crate) fn load(&mut self, at: usize, (state, failed): (Kept, Vec<(Offset, Failed)>)) {
        self.flights.retain(|_, flight| flight.partition != at);
        if let Some(partition) = self.partitions.get_mut(at) {
            *partition = Partition {
                reading: Reading::at(state.mark, failed),
                state,
                saved: state,
                ..Partition::default()
            };
        }
        self.balance();
    }

    /// Nothing more of a partition is handed out that is not read again first.
    pub(crate) fn put_down(&mut self, at: usize) {
        self.put(at, Page::default());
    }

    /// A partition may be read here no more.
    pub(crate) fn unload(&mut self, at: usize) {
        self.load(at, (Kept::default(), Vec::new()));
    }

    /// How it stands in a partition.
    pub(crate) fn place(&self, at: usize) -> Place {
        let none = Partition::default();
        let partition = self.partitions.get(at).unwrap_or(&none);
        let reading = &partition.reading;
        let failed = reading.all_failed();
        let failed = failed.filter_map(|offset| Some((offset, reading.failed(offset)?)));
        Place {
            state: partition.present(),
            failed: failed.collect(),
            unsettled: reading.unsettled(),
            again: reading.unread(reading.reached()),
            reached: reading.reached(),
        }
    }
}
