use std::cmp::Ordering;

use paperflow_core::{Fault, Got, In, Out, Packet, Param, component};

use crate::datum::Datum;
use crate::param::Field;

/// Sorts a stream in memory: numbers by value, texts by code point.
///
/// Equal packets keep their order. Kinds are sorted as null, bool, numbers, text, bytes, records.
/// FIELD sorts records by one of their fields; those that have none come first. A bracket ends a run:
/// what stands between two brackets is sorted by itself, and the brackets keep their places.
#[component("flow/sort", work = compute)]
#[example(input = ["b", "a", "Z"], out = ["Z", "a", "b"])]
#[example(reverse = true, input = [2, -10, 3.5], out = [3.5, 2, -10])]
#[example(input = [open, 2, 1, close, open, 4, 3, close], out = [open, 1, 2, close, open, 3, 4, close])]
pub(crate) async fn sort(
    /// Anything.
    input: In<Packet>,
    /// The field to sort records by.
    field: Param<Option<Field>>,
    /// `true` sorts from the largest to the smallest.
    #[default(false)]
    reverse: Param<bool>,
    /// The same, sorted.
    #[at_end]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let field = field.into_inner();
    let order = |one: &Got<Packet>, two: &Got<Packet>| {
        let order = compare(one, two, field.as_ref());
        if *reverse { order.reverse() } else { order }
    };
    let mut run = Vec::new();
    while let Some(packet) = input.next().await {
        if !packet.is_bracket() {
            run.push(packet);
            continue;
        }
        run.sort_by(order);
        for sorted in run.drain(..) {
            out.send(sorted).await?;
        }
        out.send(packet).await?;
    }
    run.sort_by(order);
    for sorted in run {
        out.send(sorted).await?;
    }
    Ok(())
}

fn compare(one: &Packet, two: &Packet, field: Option<&Field>) -> Ordering {
    match field {
        Some(field) => key(one, field).compare(key(two, field)),
        None => Datum::from(one).compare(Datum::from(two)),
    }
}

fn key<'a>(packet: &'a Packet, field: &Field) -> Datum<'a> {
    let value = packet.as_record().and_then(|record| field.find(record));
    value.map_or(Datum::Null, Datum::from)
}
