use paperflow_core::{Fault, Number, Out, Param, component};

use super::checked;
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
    if value.0.as_f64() == 0.0 {
        return Err(Fault::new(
            "parameter VALUE: expected a number other than 0",
        ));
    }
    let quotient = match (input, value.0) {
        (Number::Int(one), Number::Int(two)) if one.checked_rem(two) != Some(0) => {
            Number::Float(one as f64 / two as f64)
        }
        (one, two) => checked("quotient", one, two, i64::checked_div, |one, two| one / two)?,
    };
    out.put(quotient);
    Ok(())
}
