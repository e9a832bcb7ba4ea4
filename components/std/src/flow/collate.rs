use std::cmp::Ordering;

use paperflow_core::{Fault, Got, Ins, Out, Packet, Param, component};

use crate::datum::Datum;
use crate::param::Keys;

/// Merges sorted streams into one sorted stream, and brackets what belongs together.
///
/// The streams are sorted by the same keys, ascending. Packets with equal keys keep the order of the
/// elements they come from, so that a master at `IN[0]` comes before its details at `IN[1]`.
///
/// Each key is a level of brackets, the first key outermost: where the first key changes all brackets
/// close and open again, where only the last one changes the innermost do. Every packet so stands
/// inside as many brackets as there are keys. No packets, no brackets.
///
/// CTLFIELDS tells the keys: `3, 2, 5` are the lengths of the fields a text begins with, in
/// characters; `order, line` are fields of a record. Brackets in a stream are a fault, and so is a
/// record without one of the fields.
#[component("flow/collate", work = compute, reads = in_step)]
#[example(
    ctlfields = "1",
    inputs[0] = ["1 m", "2 m"],
    inputs[1] = ["1 d", "1 e", "3 d"],
    out = [open, "1 m", "1 d", "1 e", close, open, "2 m", close, open, "3 d", close]
)]
#[example(
    ctlfields = "order, line",
    inputs[0] = [{"order": 1, "line": 1}, {"order": 1, "line": 2}],
    out = [open, open, {"order": 1, "line": 1}, close, open, {"order": 1, "line": 2}, close, close]
)]
pub(crate) async fn collate(
    /// The streams, sorted.
    inputs: Ins<Packet>,
    /// The keys: lengths, or fields.
    ctlfields: Param<Keys>,
    /// The one stream, with brackets.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let keys = ctlfields.into_inner();
    let mut heads = Vec::new();
    for at in 0..inputs.len() {
        heads.push(head(&inputs, at, &keys).await?);
    }
    let mut current: Option<Vec<Packet>> = None;
    while let Some(at) = lowest(&heads) {
        let Some(Head { packet, keys: next }) = heads[at].take() else {
            break;
        };
        let level = current
            .as_ref()
            .map_or(0, |current| first_change(current, &next));
        if current.is_some() {
            brackets(&out, keys.levels() - level, Packet::close()).await?;
        }
        brackets(&out, keys.levels() - level, Packet::open()).await?;
        out.send(packet).await?;
        current = Some(next);
        heads[at] = head(&inputs, at, &keys).await?;
    }
    if current.is_some() {
        brackets(&out, keys.levels(), Packet::close()).await?;
    }
    Ok(())
}

/// The first packet of a stream that has not been sent.
struct Head {
    packet: Got<Packet>,
    keys: Vec<Packet>,
}

async fn head(inputs: &Ins<Packet>, at: usize, keys: &Keys) -> Result<Option<Head>, Fault> {
    let Some(packet) = inputs[at].next().await else {
        return Ok(None);
    };
    let element = inputs.numbers()[at];
    if packet.is_bracket() {
        return Err(Fault::new(format!(
            "IN[{element}] has a bracket, and only data can be collated"
        )));
    }
    let keys = keys
        .of(&packet)
        .map_err(|fault| Fault::new(format!("IN[{element}]: {fault}")))?;
    Ok(Some(Head { packet, keys }))
}

async fn brackets(out: &Out<Packet>, count: usize, bracket: Packet) -> Result<(), Fault> {
    for _ in 0..count {
        out.send(bracket.clone()).await?;
    }
    Ok(())
}

/// The element with the lowest keys, of equals the first.
fn lowest(heads: &[Option<Head>]) -> Option<usize> {
    let there = heads
        .iter()
        .enumerate()
        .filter_map(|(at, head)| head.as_ref().map(|head| (at, head)));
    there
        .min_by(|(_, one), (_, two)| compare(&one.keys, &two.keys))
        .map(|(at, _)| at)
}

fn compare(one: &[Packet], two: &[Packet]) -> Ordering {
    let pairs = one.iter().zip(two);
    pairs
        .map(|(one, two)| Datum::from(one).compare(Datum::from(two)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The outermost level whose key differs; the number of levels when none does.
fn first_change(one: &[Packet], two: &[Packet]) -> usize {
    let differs = |at: &usize| compare(&one[*at..=*at], &two[*at..=*at]).is_ne();
    (0..one.len()).find(differs).unwrap_or(one.len())
}
