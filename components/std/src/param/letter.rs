use paperflow_core::{Fault, Packet, Parameter};

use super::expected;

/// One character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Letter(pub(crate) char);

impl Parameter for Letter {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(letter), None) => Ok(Self(letter)),
            _ => expected("one character", packet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_one_character_of_any_kind() {
        assert_eq!(Letter::read(&Packet::text(" ")).unwrap(), Letter(' '));
        assert_eq!(Letter::read(&Packet::text("ü")).unwrap(), Letter('ü'));
        assert_eq!(Letter::read(&Packet::int(0)).unwrap(), Letter('0'));
        assert!(Letter::read(&Packet::text("")).is_err());
        assert!(Letter::read(&Packet::text("ab")).is_err());
    }
}
