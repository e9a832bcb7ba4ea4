//! Pure components: they work on packets alone, without files, sockets or a clock of their own.
//!
//! [`catalogue`] is the list of them all, with the names the classic runtimes gave them.

mod flow;
mod group;
mod lookup;
mod number;
mod param;
mod reactive;
mod record;
mod subnet;
mod text;

mod datum;
mod item;
mod payload;
mod receivers;

use paperflow_core::Catalogue;

/// Every component of this crate, and the classic names.
#[must_use]
pub fn catalogue() -> Catalogue {
    let areas = [
        flow::catalogue(),
        text::catalogue(),
        number::catalogue(),
        record::catalogue(),
    ];
    let more = [
        group::catalogue(),
        lookup::catalogue(),
        reactive::catalogue(),
        subnet::catalogue(),
    ];
    areas
        .into_iter()
        .chain(more)
        .fold(Catalogue::new(), Catalogue::and)
}
