use paperflow_core::{Out, Param, Record, component};

use crate::param::Fields;

/// Takes the given fields out of each record.
///
/// A field that a record does not have is no matter.
#[component("record/remove", work = compute)]
#[example(fields = "b, c.d", input = [{"a": 1, "b": 2, "c": {"d": 3}}], out = [{"a": 1, "c": {}}])]
pub(crate) fn remove(
    /// Records.
    input: Record,
    /// The fields, such as `id, customer.name`.
    fields: &Param<Fields>,
    /// Records without them.
    out: &mut Out<Record>,
) {
    let mut json = input.into_json();
    for field in &fields.0 {
        field.remove(&mut json);
    }
    out.put(json);
}
