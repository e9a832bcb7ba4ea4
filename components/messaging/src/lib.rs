//! Messaging patterns as components.
//!
//! [`catalogue`] is the list of them all. They work over links in memory as over queues and streams,
//! and are the better for the latter: what cannot be handled yet goes back to the queue that it came
//! from, and a table that a store keeps survives a crash.
//!
//! # What is no component
//!
//! *Inbox* and *outbox* are not here, because nobody draws them. A process one of whose tables is kept
//! by a store (`[table."P.NAME"]` in the wiring) has both:
//!
//! - **Inbox.** The store remembers which messages the process has handled. One that comes again, after
//!   a crash or a settlement that got lost, is not handled again: what was sent then is sent once more,
//!   with the same ids, and the message is settled.
//! - **Outbox.** What the process sends waits until its unit of work is over. The rows that it has
//!   written, the messages that it has handled and what it sends are committed together or not at all;
//!   only then does anything leave. What was committed and had not left when a run was cut short leaves
//!   at the start of the next.
//! - The components need not know: what must outlive a crash is a `Table`, and the wiring says where it
//!   is kept.
//!
//! Ids of messages follow from the ids of those that led to them, so work that is done again gives the
//! same ids again, and the next inbox knows them. `messaging/dedup` is for the other case: ids that the
//! sender gives, of packets that are sent twice by somebody else's mistake.

mod aside;
mod dedup;
mod lookup_versioned;
mod versions;

use paperflow_core::Catalogue;

/// Every component of this crate.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(dedup::dedup)
        .with(lookup_versioned::lookup_versioned)
}
