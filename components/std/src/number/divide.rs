use paperflow_core::{Fault, Number, Out, Param, component};

use super::{divisor, quotient};
use crate::param::Amount;

/// Divides each number by a value.
///
/// Whole numbers that can be divided without a remainder give a whole number, all else a number with
/// a fraction. The value 0 is a fault.
#[component("number/divide", work = compute)]
#[example(value = 4, input = [8, -6], out = [2, -1.5])]
pub(crate) fn divide(
    /// Numbers.
    input: Number,
    /// What they are divided by; not 0.
    value: &Param<Amount>,
    /// The quotients.
    out: &mut Out<Number>,
) -> Result<(), Fault> {
    out.put(quotient(input, divisor(value)?)?);
    Ok(())
}
