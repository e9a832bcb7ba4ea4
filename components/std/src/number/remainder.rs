use paperflow_core::{Fault, Number, Out, Param, component};

use super::{checked, divisor};
use crate::param::Amount;

/// Tells what is left of each number after dividing it by a value as often as possible.
///
/// It is never negative: of -1 and 3, 2 is left. The value 0 is a fault.
#[component("number/remainder", work = compute)]
#[example(value = 3, input = [7, -1, 6], out = [1, 2, 0])]
pub(crate) fn remainder(
    /// Numbers.
    input: Number,
    /// What they are divided by; not 0.
    value: &Param<Amount>,
    /// What is left.
    out: &mut Out<Number>,
) -> Result<(), Fault> {
    out.put(checked(
        "remainder",
        input,
        divisor(value)?,
        i64::checked_rem_euclid,
        f64::rem_euclid,
    )?);
    Ok(())
}
