//! The nodes of a shape as components.
//!
//! A source is a looper, since it sends many packets for one that it receives; a node that deals is
//! one, since it remembers whose turn it is. Everything else is a plain function.

use std::thread;

use paperflow::{Catalogue, Closed, In, Out, Outs, Packet, Param, Text, component, outside};

use crate::shape::PAUSE;
use crate::stopwatch;
use crate::work::spin;

/// All of them.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(source)
        .with(text_source)
        .with(group_source)
        .with(pass)
        .with(pass_on_thread)
        .with(walk)
        .with(walk_on_thread)
        .with(toil)
        .with(toil_on_thread)
        .with(walk_and_toil)
        .with(copy)
        .with(deal)
        .with(sink)
        .with(slow_sink)
        .with(text_sink)
        .with(any_sink)
}

/// Sends as many numbers as it is told, counting down to zero.
#[component("bench/source", work = compute)]
pub(crate) async fn source(
    /// How many.
    go: In<i64>,
    /// The numbers.
    out: Out<i64>,
) -> Result<(), Closed> {
    while let Some(count) = go.next().await {
        stopwatch::start();
        for number in (0..*count).rev() {
            out.send(number).await?;
        }
    }
    Ok(())
}

/// Marks the last text.
pub const LAST: u8 = b'!';

/// A text of this many bytes.
#[must_use]
pub fn text(size: usize, is_last: bool) -> String {
    let mut text = if is_last { "!" } else { "." }.to_owned();
    text.extend((1..size).map(|_| 'x'));
    text
}

/// Sends as many texts as it is told.
#[component("bench/text-source", work = compute)]
pub(crate) async fn text_source(
    /// How many.
    go: In<i64>,
    /// Bytes of each.
    size: Param<i64>,
    /// The texts, each made anew.
    out: Out<Text>,
) -> Result<(), Closed> {
    let size = usize::try_from(*size).unwrap_or(0);
    let [usual, last] = [false, true].map(|is_last| text(size, is_last));
    while let Some(count) = go.next().await {
        stopwatch::start();
        for number in (0..*count).rev() {
            let text = if number == 0 { &last } else { &usual };
            out.send(text.as_str()).await?;
        }
    }
    Ok(())
}

/// Sends as many numbers as it is told, in groups.
#[component("bench/group-source", work = compute)]
pub(crate) async fn group_source(
    /// How many.
    go: In<i64>,
    /// Numbers of each group.
    size: Param<i64>,
    /// The groups.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(count) = go.next().await {
        stopwatch::start();
        let mut left = *count;
        while left > 0 {
            let rest = (left - *size).max(0);
            out.send(Packet::open()).await?;
            for number in (rest..left).rev() {
                out.send(number).await?;
            }
            out.send(Packet::close()).await?;
            left = rest;
        }
    }
    Ok(())
}

/// Passes packets on.
#[component("bench/pass", work = compute)]
pub(crate) fn pass(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
}

/// Passes packets on, on a thread of its own.
#[component("bench/pass-on-thread")]
pub(crate) fn pass_on_thread(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
}

/// Passes packets on, as a looper.
#[component("bench/walk", work = compute)]
pub(crate) async fn walk(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes packets on, as a looper on a thread of its own.
#[component("bench/walk-on-thread")]
pub(crate) async fn walk_on_thread(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes packets on after some work.
#[component("bench/toil", work = compute)]
pub(crate) fn toil(
    /// Anything.
    input: Packet,
    /// How much work.
    rounds: &Param<i64>,
    /// The same.
    out: &mut Out<Packet>,
) {
    spin(rounds.unsigned_abs());
    out.put(input);
}

/// Passes packets on after some work, on a thread of its own.
#[component("bench/toil-on-thread")]
pub(crate) fn toil_on_thread(
    /// Anything.
    input: Packet,
    /// How much work.
    rounds: &Param<i64>,
    /// The same.
    out: &mut Out<Packet>,
) {
    spin(rounds.unsigned_abs());
    out.put(input);
}

/// Passes packets on after some work, as a looper.
#[component("bench/walk-and-toil", work = compute)]
pub(crate) async fn walk_and_toil(
    /// Anything.
    input: In<Packet>,
    /// How much work.
    rounds: Param<i64>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Closed> {
    while let Some(packet) = input.next().await {
        spin(rounds.unsigned_abs());
        out.send(packet).await?;
    }
    Ok(())
}

/// Sends each packet to every element.
#[component("bench/copy", work = compute)]
pub(crate) fn copy(
    /// Anything.
    input: Packet,
    /// The copies.
    outs: &mut Outs<Packet>,
) {
    for out in outs.iter_mut() {
        out.put(input.clone());
    }
}

/// Sends packets to its elements in turn.
#[component("bench/deal", work = compute)]
pub(crate) async fn deal(
    /// Anything.
    input: In<Packet>,
    /// In turn.
    outs: Outs<Packet>,
) -> Result<(), Closed> {
    let mut next = 0;
    while let Some(packet) = input.next().await {
        outs[next].send(packet).await?;
        next = (next + 1) % outs.len();
    }
    Ok(())
}

/// Drops numbers.
#[component("bench/sink", work = compute)]
pub(crate) fn sink(
    /// Numbers; the last ones stop the clock.
    input: i64,
) {
    stopwatch::arrived(input);
}

/// Drops numbers, and waits outside for a while at each.
#[component("bench/slow-sink")]
pub(crate) fn slow_sink(
    /// Numbers; the last ones stop the clock.
    input: i64,
) {
    outside(|| thread::sleep(PAUSE));
    stopwatch::arrived(input);
}

/// Drops texts.
#[component("bench/text-sink", work = compute)]
pub(crate) fn text_sink(
    /// Texts; the last one stops the clock.
    input: Text,
) {
    if input.as_bytes().first() == Some(&LAST) {
        stopwatch::arrived(0);
    }
}

/// Drops anything.
#[component("bench/any-sink", work = compute)]
pub(crate) fn any_sink(
    /// Packets; the last numbers stop the clock.
    input: Packet,
) {
    if let Some(number) = input.as_int() {
        stopwatch::arrived(number);
    }
}
