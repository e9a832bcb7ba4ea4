//! The components of random networks.

use std::collections::BTreeMap;

use paperflow::{Catalogue, Closed, Fault, In, Ins, Out, Packet, Param, Table, component, outside};

use super::Dice;
use crate::components;

/// All of them.
pub(super) fn catalogue() -> Catalogue {
    components::catalogue()
        .with(numbers)
        .with(numbers_on_thread)
        .with(join)
        .with(stumble)
        .with(stumble_on_thread)
        .with(check)
        .with(check_on_thread)
        .with(file)
        .with(leave)
}

/// Bits of a packet that say how many came before it; those above say whose it is.
const BITS: u32 = 40;

/// A packet of a source.
pub(super) const fn mark(source: i64, number: i64) -> i64 {
    (source << BITS) | number
}

/// Sends COUNT numbers, marked as its own.
#[component("stress/numbers", work = compute)]
pub(crate) async fn numbers(
    /// Whose they are.
    id: Param<i64>,
    /// How many.
    count: Param<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Closed> {
    for number in 0..*count {
        out.send(mark(*id, number)).await?;
    }
    Ok(())
}

/// Sends COUNT numbers, marked as its own, from a thread of its own that looks outside now and then.
#[component("stress/numbers-on-thread")]
pub(crate) async fn numbers_on_thread(
    /// Whose they are.
    id: Param<i64>,
    /// How many.
    count: Param<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Closed> {
    let mut dice = Dice::new(id.unsigned_abs());
    for number in 0..*count {
        if dice.below(50) == 0 {
            outside(std::thread::yield_now);
        }
        out.send(mark(*id, number)).await?;
    }
    Ok(())
}

/// Merges by arrival.
#[component("stress/join", work = compute)]
pub(crate) async fn join(
    /// Streams.
    inputs: Ins<Packet>,
    /// All of them.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut last = 0;
    while let Some((at, packet)) = inputs.next_after(last).await {
        last = at;
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes packets on, and gives its thread away now and then.
#[component("stress/stumble", work = compute)]
pub(crate) async fn stumble(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut dice = Dice::new(1);
    while let Some(packet) = input.next().await {
        if dice.below(20) == 0 {
            std::thread::yield_now();
        }
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes packets on from a thread of its own, and looks outside now and then.
#[component("stress/stumble-on-thread")]
pub(crate) async fn stumble_on_thread(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    let mut dice = Dice::new(2);
    while let Some(packet) = input.next().await {
        if dice.below(20) == 0 {
            outside(std::thread::yield_now);
        }
        out.send(packet).await?;
    }
    Ok(())
}

/// What has come so far, by source.
#[derive(Default)]
struct Seen(BTreeMap<i64, i64>);

impl Seen {
    fn see(&mut self, packet: i64) -> Result<(), Fault> {
        let (source, number) = split(packet);
        match self.0.insert(source, number) {
            Some(before) if before >= number => Err(overtaken(source, number, before)),
            _ => Ok(()),
        }
    }
}

const fn split(packet: i64) -> (i64, i64) {
    (packet >> BITS, packet & ((1 << BITS) - 1))
}

fn overtaken(source: i64, number: i64, before: i64) -> Fault {
    Fault::new(format!(
        "source {source}: number {number} came after {before}"
    ))
}

/// Sees to it that the packets of each source come in order.
#[component("stress/check", work = compute)]
pub(crate) async fn check(
    /// Marked numbers.
    input: In<i64>,
) -> Result<(), Fault> {
    let mut seen = Seen::default();
    while let Some(packet) = input.next().await {
        seen.see(*packet)?;
    }
    Ok(())
}

/// Sees to it that the packets of each source come in order, on a thread of its own.
#[component("stress/check-on-thread")]
pub(crate) async fn check_on_thread(
    /// Marked numbers.
    input: In<i64>,
) -> Result<(), Fault> {
    let mut seen = Seen::default();
    while let Some(packet) = input.next().await {
        seen.see(*packet)?;
    }
    Ok(())
}

/// Sees to it that the packets of each source come in order, as a plain function with a table.
#[component("stress/file", work = compute)]
pub(crate) fn file(
    /// Marked numbers.
    input: i64,
    /// The last number of each source.
    seen: &mut Table<i64, i64>,
) -> Result<(), Fault> {
    let (source, number) = split(input);
    match seen.put(source, number) {
        Some(before) if before >= number => Err(overtaken(source, number, before)),
        _ => Ok(()),
    }
}

/// Receives COUNT packets and leaves.
#[component("stress/leave", work = compute)]
pub(crate) async fn leave(
    /// How many.
    count: Param<i64>,
    /// Marked numbers.
    input: In<i64>,
) -> Result<(), Fault> {
    let mut seen = Seen::default();
    for _ in 0..*count {
        let Some(packet) = input.next().await else {
            return Ok(());
        };
        seen.see(*packet)?;
    }
    Ok(())
}
