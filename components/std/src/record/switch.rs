use paperflow_core::{Fault, Out, Outs, Packet, Param, component};
use serde_json::Value as Json;

use crate::param::Field;
use crate::payload;

/// Sends each record to the element of OUT that the value of one field stands for.
///
/// VALUES lists the values: the first one leads to `OUT[0]`, the second one to `OUT[1]` and so on. A
/// record without the field, with another value, or whose element is not connected goes to REST. The
/// packets themselves are sent on; brackets go to all.
#[component("record/switch", work = compute, sends = by_choice)]
#[example(
    field = "kind",
    values = "red, 5",
    input = [{"kind": "red"}, {"kind": 5}, {"kind": "blue"}],
    outs[0] = [{"kind": "red"}],
    outs[1] = [{"kind": 5}],
    rest = [{"kind": "blue"}]
)]
pub(crate) fn switch(
    /// Records.
    input: Packet,
    /// The field, such as `kind` or `customer.country`.
    field: &Param<Field>,
    /// Its values, with commas between.
    values: &Param<String>,
    /// Records with these values.
    outs: &mut Outs<Packet>,
    /// All other records.
    #[optional]
    rest: &mut Out<Packet>,
) -> Result<(), Fault> {
    let value = field.find(payload::record(&input)?);
    let number = value.and_then(|value| place(value, values));
    let element =
        number.and_then(|number| outs.numbers().iter().position(|at| *at as usize == number));
    match element {
        Some(at) => outs[at].put(input),
        None => rest.put(input),
    }
    Ok(())
}

/// Where a value stands in the list.
fn place(value: &Json, values: &str) -> Option<usize> {
    let written = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    values
        .split(',')
        .position(|listed| listed.trim() == written)
}
