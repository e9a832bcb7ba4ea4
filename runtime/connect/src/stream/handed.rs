//! What a group hands out.

use paperflow_core::connector::{Delivery, Recall, Settlement};

use super::log::Record;
use crate::names;

/// A record, and which delivery of it.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) ticket: u64,
    pub(crate) attempt: u32,
    pub(crate) is_replayed: bool,
    pub(crate) recall: Recall,
    pub(crate) record: Record,
}

impl Handed {
    /// The delivery; a record that cannot be read is to be settled so that it is set aside.
    pub(crate) fn delivery(self) -> Result<Delivery, (u64, Settlement)> {
        let Self {
            ticket,
            attempt,
            is_replayed,
            recall,
            record,
        } = self;
        match record.message {
            Ok(mut message) => {
                if is_replayed {
                    message.headers.set(names::REPLAYED, "true");
                }
                Ok(Delivery {
                    ticket,
                    message,
                    attempt,
                    recall,
                })
            }
            Err(reason) => Err((ticket, Settlement::unreadable(reason))),
        }
    }
}
