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
mod scan;
mod sum;
mod zip_with;

pub(crate) use sum::plus;

use std::cmp::Ordering;

use paperflow_core::{Catalogue, Fault, Got, In, Number, Out, Packet, Value as _};

use crate::datum::Datum;
use crate::param::{Amount, Operation};
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
        .with(scan::scan)
        .with(sum::sum)
        .with(zip_with::zip_with)
        .alias("Scan", "number/scan")
        .alias("ZipWith", "number/zip-with")
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

/// The value to divide by.
fn divisor(value: &Amount) -> Result<Number, Fault> {
    match value.0.as_f64() == 0.0 {
        true => Err(Fault::new(
            "parameter VALUE: expected a number other than 0",
        )),
        false => Ok(value.0),
    }
}

/// Whole when there is no remainder; the second one is not 0.
fn quotient(one: Number, two: Number) -> Result<Number, Fault> {
    match (one, two) {
        (Number::Int(above), Number::Int(below)) if above.checked_rem(below) != Some(0) => {
            Ok(Number::Float(above as f64 / below as f64))
        }
        _ => checked("quotient", one, two, i64::checked_div, |one, two| one / two),
    }
}

/// What an operation makes of two numbers.
fn combine(operation: Operation, one: Number, two: Number) -> Result<Number, Fault> {
    let order = || Datum::from(&one.into_packet()).compare(Datum::from(&two.into_packet()));
    match operation {
        Operation::Add => plus(one, two),
        Operation::Subtract => checked("difference", one, two, i64::checked_sub, |one, two| {
            one - two
        }),
        Operation::Multiply => checked("product", one, two, i64::checked_mul, |one, two| one * two),
        Operation::Divide if two.as_f64() == 0.0 => {
            let one = one.into_packet();
            Err(Fault::new(format!("{one} cannot be divided by 0")))
        }
        Operation::Divide => quotient(one, two),
        Operation::Min => Ok(if order().is_gt() { two } else { one }),
        Operation::Max => Ok(if order().is_lt() { two } else { one }),
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
