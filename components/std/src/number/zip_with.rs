use paperflow_core::{Fault, Ins, Number, Out, Param, component};

use super::combine;
use crate::param::Operation;

/// Combines the first numbers of all streams into one, then the second ones, and so on.
///
/// OPERATION is `add`, `subtract`, `multiply`, `divide`, `min` or `max`; of more than two streams the
/// first two are combined, then the result with the third. It ends with the shortest stream: what has
/// been taken from others by then is dropped. Brackets are a fault.
#[component("number/zip-with", work = compute, reads = in_step)]
#[example(inputs[0] = [1, 2, 3], inputs[1] = [10, 20], out = [11, 22])]
#[example(operation = "subtract", inputs[0] = [9], inputs[2] = [2], inputs[5] = [0.5], out = [6.5])]
pub(crate) async fn zip_with(
    /// The streams of numbers.
    inputs: Ins<Number>,
    /// What is done.
    #[default("add")]
    operation: Param<Operation>,
    /// The results.
    out: Out<Number>,
) -> Result<(), Fault> {
    while !inputs.is_empty() {
        let mut result: Option<Number> = None;
        for port in inputs.iter() {
            let Some(number) = port.next().await else {
                return Ok(());
            };
            result = Some(match result {
                Some(result) => combine(*operation, result, *number)?,
                None => *number,
            });
        }
        if let Some(result) = result {
            out.send(result).await?;
        }
    }
    Ok(())
}
