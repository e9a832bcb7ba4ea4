use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::param::Field;
use crate::payload::{self, New};

/// Takes one field out of each record and sends its value.
///
/// Texts, numbers and truth values become plain packets, records and arrays records. A record without
/// the field goes to MISSING if that is connected, and is a fault else.
#[component("record/get", work = compute, sends = by_choice)]
#[example(field = "customer.name", input = [{"customer": {"name": "Ada"}}], out = ["Ada"])]
#[example(field = "id", input = [{"id": 1}, {"x": 2}], out = [1], missing = [{"x": 2}])]
pub(crate) fn get(
    /// Records.
    input: Packet,
    /// The field, such as `price` or `customer.name`.
    field: &Param<Field>,
    /// The values.
    out: &mut Out<Packet>,
    /// Records that do not have it.
    #[optional]
    missing: &mut Out<Packet>,
) -> Result<(), Fault> {
    let record = payload::record(&input)?;
    match field.find(record) {
        Some(value) => out.put(New(Packet::json(value.clone()))),
        None if missing.is_connected() => missing.put(input),
        None => return field.get(record).map(|_| ()),
    }
    Ok(())
}
