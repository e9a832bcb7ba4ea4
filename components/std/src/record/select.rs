use paperflow_core::{Fault, Out, Param, Record, component};
use serde_json::{Map, Value as Json};

use crate::param::Fields;

/// Keeps the given fields of each record, in the given order.
///
/// A field that a record does not have is left out. Fields further inside keep their place.
#[component("record/select", work = compute)]
#[example(fields = "b, a", input = [{"a": 1, "b": 2, "c": 3}, {"c": 4}], out = [{"b": 2, "a": 1}, {}])]
#[example(fields = "a.b", input = [{"a": {"b": 1, "c": 2}}], out = [{"a": {"b": 1}}])]
pub(crate) fn select(
    /// Records.
    input: Record,
    /// The fields, such as `id, customer.name`.
    fields: &Param<Fields>,
    /// Records with these fields only.
    out: &mut Out<Record>,
) -> Result<(), Fault> {
    let mut kept = Json::Object(Map::new());
    for field in &fields.0 {
        if let Some(value) = field.find(&input) {
            field.write(&mut kept, value.clone())?;
        }
    }
    out.put(kept);
    Ok(())
}
