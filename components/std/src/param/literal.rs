use paperflow_core::{Fault, Packet, Parameter};
use serde_json::Value as Json;

/// A value: JSON if it reads as such, else the text itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal(pub(crate) Json);

impl Parameter for Literal {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let json = packet
            .as_text()
            .map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into()));
        Ok(Self(json.unwrap_or_else(|| packet.to_json())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_text() {
        let read = |text| Literal::read(&Packet::text(text)).unwrap().0;
        assert_eq!(read("5"), Json::from(5));
        assert_eq!(read("red"), Json::from("red"));
        assert_eq!(read("\"5\""), Json::from("5"));
        assert_eq!(read("{\"a\":1}")["a"], 1);
    }
}
