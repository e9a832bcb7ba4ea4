//! Components for numbers.

mod add;
mod compare;
mod divide;
mod format;
mod max;
mod min;
mod multiply;
mod parse;
mod remainder;
mod sum;

pub(crate) use sum::plus;

use std::cmp::Ordering;

use paperflow_core::{Catalogue, Fault, Got, In, Number, Out, Packet};

use crate::datum::Datum;
use crate::payload;

/// The components of this area.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .with(add::add)
        .with(compare::compare)
        .with(divide::divide)
        .with(format::format)
        .with(max::max)
        .with(min::min)
        .with(multiply::multiply)
        .with(parse::parse)
        .with(remainder::remainder)
        .with(sum::sum)
}

/// What two numbers give: whole numbers stay whole, and their result must not be too large.
fn checked(
    what: &str,
    one: Number,
    two: Number,
    whole: fn(i64, i64) -> Option<i64>,
    fraction: fn(f64, f64) -> f64,
) -> Result<Number, Fault> {
    match (one, two) {
        (Number::Int(one), Number::Int(two)) => whole(one, two).map(Number::Int).ok_or_else(|| {
            Fault::new(format!(
                "the {what} of {one} and {two} is too large for a whole number"
            ))
        }),
        _ => Ok(Number::Float(fraction(one.as_f64(), two.as_f64()))),
    }
}

/// Sends the first number that no other one is beyond.
async fn extreme(input: In<Packet>, beyond: Ordering, out: Out<Packet>) -> Result<(), Fault> {
    let mut best: Option<Got<Packet>> = None;
    while let Some(packet) = input.next().await {
        if packet.is_bracket() {
            continue;
        }
        payload::number(&packet)?;
        let is_better =
            |best: &Got<Packet>| Datum::from(&*packet).compare(Datum::from(&**best)) == beyond;
        if best.as_ref().is_none_or(is_better) {
            best = Some(packet);
        }
    }
    match best {
        Some(best) => Ok(out.send(best).await?),
        None => Ok(()),
    }
}
