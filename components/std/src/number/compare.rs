use std::cmp::Ordering;

use paperflow_core::{Fault, Out, Packet, Param, Value as _, component};

use crate::datum::Datum;
use crate::param::Amount;
use crate::payload;

/// Separates numbers by comparing them with a value.
///
/// The packets themselves are sent on. What is no number at all (`NaN`) counts as more. Brackets go
/// to all three.
#[component("number/compare", work = compute, sends = by_choice)]
#[example(value = 3, input = [-4, 3, 3.5], less = [-4], equal = [3], more = [3.5])]
pub(crate) fn compare(
    /// Numbers.
    input: Packet,
    /// What they are compared with.
    value: &Param<Amount>,
    /// The smaller ones.
    #[optional]
    less: &mut Out<Packet>,
    /// The equal ones.
    #[optional]
    equal: &mut Out<Packet>,
    /// The larger ones.
    #[optional]
    more: &mut Out<Packet>,
) -> Result<(), Fault> {
    payload::number(&input)?;
    let bound = value.0.into_packet();
    match Datum::from(&input).compare(Datum::from(&bound)) {
        Ordering::Less => less.put(input),
        Ordering::Equal => equal.put(input),
        Ordering::Greater => more.put(input),
    }
    Ok(())
}
