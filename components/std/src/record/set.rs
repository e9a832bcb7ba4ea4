use paperflow_core::{Fault, Out, Param, Record, component};

use crate::param::{Field, Literal};

/// Writes a value into a field of each record.
///
/// The records on the way to the field are made if they are missing. VALUE is read as JSON; what is
/// no JSON is taken as text.
#[component("record/set", work = compute)]
#[example(field = "state", value = "paid", input = [{"id": 1}], out = [{"id": 1, "state": "paid"}])]
#[example(field = "a.b", value = -2, input = [{}], out = [{"a": {"b": -2}}])]
pub(crate) fn set(
    /// Records.
    input: Record,
    /// The field, such as `price` or `customer.name`.
    field: &Param<Field>,
    /// The value.
    value: &Param<Literal>,
    /// The changed records.
    out: &mut Out<Record>,
) -> Result<(), Fault> {
    let mut json = input.into_json();
    field.write(&mut json, value.0.clone())?;
    out.put(json);
    Ok(())
}
