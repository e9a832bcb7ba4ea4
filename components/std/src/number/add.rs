use paperflow_core::{Fault, Number, Out, Param, component};

use super::checked;
use crate::param::Amount;

/// Adds a value to each number; a negative value subtracts.
///
/// Two whole numbers give a whole number, and a fault when it is too large; else the sum has a
/// fraction.
#[component("number/add", work = compute)]
#[example(value = -2, input = [5, 1, 0.5], out = [3, -1, -1.5])]
pub(crate) fn add(
    /// Numbers.
    input: Number,
    /// What is added.
    value: &Param<Amount>,
    /// The sums.
    out: &mut Out<Number>,
) -> Result<(), Fault> {
    out.put(checked(
        "sum",
        input,
        value.0,
        i64::checked_add,
        |one, two| one + two,
    )?);
    Ok(())
}
