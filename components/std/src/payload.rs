//! Payloads of packets that are to be sent on as themselves.

use paperflow_core::{Fault, IntoPort, Number, Out, Packet};
use serde_json::{Map, Value as Json};

fn wrong<T>(wanted: &str, packet: &Packet) -> Result<T, Fault> {
    let got = packet.kind().word();
    let excerpt: String = packet.to_string().chars().take(EXCERPT).collect();
    Err(Fault::new(format!(
        "expected {wanted}, got {got} {excerpt}"
    )))
}

/// Characters of a payload that a fault shows.
const EXCERPT: usize = 60;

/// The text of a packet.
pub(crate) fn text(packet: &Packet) -> Result<&str, Fault> {
    packet.as_text().map_or_else(|| wrong("text", packet), Ok)
}

/// The number of a packet.
pub(crate) fn number(packet: &Packet) -> Result<Number, Fault> {
    let int = packet.as_int().map(Number::Int);
    int.or_else(|| packet.as_float().map(Number::Float))
        .map_or_else(|| wrong("int or float", packet), Ok)
}

/// The record of a packet.
pub(crate) fn record(packet: &Packet) -> Result<&Json, Fault> {
    packet
        .as_record()
        .map_or_else(|| wrong("record", packet), Ok)
}

/// The number that a JSON value is.
pub(crate) fn json_number(json: &Json) -> Result<Number, Fault> {
    number(&Packet::json(json.clone()))
}

/// The fields of a JSON object.
pub(crate) fn fields(json: Json) -> Result<Map<String, Json>, Fault> {
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(Fault::new(format!(
            "expected a record with fields, got {other}"
        ))),
    }
}

/// Sends a packet to the first port when it passes a test, and else to the second one.
pub(crate) fn divide(passes: bool, packet: Packet, acc: &mut Out<Packet>, rej: &mut Out<Packet>) {
    match passes {
        true => acc.put(packet),
        false => rej.put(packet),
    }
}

/// A packet that has just been made, where the first packet put would pass for the one that came.
pub(crate) struct New(pub(crate) Packet);

impl IntoPort<Packet> for New {
    fn into_port(self) -> Packet {
        self.0
    }
}
