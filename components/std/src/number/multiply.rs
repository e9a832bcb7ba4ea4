use paperflow_core::{Fault, Number, Out, Param, component};

use super::checked;
use crate::param::Amount;

/// Multiplies each number by a value.
///
/// Two whole numbers give a whole number, and a fault when it is too large; else the product has a
/// fraction.
#[component("number/multiply", work = compute)]
#[example(value = -2, input = [5, 0.25], out = [-10, -0.5])]
#[example(value = 1.5, input = [3], out = [4.5])]
pub(crate) fn multiply(
    /// Numbers.
    input: Number,
    /// What they are multiplied by.
    value: &Param<Amount>,
    /// The products.
    out: &mut Out<Number>,
) -> Result<(), Fault> {
    out.put(checked(
        "product",
        input,
        value.0,
        i64::checked_mul,
        |one, two| one * two,
    )?);
    Ok(())
}
