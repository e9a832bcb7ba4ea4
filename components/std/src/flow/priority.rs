use paperflow_core::headers::names;
use paperflow_core::{Fault, Headers, Out, Packet, Param, component};

use crate::param::Field;

/// Writes on every packet how important it is.
///
/// The header `priority` is a whole number; 0 is what a packet without it has. A full arrow with
/// `full=drop-oldest` or `full=drop-new` sheds what has the least priority first. With FIELD it is
/// taken from a field of the record, and VALUE is for records without that field. The packets keep
/// their other headers; brackets pass.
#[component("flow/priority", work = compute)]
#[example(value = 2, input = ["a", open, 1, close], out = ["a", open, 1, close])]
#[example(field = "stars", input = [{"stars": 5}, {}], out = [{"stars": 5}, {}])]
pub(crate) fn priority(
    /// Anything; records when FIELD is given.
    input: Packet,
    /// The field that tells it, such as `stars` or `customer.class`.
    field: &Param<Option<Field>>,
    /// The priority of everything, or of records without the field.
    #[default(0)]
    value: &Param<i64>,
    /// The same, with its priority.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let own = match &**field {
        Some(field) => find(&input, field)?,
        None => None,
    };
    let mut headers = input
        .headers()
        .map_or_else(Headers::default, |headers| Headers::clone(headers));
    headers.set(names::PRIORITY, own.unwrap_or(**value).to_string());
    out.put(input.with_headers(headers));
    Ok(())
}

fn find(packet: &Packet, field: &Field) -> Result<Option<i64>, Fault> {
    let Some(json) = packet.as_record().and_then(|record| field.find(record)) else {
        return Ok(None);
    };
    let number = json
        .as_i64()
        .ok_or_else(|| Fault::new(format!("the field {field} is no whole number but {json}")))?;
    Ok(Some(number))
}
