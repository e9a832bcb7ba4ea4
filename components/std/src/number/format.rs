use paperflow_core::{Fault, Number, Out, Param, Text, component};

use crate::param::Count;

/// Writes numbers as texts.
///
/// With DECIMALS every number has that many digits behind the point, rounded; without it it has as
/// many as it needs. At most 100.
#[component("number/format", work = compute)]
#[example(decimals = 2, input = [5, -2.505, 0.126], out = ["5.00", "-2.50", "0.13"])]
#[example(input = [5, -2.5], out = ["5", "-2.5"])]
pub(crate) fn format(
    /// Numbers.
    input: Number,
    /// How many digits behind the point.
    decimals: &Param<Option<Count>>,
    /// The texts.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    let text = match (input, **decimals) {
        (_, Some(Count(digits))) if digits > 100 => {
            return Err(Fault::new(format!(
                "parameter DECIMALS: expected at most 100, got {digits}"
            )));
        }
        (Number::Int(int), None | Some(Count(0))) => int.to_string(),
        (Number::Int(int), Some(Count(digits))) => {
            std::format!("{int}.{}", "0".repeat(digits as usize))
        }
        (Number::Float(float), None) => float.to_string(),
        (Number::Float(float), Some(Count(digits))) => std::format!("{float:.0$}", digits as usize),
    };
    out.put(text);
    Ok(())
}
