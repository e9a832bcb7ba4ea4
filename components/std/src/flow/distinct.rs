use paperflow_core::{Fault, Kind, Out, Packet, Param, Table, component};

use crate::param::Field;
use crate::payload;

/// Lets a value pass the first time it comes.
///
/// FIELD compares only one field of records; a record without it is a fault. What has come is
/// remembered in a table. Brackets pass. A value of a type of one's own cannot be compared, and is a fault.
#[component("flow/distinct", work = compute)]
#[example(input = ["a", "b", "a", 1, "1"], out = ["a", "b", 1, "1"])]
#[example(field = "id", input = [{"id": 1, "x": 1}, {"id": 1, "x": 2}], out = [{"id": 1, "x": 1}])]
pub(crate) fn distinct(
    /// Anything.
    input: Packet,
    /// The field that makes the difference.
    field: &Param<Option<Field>>,
    /// What has come.
    seen: &mut Table<String, bool>,
    /// Everything that is new.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let key = match &**field {
        Some(field) => field.get(payload::record(&input)?)?.to_string(),
        None if input.kind() == Kind::Object => {
            return Err(Fault::new("an object cannot be compared"));
        }
        None => format!("{} {input:?}", input.kind().word()),
    };
    if seen.put(key, true).is_none() {
        out.put(input);
    }
    Ok(())
}
