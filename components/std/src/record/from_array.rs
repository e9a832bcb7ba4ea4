use paperflow_core::{Fault, Out, Packet, Param, component};
use serde_json::Value as Json;

use crate::param::Field;
use crate::payload::{self, New};

/// Sends the elements of each array as packets of their own.
///
/// With BRACKETS each array becomes a group, so that `record/to-array` undoes it. Only one level is
/// taken apart: arrays in an array are sent as they are. FIELD takes the array in a field of a record.
/// What is no array is a fault. Brackets in the stream pass.
#[component("record/from-array", work = compute)]
#[example(input = [[1, "a", [2, 3]], []], out = [1, "a", [2, 3]])]
#[example(brackets = true, input = [[1, 2], []], out = [open, 1, 2, close, open, close])]
#[example(field = "lines", input = [{"lines": [{"n": 1}]}], out = [{"n": 1}])]
pub(crate) fn from_array(
    /// Arrays, or records with arrays in them.
    input: Packet,
    /// The field that has the array, such as `lines` or `order.lines`.
    field: &Param<Option<Field>>,
    /// `true` puts brackets around the elements of each array.
    #[default(false)]
    brackets: &Param<bool>,
    /// The elements.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let record = payload::record(&input)?;
    let json = match &**field {
        Some(field) => field.get(record)?,
        None => record,
    };
    let Json::Array(elements) = json else {
        return Err(Fault::new(format!("expected an array, got {json}")));
    };
    if **brackets {
        out.put(New(Packet::open()));
    }
    for element in elements {
        out.put(New(Packet::json(element.clone())));
    }
    if **brackets {
        out.put(New(Packet::close()));
    }
    Ok(())
}
