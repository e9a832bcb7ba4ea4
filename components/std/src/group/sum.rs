use paperflow_core::{Fault, In, Number, Out, Packet, Param, component};

use super::Groups;
use crate::number::plus;
use crate::param::Field;
use crate::payload;

/// Adds up the numbers of each group, and sends one sum in the place of the group.
///
/// FIELD adds up one field of records instead; a record without it is a fault. Numbers inside nested
/// groups are added too. An empty group sums up to 0. A packet outside all groups is a fault, and so
/// is a stream that ends inside one.
#[component("group/sum", work = compute)]
#[example(input = [open, 1, 2, close, open, close, open, -0.5, close], out = [3, 0, -0.5])]
#[example(field = "price", input = [open, {"price": 599}, {"price": 240}, close], out = [839])]
pub(crate) async fn sum(
    /// Groups.
    input: In<Packet>,
    /// The field to add up.
    field: Param<Option<Field>>,
    /// One sum per group.
    out: Out<Number>,
) -> Result<(), Fault> {
    let mut groups = Groups::default();
    let mut total = Number::Int(0);
    while let Some(packet) = input.next().await {
        let is_whole = groups.step(&packet)?;
        if !packet.is_bracket() {
            total = plus(total, value(&packet, field.as_ref())?)?;
        }
        drop(packet);
        if is_whole {
            out.send(total).await?;
            total = Number::Int(0);
        }
    }
    groups.end()
}

fn value(packet: &Packet, field: Option<&Field>) -> Result<Number, Fault> {
    match field {
        Some(field) => payload::json_number(field.get(payload::record(packet)?)?),
        None => payload::number(packet),
    }
}
