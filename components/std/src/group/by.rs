use paperflow_core::{Fault, In, Out, Packet, Param, component};

use crate::param::Field;
use crate::payload;

/// Puts brackets around neighbours that are equal.
///
/// FIELD compares one field of records; without it the whole packets are compared. Only neighbours
/// are grouped, so the stream is usually sorted before. A bracket in the stream ends the group and
/// passes. A record without the field is a fault.
#[component("group/by", work = compute)]
#[example(input = ["a", "a", "b"], out = [open, "a", "a", close, open, "b", close])]
#[example(
    field = "id",
    input = [{"id": 1, "x": 1}, {"id": 1, "x": 2}, {"id": 2}],
    out = [open, {"id": 1, "x": 1}, {"id": 1, "x": 2}, close, open, {"id": 2}, close]
)]
pub(crate) async fn by(
    /// The stream.
    input: In<Packet>,
    /// The field to compare.
    field: Param<Option<Field>>,
    /// The groups.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut current: Option<Packet> = None;
    while let Some(packet) = input.next().await {
        let next = if packet.is_bracket() {
            None
        } else {
            Some(key(&packet, field.as_ref())?)
        };
        if next.is_none() || next != current {
            if current.is_some() {
                out.send(Packet::close()).await?;
            }
            if next.is_some() {
                out.send(Packet::open()).await?;
            }
        }
        current = next;
        out.send(packet).await?;
    }
    if current.is_some() {
        out.send(Packet::close()).await?;
    }
    Ok(())
}

fn key(packet: &Packet, field: Option<&Field>) -> Result<Packet, Fault> {
    match field {
        Some(field) => Ok(Packet::json(field.get(payload::record(packet)?)?.clone())),
        None => Ok(packet.clone()),
    }
}
