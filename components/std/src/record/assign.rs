use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::param::{Field, Literal};
use crate::payload::{self, New};

/// Overwrites the value of each packet, or one field of it.
///
/// VALUE is read as JSON; what is no JSON is taken as text. With FIELD the packets must be records, and
/// only that field is written, as `record/set` does; without it nothing of the packet's value stays.
/// Brackets pass.
#[component("record/assign", work = compute)]
#[example(value = "done", input = ["a", 5, open, {"id": 1}, close], out = ["done", "done", open, "done", close])]
#[example(field = "state", value = 3, input = [{"id": 1, "state": null}], out = [{"id": 1, "state": 3}])]
pub(crate) fn assign(
    /// Anything; records when FIELD is given.
    input: Packet,
    /// The field, such as `price` or `customer.name`.
    field: &Param<Option<Field>>,
    /// The value.
    value: &Param<Literal>,
    /// The packets with their new values.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let new = value.0.clone();
    let json = match &**field {
        Some(field) => {
            let mut record = payload::record(&input)?.clone();
            field.write(&mut record, new)?;
            record
        }
        None => new,
    };
    out.put(New(Packet::json(json)));
    Ok(())
}
